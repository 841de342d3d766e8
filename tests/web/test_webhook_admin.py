"""`passerby webhook` and its parts, against a Bot API server."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from botapi_sandbox import Switches
from botapi_sandbox.service import Sandbox, make_world, running
from botapi_sandbox.world.faults import Fault
from passerby.adapters.botapi.bot_api import ALLOWED_UPDATES
from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.cli.webhook import table
from passerby.kernel.ids import BotId
from passerby.web.endpoints import endpoint_of
from passerby.web.webhook_admin import Seen, WebhookAdmin
from tests import warm
from tests.cli.command import PASSERBY, environment
from tests.staged import in_a_loop

KEY = bytes(range(32))
URL = "https://chat.example.org/telegram"


class Hands:
    """A clock, for Telegram too, that moves only when somebody waits. It records the waits."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, delay_s: float) -> None:
        self.waited.append(delay_s)
        self.at += delay_s
        await asyncio.sleep(0)


@dataclasses.dataclass
class Stage:
    sandbox: Sandbox
    clock: Hands
    bots: list[BotId]
    webhook_admin: WebhookAdmin

    def kept(self, index: int = 0) -> Any:
        """The queue of a bot at Telegram."""
        return self.sandbox.world.state.bots[self.bots[index]].queue


@asynccontextmanager
async def stage(
    base_url: str | None = URL, key: bytes = KEY, wrong: BotId | None = None, **switches: bool
) -> AsyncIterator[Stage]:
    clock = Hands()
    world = make_world(bots=2, seed=1, switches=Switches(webhooks_anywhere=True, **switches), clock=clock.now)
    async with running(world) as sandbox:
        tokens = {BotId(bot.id): bot.token for bot in world.state.bots.values()}
        tokens |= {wrong: f"{wrong}:sandbox-wrong"} if wrong else {}
        endpoints = {bot: endpoint_of(bot, key) for bot in tokens}
        webhook_admin = WebhookAdmin(BotApiWebhooks(tokens, sandbox.url), endpoints, base_url, clock)
        try:
            yield Stage(sandbox, clock, list(tokens), webhook_admin)
        finally:
            await webhook_admin.aclose()


@in_a_loop
async def test_set_tells_telegram_everything_and_drops_nothing() -> None:
    async with stage() as it:
        ann = it.sandbox.world.add_person("Ann").id
        it.sandbox.world.phones.write(ann, it.bots[0], "before")
        seen = await it.webhook_admin.set(it.bots, 70)
        assert [(each.whose, each.waiting, each.fault) for each in seen] == [("ours", 1, ""), ("ours", 0, "")]
        hook = it.kept().webhook
        endpoint = endpoint_of(it.bots[0], KEY)
        assert (hook.url, hook.secret, hook.max_connections) == (f"{URL}/{endpoint.path}", endpoint.secret, 70)
        assert set(it.kept().allowed) == set(ALLOWED_UPDATES)


@in_a_loop
async def test_delete_keeps_updates_for_polling() -> None:
    async with stage() as it:
        await it.webhook_admin.set(it.bots, 40)
        ann = it.sandbox.world.add_person("Ann").id
        it.sandbox.world.phones.write(ann, it.bots[0], "before")
        (seen,) = await it.webhook_admin.delete(it.bots[:1])
        assert (seen.whose, seen.waiting) == ("none", 1)
        assert it.kept(1).webhook is not None, "the other bot was not named"


@in_a_loop
async def test_another_key_or_another_address_is_not_ours() -> None:
    async with stage() as it:
        await it.webhook_admin.set(it.bots[:1], 40)
        elsewhere = WebhookAdmin(
            it.webhook_admin._webhook_api, {bot: endpoint_of(bot, bytes(32)) for bot in it.bots}, URL, it.clock
        )
        (seen,) = await elsewhere.read(it.bots[:1])
        assert (seen.whose, seen.remark) == (
            "another's",
            "goes to WEBHOOK_URL, but to a path of another SECRET_KEY",
        )
        unset = WebhookAdmin(it.webhook_admin._webhook_api, {}, None, it.clock)
        (seen,) = await unset.read(it.bots[:1])
        assert (seen.whose, seen.remark) == ("another's", "goes to chat.example.org")


