"""Blocks and reports: always available, permanent, and secret from the other side."""

import msgspec
import pytest

from passerby.dialogue.after_chat import menu
from passerby.domain.after_chat import EARLIER_S, complaints
from passerby.domain.karma import INDEPENDENT
from passerby.features.safety import SHOWN
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Revise, Say
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.opinion import Block, Complain
from passerby.kernel.participant import Chatting, Complaint, Idle, Met, Saved, Searching
from passerby.kernel.text import day, text
from tests.features.playbook import NOW, Person, Playbook, Priority, asks, parted, revises, says

NOBODY = "safety.nobody"


def reasons(chat: str) -> Menu:
    buttons = [Button(text(f"reasons.{each}"), "complain", f"{chat}.{each}") for each in Complaint]
    cancel = (Button(text("safety.cancel"), "unreport", chat),)
    return Menu((*(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)), cancel))


def asks_for_words(ann: Person, chat: str, key: str = "safety.reported_comment") -> Revise:
    return revises(ann, key, Menu(((Button(text("safety.no_comment"), "wordless", chat),),)))


def test_block_ends_the_chat_and_the_partner_reads_the_usual_notice() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    mine = parted(ann.value, reason="block", by=ann, at=NOW + 60, blocked=(ben.person,), blocked_at=(NOW + 60,))
    theirs = parted(ben.value, reason="block", by=ann, at=NOW + 60)
    assert ann.writes("/block") == Decision(
        (mine, theirs),
        (
            says(ann, "safety.done_here", of=Idle()),
            says(ben, "chat.partner_left", of=Idle(), priority=Priority.MATCH),
            asks(theirs),
        ),
        (Block(ann.person, ben.person),),
    )


def test_block_after_a_chat_is_about_the_last_partner() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ben.writes("/stop")
    was = ann.value
    assert was.last is not None
    yes = Button(text("after_chat.block"), "block", was.last.chat)
    no = Button(text("safety.cancel"), "let_be", was.last.chat)
    said = text("safety.block_last", ago=text("safety.ago_minutes", count=1))
    assert ann.writes("/block") == Decision(effects=(Say(ann.person, said, Menu(((yes, no),))),)), "it says whom"
    assert ann.looks_back("let_be") == Decision(effects=(Answer("query"), revises(ann, "safety.not_blocked")))
    assert ann.value == was
    assert ann.looks_back("block").opinions == (Block(ann.person, ben.person),)
    assert (ann.value.blocked, ann.value.blocked_at) == ((ben.person,), (NOW,))
    talk.later(60)
    assert ann.writes("/block").effects == (says(ann, "safety.done"),), "they are not asked again"
    assert (ann.value.blocked, ann.value.blocked_at) == ((ben.person,), (NOW,)), "once"


@pytest.mark.parametrize(
    ("after_s", "key", "count"), [(119 * 60, "minutes", 119), (2 * 3600, "hours", 2), (2 * 86_400, "days", 2)]
)
def test_a_command_after_a_chat_says_how_long_ago_it_was(after_s: float, key: str, count: int) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    talk.later(after_s)
    (asked,) = ann.writes("/block").effects
    assert isinstance(asked, Say)
    assert asked.text == text("safety.block_last", ago=text(f"safety.ago_{key}", count=count))


def test_block_in_a_chat_is_about_the_current_partner() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    _, eve = talk.pair(ann, talk.person())
    ann.writes("/block")
    assert ann.value.blocked == (eve.person,)


def test_a_report_is_recorded_once_with_its_block_and_a_removed_block_is_recorded_too() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    assert isinstance(ann.value.state, Chatting)
    chat = ann.value.state.chat
    reported = ann.presses("complain", f"{chat}.rude")
    blocked = Block(ann.person, ben.person)
    assert reported.opinions == (blocked, Complain(chat, ann.person, ben.person, Complaint.RUDE))
    assert ann.presses("complain", f"{chat}.threat").opinions == ()
    assert ann.presses("unblock", "1.1").opinions == (msgspec.structs.replace(blocked, blocked=False),)


@pytest.mark.parametrize("command", ["/block", "/report"])
def test_a_person_without_a_chat_has_nobody_to_block_or_report(command: str) -> None:
    ann = Playbook().person()
    assert ann.writes(command) == Decision(effects=(says(ann, NOBODY),))


def test_the_block_button_does_not_end_a_search() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/next")
    was = ann.value
    assert isinstance(was.state, Searching)
    decision = ann.looks_back("block")
    assert decision.effects == (Answer("query"), revises(ann, "safety.done"))
    ticket = msgspec.structs.replace(was.state.ticket, blocked=(ben.person,))
    assert decision.changes == (
        msgspec.structs.replace(was, state=Searching(ticket), blocked=(ben.person,), blocked_at=(NOW,)),
    )


