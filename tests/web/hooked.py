"""`passerby run` with webhooks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests import warm
from tests.cli.command import PASSERBY
from tests.faults.product import Product
from tests.faults.sandbox import Sandbox, a_sandbox
from tests.faults.stage import webhook_settings


class Hooked(Product):
    def __init__(self, directory: Path, tokens: Sequence[str], url: str, endpoint: dict[str, str]) -> None:
        super().__init__(directory, tokens, url)
        self._directory = directory
        self._environment |= endpoint

    async def hook(self) -> None:
        """`passerby webhook set`."""
        done = await asyncio.to_thread(
            warm.run,
            [*PASSERBY, "webhook", "set"],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@asynccontextmanager
async def a_hooked(directory: Path, *, bots: int, seed: int) -> AsyncIterator[tuple[Sandbox, Hooked]]:
    """A sandbox that sends updates to webhooks, and the product, which is not started yet."""
    async with a_sandbox(directory, bots=bots, seed=seed) as (sandbox, tokens):
        with webhook_settings() as endpoint:
            product = Hooked(directory, tokens, sandbox.url, endpoint)
            await product.hook()
            try:
                yield sandbox, product
            finally:
                product.close()
