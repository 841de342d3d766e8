"""The plan for a decision: one commit, and each consequence of a change derived once."""

import msgspec
import pytest

from passerby.kernel.decision import Decision, Facts
from passerby.kernel.effect import (
    Answer,
    AskStaff,
    Discard,
    Effect,
    Explain,
    Menu,
    Owe,
    Priority,
    React,
    RelayDelete,
    RelayEdit,
    Revise,
    Say,
)
from passerby.kernel.event import ChatIdle
from passerby.kernel.ids import ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.kernel.journey import Journey, Step
from passerby.kernel.opinion import Block, Complain, Opinion, Rate
from passerby.kernel.participant import (
    Chatting,
    Complaint,
    Gender,
    Idle,
    LastChat,
    Participant,
    Profile,
    Rating,
    Searching,
    Ticket,
)
from passerby.kernel.text import text
from passerby.ports.facts import (
    BlockChanged,
    ChatClosed,
    ChatOpened,
    ChatRated,
    ComplaintExplained,
    ComplaintFiled,
    Fact,
    PaymentCaseOpened,
    PersonChanged,
    StepReached,
)
from passerby.ports.leases import Fence, LeaseName, WorkerId
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit
from passerby.runtime.decide.commit_plan import CommitPlan, plan_alone, plan_commit
from passerby.runtime.decide.committing import notice_namer, notice_prefix
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.person_queues import Work
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BEN, BOT, CHAT, OTHER_BOT, couple, relay, somebody, written

REFS = (UpdateRef(BOT, 7),)
NEXT = ChatId("next")
WAITING = Searching(Ticket(ANN, "adults", EPOCH, Gender.UNSAID, 30))  # type: ignore[arg-type]


def settled(decision: Decision, *before: Participant, sent: tuple[str, ...] = ()) -> CommitPlan:
    people = {each.person: each for each in before}
    return plan_commit(decision, people, now=EPOCH, name=lambda index: f"n{index}", refs=REFS, sent=sent)


def changed(was: Participant, **fields: object) -> Participant:
    return msgspec.structs.replace(was, **fields)


def test_an_empty_decision_makes_the_update_done() -> None:
    assert settled(Decision(), somebody(ANN)) == CommitPlan(Commit(updates=REFS), (), (), (), ())


def test_an_empty_decision_without_an_update_stores_nothing() -> None:
    assert plan_commit(Decision(), {}, now=EPOCH, name=str).commit is None


def test_a_change_is_stored_under_the_next_version_and_recorded() -> None:
    ann = somebody(ANN)
    stored = changed(ann, state=WAITING, version=2)
    plan = settled(Decision((changed(ann, state=WAITING),)), ann)
    assert plan.commit == Commit((stored,), facts=(PersonChanged(stored, EPOCH),), updates=REFS)


def test_another_decision_on_the_same_update_makes_another_notice() -> None:
    """Otherwise it would be taken for the first decision's notice in the outbox, and never be sent."""
    first, second, again = (settled(Decision((), (Say(ANN, text(key)),)), somebody(ANN)) for key in ("a", "b", "a"))
    assert first.notices[0].id != second.notices[0].id
    assert first.notices[0].id == again.notices[0].id


def test_an_owed_notice_is_stored_and_not_sent_yet() -> None:
    ann = somebody(ANN)
    plan = settled(Decision((), (Owe(ANN, "later", text("a")),)), ann)
    owed = Notice("later", ANN, BOT, text("a"), Priority.COMMAND, EPOCH)
    assert plan == CommitPlan(Commit(outbox=(owed,), updates=REFS, seen=()), (), (), (), (), (owed,))


def test_notices_use_the_readers_bot_after_the_change() -> None:
    ann, ben = couple()
    moved = changed(ann, bot=OTHER_BOT)
    say = Say(ANN, text("a"), None, MessageId(4), Priority.SYSTEM, CHAT)
    revise = Revise(BEN, MessageId(5), text("b"), Menu(()))
    plan = settled(Decision((moved,), (say, revise)), ann, ben)
    assert plan.notices == (
        Notice("n0:a", ANN, OTHER_BOT, text("a"), Priority.SYSTEM, EPOCH, None, MessageId(4), anchors=CHAT),
        Notice("n1:b", BEN, OTHER_BOT, text("b"), Priority.COMMAND, EPOCH, Menu(()), revises=MessageId(5)),
    )
    assert plan.commit is not None
    assert plan.commit.outbox == plan.notices