def test_an_old_block_button_ends_a_new_chat_with_the_same_person() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    talk.pair(ann, ben)
    decision = ann.looks_back("block", message=None)
    assert [effect.text.key for effect in decision.effects if isinstance(effect, Say)] == [
        "safety.chat_over",
        "chat.partner_left",
        "after_chat.ask",
    ]
    assert ann.value.blocked == (ben.person,)
    assert (ann.value.state, ben.value.state) == (Idle(), Idle())


def test_an_old_block_button_does_not_end_a_chat_with_somebody_else() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    _, eve = talk.pair(ann, talk.person())
    ann.looks_back("block")
    assert isinstance(ann.value.state, Chatting)
    assert ann.value.state.partner == eve.person
    assert ann.value.blocked == (ben.person,)


def test_a_blocked_person_is_no_longer_saved() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    others = Saved("t2", PersonId(77))
    talk.people[ann.person] = msgspec.structs.replace(ann.value, saved=(Saved("t1", ben.person, "x", True), others))
    ann.writes("/block")
    assert ann.value.saved == (others,)


def blocker(talk: Playbook, people: int) -> Person:
    ann = talk.person()
    blocked = tuple(PersonId(1000 + number) for number in range(people))
    talk.people[ann.person] = msgspec.structs.replace(ann.value, blocked=blocked)
    return ann


def shown(decision: Decision) -> list[list[tuple[str, str]]]:
    keyboard = next(effect.keyboard for effect in decision.effects if not isinstance(effect, Answer))  # type: ignore[union-attr]
    assert isinstance(keyboard, Menu)
    return [[(button.action, button.token) for button in row] for row in keyboard.rows]


def test_the_list_shows_only_numbers_and_dates() -> None:
    ann = blocker(Playbook(), 3)
    decision = ann.writes("/blocked")
    (said,) = decision.effects
    assert isinstance(said, Say)
    assert said.text == text("safety.list", n=3)
    assert shown(decision) == [[("unblock", "3.3")], [("unblock", "2.3")], [("unblock", "1.3")]]


def test_the_list_shows_known_dates_and_unblocking_keeps_the_others() -> None:
    talk = Playbook()
    ann = blocker(talk, 2)
    for _ in range(2):
        talk.later(86_400)
        talk.pair(ann, talk.person())
        ann.writes("/block")
    (said,) = ann.writes("/blocked").effects
    assert isinstance(said, Say)
    assert isinstance(said.keyboard, Menu)
    days = [
        text("safety.unblock_since", number=number, day=day(NOW + at)) for number, at in ((4, 172_800), (3, 86_400))
    ]
    assert [row[0].label for row in said.keyboard.rows] == [
        *days,
        text("safety.unblock", number=2),
        text("safety.unblock", number=1),
    ]
    ann.presses("unblock", "3.4")
    assert ann.value.blocked_at == (0.0, 0.0, NOW + 172_800)
    assert len(ann.value.blocked) == 3


def test_an_empty_list_says_so() -> None:
    ann = Playbook().person()
    assert ann.writes("/blocked") == Decision(effects=(says(ann, "safety.list_empty"),))
    assert ann.presses("blocked", "0").effects[1:] == (revises(ann, "safety.list_empty"),)


def test_a_long_list_has_pages() -> None:
    ann = blocker(Playbook(), 2 * SHOWN + 1)
    assert shown(ann.writes("/blocked"))[-1] == [("blocked", "1")]
    middle = shown(ann.presses("blocked", "1"))
    assert middle[0][0] == ("unblock", f"{SHOWN + 1}.{2 * SHOWN + 1}")
    assert middle[-1] == [("blocked", "0"), ("blocked", "2")]
    assert shown(ann.presses("blocked", "2")) == [[("unblock", "1.17")], [("blocked", "1")]]
    for wild in ("99", "-1", "x", "²", "9" * 50):
        assert shown(ann.presses("blocked", wild))


def test_unblocking_removes_that_block_and_updates_the_list() -> None:
    ann = blocker(Playbook(), 3)
    decision = ann.presses("unblock", "2.3")
    assert ann.value.blocked == (PersonId(1000), PersonId(1002))
    assert decision.effects[0] == Answer("query", text("safety.unblocked"))
    assert shown(decision) == [[("unblock", "2.2")], [("unblock", "1.2")]]
    ann.presses("unblock", "2.2", message=None)
    last = ann.presses("unblock", "1.1")
    assert last.effects[1:] == (revises(ann, "safety.list_empty"),)


@pytest.mark.parametrize("token", ["2.4", "0.3", "4.3", "", "x.3", "².3", "-1.3"])
def test_a_button_of_an_older_list_unblocks_nobody(token: str) -> None:
    ann = blocker(Playbook(), 3)
    was = ann.value
    decision = ann.presses("unblock", token)
    assert decision.effects[0] == Answer("query", text("safety.list_changed"))
    assert ann.value == was


