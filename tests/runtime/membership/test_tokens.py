"""A refused token is suspected, confirmed, and checked again, by one process and by a fleet."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from random import Random

import pytest

from passerby.kernel.ids import BotId
from passerby.kernel.participant import Chatting, Idle
from passerby.ports.telegram import BotIdentity, FloodWait, Unavailable
from passerby.runtime.membership.tokens import LEAST_REFUSALS, LONGEST_PAUSE_S, REFUSED_AFTER_S, Tokens, Trust
from passerby.runtime.tasks import Background
from tests.runtime.test_supervise import Process, Town, delivered
from tests.runtime.virtual import EPOCH, VirtualClock, run, settled
from tests.runtime.world import ANN, BOT, OTHER_BOT, ScriptedTelegram, written
from tests.staged import staged


class Watch:
    """Tokens, with a Telegram that notes each getMe."""

    def __init__(self, refused_after_s: float = REFUSED_AFTER_S) -> None:
        self.clock = VirtualClock()
        self.telegram = ScriptedTelegram(self.clock)
        self.asked: list[float] = []
        self.confirms = True
        self.changes: list[tuple[BotId, Trust]] = []
        identify = self.telegram.identify

        async def noted(bot: BotId) -> BotIdentity:
            self.asked.append(self.clock.monotonic())
            return await identify(bot)

        self.telegram.identify = noted  # type: ignore[method-assign]
        self.errors: list[BaseException] = []
        self.background = Background(self.errors.append)
        self.tokens = Tokens(
            self.telegram,
            self.background,
            self.clock,
            Random(4),
            refused_after_s=refused_after_s,
            confirms=lambda bot: self.confirms,
        )
        self.tokens.listeners.append(lambda bot, trust: self.changes.append((bot, trust)))

    @property
    def trusts(self) -> list[Trust]:
        return [trust for _, trust in self.changes]


def watching(body: Callable[[Watch], Awaitable[None]]) -> None:
    watching_for(REFUSED_AFTER_S, body)


def watching_for(refused_after_s: float, body: Callable[[Watch], Awaitable[None]]) -> None:
    async def main() -> None:
        watch = Watch(refused_after_s)
        await body(watch)
        await watch.background.aclose()
        assert watch.errors == []

    run(main())


@staged(watching)
async def test_a_suspected_bot_that_answers_is_trusted_at_once(watch: Watch, /) -> None:
    assert watch.tokens.refused(BOT)
    assert watch.tokens.of(BOT) is Trust.SUSPECTED
    assert watch.tokens.works(OTHER_BOT)
    await settled()
    assert watch.tokens.works(BOT)
    assert watch.trusts == [Trust.SUSPECTED, Trust.WORKING]


@staged(watching)
async def test_single_refusals_cause_at_most_one_check_a_second(watch: Watch, /) -> None:
    for _ in range(100):
        watch.tokens.refused(BOT)
        await asyncio.sleep(0.1)
    assert len(watch.asked) <= 11


@pytest.mark.parametrize("refused_after_s", [1.0, 10.0, 120.0, 3600.0])
@staged(watching_for, "refused_after_s")
async def test_a_loss_needs_several_refusals_over_the_set_time(watch: Watch, /, refused_after_s: float) -> None:
    watch.telegram.refuse(BOT)
    watch.tokens.refused(BOT)
    await asyncio.sleep(refused_after_s * 0.99)
    assert not watch.tokens.is_lost(BOT)
    assert len(watch.asked) >= LEAST_REFUSALS
    await asyncio.sleep(refused_after_s * 0.2)
    assert watch.tokens.is_lost(BOT)
    assert watch.trusts == [Trust.SUSPECTED, Trust.LOST]


@staged(watching)
async def test_one_success_among_refusals_is_enough(watch: Watch, /) -> None:
    watch.telegram.refuse(BOT)
    watch.tokens.refused(BOT)
    await asyncio.sleep(100)
    watch.telegram.accept(BOT)
    await asyncio.sleep(15)
    assert watch.tokens.works(BOT)
    watch.telegram.refuse(BOT)
    watch.tokens.refused(BOT)
    await asyncio.sleep(100)
    assert not watch.tokens.is_lost(BOT), "the time starts again"


@pytest.mark.parametrize("answer", [Unavailable("HTTP 502", uncertain=False), FloodWait(30.0), ZeroDivisionError()])
@staged(watching)
async def test_an_answer_unrelated_to_the_token_neither_clears_nor_loses_it(watch: Watch, /, answer: Exception) -> None:
    watch.telegram.identities[BOT] = answer
    watch.tokens.refused(BOT)
    await asyncio.sleep(REFUSED_AFTER_S * 3)
    assert watch.tokens.of(BOT) is Trust.SUSPECTED
    if isinstance(answer, FloodWait):
        assert all(later - earlier >= answer.retry_after_s for earlier, later in pairwise(watch.asked))
    del watch.telegram.identities[BOT]
    await asyncio.sleep(45)
    assert watch.tokens.works(BOT)


@staged(watching)
async def test_a_lost_bot_is_checked_forever_with_pauses_up_to_an_hour(watch: Watch, /) -> None:
    watch.telegram.refuse(BOT)
    watch.tokens.refused(BOT)
    await asyncio.sleep(REFUSED_AFTER_S * 1.2)
    assert watch.tokens.is_lost(BOT)
    watch.asked.clear()
    await asyncio.sleep(48 * 3600)
    pauses = [later - earlier for earlier, later in pairwise(watch.asked)]
    assert max(pauses) <= LONGEST_PAUSE_S * 1.25
    assert min(pauses[-10:]) > 1800
    assert len(pauses) > 40
    watch.telegram.accept(BOT)
    await asyncio.sleep(LONGEST_PAUSE_S * 1.25)
    assert watch.tokens.works(BOT)
    assert watch.trusts == [Trust.SUSPECTED, Trust.LOST, Trust.WORKING]


@staged(watching)
async def test_a_worker_that_may_not_confirm_waits_for_the_one_that_may(watch: Watch, /) -> None:
    watch.confirms = False
    watch.telegram.refuse(BOT)
    watch.tokens.refused(BOT)
    await asyncio.sleep(REFUSED_AFTER_S * 5)
    assert watch.tokens.of(BOT) is Trust.SUSPECTED
    watch.tokens.heed({"owner": (BOT,)}, {"owner": (BOT,)})
    assert watch.tokens.is_lost(BOT)
    watch.telegram.accept(BOT)
    watch.tokens.heed({}, {})
    await settled()
    assert watch.tokens.works(BOT), "it asks at once when the other suspects the bot"


@staged(watching)
async def test_old_news_does_not_lose_a_cleared_bot_again(watch: Watch, /) -> None:
    watch.confirms = False
    watch.tokens.heed({"owner": (BOT,)}, {"owner": (BOT,)})
    await settled()
    assert watch.tokens.works(BOT)
    watch.tokens.heed({"owner": (BOT,)}, {"owner": (BOT,)})
    assert watch.tokens.works(BOT)


@staged(watching)
async def test_the_confirming_worker_checks_when_another_suspects(watch: Watch, /) -> None:
    watch.telegram.refuse(BOT)
    watch.tokens.heed({"other": (BOT,)}, {})
    assert watch.tokens.of(BOT) is Trust.SUSPECTED
    await asyncio.sleep(REFUSED_AFTER_S * 1.2)
    assert watch.tokens.is_lost(BOT)


class Apart(ScriptedTelegram):
    """One worker's view of the shared Telegram. A refusal here may not be one elsewhere."""

    def __init__(self, town: Town) -> None:
        super().__init__(town.clock, town.telegram.bots)
        shared = town.telegram
        self.queues, self.sent, self.tried, self.changed = shared.queues, shared.sent, shared.tried, shared.changed
        self.polls = shared.polls


