"""A comment on a report goes only to the people who decide about it, never to a partner."""

import msgspec
import pytest

from passerby.features.safety.words import COMMENT_S, DOUBT_S, LONGEST
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Counterpart, Decision
from passerby.kernel.effect import Answer, Button, Explain, Menu, Relay, Revise, Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Searching
from passerby.kernel.text import text
from tests.features.playbook import OTHER_BOT, Person, Playbook, revises, says


def reporter(talk: Playbook, *, message: int | None = 50) -> tuple[Person, str]:
    """Ann, who has just reported a partner, and the id of that chat."""
    ann, _ = talk.pair(talk.person(), talk.person())
    chat = ann.chat
    talk.later(60)
    ann.presses("complain", f"{chat}.rude", message=message)
    talk.later(1)
    return ann, chat


def skip(chat: str) -> Menu:
    return Menu(((Button(text("safety.no_comment"), "wordless", chat),),))


def test_only_the_next_message_is_stored_with_the_report() -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    was = ann.value
    decision = ann.writes("  He wrote that he is 15.  ")
    assert decision == Decision(
        (msgspec.structs.replace(was, commenting=msgspec.structs.replace(was.commenting, over=True)),),
        (
            Explain(chat, ann.person, "He wrote that he is 15."),  # type: ignore[arg-type]
            revises(ann, "safety.reported"),
            says(ann, "safety.comment_added", reply_to=ann.last_message),
        ),
    )
    assert ann.writes("and more").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_nothing_to_add_ends_it() -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    reported = (Answer("query"), revises(ann, "safety.reported"))
    assert ann.presses("wordless", chat).effects == reported
    assert ann.value.commenting.over
    assert ann.presses("wordless", chat) == Decision(effects=reported)
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_commands_and_keys_still_work_while_a_comment_is_expected() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    assert ann.writes("/rules").effects == (says(ann, "pages.rules", minimum=18),)
    ann.writes("🔎 Find a partner")
    assert isinstance(ann.value.state, Searching)


def test_while_searching_the_next_message_is_still_the_comment() -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    ann.writes("/search")
    taken = ann.writes("he asked for pictures")
    assert taken.effects[0] == Explain(chat, ann.person, "he asked for pictures")  # type: ignore[arg-type]
    assert taken.effects[-1] == says(ann, "safety.comment_added", reply_to=ann.last_message)
    assert ann.writes("hello").effects == (says(ann, "search.nobody_yet", reply_to=ann.last_message),)


def in_doubt(*, reply_to: int | None = None) -> tuple[Playbook, Person, str, Decision, MessageReceived]:
    """Ann, who got a new partner before she wrote the comment, and the question that she gets when she writes."""
    talk = Playbook()
    ann, chat = reporter(talk)
    talk.pair(ann, talk.person())
    asked = ann.writes("he asked for pictures", reply_to=reply_to)
    words = ann.message(Content(Kind.TEXT, "he asked for pictures"), message=ann.last_message)
    return talk, ann, chat, asked, words


def which(ann: Person, chat: str, reply: str = "") -> Menu:
    return Menu(
        (
            (Button(text("safety.for_report"), "for_report", chat),),
            (Button(text("safety.for_partner"), "for_partner", ann.chat + reply),),
        )
    )


def test_a_possible_comment_reaches_a_new_partner_only_after_a_press() -> None:
    _, ann, chat, asked, words = in_doubt()
    question = says(ann, "safety.which", which(ann, chat), reply_to=ann.last_message)
    assert asked == Decision(effects=(question,))
    second = ann.writes("hello?")
    assert [type(effect) for effect in second.effects] == [Say], "as long as nothing is pressed, all is held"
    went = ann.presses("for_partner", ann.chat, subject=words)
    assert went.effects[:2] == (Answer("query"), revises(ann, "chat.shown"))
    assert [type(effect) for effect in went.effects] == [Answer, Revise, Relay]
    assert ann.value.commenting.over
    assert isinstance(ann.writes("how are you?").effects[0], Relay), "and nobody is asked again"
    late = ann.message(Content(Kind.TEXT, "hello?"), message=ann.last_message - 1)
    assert isinstance(ann.presses("for_partner", ann.chat, subject=late).effects[-1], Relay)
    over = text("safety.comment_over")
    refused = ann.presses("for_report", chat, subject=words)
    assert refused.effects == (Answer("query", over, alert=True), revises(ann, "safety.comment_over"))


