"""After a wipe, no old notice tells a person a wrong state."""

import asyncio

import msgspec
import pytest

from passerby.dialogue.keyboards import WITH_HELLO, keys_for
from passerby.dialogue.states import tells_state
from passerby.kernel.decision import Facts
from passerby.kernel.effect import Keyboard, Priority
from passerby.kernel.ids import NOWHERE, ChatId, MessageId, search_of
from passerby.kernel.participant import Chatting, Gender, Idle, Searching, State, Ticket
from passerby.kernel.text import text
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit
from passerby.ports.telegram import SendNotice, Unavailable
from passerby.runtime.delivery.stale_notices import as_things_stand
from passerby.runtime.delivery.wording import Wording
from simulated_people.phrases import MEANS
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BEN, BOT, CHAT, ME, WORDS, Bench, couple, somebody, words_of, written
from tests.staged import in_virtual_time
from tests.wording import opening

WAITING = Searching(Ticket(ANN, "adults", EPOCH, Gender.UNSAID, 30))  # type: ignore[arg-type]
TALKING = Chatting(CHAT, BEN, EPOCH)
OLD = "search.begun"
STATES = [Idle(), WAITING, TALKING]


def notice(
    keyboard: Keyboard | None, anchors: ChatId | None = None, *, key: str = OLD, reply_to: MessageId | None = None
) -> Notice:
    return Notice("n", ANN, BOT, text(key), Priority.COMMAND, EPOCH, keyboard, reply_to, anchors=anchors)


def worded(outgoing: Notice) -> str:
    return Wording(WORDS).notice(outgoing, "en").html


def told(state: State) -> Facts:
    """A person who has been told about their state."""
    return Facts(somebody(ANN, state), anchor=NOWHERE)


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_a_notice_that_fits_the_state_is_sent_unchanged(state: State) -> None:
    assert as_things_stand(notice(keys_for(state)), told(state)).text == text(OLD)
    assert as_things_stand(notice(None), told(state)).text == text(OLD)


def test_a_notice_of_a_chat_that_begins_with_one_more_key_is_corrected_like_any_other() -> None:
    assert as_things_stand(notice(WITH_HELLO), told(TALKING)) == notice(WITH_HELLO)
    for state in (Idle(), WAITING):
        assert as_things_stand(notice(WITH_HELLO), told(state)) == as_things_stand(
            notice(keys_for(TALKING)), told(state)
        )


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_an_outdated_answer_to_a_message_still_says_that_nobody_got_it(state: State) -> None:
    for said in STATES:
        answer = notice(keys_for(said), key="search.nobody_yet", reply_to=MessageId(5))
        corrected = as_things_stand(answer, told(state))
        assert corrected.reply_to == MessageId(5)
        assert corrected.keyboard == keys_for(state)
        if said != state:
            assert "nobody got" in worded(corrected) or "wasn't sent" in worded(corrected)


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_a_text_that_says_nothing_about_the_state_only_gets_the_keyboard_of_the_state(state: State) -> None:
    for said in STATES:
        card = notice(keys_for(said), key="profile.speaks")
        assert as_things_stand(card, told(state)) == msgspec.structs.replace(card, keyboard=keys_for(state))


def test_the_texts_that_tell_a_state_are_those_that_people_take_for_it() -> None:
    """The simulated people read them without knowing the product's list."""
    assert {key for key in MEANS if not tells_state(key)} == set()


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
    assert as_things_stand(notice(keys_for(WAITING), search_of(ANN)), told(WAITING)).text == text(OLD)


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


async def after_a_loss(bench: Bench, *notices: Notice, put_back: bool = False) -> None:
    """These notices wait while the store is wiped, and everybody is idle afterwards."""
    await bench.put(*couple())
    bench.telegram.answer = lambda outgoing: Unavailable("away", uncertain=False)
    await bench.store.commit(Commit(outbox=notices, owner=ME))
    for each in notices:
        bench.courier.say(each)
    await asyncio.sleep(0.1)
    bench.store.wipe()
    if put_back:
        await bench.parking.put_back()
        await bench.store.commit(Commit(sent=tuple(each.id for each in notices[1:]), owner=ME, repairs=True))
    await bench.store.adopt([somebody(ANN)], whole=True)
    bench.telegram.answer = lambda outgoing: None
    await bench.quiet()


@in_virtual_time
async def test_however_many_outdated_notices_wait_a_person_is_told_once_that_the_connection_was_lost() -> None:
    bench = Bench()
    waiting = [notice(keys_for(TALKING), CHAT), notice(keys_for(WAITING)), notice(keys_for(TALKING))]
    await after_a_loss(bench, *(msgspec.structs.replace(each, id=f"n{n}") for n, each in enumerate(waiting)))
    (said,) = words_of(bench.telegram.sent)
    assert "connection was lost" in said
    assert await bench.store.outbox(ME) == [], "the others are settled"
    await bench.close()


@in_virtual_time
async def test_a_notice_that_a_repair_has_replaced_is_not_sent() -> None:
    bench = Bench()
    first, second = notice(keys_for(TALKING)), msgspec.structs.replace(notice(keys_for(Idle())), id="replaced")
    await after_a_loss(bench, first, second, put_back=True)
    assert len(bench.telegram.sent) == 1
    await bench.close()


@in_virtual_time
async def test_a_store_that_lost_unsent_entries_gets_them_back_from_the_worker() -> None:
    """Another worker sends it, if this one dies."""
    bench = Bench()
    answer = notice(keys_for(Idle()), key="search.idle", reply_to=MessageId(5))
    await after_a_loss(bench, answer, put_back=True)
    assert await bench.store.outbox(ME) == []
    (said,) = bench.telegram.sent
    assert isinstance(said, SendNotice)
    assert said.reply_to == MessageId(5)
    await bench.close()
