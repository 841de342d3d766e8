"""A notice that a search goes on is not sent if the search is over first, in whichever process."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from passerby.dialogue.keyboards import KEYS
from passerby.domain.budgets import Budget
from passerby.features.search import introduce
from passerby.kernel.effect import Priority
from passerby.kernel.event import SearchDelayed
from passerby.kernel.ids import ChatId, PersonId, search_of
from passerby.kernel.participant import Chatting, Searching
from passerby.kernel.text import text
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import EditNotice, OutgoingCall, ReplyRows, SendNotice
from passerby.runtime.delivery.new_deliveries import PASSING_WAIT_S
from passerby.runtime.delivery.send_checks import ORDER_POLL_S
from passerby.runtime.inbound.person_queues import Work
from tests.runtime.virtual import run, settled
from tests.runtime.world import ANN, BEN, BOT, ME, OTHER_BOT, PLENTY, Bench, somebody, words_of, written
from tests.staged import staged
from tests.wording import opening

OTHER = WorkerId("another")


class Two:
    """Two processes over one store. Ann's bot is polled by `one`, and `two` pairs people."""

    def __init__(self, bot_budget: Budget, *, shared: bool) -> None:
        self.one = Bench(shared=shared, bot_budget=bot_budget)
        self.two = Bench(beside=self.one, worker=OTHER, bot_budget=bot_budget) if shared else self.one
        self.telegram = self.one.telegram
        self.pairs = 0

    async def search(self, person: PersonId) -> None:
        bot = BOT if person == ANN else OTHER_BOT
        self.one.happens(written(person, "/search", bot=bot), bot)
        await settled()

    async def pair(self) -> None:
        ann, ben = [await self.two.facts_of(each) for each in (ANN, BEN)]
        introduced = introduce(ann, ben, self.two.env())
        self.pairs += 1
        assert await self.two.pairings.settle(introduced, {ANN: ann, BEN: ben}, lambda n: f"pair:{self.pairs}:{n}")

    async def quiet(self) -> None:
        for bench in (self.one, self.two):
            await bench.quiet(100.0)

    def told(self, person: PersonId = ANN) -> list[str]:
        return [key(each) for each in self.telegram.sent if each.person == person]


def key(outgoing: OutgoingCall) -> str:
    assert isinstance(outgoing, SendNotice | EditNotice)
    words = outgoing.html.replace("<b>", "").replace("</b>", "")
    known = ("search.begun", "search.cancelled", "search.already", "search.idle")
    told = next((each for each in known if words.startswith(opening(each))), words)
    return "search.found" if "Partner found" in told else told


def in_two(body: Callable[[Two], Awaitable[None]], *, shared: bool = True, bot_budget: Budget = PLENTY) -> None:
    async def main() -> None:
        two = Two(bot_budget, shared=shared)
        await two.one.put(somebody(ANN), somebody(BEN, bot=OTHER_BOT))
        await body(two)
        await two.quiet()
        for bench in dict.fromkeys((two.one, two.two)):
            assert await bench.store.outbox(ME) == await bench.store.outbox(OTHER) == [], "everything is settled"
            await bench.close()

    run(main())


def in_one_or_two(shared: bool, body: Callable[[Two], Awaitable[None]]) -> None:
    in_two(body, shared=shared)


async def _found_within_a_second(two: Two) -> None:
    for person in (ANN, BEN):
        await two.search(person)
    await asyncio.sleep(0.5 * PASSING_WAIT_S)
    assert two.telegram.tried == []
    await two.pair()
    await two.quiet()
    await asyncio.sleep(2 * PASSING_WAIT_S)
    assert two.told(ANN) == two.told(BEN) == ["search.found"]
    found = two.telegram.sent[0]
    assert isinstance(found, SendNotice)
    assert isinstance(found.markup, ReplyRows)
    assert len(found.markup.rows[0]) == len(KEYS[Chatting].rows[0]), "it brings the keys of the chat"


@pytest.mark.parametrize("shared", [False, True])
def test_a_search_that_finds_somebody_within_a_second_costs_one_send_a_person(shared: bool) -> None:
    in_two(_found_within_a_second, shared=shared)


async def _found_later(two: Two) -> None:
    await two.search(ANN)
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    assert two.told() == ["search.begun"]
    await two.search(BEN)
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    await two.pair()
    await two.quiet()
    assert two.told(ANN) == two.told(BEN) == ["search.begun", "search.found"]


@pytest.mark.parametrize("shared", [False, True])
def test_a_person_who_waits_longer_hears_that_the_search_goes_on(shared: bool) -> None:
    in_two(_found_later, shared=shared)


@staged(in_two)
async def test_a_search_that_is_cancelled_at_once_costs_one_send(two: Two, /) -> None:
    await two.search(ANN)
    two.one.happens(written(ANN, "✖️ Cancel"))
    await two.quiet()
    assert two.told() == ["search.cancelled"]


