"""The whole way with webhooks: people chat through a Bot API server that brings updates, and the process is killed."""

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.command import PASSERBY
from tests.faults.ordeal import Outcome, Plan, _Ordeal
from tests.faults.product import Product
from tests.faults.sandbox import a_sandbox

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


class Hooked(Product):
    """`passerby run`, told to have its updates brought."""

    def __init__(self, directory: Path, tokens: Sequence[str], url: str, port: int) -> None:
        super().__init__(directory, tokens, url)
        self._directory = directory
        self._environment |= {
            "UPDATE_MODE": "webhook",
            "WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
            "WEBHOOK_LISTEN": f"127.0.0.1:{port}",
        }

    async def hook(self) -> None:
        """`passerby webhook set`."""
        process = await asyncio.create_subprocess_exec(
            *PASSERBY,
            "webhook",
            "set",
            cwd=self._directory,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()


async def endure(plan: Plan, directory: Path) -> Outcome:
    async with a_sandbox(directory, bots=plan.bots, seed=plan.seed) as (sandbox, tokens):
        # Bound and not listening: it keeps the port free for those who share it, and gets no connection itself.
        with socket.socket() as reserved:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind(("127.0.0.1", 0))
            product = Hooked(directory, tokens, sandbox.url, reserved.getsockname()[1])
            await product.hook()
            try:
                return await _Ordeal(plan, sandbox, product).run()
            finally:
                product.close()


def test_nothing_is_lost_reordered_or_misrouted_when_who_takes_webhooks_is_killed(tmp_path: Path) -> None:
    outcome = asyncio.run(endure(Plan(kills=2, people=6, bots=2, alive_s=(0.2, 1.5)), tmp_path))
    assert outcome.happened
    assert outcome.kills >= 2
    assert outcome.stops == 1
    assert outcome.verdict.faults == dict.fromkeys(outcome.verdict.faults, 0)