def test_a_second_press_does_not_unblock_the_next_person() -> None:
    ann = blocker(Playbook(), 3)
    ann.presses("unblock", "1.3")
    ann.presses("unblock", "1.3")
    assert ann.value.blocked == (PersonId(1001), PersonId(1002))


def test_unblocking_while_searching_lets_the_two_meet_at_once() -> None:
    ann = blocker(Playbook(), 1)
    ann.writes("/search")
    ann.presses("unblock", "1.1")
    assert isinstance(ann.value.state, Searching)
    assert ann.value.state.ticket.blocked == ()


def test_unblocking_on_a_later_page_stays_on_that_page() -> None:
    ann = blocker(Playbook(), SHOWN + 3)
    decision = ann.presses("unblock", f"1.{SHOWN + 3}")
    assert shown(decision)[0][0] == ("unblock", f"2.{SHOWN + 2}")


def test_report_asks_for_the_reason_and_does_nothing_before_the_answer() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    last = text("safety.what_for_last", ago=text("safety.ago_minutes", count=1))
    asked = Say(ann.person, last, reasons(ann.chat))
    here = Say(ann.person, text("safety.what_for_here"), reasons(ann.chat))
    assert ann.writes("/report") == Decision(effects=(here,)), "what is typed now still goes to the partner"
    ann.writes("/stop")
    assert ann.writes("/report") == Decision(effects=(asked,)), "and after it, it says whom it is about"
    assert ann.looks_back("report") == Decision(
        effects=(Answer("query"), revises(ann, "safety.what_for", asked.keyboard))  # type: ignore[arg-type]
    )


def test_a_cancelled_report_changes_nothing() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    chat = ann.chat
    ann.writes("/report")
    mine, theirs = ann.value, ben.value
    assert ann.presses("unreport", chat) == Decision(effects=(Answer("query"), revises(ann, "safety.not_reported")))
    assert (ann.value, ben.value) == (mine, theirs)
    ann.writes("/stop")
    ann.looks_back("report")
    back = revises(ann, "after_chat.ask", menu(ann.value, talk.env.now))
    assert ann.looks_back("unreport") == Decision(effects=(Answer("query"), back)), "the question comes back"


@pytest.mark.parametrize("reason", Complaint)
def test_a_report_in_a_chat_ends_it_and_blocks_and_stays_secret(reason: Complaint) -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    met = tuple(Met(PersonId(1000 + number), NOW) for number in range(INDEPENDENT))
    talk.people[ann.person] = msgspec.structs.replace(ann.value, recent=met)
    talk.later(60)
    theirs = parted(ben.value, reason="report", by=ann, at=NOW + 60)
    decision = ann.presses("complain", f"{ann.chat}.{reason}")
    assert decision.effects == (
        Answer("query"),
        asks_for_words(ann, theirs.last.chat if theirs.last is not None else ""),
        says(ann, "safety.chat_over"),
        says(ben, "chat.partner_left", priority=Priority.MATCH),
        asks(theirs),
    )
    assert ann.value.blocked == (ben.person,)
    assert ann.value.last is not None
    assert ann.value.last.complaint is reason
    assert -1 <= ben.value.karma.score < 0
    neutral = msgspec.structs.replace(decision.changes[1], karma=theirs.karma)
    assert neutral == theirs


def test_a_report_after_the_chat_lowers_the_partners_karma() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    met = tuple(Met(PersonId(1000 + number), NOW) for number in range(INDEPENDENT))
    talk.people[ann.person] = msgspec.structs.replace(ann.value, recent=met)
    ann.writes("/stop")
    chat = ann.value.last.chat if ann.value.last is not None else ""
    decision = ann.presses("complain", f"{chat}.threat")
    assert decision.effects == (Answer("query"), asks_for_words(ann, chat))
    assert ben.value.karma.score < 0


def test_a_second_report_about_the_same_chat_changes_nothing() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    chat = ann.chat
    ann.presses("complain", f"{chat}.spam")
    mine, theirs = ann.value, ben.value
    twice = ann.presses("complain", f"{chat}.spam")
    assert twice.effects == (Answer("query"),), "a double press: the question for a comment stays"
    again = ann.presses("complain", f"{chat}.rude", message=51)
    assert again.effects == (Answer("query"), revises(ann, "safety.already", message=51))
    assert ann.presses("complain", f"{chat}.rude", message=None).effects == (Answer("query"),)
    assert msgspec.structs.replace(ann.value, version=mine.version) == mine
    assert ben.value == theirs


