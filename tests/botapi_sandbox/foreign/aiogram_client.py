"""aiogram behind the interface of `tests.botapi_sandbox.foreign.clients`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import aiogram
import aiogram.client.session.aiohttp
import aiogram.client.telegram
import aiogram.exceptions as aiogram_errors
import aiogram.types


class Aiogram:
    types = aiogram.types
    errors: ClassVar[dict[int, type[Exception]]] = {
        400: aiogram_errors.TelegramBadRequest,
        401: aiogram_errors.TelegramUnauthorizedError,
        403: aiogram_errors.TelegramForbiddenError,
        404: aiogram_errors.TelegramNotFound,
        409: aiogram_errors.TelegramConflictError,
        429: aiogram_errors.TelegramRetryAfter,
    }

    def __init__(self, bot: aiogram.Bot) -> None:
        self._bot = bot

    async def call(self, method: str, **arguments: Any) -> Any:
        return await getattr(self._bot, method)(**arguments)

    def file(self, data: bytes, name: str, *, inside: bool = False) -> Any:
        return aiogram.types.BufferedInputFile(data, name)

    def code(self, error: Exception) -> int:
        return next(code for code, kind in self.errors.items() if type(error) is kind)

    def retry_after(self, error: Exception) -> float:
        assert isinstance(error, aiogram_errors.TelegramRetryAfter)
        return error.retry_after

    async def download(self, file_path: str) -> bytes:
        read = await self._bot.download_file(file_path)
        assert read is not None
        return read.read()


@asynccontextmanager
async def aiogram_client(url: str, token: str) -> AsyncIterator[Aiogram]:
    server = aiogram.client.telegram.TelegramAPIServer.from_base(url)
    bot = aiogram.Bot(token, session=aiogram.client.session.aiohttp.AiohttpSession(api=server))
    try:
        yield Aiogram(bot)
    finally:
        await bot.session.close()