async def two_workers(town: Town) -> tuple[Process, Process, Apart, Apart]:
    views = Apart(town), Apart(town)
    one, two = [await town.begin(name, telegram=view) for name, view in zip(("one", "two"), views, strict=True)]
    await asyncio.sleep(6)
    await town.meet()
    await asyncio.sleep(5)
    return one, two, *views


def in_town(body: Callable[[Town], Awaitable[None]]) -> None:
    async def main() -> None:
        await body(Town())

    run(main())


async def state_of_ann(town: Town) -> object:
    facts = await town.store.load(ANN)
    assert facts is not None
    return facts.me.state


async def close(*processes: Process) -> None:
    for process in processes:
        process.stop.set()
        await process.running


@pytest.mark.parametrize("who", ["the owner", "another"])
@staged(in_town)
async def test_a_refusal_seen_by_one_worker_ends_no_chats_of_others(town: Town, /, who: str) -> None:
    one, two, first, second = await two_workers(town)
    owner, view = (one, first) if OTHER_BOT in one.bots else (two, second)
    other = second if view is first else first
    seen = view if who == "the owner" else other
    if who == "another":
        # Only its own connection to Telegram refuses the token; the lease holder is not refused.
        seen.refuse(OTHER_BOT)
        town.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 60))
        await asyncio.sleep(3 * REFUSED_AFTER_S)
        assert isinstance(await state_of_ann(town), Chatting)
        assert owner.incarnations[-1].report().idle_bots == ()
        seen.accept(OTHER_BOT)
    else:
        seen.refuse(OTHER_BOT)
        town.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 60))
        await asyncio.sleep(REFUSED_AFTER_S / 2)
        assert isinstance(await state_of_ann(town), Chatting)
        seen.accept(OTHER_BOT)
    await asyncio.sleep(60)
    assert delivered(town) == ["hello"]
    assert isinstance(await state_of_ann(town), Chatting)
    await close(one, two)