def test_unreachable_people_get_no_notice() -> None:
    gone = changed(somebody(ANN), bot=None, bots=())
    assert settled(Decision(effects=(Say(ANN, text("a")), Revise(ANN, MessageId(1), text("a")))), gone).notices == ()


SOURCE = MessageRef(BOT, MessageId(1))
RELAY_EFFECTS: list[Effect] = [
    relay(1),
    RelayEdit(CHAT, ANN, SOURCE, BEN, relay(1).contents[0]),
    React(CHAT, ANN, SOURCE, BEN, None),
    RelayDelete(CHAT, ANN, SOURCE, BEN),
]


@pytest.mark.parametrize("relay_effect", RELAY_EFFECTS, ids=lambda each: type(each).__name__)
def test_an_update_with_a_relay_effect_is_not_done_by_the_commit(relay_effect: Effect) -> None:
    """It is done when the relay effect has been delivered."""
    plan = settled(Decision(effects=(relay_effect,)), *couple())
    assert plan == CommitPlan(None, (), ((relay_effect, OTHER_BOT),), (), ())  # type: ignore[arg-type]
    both = settled(Decision(effects=(relay_effect, Say(ANN, text("a")))), *couple())
    assert both.commit == Commit(outbox=both.notices)


def test_nothing_is_relayed_to_unreachable_people() -> None:
    ann, ben = couple()
    with pytest.raises(AssertionError):
        settled(Decision(effects=(relay(1),)), ann, changed(ben, bot=None))


def test_best_effort_effects_are_not_stored() -> None:
    best_effort = Answer("q"), Discard(ANN, (MessageId(1),))
    assert settled(Decision(effects=best_effort), somebody(ANN)) == CommitPlan(
        Commit(updates=REFS), (), (), best_effort, ()
    )


def test_outbox_entries_that_an_event_settles_are_in_the_same_commit() -> None:
    assert settled(Decision(), somebody(ANN), sent=("parked",)).commit == Commit(updates=REFS, sent=("parked",))


@pytest.mark.parametrize("leaver", [ANN, BEN])
def test_an_ending_chat_is_closed_once_by_the_person_who_left(leaver: PersonId) -> None:
    ann, ben = couple()
    after = tuple(
        changed(each, state=Idle(), last=LastChat(CHAT, each.state.partner, EPOCH, "stop", each.person == leaver))
        for each in (ann, ben)
        if isinstance(each.state, Chatting)
    )
    plan = settled(Decision(after), ann, ben)
    assert plan.ended == (CHAT,)
    assert plan.commit is not None
    assert plan.commit.ended == (CHAT,)
    stored = [changed(each, version=2) for each in after]
    assert plan.commit.facts == (
        PersonChanged(stored[0], EPOCH),
        ChatClosed(CHAT, leaver, "stop", EPOCH),
        PersonChanged(stored[1], EPOCH),
    )


def test_a_chat_that_only_one_side_leaves_is_closed_as_well() -> None:
    ann, _ = couple()
    alone = changed(ann, state=WAITING, last=LastChat(CHAT, BEN, EPOCH, "next", True))
    plan = settled(Decision((alone,)), ann)
    assert plan.commit is not None
    assert plan.commit.facts[1:] == (ChatClosed(CHAT, ANN, "next", EPOCH),)


def test_a_change_that_leaves_the_chat_alone_closes_nothing() -> None:
    ann, ben = couple()
    plan = settled(Decision((changed(ann, seen_at=5.0),)), ann, ben)
    assert plan.ended == ()
    assert plan.commit is not None
    assert [type(fact) for fact in plan.commit.facts] == [PersonChanged]


def test_a_note_about_a_chat_neither_ends_nor_opens_it() -> None:
    ann, _ = couple()
    assert isinstance(ann.state, Chatting)
    reminded = changed(ann, state=msgspec.structs.replace(ann.state, nudged_at=EPOCH))
    plan = settled(Decision((reminded,)), ann)
    assert plan.ended == ()
    assert plan.commit is not None
    assert plan.commit.facts == (PersonChanged(changed(reminded, version=2), EPOCH),)


