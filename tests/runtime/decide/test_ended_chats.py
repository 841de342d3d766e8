"""Nobody hears that a partner was found when that chat is over, unless they hear of its end next."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from passerby.dialogue.keyboards import KEYS
from passerby.dialogue.states import tells_end, tells_state
from passerby.kernel.effect import Priority
from passerby.kernel.event import BotBlocked, BotLost, BotUnblocked, ErasureDue, Event
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Chatting, DataRequests
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import SanctionOrdered
from passerby.kernel.text import text
from passerby.ports.leases import Fence, bot_lease
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit
from passerby.ports.telegram import FloodWait, OutgoingCall
from passerby.runtime.background.reconciler import Reconciler
from passerby.runtime.delivery.ended_chats import is_end_told_next
from passerby.runtime.inbound.person_queues import Work
from simulated_people.phrases import MEANS, Said
from tests.contract.records_memory import MemoryRecords
from tests.runtime.decide.test_passing_notices import Two, in_one_or_two, in_two
from tests.runtime.virtual import settled
from tests.runtime.world import ANN, BEN, BOT, ME, OTHER_BOT, words_of, written
from tests.staged import staged

FOUND, LEFT, YOU_LEFT, LOST = "Partner found", "Your partner left", "You left", "connection was lost"
KNOWN = (FOUND, LEFT, YOU_LEFT, LOST, "Looking for", "can't chat here", "has been deleted")


def heard(two: Two, person: PersonId = ANN) -> list[str]:
    """Return the notices to a person, without the question about the last chat."""
    calls = [each for each in two.telegram.sent if getattr(each, "person", None) == person]
    plain = [words.replace("<b>", "").replace("</b>", "") for words in words_of(calls)]
    said = [next((each for each in KNOWN if each in words), words) for words in plain]
    return [words for words in said if not words.startswith("How was")]


async def found_late(two: Two, **changes: object) -> None:
    """Ann and Ben are paired, and a 429 of five seconds holds back the notice to Ann."""
    held = [FloodWait(5.0)]

    def answer(call: OutgoingCall) -> FloodWait | None:
        is_found = getattr(call, "person", None) == ANN and FOUND in getattr(call, "html", "")
        return held.pop() if is_found and held else None

    two.telegram.answer = answer
    ann = await two.one.facts_of(ANN)
    await two.one.put(msgspec.structs.replace(ann, version=ann.version + 1, **changes))
    for person in (ANN, BEN):
        await two.search(person)
    await two.pair()
    await settled()
    assert isinstance((await two.one.facts_of(ANN)).state, Chatting)


def _event(event: Event) -> Callable[[Two], Awaitable[None]]:
    async def happens(two: Two) -> None:
        two.one.person_queues.put(Work(event))

    return happens


async def _blocks_and_comes_back(two: Two) -> None:
    two.one.happens(BotBlocked(ANN, BOT))
    two.one.happens(BotUnblocked(ANN, BOT))


async def _partner_leaves(two: Two) -> None:
    two.one.happens(written(BEN, "/stop", bot=OTHER_BOT), OTHER_BOT)


async def _leaves(two: Two) -> None:
    two.one.happens(written(ANN, "/stop"))


async def _leaves_elsewhere(two: Two) -> None:
    two.one.happens(written(ANN, "/stop", bot=OTHER_BOT), OTHER_BOT)


async def _doubt(two: Two) -> None:
    reconciler = Reconciler(ME, two.one.store, MemoryRecords(), two.one.clock, two.one.parking.take_up)
    lease = bot_lease(BOT)
    await two.one.store.heartbeat(ME, {}, 60.0, b"")
    epoch = await two.one.store.take(ME, lease, 60.0)
    assert epoch is not None
    assert await reconciler.doubt(BOT, Fence(lease, epoch)) == 2


BANNED = Sanction("s", SanctionKind.BANNED, Reason.SPAM, 1.0)

WAYS = {
    "a block": (_blocks_and_comes_back, {}, []),
    "a lost bot": (_event(BotLost(ANN, BOT)), {}, []),
    "her leave": (_leaves, {}, [FOUND, YOU_LEFT]),
    "her leave through another bot": (_leaves_elsewhere, {}, [YOU_LEFT]),
    "her partner's leave": (_partner_leaves, {}, [FOUND, LEFT]),
    "a sanction": (_event(SanctionOrdered(ANN, BOT, BANNED)), {}, ["can't chat here"]),
    "a doubt": (_doubt, {}, [LOST]),
    "an erasure": (_event(ErasureDue(ANN, BOT)), {"requests": DataRequests(erase_at=1.0)}, ["has been deleted"]),
}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("way", WAYS)
@staged(in_one_or_two, "shared")
async def test_a_chat_that_ends_before_it_was_told_of_is_told_with_its_end_or_not_at_all(
    two: Two, /, way: str, shared: bool
) -> None:
    end, changes, expected = WAYS[way]
    if shared and end is _doubt:
        expected = [FOUND, *expected]  # another process may be sending the first one just now
    await found_late(two, **changes)
    await end(two)
    await two.quiet()
    assert heard(two) == expected


@pytest.mark.parametrize("shared", [False, True])
@staged(in_one_or_two, "shared")
async def test_a_person_who_comes_back_and_searches_hears_of_that_search_only(two: Two, /) -> None:
    await found_late(two)
    await _blocks_and_comes_back(two)
    await settled()
    await two.search(ANN)
    await two.quiet()
    assert heard(two) == ["Looking for"]


@staged(in_two)
async def test_a_person_who_is_in_their_next_chat_hears_of_that_one_only(two: Two, /) -> None:
    await found_late(two)
    await _blocks_and_comes_back(two)
    await settled()
    await two.search(ANN)
    await two.search(BEN)
    await two.pair()
    await two.quiet()
    assert heard(two) == [FOUND]


@staged(in_two)
async def test_the_end_by_a_repair_arrives_after_the_notice_of_the_chat_that_another_process_is_sending(
    two: Two, /
) -> None:
    """Otherwise its reader would believe that they are in a chat."""

    async def answer(call: OutgoingCall) -> None:
        if FOUND in getattr(call, "html", ""):
            await asyncio.sleep(5.0)

    two.telegram.answer = answer
    for person in (ANN, BEN):
        await two.search(person)
    await two.pair()
    await settled()
    assert sum(FOUND in words for words in words_of([call for _, call in two.telegram.tried])) == 2, "under way"
    await _doubt(two)
    await two.quiet()
    for person in (ANN, BEN):
        assert heard(two, person) == [FOUND, LOST]


@staged(in_two)
async def test_an_heir_does_not_send_the_notice_of_a_dead_process_if_the_chat_is_over(two: Two, /) -> None:
    await found_late(two)
    two.two.courier.abandon()
    await _blocks_and_comes_back(two)
    await settled()
    two.one.courier.say(*[each for each in await two.one.store.inherit(ME) if isinstance(each, Notice)])
    await two.quiet()
    assert heard(two) == []


def told(id_: str, key: str, chat: str | None = None, to: PersonId = ANN, bot: int = BOT) -> Notice:
    keys = KEYS[Chatting] if chat is not None else None
    return Notice(
        id_, to, BotId(bot), text(key), Priority.MATCH, 1.0, keys, anchors=ChatId(chat) if chat is not None else None
    )


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        ((), False),
        ((told("left", "chat.partner_left"),), True),
        ((told("begun", "search.begun"), told("left", "chat.partner_left")), True),
        ((told("begun", "search.begun"),), False),
        ((told("next", "search.found", "next"), told("left", "chat.partner_left")), False),
        ((told("left", "chat.partner_left", bot=OTHER_BOT),), False),
        ((told("left", "chat.partner_left", to=BEN),), False),
    ],
    ids=["nothing", "its end", "its end later", "a search", "the next chat", "another bot", "another person"],
)
@staged(in_two)
async def test_an_end_counts_only_if_it_comes_next_through_the_same_bot(
    two: Two, /, behind: tuple[Notice, ...], expected: bool
) -> None:
    found, before = told("found", "search.found", "gone"), told("before", "chat.you_left")
    store = two.one.store
    await store.commit(Commit(outbox=(before, found, *behind), owner=ME))
    assert await is_end_told_next(found, store) is expected
    assert await is_end_told_next(told("settled", "search.found", "gone"), store) is False, "a repair replaced it"
    await store.commit(Commit(sent=tuple(each.id for each in (before, found, *behind))))


def test_the_texts_that_tell_of_an_end_are_those_that_people_take_for_it() -> None:
    """The simulated people read them without knowing the product's list."""
    ends = {key for key, said in MEANS.items() if said in (Said.LEFT, Said.MOVED_ON, Said.CUT_OFF)}
    assert {key for key in MEANS if tells_end(key)} == ends
    assert all(map(tells_state, ends))
