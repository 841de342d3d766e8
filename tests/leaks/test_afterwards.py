"""After a chat nobody is unmasked, and nobody can find out what the partner pressed, unless both wanted the same.

The tests compare what one person reads for each thing that the partner may have done before: texts, buttons, answers to
presses, their number and their order.
"""

from collections.abc import Callable, Iterable

import pytest

from passerby.domain import after_chat
from passerby.features import safety
from passerby.kernel.effect import Say
from passerby.kernel.participant import LastChat, Participant
from passerby.kernel.text import text
from tests.leaks.canaries import TYPED, Who, look
from tests.leaks.judge import _of, leaks
from tests.leaks.stage import Couple, Json, Left, Stage, as_json, staged

Step = Callable[[Stage, Couple], None]
"""One action of Ann."""

Line = tuple[str, object]


def press(stage: Stage, who: Who, bot: int, action: str) -> None:
    """Press the latest button with this action."""
    _, held = stage.world.phones.view(who.id, bot)
    for one in reversed(held):
        for row, buttons in enumerate(one.message.get("reply_markup", {}).get("inline_keyboard", ())):
            for column, button in enumerate(buttons):
                if button["callback_data"].startswith(f"{action}:"):
                    stage.world.phones.press(who.id, bot, one.message["message_id"], row, column)
                    return
    raise AssertionError(f"no button for {action}")


def writes(words: str) -> Step:
    def step(stage: Stage, couple: Couple) -> None:
        stage.world.phones.write(couple.me.id, couple.bot, words)

    return step


def presses(action: str) -> Step:
    return lambda stage, couple: press(stage, couple.me, couple.bot, action)


def blocks_the_bot(stage: Stage, couple: Couple) -> None:
    stage.world.phones.block(couple.me.id, couple.bot)


def seen(left: Left, who: Who) -> list[Line]:
    """Return what a person was shown, without the parts that differ from chat to chat."""
    lines: list[Line] = []
    for person, message in left.shown:
        if person == who.id:
            rows = message.get("reply_markup", {}).get("inline_keyboard", ())
            buttons = [(each["text"], each["callback_data"].partition(":")[0]) for row in rows for each in row]
            lines.append((message["text"], buttons))
    return lines


def answered(left: Left) -> list[Line]:
    """Return the answers to presses."""
    answers = [each["params"] for each in left.requests if each["method"] == "answerCallbackQuery"]
    return [("answer", {key: value for key, value in each.items() if "id" not in key}) for each in answers]


def scene(ann: Iterable[Step], ben: Iterable[Step], *, last: bool = False) -> list[list[Line]]:
    """Return what Ben sees, step by step, during Ann's steps and then his own. With `last`, only what he sees at his
    last step."""
    with staged(just_met=False) as stage:

        async def play() -> list[list[Line]]:
            couple = stage.couples[1]
            turned = Couple(couple.partner, couple.partner_bot, couple.me, couple.bot)
            found = []
            for step in ann:
                step(stage, couple)
                found.append(seen(await stage.settled(), couple.partner))
            for step in ben:
                step(stage, turned)
                left = await stage.settled()
                found.append([*seen(left, couple.partner), *answered(left)])
            return found[-1:] if last else [part for part in found if part]

        return stage.loop.run_until_complete(play())


ENDINGS: dict[str, list[Step]] = {
    "stops": [writes("/stop")],
    "moves on": [writes("/next")],
    "blocks": [writes("/block")],
    "reports": [writes("/report"), presses("complain")],
    "blocks the bot": [blocks_the_bot],
}
OPINIONS: dict[str, list[Step]] = {
    "says nothing": [writes("/stop")],
    "thinks well of it": [writes("/stop"), presses("good")],
    "thinks poorly of it": [writes("/stop"), presses("bad")],
    "blocks": [writes("/stop"), presses("block")],
    "reports": [writes("/stop"), presses("report"), presses("complain")],
    "skips": [writes("/stop"), presses("done")],
}


