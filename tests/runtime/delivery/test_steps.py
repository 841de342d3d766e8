"""A relay effect in several sends: in which order they leave, and what remains when some are refused."""

from passerby.domain.fingerprint import Prints
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.decision import Counterpart
from passerby.kernel.effect import Relay, RelayEdit
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.ports.telegram import DeleteMessages, EditContent, SendContent
from passerby.runtime.delivery.steps import EditSteps, RelaySteps, Steps

HERE, THERE = BotId(1), BotId(2)
ANN, BEN = PersonId(11), PersonId(12)
CHAT = ChatId("c")
PRINTS = Prints(b"key")
PHOTO = Content(Kind.PHOTO, file=File("p", "p"))
LONG = Content(Kind.PHOTO, "word " * 300, file=File("p", "p"))


def steps_of(*contents: Content, arrived: dict[int, Counterpart] | None = None) -> RelaySteps:
    sources = tuple(MessageId(10 + place) for place in range(len(contents)))
    relay = Relay(CHAT, ANN, HERE, sources, BEN, contents)
    return RelaySteps(
        relay, SendContent(THERE, BEN, HERE, ANN, sources, contents, reply_to=MessageId(5)), arrived or {}, PRINTS
    )


def next_step(steps: Steps) -> str:
    """Return the next step in short form."""
    match steps.next():
        case SendContent(sources=sources, contents=contents, reply_to=reply_to):
            shown = ",".join(
                f"{source - 10}{'w' if each.kind is Kind.TEXT else ''}"
                for source, each in zip(sources, contents, strict=True)
            )
            return f"{shown}>{reply_to}" if reply_to else shown
        case EditContent(message=message, content=content):
            return f"edit {message} {len(content.text)}"
        case DeleteMessages(messages=messages):
            return f"delete {messages}"
        case _:
            return "end"


def test_long_text_follows_its_file_and_only_the_first_step_is_a_reply() -> None:
    steps = steps_of(LONG, PHOTO)
    assert next_step(steps) == "0,1>5"
    steps.took((MessageId(70), MessageId(71)))
    assert next_step(steps) == "0w>70"
    steps.took((MessageId(72),))
    assert next_step(steps) == "end"
    assert [(each.copy.message, each.rest) for each in steps.copied] == [(70, (72,)), (71, ())]
    assert not steps.failed


def test_a_refused_album_is_halved_until_only_the_refused_items_are_left_out() -> None:
    steps = steps_of(*[PHOTO] * 5)
    seen = []
    while (step := next_step(steps)) != "end":
        seen.append(step)
        if "3" in step.split(">")[0]:
            steps.refused(Refusal.CANNOT_COPY)
        else:
            steps.took(tuple(MessageId(70 + int(place)) for place in step.split(">")[0].split(",")))
    assert seen == ["0,1,2,3,4>5", "0,1>5", "2,3,4", "2", "3,4", "3", "4"]
    assert steps.failed == {13: Refusal.CANNOT_COPY}
    assert [each.copy.message for each in steps.copied] == [70, 71, 72, 74]


def test_the_text_of_a_refused_file_is_not_sent_alone() -> None:
    steps = steps_of(LONG)
    steps.refused(Refusal.TOO_LARGE)
    assert next_step(steps) == "end"
    assert steps.failed == {10: Refusal.TOO_LARGE}


def test_refused_words_leave_their_file_and_are_reported() -> None:
    steps = steps_of(LONG)
    steps.took((MessageId(70),))
    steps.refused(Refusal.BROKEN)
    assert next_step(steps) == "end"
    assert steps.failed == {10: Refusal.BROKEN}
    assert steps.copied[0].rest == ()


def test_text_that_is_still_too_long_is_cut_shorter_until_it_fits() -> None:
    steps = steps_of(LONG)
    steps.took((MessageId(70),))
    for _ in range(10):
        if next_step(steps) == "end":
            break
        steps.refused(Refusal.TOO_LONG)
    assert next_step(steps) == "end"
    assert steps.failed == {10: Refusal.TOO_LONG}