@pytest.mark.parametrize(("after_s", "held"), [(COMMENT_S + 5, True), (DOUBT_S + 5, False)])
def test_a_partner_found_late_does_not_get_the_comment_either(after_s: float, held: bool) -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    talk.later(after_s)
    talk.pair(ann, talk.person())
    (said,) = ann.writes("he asked for pictures").effects
    assert isinstance(said, Say if held else Relay)
    if held:
        words = ann.message(Content(Kind.TEXT, "he asked for pictures"), message=ann.last_message)
        assert any(isinstance(effect, Explain) for effect in ann.presses("for_report", chat, subject=words).effects)


def test_words_held_for_the_report_are_added_to_it() -> None:
    _, ann, chat, _, words = in_doubt()
    added = ann.presses("for_report", chat, subject=words, message=70)
    assert added.effects == (
        Answer("query"),
        revises(ann, "safety.for_report", message=70),
        Explain(chat, ann.person, "he asked for pictures"),  # type: ignore[arg-type]
        revises(ann, "safety.reported"),
        says(ann, "safety.comment_added", reply_to=ann.last_message),
    )
    assert isinstance(ann.writes("hello").effects[0], Relay)


def test_a_held_reply_keeps_what_it_replies_to() -> None:
    _, ann, chat, asked, words = in_doubt(reply_to=20)
    assert asked.effects[0] == says(ann, "safety.which", which(ann, chat, ".20"), reply_to=ann.last_message)
    went = ann.presses("for_partner", f"{ann.chat}.20", subject=words).effects[-1]
    assert isinstance(went, Relay)
    assert went.reply_to == (ann.bot, 20)


def test_a_reply_to_the_new_partners_message_is_for_them() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    talk.pair(ann, talk.person())
    talk.map[MessageRef(ann.bot, MessageId(60))] = Counterpart(MessageRef(OTHER_BOT, MessageId(7)), False)
    assert isinstance(ann.writes("hello", reply_to=60).effects[0], Relay)


def test_held_words_with_a_trace_still_need_confirmation() -> None:
    _, ann, _, _, words = in_doubt()
    words = msgspec.structs.replace(words, contents=(Content(Kind.TEXT, "write to @ann_99"),))
    asked = ann.presses("for_partner", ann.chat, subject=words)
    assert asked.effects[:2] == (Answer("query"), revises(ann, "chat.not_shown"))
    assert [type(effect) for effect in asked.effects[2:]] == [Say]
    assert ann.value.commenting.over


@pytest.mark.parametrize("why", ["another chat", "no message", "no notice"])
def test_a_late_press_sends_held_words_to_nobody(why: str) -> None:
    talk, ann, _, _, words = in_doubt()
    chat = ann.chat
    if why == "another chat":
        ann.writes("/stop")
        talk.pair(ann, talk.person())
    message = None if why == "no notice" else 50
    pressed = ann.presses(
        "for_partner",
        "c" if why == "no notice" else chat,
        message=message,
        subject=words if why != "no message" else None,
    )
    closed = (revises(ann, "chat.not_shown"),) if message else ()
    assert pressed == Decision(effects=(Answer("query", text("chat.button_too_old"), alert=True), *closed))


def test_held_words_that_have_arrived_are_not_sent_twice() -> None:
    talk, ann, _, _, words = in_doubt()
    talk.map[MessageRef(ann.bot, words.messages[0])] = Counterpart(MessageRef(OTHER_BOT, MessageId(7)), True)
    pressed = ann.presses("for_partner", ann.chat, subject=words)
    assert pressed == Decision(effects=(Answer("query"), revises(ann, "chat.shown")))


def test_a_photo_or_an_overlong_text_is_never_taken_as_the_comment() -> None:
    _, ann, chat, _, words = in_doubt()
    refused = ann.sends(Content(Kind.PHOTO))
    assert refused.effects == (
        says(ann, "safety.comment_in_words", skip(chat), most=LONGEST, reply_to=ann.last_message),
    )
    words = msgspec.structs.replace(words, contents=(Content(Kind.TEXT, "x" * (LONGEST + 1)),))
    pressed = ann.presses("for_report", chat, subject=words)
    too_long = says(ann, "safety.comment_too_long", skip(chat), most=LONGEST, reply_to=words.messages[0])
    assert pressed == Decision(effects=(Answer("query"), too_long))


