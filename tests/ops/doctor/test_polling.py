"""The doctor's findings about who polls: this installation, another program, or nobody."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from botapi_sandbox.service import Sandbox, make_world, running
from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.kernel.ids import BotId
from passerby.ops.doctor import polling
from passerby.ops.doctor.finding import Finding
from passerby.ops.doctor.polling import Polls, judged
from passerby.settings import Settings
from tests.botapi_sandbox.wire import request
from tests.staged import in_a_loop


@asynccontextmanager
async def sandbox_and_settings(directory: Path, **given: Any) -> AsyncIterator[tuple[Sandbox, Settings]]:
    async with running(make_world(bots=1, seed=1)) as sandbox:
        tokens = tuple(SecretStr(bot.token) for bot in sandbox.world.state.bots.values())
        whole: dict[str, Any] = {
            "bot_tokens": tokens,
            "bot_api_url": sandbox.url,
            "sqlite_db_path": directory / "passerby.db",
            "run_dir": directory / "run",
        }
        yield sandbox, Settings(**whole | given)


async def found(settings: Settings) -> list[Finding]:
    return [each async for each in polling.checks(settings, time.time, tries=True)]


@in_a_loop
async def test_another_program_that_polls_a_bot_is_found_and_loses_no_update(tmp_path: Path) -> None:
    async with sandbox_and_settings(tmp_path) as (sandbox, settings):
        bot, *_ = settings.tokens
        url = f"{sandbox.url}/bot{settings.tokens[bot].get_secret_value()}/getUpdates?timeout=20"

        async def other_program() -> None:
            while True:
                await asyncio.to_thread(request, url)

        polls = asyncio.ensure_future(other_program())
        try:
            assert [(each.verdict, each.told) for each in await found(settings)] == [
                ("fail", f"another program polls bot {bot}")
            ]
        finally:
            polls.cancel()
            with suppress(asyncio.CancelledError):
                await polls


@in_a_loop
async def test_bots_that_nobody_polls_are_fine_and_keep_what_waits(
    tmp_path: Path,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polling, "WATCHED_S", 1)
        async with sandbox_and_settings(tmp_path) as (sandbox, settings):
            bot, *_ = settings.tokens
            ann = sandbox.world.add_person("Ann").id
            sandbox.world.phones.write(ann, bot, "before")
            (finding,) = await found(settings)
            assert (finding.verdict, finding.told) == ("ok", "nobody else polls one bot; watched for 1 s")
            tokens = {bot: token.get_secret_value() for bot, token in settings.tokens.items()}
            api = BotApiWebhooks(tokens, settings.bot_api_url)
            assert (await api.state(BotId(bot))).pending_update_count == 1
            await api.aclose()


@in_a_loop
async def test_nobody_polls_bots_that_have_webhooks(tmp_path: Path) -> None:
    given = {"update_mode": "webhook", "webhook_url": "https://chat.example.org"}
    async with sandbox_and_settings(tmp_path, **given) as (_, settings):
        assert await found(settings) == []


@in_a_loop
async def test_the_doctor_polls_only_if_it_is_told_to(tmp_path: Path) -> None:
    async with sandbox_and_settings(tmp_path) as (sandbox, settings):
        bot, *_ = settings.tokens
        url = f"{sandbox.url}/bot{settings.tokens[bot].get_secret_value()}/getUpdates?timeout=2"
        other_program = asyncio.ensure_future(asyncio.to_thread(request, url))
        (finding,) = [each async for each in polling.checks(settings, time.time, tries=False)]
        assert (finding.verdict, "--poll" in finding.remedy) == ("warn", True)
        assert (await other_program).status == 200, "its poll was not interrupted"


def test_a_bot_that_we_have_not_polled_for_long_or_that_another_program_polls_is_named() -> None:
    silent, fresh, new, shared = BotId(1), BotId(2), BotId(3), BotId(4)
    assert told({silent: Polls(90.0), fresh: Polls(3.0)}) == ["bot 1 was not polled for 90 s"]
    assert told({shared: Polls(3.0, 120.0)}) == ["bot 4: another program polled it, or set a webhook, 2 min ago"]
    assert told({shared: Polls(3.0, None, 120.0)}) == [
        "bot 4: updates were missing 2 min ago, so its chats ended: another program took them, or Telegram dropped them"
    ]
    assert [each.verdict for each in judged({fresh: Polls(3.0, 10_000.0, 10_000.0), new: Polls()})] == ["ok"]
    assert judged({new: Polls()}) == [], "it has just been started"


def told(ours: dict[BotId, Polls]) -> list[str]:
    return [each.told for each in judged(ours)]