def test_a_chat_opens_once_for_two() -> None:
    ann, ben = somebody(ANN, WAITING), somebody(BEN, WAITING, OTHER_BOT)
    after = changed(ann, state=Chatting(CHAT, BEN, EPOCH)), changed(ben, state=Chatting(CHAT, ANN, EPOCH))
    plan = settled(Decision(after), ann, ben)
    assert plan.ended == ()
    assert plan.commit is not None
    assert plan.commit.facts[-1] == ChatOpened(CHAT, ANN, BEN, BOT, OTHER_BOT, EPOCH)
    assert len(plan.commit.facts) == 3


def test_a_chat_for_one_is_a_bug() -> None:
    ann = somebody(ANN, WAITING)
    with pytest.raises(AssertionError):
        settled(Decision((changed(ann, state=Chatting(CHAT, BEN, EPOCH)),)), ann)


@pytest.mark.parametrize("gone", [ANN, BEN])
def test_a_chat_with_an_unreachable_person_is_a_bug(gone: PersonId) -> None:
    before = [changed(each, state=WAITING, bot=None if each.person == gone else BOT) for each in couple()]
    after = tuple(changed(one, state=two.state) for one, two in zip(before, couple(NEXT), strict=True))
    with pytest.raises(AssertionError):
        settled(Decision(after), *before)


@pytest.mark.parametrize(
    ("opinion", "fact"),
    [
        (Rate(CHAT, ANN, Rating.GOOD), ChatRated(CHAT, ANN, Rating.GOOD, EPOCH)),
        (Complain(CHAT, ANN, BEN, Complaint.RUDE), ComplaintFiled(CHAT, ANN, BEN, Complaint.RUDE, EPOCH)),
        (Block(ANN, BEN), BlockChanged(ANN, BEN, True, EPOCH)),
        (Block(ANN, BEN, blocked=False), BlockChanged(ANN, BEN, False, EPOCH)),
    ],
)
def test_an_opinion_is_recorded_with_its_change(opinion: Opinion, fact: Fact) -> None:
    ann = somebody(ANN)
    commit = settled(Decision((changed(ann, seen_at=5.0),), opinions=(opinion,)), ann).commit
    assert commit is not None
    assert [type(each) for each in commit.facts] == [PersonChanged, type(fact)]
    assert commit.facts[-1] == fact


def test_no_opinion_is_guessed_from_a_change() -> None:
    last = LastChat(CHAT, BEN, EPOCH, "report", True)
    ann = changed(somebody(ANN), last=last)
    after = changed(
        ann,
        last=msgspec.structs.replace(last, rating=Rating.BAD, complaint=Complaint.RUDE),
        blocked=(BEN,),
    )
    commit = settled(Decision((after,)), ann).commit
    assert commit is not None
    assert [type(fact) for fact in commit.facts] == [PersonChanged]


def test_a_mere_notice_is_checked_against_the_version_it_was_decided_on() -> None:
    ann, ben = couple()
    seen = ((ANN, ann.version),)
    said = Decision(effects=(Say(ANN, text("search.already")),))
    before = {ANN: ann, BEN: ben}
    commit = plan_commit(said, before, now=EPOCH, name=str, seen=seen).commit
    assert commit is not None
    assert commit.seen == seen
    changed = Decision((msgspec.structs.replace(ann, seen_at=1.0),), said.effects)
    commit = plan_commit(changed, before, now=EPOCH, name=str, seen=seen).commit
    assert commit is not None
    assert commit.seen == (), "its own change is checked already"
    commit = plan_commit(Decision(), before, now=EPOCH, name=str, refs=(UpdateRef(BOT, 1),), seen=seen).commit
    assert commit is not None
    assert commit.seen == (), "nothing is told"


def test_a_commit_names_its_sender_and_its_fences() -> None:
    ann = somebody(ANN)
    fences = (Fence(LeaseName("bot:1"), 7),)
    owner = WorkerId("me")
    plan = plan_commit(
        Decision(effects=(Say(ANN, text("a")),)), {ANN: ann}, now=EPOCH, name=str, owner=owner, fences=fences
    )
    assert plan.commit is not None
    assert (plan.commit.owner, plan.commit.fences) == (owner, fences)


def test_a_comment_on_a_complaint_is_recorded_encrypted() -> None:
    sealer = Sealer(bytes(32))
    ann = somebody(ANN)
    explains = Decision((changed(ann, vip_until=1.0),), (Explain(CHAT, ANN, "he is fifteen"),))
    plan = plan_commit(explains, {ANN: ann}, now=EPOCH, name=str, refs=REFS, seal=sealer.seal_words)
    assert plan.commit is not None
    _, fact = plan.commit.facts
    assert isinstance(fact, ComplaintExplained)
    assert (fact.chat, fact.by, fact.at) == (CHAT, ANN, EPOCH)
    assert b"fifteen" not in fact.words
    assert sealer.open_words(fact.words) == "he is fifteen"
    assert Sealer(bytes([1] * 32)).open_words(fact.words) is None
    assert Sealer(bytes([1] * 32), bytes(32)).open_words(fact.words) == "he is fifteen", "after a change of the key"