def test_steps_that_have_arrived_before_are_not_sent_again() -> None:
    whole = Counterpart(MessageRef(THERE, MessageId(70)), True, 0, (MessageId(71),))
    half = Counterpart(MessageRef(THERE, MessageId(72)), True)
    steps = steps_of(LONG, LONG, PHOTO, arrived={0: whole, 1: half})
    assert next_step(steps) == "2"
    steps.took((MessageId(73),))
    assert next_step(steps) == "1w>72"
    steps.took((MessageId(74),))
    assert next_step(steps) == "end"
    assert [each.rest for each in steps.copied] == [(71,), (74,), ()]


def test_messages_that_cannot_be_sent_any_more_are_reported() -> None:
    steps = steps_of(PHOTO, LONG)
    steps.took((MessageId(70), MessageId(71)))
    steps.give_up(Refusal.LEFT)
    assert (next_step(steps), steps.failed) == ("end", {11: Refusal.LEFT})
    steps = steps_of(PHOTO, Content(Kind.DOCUMENT, file=File("d", "d")))
    steps.took((MessageId(70),))
    steps.give_up(Refusal.EXPIRED)
    assert steps.failed == {11: Refusal.EXPIRED}


def edited(content: Content, *rest: int) -> EditSteps:
    copy = Counterpart(MessageRef(THERE, MessageId(70)), True, 1, tuple(map(MessageId, rest)))
    return EditSteps(RelayEdit(CHAT, ANN, MessageRef(HERE, MessageId(10)), BEN, content), copy, PRINTS)


def test_a_caption_that_becomes_short_replaces_its_separate_text() -> None:
    steps = edited(Content(Kind.PHOTO, "short", file=File("p", "p")), 71, 72)
    assert next_step(steps) == "edit 70 5"
    steps.took((MessageId(70),))
    assert next_step(steps) == "delete (71, 72)"
    steps.took(())
    assert (next_step(steps), steps.copied[0].rest, steps.failed) == ("end", (), {})


def test_a_text_that_becomes_long_gets_more_messages() -> None:
    steps = edited(Content(Kind.TEXT, "word " * 2000), 71)
    assert next_step(steps).startswith("edit 70")
    steps.took((MessageId(70),))
    assert next_step(steps).startswith("edit 71")
    steps.took((MessageId(71),))
    assert next_step(steps) == "0w>70"
    steps.took((MessageId(72),))
    assert (next_step(steps), steps.copied[0].rest) == ("end", (71, 72))


def test_a_refused_edit_of_a_file_ends_but_one_of_text_continues() -> None:
    steps = edited(Content(Kind.TEXT, "word " * 2000), 71)
    steps.refused(Refusal.CANNOT_COPY)
    assert (next_step(steps), steps.failed) == ("end", {10: Refusal.CANNOT_COPY})
    assert steps.copied[0].print == 1
    steps = edited(Content(Kind.TEXT, "word " * 2000), 71)
    steps.took((MessageId(70),))
    steps.refused(Refusal.CANNOT_COPY)
    assert next_step(steps) == "0w>70"
    steps.give_up(Refusal.LEFT)
    assert (next_step(steps), steps.failed) == ("end", {10: Refusal.CANNOT_COPY})


def test_an_edit_whose_caption_is_too_long_moves_its_text_behind() -> None:
    steps = edited(Content(Kind.PHOTO, "word " * 10, file=File("p", "p")))
    steps.refused(Refusal.TOO_LONG)
    assert next_step(steps) == "edit 70 0"
    steps.took((MessageId(70),))
    assert next_step(steps) == "0w>70"


def test_an_album_that_may_have_arrived_is_not_repeated_in_pieces() -> None:
    steps = steps_of(*[PHOTO] * 3)
    steps.refused(Refusal.UNCERTAIN)
    assert next_step(steps) == "end"
    assert set(steps.failed.values()) == {Refusal.UNCERTAIN}
    assert len(steps.failed) == 3
