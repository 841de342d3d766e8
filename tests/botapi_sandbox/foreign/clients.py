"""Three public client libraries behind one small interface, so that one conversation works with all of them.

Their method names, attribute names and most argument names are the same, because they follow the Bot API. This module
covers the differences: making a bot; passing a file, a keyboard or a price; the exceptions.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Protocol

import telebot
import telebot.apihelper
import telebot.types
import telegram
import telegram.error
import telegram.request


class Client(Protocol):
    """A bot in one library."""

    types: Any
    """The module with the library's classes for Bot API types."""
    errors: dict[int, type[Exception]]
    """The library's own exception for an error code."""

    async def call(self, method: str, **arguments: Any) -> Any: ...

    def file(self, data: bytes, name: str, *, inside: bool = False) -> Any:
        """An upload. `inside` means it is part of an InputMedia."""
        ...

    def code(self, error: Exception) -> int: ...

    def retry_after(self, error: Exception) -> float: ...

    async def download(self, file_path: str) -> bytes: ...


class PythonTelegramBot:
    types = telegram
    errors: ClassVar[dict[int, type[Exception]]] = {
        400: telegram.error.BadRequest,
        401: telegram.error.InvalidToken,
        403: telegram.error.Forbidden,
        404: telegram.error.InvalidToken,
        409: telegram.error.Conflict,
        429: telegram.error.RetryAfter,
    }

    def __init__(self, bot: telegram.Bot) -> None:
        self._bot = bot

    async def call(self, method: str, **arguments: Any) -> Any:
        return await getattr(self._bot, method)(**arguments)

    def file(self, data: bytes, name: str, *, inside: bool = False) -> Any:
        return telegram.InputFile(data, filename=name, attach=inside)

    def code(self, error: Exception) -> int:
        return next(code for code, kind in self.errors.items() if type(error) is kind)

    def retry_after(self, error: Exception) -> float:
        assert isinstance(error, telegram.error.RetryAfter)
        after = error.retry_after
        return after.total_seconds() if not isinstance(after, int) else after

    async def download(self, file_path: str) -> bytes:
        # The library has already replaced the path with the complete address.
        return await self._bot.request.retrieve(file_path)


class Telebot:
    types = telebot.types
    errors = dict.fromkeys((400, 401, 403, 404, 409, 429), telebot.apihelper.ApiTelegramException)
    _renamed: ClassVar[dict[str, dict[str, str]]] = {
        "send_video_note": {"video_note": "data"},
        "send_invoice": {"payload": "invoice_payload"},
    }

    def __init__(self, bot: telebot.TeleBot) -> None:
        self._bot = bot

    async def call(self, method: str, **arguments: Any) -> Any:
        names = self._renamed.get(method, {})
        renamed = {names.get(name, name): value for name, value in arguments.items()}
        if method == "get_updates":
            renamed["long_polling_timeout"] = renamed.get("timeout", 0)
        return await asyncio.to_thread(getattr(self._bot, method), **renamed)

    def file(self, data: bytes, name: str, *, inside: bool = False) -> Any:
        return telebot.types.InputFile(io.BytesIO(data), file_name=name)

    def code(self, error: Exception) -> int:
        assert isinstance(error, telebot.apihelper.ApiTelegramException)
        return int(error.error_code)

    def retry_after(self, error: Exception) -> float:
        assert isinstance(error, telebot.apihelper.ApiTelegramException)
        return float(error.result_json["parameters"]["retry_after"])

    async def download(self, file_path: str) -> bytes:
        return await asyncio.to_thread(self._bot.download_file, file_path)


@asynccontextmanager
async def client(library: str, url: str, token: str) -> AsyncIterator[Client]:
    """A bot of that library against the server at `url`."""
    match library:
        case "aiogram":
            # Importing it takes seconds of CPU time, so only the test that needs it does.
            from tests.botapi_sandbox.foreign.aiogram_client import aiogram_client

            async with aiogram_client(url, token) as asynchronous:
                yield asynchronous
        case "python-telegram-bot":
            requests: Sequence[telegram.request.HTTPXRequest] = [telegram.request.HTTPXRequest() for _ in range(2)]
            async with telegram.Bot(
                token,
                base_url=f"{url}/bot",
                base_file_url=f"{url}/file/bot",
                request=requests[0],
                get_updates_request=requests[1],
            ) as made:
                yield PythonTelegramBot(made)
        case "pyTelegramBotAPI":
            telebot.apihelper.API_URL = url + "/bot{0}/{1}"
            telebot.apihelper.FILE_URL = url + "/file/bot{0}/{1}"
            sync_bot = telebot.TeleBot(token, threaded=False)
            try:
                yield Telebot(sync_bot)
            finally:
                await asyncio.to_thread(telebot.apihelper._get_req_session(reset=True).close)


LIBRARIES = ("aiogram", "python-telegram-bot", "pyTelegramBotAPI")