@staged(in_town)
async def test_a_bot_is_lost_and_comes_back_in_every_process_without_a_restart(town: Town, /) -> None:
    one, two, first, second = await two_workers(town)
    web = await town.begin("web", telegram=(view := Apart(town)), polls=True, leads=False)
    await asyncio.sleep(5)
    for each in (first, second, view):
        each.refuse(OTHER_BOT)
    town.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 60))
    await asyncio.sleep(REFUSED_AFTER_S + 40)
    apps = [process.incarnations[-1] for process in (one, two, web)]
    assert [app.tokens.is_lost(OTHER_BOT) for app in apps] == [True] * 3
    assert sorted(bot for app in apps for bot in app.report().idle_bots) == [OTHER_BOT], "its holder reports it"
    assert isinstance(await state_of_ann(town), Idle)
    await asyncio.sleep(600)
    for each in (first, second, view):
        each.accept(OTHER_BOT)
    await asyncio.sleep(600)
    assert [app.tokens.works(OTHER_BOT) for app in apps] == [True] * 3
    assert all(len(process.incarnations) == 1 for process in (one, two, web))
    await close(one, two, web)


@staged(in_town)
async def test_a_new_holder_of_a_lost_bot_ends_no_chats_by_itself(town: Town, /) -> None:
    """The worker that takes over the lease confirms the loss again; the others keep checking."""
    one, two, first, second = await two_workers(town)
    first.refuse(OTHER_BOT)
    second.refuse(OTHER_BOT)
    town.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 60))
    await asyncio.sleep(REFUSED_AFTER_S + 40)
    owner, other = (one, two) if OTHER_BOT in one.bots else (two, one)
    await close(owner)
    await asyncio.sleep(10)
    assert OTHER_BOT in other.bots
    assert other.incarnations[-1].report().idle_bots == (OTHER_BOT,)
    await close(other)


@staged(watching)
async def test_time_alone_loses_no_bot(watch: Watch, /) -> None:
    """A process that sleeps, or whose calls hang, has asked too rarely to know."""
    watch.telegram.latency_s = REFUSED_AFTER_S
    watch.telegram.refuse(BOT)
    watch.tokens.refused(BOT)
    await asyncio.sleep((LEAST_REFUSALS - 0.5) * REFUSED_AFTER_S)
    assert watch.tokens.refusals(BOT) == LEAST_REFUSALS - 1 >= 3
    assert watch.tokens.of(BOT) is Trust.SUSPECTED
    await asyncio.sleep(1.5 * REFUSED_AFTER_S)
    assert watch.tokens.is_lost(BOT)
