"""After a wipe, no old notice tells a person a wrong state."""

import asyncio

import msgspec
import pytest

from passerby.dialogue.keyboards import keys_for
from passerby.kernel.decision import Facts
from passerby.kernel.effect import Keyboard, Priority
from passerby.kernel.ids import NOWHERE, ChatId, search_of
from passerby.kernel.participant import Chatting, Gender, Idle, Searching, State, Ticket
from passerby.kernel.text import text
from passerby.ports.outbox import Notice
from passerby.ports.telegram import Unavailable
from passerby.runtime.delivery.stale_notices import as_things_stand
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BEN, BOT, CHAT, Bench, somebody, words_of, written
from tests.staged import in_virtual_time
from tests.wording import opening

WAITING = Searching(Ticket(ANN, "adults", EPOCH, Gender.UNSAID, 30))  # type: ignore[arg-type]
TALKING = Chatting(CHAT, BEN, EPOCH)


def notice(keyboard: Keyboard | None, anchors: ChatId | None = None) -> Notice:
    return Notice("n", ANN, BOT, text("old"), Priority.COMMAND, EPOCH, keyboard, anchors=anchors)


def told(state: State) -> Facts:
    """A person who has been told about their state."""
    return Facts(somebody(ANN, state), anchor=NOWHERE)


@pytest.mark.parametrize("state", [Idle(), WAITING, TALKING], ids=lambda state: type(state).__name__)
def test_a_notice_that_fits_the_state_is_sent_unchanged(state: State) -> None:
    assert as_things_stand(notice(keys_for(state)), told(state)).text == text("old")
    assert as_things_stand(notice(None), told(state)).text == text("old")


@pytest.mark.parametrize(
    ("said", "state", "key"),
    [
        (TALKING, Idle(), "chat.connection_lost"),
        (Idle(), WAITING, "search.already"),
        (Idle(), TALKING, "search.in_chat"),
    ],
)
def test_an_outdated_notice_is_replaced_by_the_current_state(said: State, state: State, key: str) -> None:
    corrected = as_things_stand(notice(keys_for(said)), told(state))
    assert (corrected.text, corrected.keyboard) == (text(key), keys_for(state))
    assert corrected.id == "n", "and settles the same entry"


def test_a_notice_of_another_chat_counts_as_outdated() -> None:
    keys = keys_for(TALKING)
    assert as_things_stand(notice(keys, CHAT), told(TALKING)).anchors == CHAT
    assert as_things_stand(notice(keys, ChatId("another")), told(TALKING)) == msgspec.structs.replace(
        notice(keys), text=text("search.in_chat")
    )
    assert as_things_stand(notice(keys_for(WAITING), search_of(ANN)), told(WAITING)).text == text("old")


@pytest.mark.parametrize("state", [WAITING, TALKING], ids=["searching", "chatting"])
def test_the_end_of_a_chat_is_told_before_the_state_that_followed_it(state: State) -> None:
    """The notice of the present state is still to come, so the person does not know about it."""
    over = notice(keys_for(Idle()))
    assert as_things_stand(over, Facts(somebody(ANN, state))) == over
    found = notice(keys_for(TALKING), ChatId("another"))
    assert as_things_stand(found, Facts(somebody(ANN, state))).keyboard == keys_for(state), "a chat that is over"


@pytest.mark.parametrize(("wiped", "says"), [(False, "search.begun"), (True, "chat.connection_lost")])
@in_virtual_time
async def test_a_search_that_was_forgotten_is_not_confirmed(wiped: bool, says: str) -> None:
    bench = Bench()
    await bench.put(somebody(ANN))
    bench.telegram.answer = lambda outgoing: Unavailable("away", uncertain=False)
    bench.happens(written(ANN, "/search"))
    await asyncio.sleep(0.1)
    if wiped:
        bench.store.wipe()
        await bench.store.adopt([somebody(ANN)], whole=True)
    bench.telegram.answer = lambda outgoing: None
    await bench.quiet()
    (said,) = words_of(bench.telegram.sent)
    assert opening(says) in said.replace("<b>", "").replace("</b>", "")
    await bench.close()