@pytest.mark.parametrize("doing", ["nothing", "searching", "chatting"])
@pytest.mark.parametrize("question", ["complain", "for_report"])
def test_words_in_reply_to_a_question_that_needs_a_press_reach_nobody(doing: str, question: str) -> None:
    talk = Playbook()
    ann = talk.person()
    if doing == "chatting":
        talk.pair(ann, talk.person())
        ann.writes("/report")
    elif doing == "searching":
        ann.writes("/search")
    decision = ann.writes("he sent me pictures", reply_to=70, answers=question)
    assert decision == Decision(effects=(says(ann, "safety.press", reply_to=ann.last_message),))


def test_a_reply_to_the_question_of_an_earlier_report_reaches_nobody() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    talk.pair(ann, talk.person())
    ann.presses("complain", f"{ann.chat}.rude", message=80)
    talk.pair(ann, talk.person())
    decision = ann.writes("the first one threatened me", reply_to=50, answers="wordless")
    assert decision == Decision(effects=(says(ann, "safety.comment_over", reply_to=ann.last_message),))


def test_a_reply_to_another_notice_with_buttons_is_for_the_partner() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    assert isinstance(ann.writes("hello", reply_to=70, answers="good").effects[0], Relay)


def test_after_another_chat_messages_are_not_comments() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    talk.pair(ann, talk.person())
    ann.writes("/stop")
    talk.later(1)
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


@pytest.mark.parametrize("doing", ["searching", "chatting"])
def test_people_who_are_searching_or_chatting_are_asked_for_a_reply(doing: str) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    old = ann.chat
    talk.later(60)
    ann.writes("/next")
    if doing == "chatting":
        talk.pair(ann, talk.person(bot=OTHER_BOT))
    state = ann.value.state
    reported = ann.presses("complain", f"{old}.threat")
    assert reported.effects == (Answer("query"), revises(ann, "safety.reported_reply", skip(old)))
    assert not any(isinstance(effect, Explain) for effect in ann.writes("hello").effects)
    assert isinstance(ann.writes("the one before threatened me", reply_to=50).effects[0], Explain)
    assert type(ann.value.state) is type(state)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (Content(Kind.TEXT, "x" * (LONGEST + 1)), "safety.comment_too_long"),
        (Content(Kind.PHOTO), "safety.comment_in_words"),
        (Content(Kind.CONTACT), "safety.comment_in_words"),
    ],
)
def test_a_message_that_cannot_be_a_comment_goes_to_nobody_and_the_question_stays(content: Content, key: str) -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    decision = ann.sends(content)
    assert decision == Decision(effects=(says(ann, key, skip(chat), most=LONGEST, reply_to=ann.last_message),))
    assert isinstance(ann.writes("x" * LONGEST).effects[0], Explain)


def test_after_a_while_no_comment_is_expected() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    before = ann.writes("typed before the question", sent_at=talk.env.now - 10)
    assert before.effects[0] == says(ann, "search.came_too_late", reply_to=ann.last_message)
    talk.later(COMMENT_S + 1)
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_a_report_whose_menu_is_gone_expects_no_comment() -> None:
    talk = Playbook()
    ann, _ = reporter(talk, message=None)
    assert ann.value.commenting is not None
    assert ann.value.commenting.over
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_a_comment_on_another_bot_is_stored_and_the_question_stays() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    decision = ann.writes("as I said", bot=OTHER_BOT)
    assert [type(effect) for effect in decision.effects] == [Explain, Say]


@pytest.mark.parametrize("why", ["late", "second", "nothing to add"])
@pytest.mark.parametrize("doing", ["nothing", "searching", "chatting"])
def test_a_reply_that_comes_too_late_reaches_nobody(why: str, doing: str) -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    match why:
        case "late":
            talk.later(COMMENT_S + 2)
        case "second":
            ann.writes("he was rude", reply_to=50)
        case _:
            ann.presses("wordless", chat)
    if doing == "chatting":
        talk.pair(ann, talk.person())
    elif doing == "searching":
        ann.writes("/search")
    decision = ann.writes("he sent me pictures", reply_to=50)
    assert decision == Decision(effects=(says(ann, "safety.comment_over", reply_to=ann.last_message),))