@in_a_loop
async def test_a_path_from_a_former_key_is_ours_and_should_be_set_again() -> None:
    async with stage() as it:
        await it.webhook_admin.set(it.bots[:1], 40)
        new = {bot: endpoint_of(bot, bytes(32)) for bot in it.bots}
        former = {bot: (endpoint_of(bot, b"older".ljust(32)), endpoint_of(bot, KEY)) for bot in it.bots}
        changed = WebhookAdmin(it.webhook_admin._webhook_api, new, URL, it.clock, former=former)
        (seen,) = await changed.read(it.bots[:1])
        assert (seen.whose, seen.remark) == ("ours", "goes to a path of SECRET_KEY_PREVIOUS: set it again")
        (seen,) = await changed.set(it.bots[:1], 40)
        assert (seen.whose, seen.remark) == ("ours", "")


@in_a_loop
async def test_recent_errors_from_telegram_are_shown() -> None:
    async with stage() as it:
        await it.webhook_admin.set(it.bots[:1], 40)
        hook = it.kept().webhook
        hook.last_error_date, hook.last_error_message = int(it.clock.at) - 9, "Connection refused"
        (seen,) = await it.webhook_admin.read(it.bots[:1])
        assert seen.error.endswith(" s ago: Connection refused")
        it.clock.at += 3600
        (seen,) = await it.webhook_admin.read(it.bots[:1])
        assert seen.error == ""


@in_a_loop
async def test_a_webhook_that_does_not_get_all_kinds_of_updates_is_remarked_on() -> None:
    async with stage() as it:
        await it.webhook_admin.set(it.bots[:1], 40)
        it.kept().allowed = ["message"]
        (seen,) = await it.webhook_admin.read(it.bots[:1])
        assert seen.remark == "does not bring every kind of update: set it again"


@in_a_loop
async def test_a_process_logs_webhooks_that_lead_elsewhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with stage() as it:
        await it.webhook_admin.set(it.bots[:1], 40)
        # An error from before the start is not reported at the start.
        hook = it.kept().webhook
        hook.last_error_date, hook.last_error_message = int(it.clock.at) - 9, "Connection refused"
        capsys.readouterr()
        await it.webhook_admin.complain(it.bots)
        told = [line for line in "".join(capsys.readouterr()).splitlines() if "webhook.amiss" in line]
        assert len(told) == 1
        assert str(it.bots[1]) in told[0]
        assert "run `passerby webhook set`" in told[0]


@pytest.mark.parametrize("kind", ["401", "500", "502", "reset_before", "429"])
@pytest.mark.parametrize("method", ["getMe", "setWebhook", "getWebhookInfo"])
@in_a_loop
async def test_a_temporary_refusal_does_not_prevent_setting_a_webhook(kind: Any, method: str) -> None:
    async with stage() as it:
        it.sandbox.world.faults = [Fault(kind=kind, method=method, count=1, retry_after=1)]
        seen = await it.webhook_admin.set(it.bots, 40)
        assert [(each.whose, each.fault) for each in seen] == [("ours", ""), ("ours", "")]


@in_a_loop
async def test_a_webhook_that_cannot_be_read_at_the_start_is_tried_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with stage() as it:
        await it.webhook_admin.set(it.bots, 40)
        world = it.sandbox.world
        world.faults = [Fault(kind="429", bot=it.bots[0], method="getWebhookInfo", count=1, retry_after=77)]
        it.kept(1).webhook = None
        await it.webhook_admin.complain(it.bots)
        told = [line for line in "".join(capsys.readouterr()).splitlines() if "webhook.amiss" in line]
        assert [str(bot) in line for bot, line in zip(it.bots, told, strict=True)] == [True, True]
        assert it.clock.waited == [77]
        assert not any(fault.count for fault in world.faults)