@pytest.mark.parametrize("ending", [name for name in ENDINGS if name != "stops"])
def test_a_person_who_was_left_cannot_tell_how_the_chat_ended(ending: str) -> None:
    tries = [presses("return"), presses("save"), presses("good"), writes("/friends")]
    assert scene(ENDINGS[ending], tries) == scene(ENDINGS["stops"], tries)


@pytest.mark.parametrize("opinion", [name for name in OPINIONS if name != "says nothing"])
def test_a_person_who_was_left_cannot_tell_what_the_partner_pressed(opinion: str) -> None:
    tries = [presses("save"), presses("return"), writes("/friends")]
    assert scene(OPINIONS[opinion], tries) == scene(OPINIONS["says nothing"], tries)


@pytest.mark.parametrize("then", ["forget", "block"])
def test_a_friend_cannot_tell_that_they_were_removed(then: str) -> None:
    """The answer to an ask is the same, and does not show whether the ask reached anybody."""
    met: list[Step] = [
        writes("/stop"),
        presses("save"),
        lambda stage, couple: press(stage, couple.partner, couple.partner_bot, "save"),
    ]
    lets_go: list[Step] = (
        [writes("/friends"), presses("forget")] if then == "forget" else [writes("/block"), presses("block")]
    )
    tries = [writes("/friends"), presses("ask")]
    assert scene([*met, *lets_go], tries, last=True) == scene(met, tries, last=True)
    assert scene([*met, *lets_go], tries[:1], last=True) == scene(met, tries[:1], last=True)


def test_buttons_after_a_chat_reveal_nothing_about_the_partner() -> None:
    nickname = f"{TYPED} <b>"
    walk: list[tuple[str, Step]] = [
        ("stop", writes("/stop")),
        ("good", presses("good")),
        ("save", presses("save")),
        ("they save", lambda stage, couple: press(stage, couple.partner, couple.partner_bot, "save")),
        ("name", writes(f"/name 1 {nickname}")),
        ("list", writes("/friends")),
        ("ask", presses("ask")),
        ("they talk", lambda stage, couple: press(stage, couple.partner, couple.partner_bot, "talk")),
        ("slip", writes("/next")),
        ("return", presses("return")),
        ("they return", lambda stage, couple: press(stage, couple.partner, couple.partner_bot, "return")),
        ("report", writes("/report")),
        ("complain", presses("complain")),
        ("blocked", writes("/blocked")),
        ("unblock", presses("unblock")),
    ]
    with staged(just_met=False) as stage:

        async def play() -> list[str]:
            complaints: list[str] = []
            for name, step in walk:
                for couple in stage.couples:
                    step(stage, couple)
                    left = _of(await stage.settled(), couple)
                    assert left.requests, f"{name} did nothing"
                    left.stored = b""  # the store may keep a name that somebody gave
                    own = {couple.me.id}
                    complaints += leaks(_without_own(left, own), couple)
                    complaints += [
                        f"{name}: a name of one's own, shown to another: {as_json(message)}"
                        for person, message in left.shown
                        if person not in own and look(as_json(message)).typed
                    ]
            return complaints

        assert stage.loop.run_until_complete(play()) == []


def _without_own(left: Left, own: set[int]) -> Left:
    """It is no leak to show a person their own words."""
    shown = [(person, message) for person, message in left.shown if person not in own or not _typed(message)]
    return Left([each for each in left.requests if each["params"].get("chat_id") not in own], shown, left.log)


def _typed(message: Json) -> bool:
    return look(as_json(message)).typed


def _only_slips(last: LastChat) -> bool:
    return last.reason in after_chat.SLIPS


def _tell_of_it(sides: tuple[Participant, ...]) -> tuple[Say, ...]:
    return tuple(Say(side.person, text("safety.done")) for side in sides[1:])


@pytest.mark.parametrize(
    ("where", "name", "instead"),
    [(after_chat, "_may_be_a_slip", _only_slips), (safety, "tell_left", _tell_of_it)],
    ids=["a missing button tells", "a sentence tells"],
)
def test_a_planted_difference_is_found(
    where: object, name: str, instead: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, instead)
    assert scene(ENDINGS["blocks"], []) != scene(ENDINGS["stops"], [])