def test_a_report_about_the_last_chat_is_filed_if_the_two_chat_again() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    old = ann.value.last.chat if ann.value.last is not None else ""
    talk.pair(ann, ben)
    ann.presses("complain", f"{old}.rude")
    assert complaints(ann.value) == {old: (ben.person, Complaint.RUDE)}, "of the chat that the button named"
    assert ben.value.state == Idle()


def test_a_report_about_somebody_who_is_no_longer_known_is_filed() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    del talk.people[ben.person]
    chat = ann.value.last.chat if ann.value.last is not None else ""
    decision = ann.presses("complain", f"{chat}.other")
    assert [change.person for change in decision.changes] == [ann.person]
    assert ann.value.blocked == (ben.person,)


def moved_on(talk: Playbook) -> tuple[Person, Person, Person, str]:
    """Ann chatted with Ben, and is with Eve now. Returns the id of the chat with Ben, too."""
    ann, ben = talk.pair(talk.person(), talk.person())
    met = tuple(Met(PersonId(1000 + number), NOW) for number in range(INDEPENDENT))
    talk.people[ann.person] = msgspec.structs.replace(ann.value, recent=met)
    old = ann.chat
    talk.later(60)
    ann.writes("/next")
    _, eve = talk.pair(ann, talk.person())
    return ann, ben, eve, old


def test_the_partner_before_can_still_be_blocked_during_a_new_chat() -> None:
    ann, ben, eve, old = moved_on(Playbook())
    state, other = ann.value.state, eve.value
    assert ann.presses("block", old).effects == (Answer("query"), revises(ann, "safety.done"))
    assert (ann.value.blocked, ann.value.state) == ((ben.person,), state)
    assert eve.value == other


def test_the_partner_before_can_still_be_reported_once_during_a_new_chat() -> None:
    ann, ben, eve, old = moved_on(Playbook())
    state, other = ann.value.state, eve.value
    assert ann.presses("report", old).effects == (Answer("query"), revises(ann, "safety.what_for_here", reasons(old)))
    reported = ann.presses("complain", f"{old}.threat")
    assert reported.effects == (Answer("query"), asks_for_words(ann, old, "safety.reported_reply"))
    assert complaints(ann.value) == {old: (ben.person, Complaint.THREAT)}
    assert (ann.value.blocked, ann.value.state) == ((ben.person,), state)
    assert eve.value == other
    lower = ben.value.karma.score
    assert lower < 0
    ann.presses("complain", f"{old}.spam")
    assert complaints(ann.value) == {old: (ben.person, Complaint.THREAT)}
    assert ben.value.karma.score == lower


def test_a_report_is_remembered_after_further_chats() -> None:
    talk = Playbook()
    ann, ben, _, old = moved_on(talk)
    ann.presses("complain", f"{old}.rude")
    present = ann.chat
    ann.presses("complain", f"{present}.spam")
    talk.pair(ann, talk.person())
    ann.writes("/stop")
    assert {chat: complaint for chat, (_, complaint) in complaints(ann.value).items()} == {
        old: Complaint.RUDE,
        present: Complaint.SPAM,
    }
    was = ben.value
    ann.presses("complain", f"{present}.rude")
    assert complaints(ann.value)[ChatId(present)][1] is Complaint.SPAM
    assert ben.value == was


def test_after_a_day_only_the_last_chat_can_still_be_reported() -> None:
    talk = Playbook()
    ann, ben, eve, old = moved_on(talk)
    ann.writes("/stop")
    talk.later(EARLIER_S + 1)
    was = ann.value
    for action, token in (("block", old), ("report", old), ("complain", f"{old}.rude")):
        decision = ann.presses(action, token)
        assert decision.effects == (Answer("query", text("after_chat.too_old")), revises(ann, "after_chat.over"))
    assert ann.value.blocked == was.blocked == ()
    assert ben.value.karma.score == 0
    ann.looks_back("block")
    assert ann.value.blocked == (eve.person,)


def test_nobody_can_block_or_report_with_the_id_of_others_chat() -> None:
    talk = Playbook()
    _, ben, eve, old = moved_on(talk)
    mallory = talk.person()
    talk.pair(mallory, talk.person())
    for action, token in (("block", old), ("report", old), ("complain", f"{old}.rude"), ("block", "")):
        assert mallory.presses(action, token).changes == ()
    assert eve.presses("complain", f"{old}.rude").changes == ()
    assert ben.value.karma.score == 0


@pytest.mark.parametrize("token", ["elsewhere.rude", "{chat}.nonsense", "{chat}", ""])
def test_a_forged_report_is_ignored(token: str) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    was = ann.value
    decision = ann.presses("complain", token.format(chat=ann.chat))
    assert decision == Decision(effects=(Answer("query", text("after_chat.too_old")), revises(ann, "after_chat.over")))
    assert ann.value == was