def test_a_question_about_payments_is_recorded_encrypted() -> None:
    sealer = Sealer(bytes(32))
    ann = somebody(ANN)
    asks = Decision((changed(ann, vip_until=1.0),), (AskStaff("CODE", ANN, "I paid twice"),))
    plan = plan_commit(asks, {ANN: ann}, now=EPOCH, name=str, refs=REFS, seal=sealer.seal_words)
    assert plan.commit is not None
    _, fact = plan.commit.facts
    assert isinstance(fact, PaymentCaseOpened)
    assert (fact.person, fact.case, fact.at) == (ANN, "CODE", EPOCH)
    assert (b"twice" in fact.words, sealer.open_words(fact.words)) == (False, "I paid twice")


def test_after_a_commit_without_an_answer_notices_have_names_of_their_own() -> None:
    """The first commit may have been stored, and the second decision may say something else in its notices. They are
    found again by the beginning of their names, which stays the same."""
    for work in (Work(ChatIdle(ANN, BOT, CHAT, 5.0, None)), Work(written(ANN, "hello"), (UpdateRef(BOT, 7),))):
        names = {notice_namer(work, unanswered)(index) for unanswered in range(3) for index in range(2)}
        assert len(names) == 6
        assert all(name.startswith(f"{notice_prefix(work)}:") for name in names)
        assert notice_namer(work)(1) == notice_namer(work, 0)(1), (
            "without such a commit, doing it again changes nothing"
        )


def test_a_journey_begins_with_the_first_value_and_its_steps_are_recorded_once() -> None:
    nobody = Participant(ANN)
    came = msgspec.structs.replace(nobody, bot=BOT, bots=(BOT,), seen_at=EPOCH, profile=Profile(language="en"))
    plan = plan_commit(Decision((came,)), {ANN: nobody}, now=EPOCH, name=str)
    assert plan.commit is not None
    (stored,) = plan.commit.puts
    assert stored.journey == Journey("", BOT, "en", EPOCH, Step.START)
    started = StepReached("", BOT, "en", EPOCH, Step.START, EPOCH)
    assert plan.commit.facts == (PersonChanged(stored, EPOCH), started)
    again = plan_commit(Decision((stored,)), {ANN: stored}, now=EPOCH + 9, name=str)
    assert again.commit is not None
    assert [type(fact) for fact in again.commit.facts] == [PersonChanged]
    erased = plan_commit(Decision((Participant(ANN, 2),)), {ANN: stored}, now=EPOCH + 9, name=str)
    assert erased.commit is not None
    assert erased.commit.puts == (Participant(ANN, 3),)


@pytest.mark.parametrize("thread", [None, MessageId(5)])
def test_a_message_alone_gets_the_same_plan_without_the_long_way(thread: MessageId | None) -> None:
    me, partner = couple()
    partner = msgspec.structs.replace(partner, thread=thread)
    decision = Decision(effects=(relay(7),))
    plan = plan_alone(decision, Facts(me, partner))
    assert plan == settled(decision, me, partner)
    assert plan is not None
    assert plan.commit is None


def test_everything_that_is_more_than_a_message_alone_goes_the_long_way() -> None:
    me, partner = couple()
    facts, alone = Facts(me, partner), (relay(7),)
    more: list[Decision] = [
        Decision(),
        Decision((me,), alone),
        Decision((), (*alone, Say(ANN, text("chat.held")))),
        Decision((), (*alone, *alone)),
        Decision((), alone, opinions=(Block(ANN, BEN, blocked=True),)),
        Decision((), alone, erases=ANN),
        Decision((), (RelayDelete(CHAT, ANN, MessageRef(BOT, MessageId(7)), BEN, (MessageId(7),)),)),
    ]
    assert [plan_alone(decision, facts) for decision in more] == [None] * len(more)
    assert plan_alone(Decision((), alone), Facts(me)) is None
    assert plan_alone(Decision((), alone), Facts(me, msgspec.structs.replace(partner, bot=None))) is None