@staged(in_two)
async def test_an_answer_that_comes_meanwhile_does_not_overtake_the_first_one(two: Two, /) -> None:
    await two.search(ANN)
    await two.search(ANN)
    assert two.telegram.tried[0][0] < PASSING_WAIT_S, "the second answer lets the first one go"
    await two.quiet()
    assert two.told() == ["search.begun", "search.already"]


@pytest.mark.parametrize("words", ["🔎 Find a partner", "/search", "/next"])
@pytest.mark.parametrize("shared", [False, True])
@staged(in_one_or_two, "shared")
async def test_a_person_who_asks_again_hears_nothing_of_the_search_after_their_partner_was_found(
    two: Two, /, words: str
) -> None:
    for person in (ANN, BEN):
        await two.search(person)
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    two.one.happens(written(ANN, words))
    await settled()
    await two.pair()
    await two.quiet()
    await asyncio.sleep(2 * PASSING_WAIT_S)
    assert two.told(ANN) == ["search.begun", "search.found"]


@staged(in_two)
async def test_another_search_has_its_own_notice(two: Two, /) -> None:
    await two.search(ANN)
    two.one.happens(written(ANN, "✖️ Cancel"))
    await settled()
    await asyncio.sleep(0.3)
    await two.search(ANN)
    await asyncio.sleep(2 * PASSING_WAIT_S)
    assert two.told() == ["search.cancelled", "search.begun"]


async def _under_way(two: Two) -> None:
    two.telegram.latency_s = 0.5
    for person in (ANN, BEN):
        await two.search(person)
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    assert len(two.telegram.tried) == 2
    await two.pair()
    await asyncio.sleep(0.3)
    assert len(two.telegram.tried) == 2, "the notice about the partner waits, in another process, too"
    await two.quiet()
    assert two.told(ANN) == two.told(BEN) == ["search.begun", "search.found"]


@pytest.mark.parametrize("shared", [False, True])
def test_a_notice_under_way_is_not_cancelled_and_the_later_one_waits_for_it(shared: bool) -> None:
    in_two(_under_way, shared=shared)


