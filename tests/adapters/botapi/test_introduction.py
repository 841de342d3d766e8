"""A bot's introduction is set if it differs from the one that was set last, and only then."""

import pytest

from passerby.kernel.ids import BotId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import CommandList, FloodWait, Refused
from tests.adapters.botapi.bot_api import A, B, Memory, fleet
from tests.adapters.botapi.stub import Stub, refusal
from tests.staged import in_a_loop

ENGLISH = CommandList("", (("start", "Begin"),), "Talk to a stranger.", "Anonymous chat.")
RUSSIAN = CommandList("ru", (("start", "Начать"),), "Поговорите с незнакомцем.", "Анонимный чат.")
MENUS = (ENGLISH, RUSSIAN)
METHODS = ["setMyCommands", "setMyDescription", "setMyShortDescription"]


def said(stub: Stub) -> list[tuple[str, str | None]]:
    """Return which calls were made, in which language."""
    return [
        (call.method, call.members.get("language_code")) for call in stub.calls() if call.method.startswith("setMy")
    ]


EVERYTHING: list[tuple[str, str | None]] = [(method, language) for language in (None, "ru") for method in METHODS]


@in_a_loop
async def test_a_restart_sets_nothing_and_a_changed_text_sets_everything() -> None:
    kept = Memory()
    async with fleet(kept) as (api, stub):
        await api.prepare(A, MENUS)
        assert said(stub) == EVERYTHING
        await api.prepare(A, MENUS)
        assert said(stub) == EVERYTHING
    async with fleet(kept) as (api, stub):
        await api.prepare(A, MENUS)
        assert said(stub) == []
        await api.prepare(A, (ENGLISH, CommandList("ru", RUSSIAN.commands, RUSSIAN.description, "Иначе.")))
        assert said(stub) == EVERYTHING
        await api.prepare(A, MENUS)
        assert said(stub) == [*EVERYTHING, *EVERYTHING], "a change back is a change as well"


@in_a_loop
async def test_each_bot_has_its_own_introduction() -> None:
    async with fleet() as (api, stub):
        for bot in (A, B):
            await api.prepare(bot, (ENGLISH,))
        assert [call.bot for call in stub.calls("setMyCommands")] == [str(A), str(B)]


@in_a_loop
async def test_after_a_temporary_refusal_the_next_try_continues_from_there() -> None:
    async with fleet() as (api, stub):
        stub.answer("setMyShortDescription", refusal(429, "Too Many Requests: retry after 5", retry_after=5))
        with pytest.raises(FloodWait):
            await api.prepare(A, MENUS)
        await api.prepare(A, MENUS)
        at = EVERYTHING.index(("setMyShortDescription", None))
        assert said(stub) == [*EVERYTHING[: at + 1], *EVERYTHING[at:]]


@in_a_loop
async def test_a_rate_limit_below_the_number_of_calls_only_delays_them() -> None:
    async with fleet() as (api, stub):
        for _ in EVERYTHING[1:]:
            stub.answer("setMyCommands", refusal(429, "Too Many Requests: retry after 5", retry_after=5))
        tries = 0
        while True:
            tries += 1
            try:
                await api.prepare(A, MENUS)
            except FloodWait:
                continue
            break
        assert tries <= len(EVERYTHING)
        assert set(said(stub)) == set(EVERYTHING)


@in_a_loop
async def test_a_permanent_refusal_of_one_call_does_not_stop_the_others() -> None:
    async with fleet() as (api, stub):
        stub.answer("setMyDescription", refusal(400, "Bad Request: BOT_DESCRIPTION_INVALID"))
        with pytest.raises(Refused):
            await api.prepare(A, MENUS)
        assert said(stub) == EVERYTHING


class Gone(Memory):
    """A live store that is away."""

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        raise LiveStoreLost("away")

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        raise LiveStoreLost("away")


@in_a_loop
async def test_the_introduction_is_set_even_without_the_live_store() -> None:
    async with fleet(Gone()) as (api, stub):
        await api.prepare(A, MENUS)
        assert said(stub) == EVERYTHING