@in_a_loop
async def test_a_bot_that_telegram_refuses_does_not_affect_the_others() -> None:
    async with stage(wrong=BotId(1999999)) as it:
        seen = await it.webhook_admin.set(it.bots, 40)
        assert [(each.whose, each.fault) for each in seen] == [
            ("ours", ""),
            ("ours", ""),
            ("?", "Telegram refuses its token"),
        ]


@in_a_loop
async def test_setting_a_webhook_again_at_once_waits_as_long_as_telegram_says() -> None:
    async with stage(limits=True) as it:
        await it.webhook_admin.set(it.bots[:1], 40)
        (seen,) = await it.webhook_admin.set(it.bots[:1], 41)
        assert (seen.whose, seen.connections, it.clock.waited) == ("ours", 41, [1.0])


def test_the_table_is_aligned_and_shows_no_path() -> None:
    lines = table(
        [
            Seen(BotId(1000001), "one_bot", "ours", 12, 40, "set it again", "9 s ago: Connection refused"),
            Seen(BotId(10), fault="Telegram refuses its token"),
        ]
    )
    assert lines == [
        "bot      name      webhook  waiting  remark",
        "1000001  @one_bot  ours     12       set it again; 9 s ago: Connection refused",
        "10       ?         ?        ?        Telegram refuses its token",
    ]


async def command(it: Stage, directory: Path, *arguments: str, **given: str) -> tuple[int, str, str]:
    tokens = " ".join(bot.token for bot in it.sandbox.world.state.bots.values())
    done = await asyncio.to_thread(
        warm.run,
        [*PASSERBY, "webhook", *arguments],
        cwd=directory,
        env=environment(BOT_TOKENS=tokens, BOT_API_URL=it.sandbox.url, **given),
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@in_a_loop
async def test_the_webhook_command_sets_shows_and_deletes(tmp_path: Path) -> None:
    async with stage() as it:
        code, out, err = await command(it, tmp_path, "set", WEBHOOK_URL=URL, UPDATE_MODE="webhook")
        assert (code, err) == (0, "")
        assert [line.split()[2:4] for line in out.splitlines()] == [
            ["webhook", "waiting"],
            ["ours", "0"],
            ["ours", "0"],
        ]
        second = it.sandbox.world.state.bots[it.bots[1]]
        path = it.kept().webhook.url.rpartition("/")[2]
        code, out, err = await command(it, tmp_path, "delete", f"@{second.username}", WEBHOOK_URL=URL)
        assert (code, err, len(out.splitlines())) == (0, "", 2)
        assert it.kept(1).webhook is None
        code, out, _ = await command(it, tmp_path, "info", WEBHOOK_URL=URL)
        assert code == 0
        assert [line.split()[2] for line in out.splitlines()] == ["webhook", "ours", "none"]
        assert path not in out


@pytest.mark.parametrize(
    ("arguments", "given", "code", "words"),
    [
        (["set"], {}, 2, "WEBHOOK_URL: is not set; write the https address"),
        (["info", "@nobody"], {}, 2, "@nobody is none of the bots of BOT_TOKENS"),
        (["drop"], {}, 2, "drop"),
        (["set"], {"WEBHOOK_URL": URL}, 0, "UPDATE_MODE is polling: set it to webhook"),
        (["delete"], {"WEBHOOK_URL": URL, "UPDATE_MODE": "webhook"}, 0, "UPDATE_MODE is webhook: set it to polling"),
    ],
)
def test_the_webhook_command_says_what_is_missing(
    tmp_path: Path, arguments: list[str], given: dict[str, str], code: int, words: str
) -> None:
    async def main() -> None:
        async with stage() as it:
            done, _, err = await command(it, tmp_path, *arguments, **given)
            assert done == code
            assert words in err

    asyncio.run(main())
