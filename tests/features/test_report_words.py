"""What is added to a report goes to those who decide on it, and never to a partner."""

import msgspec
import pytest

from passerby.features.blocks.words import COMMENT_S, LONGEST
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Explain, Menu, Relay, Revise, Say
from passerby.kernel.participant import Searching
from passerby.kernel.text import text
from tests.features.playbook import OTHER_BOT, Person, Playbook, revises, says


def reporter(talk: Playbook, *, message: int | None = 50) -> tuple[Person, str]:
    """Ann, who has just reported a partner, and the chat that it was."""
    ann, _ = talk.pair(talk.person(), talk.person())
    chat = ann.chat
    talk.later(60)
    ann.presses("complain", f"{chat}.rude", message=message)
    talk.later(1)
    return ann, chat


def skip(chat: str) -> Menu:
    return Menu(((Button(text("blocks.no_comment"), "wordless", chat),),))


def test_the_next_message_is_kept_with_the_report_and_only_the_next() -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    was = ann.value
    decision = ann.writes("  He wrote that he is 15.  ")
    assert decision == Decision(
        (msgspec.structs.replace(was, commenting=msgspec.structs.replace(was.commenting, over=True)),),
        (
            Explain(chat, ann.person, "He wrote that he is 15."),  # type: ignore[arg-type]
            revises(ann, "blocks.reported"),
            says(ann, "blocks.comment_added", reply_to=ann.last_message),
        ),
    )
    assert ann.writes("and more").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_nothing_to_add_ends_it() -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    reported = (Answer("query"), revises(ann, "blocks.reported"))
    assert ann.presses("wordless", chat).effects == reported
    assert ann.value.commenting.over
    assert ann.presses("wordless", chat) == Decision(effects=reported)
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_commands_and_keys_still_do_what_they_do() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    assert ann.writes("/help").effects == (says(ann, "pages.help", minimum=18),)
    ann.writes("🔎 Find a partner")
    assert isinstance(ann.value.state, Searching)


@pytest.mark.parametrize("moved_on", ["searches", "has somebody new"])
def test_after_moving_on_a_message_goes_to_the_new_partner_unless_it_replies_to_the_question(moved_on: str) -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    if moved_on == "searches":
        ann.writes("/search")
        assert ann.writes("hello").effects == (says(ann, "search.nobody_yet", reply_to=ann.last_message),)
    else:
        talk.pair(ann, talk.person())
        assert isinstance(ann.writes("hello").effects[0], Relay)
    reply = ann.writes("about the other one", reply_to=50)
    assert [type(effect) for effect in reply.effects] == [Explain, Revise, Say]


def test_after_another_chat_what_is_written_is_not_for_the_report() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    talk.pair(ann, talk.person())
    ann.writes("/stop")
    talk.later(1)
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


@pytest.mark.parametrize("doing", ["searching", "chatting"])
def test_whoever_searches_or_talks_is_asked_for_a_reply(doing: str) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    old = ann.chat
    talk.later(60)
    ann.writes("/next")
    if doing == "chatting":
        talk.pair(ann, talk.person(bot=OTHER_BOT))
    state = ann.value.state
    reported = ann.presses("complain", f"{old}.threat")
    assert reported.effects == (Answer("query"), revises(ann, "blocks.reported_reply", skip(old)))
    assert isinstance(ann.writes("the one before threatened me", reply_to=50).effects[0], Explain)
    assert type(ann.value.state) is type(state)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (Content(Kind.TEXT, "x" * (LONGEST + 1)), "blocks.comment_too_long"),
        (Content(Kind.PHOTO), "blocks.comment_in_words"),
        (Content(Kind.CONTACT), "blocks.comment_in_words"),
    ],
)
def test_what_cannot_be_added_goes_to_nobody_and_the_question_stays(content: Content, key: str) -> None:
    talk = Playbook()
    ann, chat = reporter(talk)
    decision = ann.sends(content)
    assert decision == Decision(effects=(says(ann, key, skip(chat), most=LONGEST, reply_to=ann.last_message),))
    assert isinstance(ann.writes("x" * LONGEST).effects[0], Explain)


def test_after_a_while_nothing_is_waited_for() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    before = ann.writes("typed before the question", sent_at=talk.env.now - 10)
    assert before.effects[0] == says(ann, "search.came_too_late", reply_to=ann.last_message)
    talk.later(COMMENT_S + 1)
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_a_report_whose_menu_is_gone_waits_for_nothing() -> None:
    talk = Playbook()
    ann, _ = reporter(talk, message=None)
    assert ann.value.commenting is None
    assert ann.writes("hello").effects == (says(ann, "search.idle", reply_to=ann.last_message),)


def test_on_another_bot_the_words_are_taken_and_the_question_there_stays_as_it_is() -> None:
    talk = Playbook()
    ann, _ = reporter(talk)
    decision = ann.writes("as I said", bot=OTHER_BOT)
    assert [type(effect) for effect in decision.effects] == [Explain, Say]


@pytest.mark.parametrize("why", ["late", "second", "nothing to add"])
@pytest.mark.parametrize("doing", ["nothing", "searching", "chatting"])
def test_a_reply_to_the_question_that_is_not_taken_any_more_reaches_nobody(why: str, doing: str) -> None:
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
    assert decision == Decision(effects=(says(ann, "blocks.comment_over", reply_to=ann.last_message),))