@staged(in_two)
async def test_a_claim_that_comes_too_late_is_refused(two: Two, /, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search ends after its reader's facts were read for the claim, and before the claim is stored."""
    commit = two.one.store.commit

    async def after_the_end(claim: Commit) -> Committed:
        if any(isinstance(entry, Notice) and entry.claimed for entry in claim.outbox) and not two.pairs:
            await two.pair()
        return await commit(claim)

    monkeypatch.setattr(two.one.store, "commit", after_the_end)
    for person in (ANN, BEN):
        await two.search(person)
    await asyncio.sleep(PASSING_WAIT_S + 2 * ORDER_POLL_S)
    await two.quiet()
    assert two.pairs == 1
    assert two.told(ANN) == two.told(BEN) == ["search.found"]


@staged(in_two)
async def test_a_claim_that_arrives_after_the_end_leaves_nothing_behind(
    two: Two, /, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same process has ended the search and settled the notice meanwhile."""
    commit = two.one.store.commit

    async def slowly(claim: Commit) -> Committed:
        if any(isinstance(entry, Notice) and entry.claimed for entry in claim.outbox):
            await asyncio.sleep(1.0)
        return await commit(claim)

    monkeypatch.setattr(two.one.store, "commit", slowly)
    for person in (ANN, BEN):
        await two.search(person)
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    two.two = two.one
    await two.pair()
    await asyncio.sleep(2.0)
    assert two.told(ANN) == two.told(BEN) == ["search.found"]


@staged(in_two, bot_budget=Budget(0.2, 1))
async def test_a_search_that_ends_while_its_notice_waits_for_the_budget_is_not_told_of(two: Two, /) -> None:
    """It has been claimed. The other process waits for it, and it is dropped right before its call."""
    for person, bot in ((ANN, BOT), (BEN, OTHER_BOT)):
        two.one.happens(written(person, "hello", bot=bot), bot)
        await two.search(person)
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    assert two.told(ANN) == two.told(BEN) == ["search.idle"]
    assert [entry.claimed for entry in await two.one.store.outbox(ME) if isinstance(entry, Notice)] == [True, True]
    await two.pair()
    await asyncio.sleep(30.0)
    assert two.told(ANN) == two.told(BEN) == ["search.idle", "search.found"]


async def _costs_no_budget(two: Two) -> None:
    for person in (ANN, BEN):
        await two.search(person)
    await asyncio.sleep(0.5 * PASSING_WAIT_S)
    await two.pair()
    await asyncio.sleep(1.0)
    assert two.told(ANN) == two.told(BEN) == ["search.found"], "the budget was left for it"


def test_a_notice_whose_search_ends_while_it_waits_takes_nothing_from_the_budget() -> None:
    in_two(_costs_no_budget, shared=False, bot_budget=Budget(0.2, 1))


@pytest.mark.parametrize("is_found", [False, True])
@staged(in_two)
async def test_an_heir_sends_the_notice_of_a_dead_process_unless_the_search_is_over(
    two: Two, /, is_found: bool
) -> None:
    for person in (ANN, BEN):
        await two.search(person)
    two.one.courier.abandon()
    if is_found:
        await two.pair()
    with two.two.courier.inheritance():
        inherited = await two.two.store.inherit(OTHER)
        await two.two.parking.take_up(inherited)
    assert {each.to for each in inherited} == {ANN, BEN}
    await asyncio.sleep(2 * PASSING_WAIT_S)
    assert two.told(ANN) == two.told(BEN) == (["search.found"] if is_found else ["search.begun"])
    await two.two.quiet()
    two.one = two.two


@staged(in_two)
async def test_a_notice_that_a_dead_process_had_claimed_is_not_sent_after_the_end_of_the_search(two: Two, /) -> None:
    two.telegram.latency_s = 1e9
    await two.search(ANN)
    await two.search(BEN)
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    assert [entry.claimed for entry in await two.one.store.outbox(ME) if isinstance(entry, Notice)] == [True, True]
    two.one.courier.abandon()
    two.telegram.latency_s = 0.0
    await two.pair()
    await asyncio.sleep(1.0)
    assert two.told() == [], "it may be under way, so the notice about the partner waits"
    with two.two.courier.inheritance():
        await two.two.parking.take_up(await two.two.store.inherit(OTHER))
    await asyncio.sleep(1.0)
    assert two.told(ANN) == two.told(BEN) == ["search.found"]
    two.one = two.two


@staged(in_two)
async def test_a_process_that_may_have_lost_its_entries_claims_none(two: Two, /) -> None:
    two.one.assurance.is_assured = False
    await two.search(ANN)
    await asyncio.sleep(2 * PASSING_WAIT_S)
    assert [entry.claimed for entry in await two.one.store.outbox(ME) if isinstance(entry, Notice)] == [False]
    two.one.assurance.returns()
    await two.quiet()
    assert two.told() == ["search.begun"]


@staged(in_two)
async def test_while_the_store_is_away_a_held_notice_waits(two: Two, /, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> Committed:
        raise LiveStoreLost

    await two.search(ANN)
    with monkeypatch.context() as patch:
        patch.setattr(two.one.store, "commit", away)
        await asyncio.sleep(5.0)
        assert two.told() == []
    await two.quiet()
    assert two.told() == ["search.begun"]


def delayed(at: float) -> Work:
    return Work(SearchDelayed(ANN, BOT, at, 5, None))


@pytest.mark.parametrize("is_edit", [False, True])
@staged(in_two)
async def test_nobody_hears_that_a_search_takes_long_when_it_is_over(two: Two, /, is_edit: bool) -> None:
    for person in (ANN, BEN):
        await two.search(person)
    await two.quiet()
    state = (await two.one.facts_of(ANN)).state
    assert isinstance(state, Searching)
    if is_edit:
        two.one.person_queues.put(delayed(state.ticket.since))
        await two.quiet()
    before = len(two.told())
    two.one.person_queues.put(delayed(state.ticket.since))
    await settled()
    await two.pair()
    await two.quiet()
    assert two.told()[before:] == ["search.found"]


@staged(in_two)
async def test_a_dropped_notice_leaves_no_trace_in_the_next_search(two: Two, /) -> None:
    """A notice that anchors a search may be dropped when its reader is in another search already."""
    await two.search(ANN)
    dropped = Notice(
        "late",
        ANN,
        BOT,
        text("search.already"),
        Priority.SYSTEM,
        two.one.clock.now(),
        anchors=search_of(ANN),
        search=1.0,
    )
    await two.one.store.commit(Commit(outbox=(dropped,), owner=ME))
    two.one.courier.say(dropped)
    await two.quiet()
    assert two.told() == ["search.begun"]
    facts = await two.one.store.load(ANN)
    assert facts is not None
    assert facts.anchor is None


@staged(in_two)
async def test_a_notice_about_a_search_that_the_store_has_lost_says_that(two: Two, /) -> None:
    await two.search(ANN)
    two.one.store.wipe()
    await two.one.store.adopt([somebody(ANN)], whole=True)
    await two.quiet()
    (said,) = words_of(two.telegram.sent)
    assert "connection was lost" in said


@staged(in_two)
async def test_after_a_loss_nobody_hears_of_a_search_whose_end_is_still_to_be_told(two: Two, /) -> None:
    await two.search(ANN)
    two.one.store.wipe()
    await two.one.store.adopt([somebody(ANN)], whole=True)
    chat, now = ChatId("c0ffee"), two.one.clock.now()
    ann = msgspec.structs.replace(await two.one.facts_of(ANN), state=Chatting(chat, BEN, now), version=2)
    ben = somebody(BEN, Chatting(chat, ANN, now), OTHER_BOT)
    found = Notice("found", ANN, BOT, text("search.found"), Priority.MATCH, now, KEYS[Chatting], anchors=chat)
    await two.one.store.commit(Commit((ann, ben), outbox=(found,), owner=ME))
    await asyncio.sleep(2 * PASSING_WAIT_S)
    assert two.told() == []
    two.one.courier.say(found)
    await two.quiet()
    assert two.told() == ["search.found"]
