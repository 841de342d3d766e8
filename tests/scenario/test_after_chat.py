"""The acts of two people after a chat, through the whole app: on one bot and across two."""

import asyncio

import pytest

from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Complaint, Rating
from passerby.kernel.rules import Rules
from tests.scenario.matrix import HISTORIES, HOMES, over_everything, over_servers, over_stores
from tests.scenario.stage import Phone, Stage, notice, play
from tests.wording import shown


async def talk(on: Stage, one: Phone, other: Phone, words: str) -> None:
    """One person writes, and the other one reads it."""
    await asyncio.sleep(1.1)  # on another bot, a message within a second of the pairing has no recipient
    before = len(other.got())
    one.write(words)
    await on.quiet()
    assert [message["text"] for message in other.got()[before:]] == [words]


async def press(on: Stage, *presses: tuple[Phone, str]) -> None:
    """Press all buttons at once."""
    for phone, action in presses:
        phone.press(action)
    await on.quiet()


def said_last(phone: Phone, count: int) -> list[str]:
    return phone.told()[-count:]


@over_servers
@HOMES
@HISTORIES
def test_a_chat_ended_by_mistake_resumes_when_both_ask(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/next")
        await on.quiet()
        await press(on, (on.ann, "return"))
        assert said_last(on.bob, 1) == ["after_chat.invited_back"]
        await on.after(history)
        await press(on, (on.bob, "return"))
        assert said_last(on.ann, 1) == said_last(on.bob, 1) == ["after_chat.together_again"]
        await talk(on, on.ann, on.bob, "there you are")
        await talk(on, on.bob, on.ann, "it was a slip")

    play(store, scene, home=home)


@over_servers
@HOMES
def test_two_people_who_press_return_at_once_meet_exactly_once(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/stop")
        await on.quiet()
        await press(on, (on.ann, "return"), (on.bob, "return"))
        assert (on.ann.told() + on.bob.told()).count("after_chat.together_again") == 2
        await talk(on, on.bob, on.ann, "at once")

    play(store, scene, home=home)


@over_servers
@HOMES
def test_returning_while_a_new_match_is_made_leaves_everybody_with_one_partner(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        eve = on.join(on.bots[1])
        on.ann.write("/next")
        await on.quiet()
        on.bob.press("return")
        eve.write("/search")
        await on.quiet()
        on.ann.press("return")
        await on.quiet()
        await asyncio.sleep(2.0)
        before = {phone.id: len(phone.got()) for phone in (on.ann, on.bob, eve)}
        on.ann.write("who is there?")
        await on.quiet()
        heard = [phone for phone in (on.bob, eve) if len(phone.got()) > before[phone.id]]
        assert len(heard) == 1
        (other,) = [each for each in (on.bob, eve) if each is not heard[0]]
        other.write("and me?")
        await on.quiet()
        assert other.told()[-1] in ("search.idle", "search.nobody_yet", "search.came_too_late")

    play(store, scene, home=home)


@over_everything
@HOMES
@HISTORIES
def test_a_blocked_person_is_met_again_only_after_unblocking(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/block")
        await on.quiet()
        assert said_last(on.ann, 1) == ["safety.done_here"]
        assert said_last(on.bob, 2) == ["chat.partner_left", "after_chat.ask"]
        await on.after(history)
        await press(on, (on.bob, "return"))
        for phone in (on.ann, on.bob):
            phone.write("/search")
            await on.quiet()
        await asyncio.sleep(60.0)
        await on.quiet()
        assert "search.found" not in on.ann.told_since_pairing()
        on.ann.write("/blocked")
        await on.quiet()
        await press(on, (on.ann, "unblock"))
        await asyncio.sleep(30.0)
        await on.quiet()
        await talk(on, on.ann, on.bob, "after all")

    play(store, scene, home=home)


@over_everything
@HOMES
@HISTORIES
def test_a_rating_and_a_report_are_recorded_and_the_reported_person_is_not_told(
    history: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/stop")
        await on.quiet()
        await press(on, (on.bob, "good"), (on.ann, "bad"))
        await on.after(history)
        heard = on.bob.told()
        await press(on, (on.ann, "report"))
        await press(on, (on.ann, "complain"))
        assert on.bob.told() == heard
        await asyncio.sleep(5.0)  # let the recorder finish
        ann, bob = (on.records_place.person(phone.id) for phone in (on.ann, on.bob))
        assert ann.last is not None
        assert bob.last is not None
        assert (ann.last.rating, bob.last.rating) == (Rating.BAD, Rating.GOOD)
        assert ann.blocked == (bob.person,)
        filed = on.records_place.complaints()[ann.last.chat, ann.person]
        assert (filed.accused, filed.reason) == (bob.person, Complaint.SPAM)

    play(store, scene, home=home)


@over_servers
@HOMES
@HISTORIES
def test_two_people_who_saved_each_other_meet_again(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/stop")
        await on.quiet()
        await press(on, (on.ann, "save"))
        await press(on, (on.bob, "save"))
        assert said_last(on.ann, 1) == said_last(on.bob, 1) == ["friends.mutual"]
        on.bob.write("/name 1 Moon")
        await on.quiet()
        await on.after(history)
        on.ann.write("/friends")
        await on.quiet()
        await press(on, (on.ann, "ask"))
        _, invited = on.bob.messages().popitem()
        assert invited["text"] == shown("friends.asks", who="Moon")
        await press(on, (on.bob, "talk"))
        assert said_last(on.ann, 1) == said_last(on.bob, 1) == ["friends.together"]
        await talk(on, on.ann, on.bob, "hello again")

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_a_silent_chat_gets_one_reminder_and_then_ends(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await talk(on, on.ann, on.bob, "hello?")
        await asyncio.sleep(80.0)
        await on.quiet()
        assert said_last(on.bob, 1) == ["idle.your_turn"]
        assert "idle.your_turn" not in on.ann.told()
        await on.after(history)
        await asyncio.sleep(80.0)
        await on.quiet()
        assert on.bob.told().count("idle.your_turn") == 1
        await asyncio.sleep(60.0)
        await on.quiet()
        for phone in (on.ann, on.bob):
            assert said_last(phone, 2) == ["idle.ended", "after_chat.ask"]

    play(store, scene, home=home, rules=Rules(idle_nudge_s=60, idle_end_s=180))


@over_stores
@HOMES
def test_a_message_in_time_restarts_the_idle_timer(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        for number in range(4):
            await asyncio.sleep(40.0)
            await talk(on, *((on.ann, on.bob) if number % 2 else (on.bob, on.ann)), f"word {number}")
        assert on.ann.told_since_pairing() == on.bob.told_since_pairing() == []

    play(store, scene, home=home, rules=Rules(idle_nudge_s=60, idle_end_s=120))


@over_servers
@HOMES
@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("return", "after_chat.over"),
        ("save", "after_chat.over"),
        ("good", "after_chat.over"),
        ("block", "safety.done"),
        ("report", "safety.what_for_here"),
    ],
)
def test_an_old_button_does_not_affect_the_current_partner(action: str, key: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/stop")
        await on.quiet()
        old = next(n for n, each in on.ann.messages().items() if "inline_keyboard" in each.get("reply_markup", {}))
        eve = on.join(on.bots[0])
        await on.introduce(on.ann, eve)
        on.ann.write("/stop")
        await on.quiet()
        await on.introduce(on.ann, eve := on.join(on.bots[1]))
        keyboard = on.ann.messages()[old]["reply_markup"]["inline_keyboard"]
        row, column = next(
            (row, column)
            for row, buttons in enumerate(keyboard)
            for column, button in enumerate(buttons)
            if button["callback_data"].startswith(f"{action}:")
        )
        heard = on.bob.told(), eve.told()
        on.world.phones.press(on.ann.id, on.ann.bot, old, row, column)
        await on.quiet()
        assert notice(on.ann.messages()[old]) == key
        assert (on.bob.told(), eve.told()) == heard
        await talk(on, on.ann, eve, "still here")

    play(store, scene, home=home)


@over_everything
@HOMES
@HISTORIES
def test_a_person_with_a_new_partner_can_still_report_the_last_one(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/next")
        await on.quiet()
        old = next(n for n, each in on.ann.messages().items() if "inline_keyboard" in each.get("reply_markup", {}))
        eve = on.join(on.bots[1])
        eve.write("/search")
        await on.quiet()
        await asyncio.sleep(0.1)
        await on.quiet()
        assert said_last(on.ann, 1) == said_last(eve, 1) == ["search.found"]
        await on.after(history)
        heard = on.bob.told(), eve.told()
        for action in ("report", "complain"):
            on.ann.press(action, at=old)
            await on.quiet()
        assert notice(on.ann.messages()[old]) == "safety.reported_reply"
        assert (on.bob.told(), eve.told()) == heard
        await talk(on, on.ann, eve, "now to us")
        on.bob.write("/search")  # nobody else is there, and Ann and he are kept apart for ever
        on.ann.write("/next")
        await on.quiet()
        await asyncio.sleep(60.0)
        await on.quiet()
        assert "search.found" not in on.bob.told()[len(heard[0]) :]
        filed = {accused.accused: by for (_, by), accused in on.records_place.complaints().items()}
        assert filed == {PersonId(on.bob.id): PersonId(on.ann.id)}

    play(store, scene, home=home)
