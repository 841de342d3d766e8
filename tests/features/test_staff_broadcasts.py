"""Broadcasts in the staff bot, on the command line and in the panel: one decision for all of them."""

from random import Random
from typing import Any

import msgspec
import pytest

from passerby.domain.broadcasts.starting import seal_of
from passerby.kernel.broadcast import (
    Audience,
    Broadcast,
    BroadcastState,
    Category,
    Composing,
    LinkButton,
    Progress,
    Reach,
    TargetState,
    Variant,
)
from passerby.kernel.content import Content, Entity, Kind
from passerby.kernel.decision import Env
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.effect import Answer, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.rules import Rules
from passerby.kernel.staff import THE_OPERATOR, Role, StaffDecision, StaffFacts, StaffId, StaffMember, StaffRequest
from passerby.kernel.staff_requests import (
    BroadcastAct,
    BroadcastDone,
    BroadcastKept,
    BroadcastNew,
    BroadcastSet,
    BroadcastWritten,
)
from passerby.kernel.text import Text, text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.wording import catalogue

NOW = 1_800_000_000.0
BOT = BotId(1000009)
ENV = Env(NOW, Random(1), Rules(approval_above=100))
ROUTER = StaffRouter(ALL)
S = BroadcastState
ANN = StaffMember(StaffId(1), PersonId(101), Role.ADMIN, NOW)
BOB = StaffMember(StaffId(2), PersonId(102), Role.OWNER, NOW)
MIA = StaffMember(StaffId(3), PersonId(103), Role.MODERATOR, NOW)
HELLO = Variant(Content(Kind.TEXT, "hello"), writer=ANN.person)

PHOTO = Content(Kind.PHOTO, "y" * 1025)


def draft(**more: Any) -> Broadcast:
    return Broadcast(4, more.pop("state", S.DRAFT), 1, NOW, **({"variants": (HELLO,)} | more))


def decide(
    event: Event | StaffRequest, *known: Broadcast, me: StaffMember = ANN, people: int | None = 5, **more: Any
) -> StaffDecision:
    env = more.pop("env", ENV)
    reach = Reach(people, more.pop("by_bot", ()), more.pop("spread", 0)) if people is not None else None
    facts = StaffFacts(me, (ANN, BOB, MIA), broadcasts=known, next_broadcast=9, reach=reach, **more)
    return ROUTER.decide(event, facts, env)


def wrote(words: str, by: StaffMember = ANN, *more: Content) -> MessageReceived:
    return MessageReceived(by.person, BOT, (MessageId(5),), (Content(Kind.TEXT, text=words), *more), NOW)


def pressed(token: str, action: str = "broadcast_do", by: StaffMember = ANN) -> ButtonPressed:
    return ButtonPressed(by.person, BOT, "q", MessageId(5), action, token)


def said(decision: StaffDecision) -> list[str]:
    return [key for each in decision.effects for key in _keys(each)]


def _keys(effect: object) -> list[str]:
    found = getattr(effect, "text", None)
    return [] if found is None else _deep(found)


def _deep(found: Text) -> list[str]:
    inner = [key for _, arg in found.args if isinstance(arg, Text) for key in _deep(arg)]
    return inner or [found.key]


def test_all_broadcasts_are_listed_the_newest_first_without_tests() -> None:
    assert said(decide(wrote("/broadcast"))) == ["broadcasts.none"]
    known = [draft(), msgspec.structs.replace(draft(is_test=True), number=5)]
    known.append(Broadcast(6, S.ENDED, 1, NOW, started_at=NOW))
    (shown,) = decide(wrote("/broadcast"), *known).effects
    assert isinstance(shown, Say)
    assert isinstance(shown.keyboard, Menu)
    assert [button.token for row in shown.keyboard.rows for button in row] == ["6.show", "4.show", ""]


def test_moderators_have_no_part_in_it() -> None:
    for event in (wrote("/broadcast", MIA), pressed("4.start", by=MIA), pressed("", "broadcast_new", MIA)):
        assert decide(event, draft(), me=MIA).refused


def test_a_new_draft_takes_the_next_message_and_nothing_else_waits_for_one() -> None:
    other = draft(composing=Composing(1))
    made = decide(pressed("", "broadcast_new"), other, draft(composing=Composing(2)))
    assert [(each.number, each.composing) for each in made.broadcasts] == [(4, None), (9, Composing(1))]
    assert said(made) == ["broadcasts.send_it"]
    new = Broadcast(9, S.DRAFT, 1, NOW, composing=Composing(1))
    done = decide(wrote("Hi there"), new)
    assert done.broadcasts == (
        Broadcast(9, S.DRAFT, 1, NOW, variants=(Variant(Content(Kind.TEXT, "Hi there"), writer=ANN.person),)),
    )
    assert said(done)[:2] == ["broadcasts.state_draft", "broadcasts.all_languages"]
    elsewhere = decide(wrote("Hi there", BOB), new, me=BOB)
    assert "staff_commands.help" in said(elsewhere), "somebody else's next message"


def test_an_album_or_a_sticker_is_not_taken_and_the_bot_says_why_and_goes_on_waiting() -> None:
    new = draft(composing=Composing(1))
    for contents, why in (
        ((Content(Kind.PHOTO, group="g"), Content(Kind.PHOTO, group="g")), "no_album"),
        ((Content(Kind.PHOTO, group="g"),), "no_album"),
        ((Content(Kind.STICKER),), "wrong_kind"),
    ):
        done = decide(msgspec.structs.replace(wrote(""), contents=contents), new)
        assert (done.refused, done.broadcasts, said(done)) == (True, (), [f"broadcasts.{why}"])


def test_a_picture_in_place_of_buttons_does_not_remove_the_buttons() -> None:
    asking = draft(composing=Composing(1, buttons=True))
    done = decide(msgspec.structs.replace(wrote(""), contents=(Content(Kind.PHOTO),)), asking)
    assert (done.refused, done.broadcasts, said(done)) == (True, (), ["broadcasts.send_buttons"])


def test_a_correction_with_a_live_number_is_not_taken() -> None:
    running = draft(state=S.RUNNING, started_at=NOW, composing=Composing(1))
    assert said(decide(wrote("{waiting} people"), running)) == ["broadcasts.no_number"]
    assert decide(BroadcastWritten(4, Content(Kind.TEXT, "{waiting} people"), "", "A", ""), running).refused


def test_buttons_are_lines() -> None:
    asked = decide(wrote("/broadcast 4 buttons"), draft())
    (asking,) = asked.broadcasts
    assert asking.composing == Composing(1, buttons=True)
    done = decide(wrote("Go | https://example.org"), asking)
    assert done.broadcasts[0].variants[0].buttons == (LinkButton("Go", "https://example.org"),)
    assert decide(wrote("what?"), asking).refused


@pytest.mark.parametrize(
    ("words", "composing"),
    [
        ("/broadcast 4 message", Composing(1)),
        ("/broadcast 4 message de", Composing(1, "de")),
        ("/broadcast 4 message de b", Composing(1, "de", "B")),
        ("/broadcast 4 message * B", Composing(1, "", "B")),
        ("/broadcast 4 message de C", None),
    ],
)
def test_each_language_and_version_has_its_message(words: str, composing: Composing | None) -> None:
    done = decide(wrote(words), draft())
    assert [each.composing for each in done.broadcasts] == ([composing] if composing else [])
    assert done.refused is (composing is None)


def test_a_message_for_an_older_draft_with_an_unknown_language_is_refused_with_an_example() -> None:
    done = decide(wrote("hallo"), draft(composing=Composing(1, "german", "A")))
    assert (done.refused, said(done)) == (True, ["broadcasts.unknown_language"])


def test_a_correction_is_written_after_the_start_only() -> None:
    ended = draft(state=S.ENDED, started_at=NOW)
    for event in (wrote("/broadcast 4 correct"), pressed("4.correct")):
        assert decide(event, ended).broadcasts[0].composing == Composing(1)
        assert decide(event, draft()).refused
    assert decide(wrote("/broadcast 4 message"), ended).refused
    assert decide(BroadcastDone(4, BroadcastAct.CORRECT), ended).refused, "it needs words"
    corrected = decide(BroadcastWritten(4, Content(Kind.TEXT, "better")), ended)
    assert (corrected.broadcasts[0].revision, corrected.notes[0].details) == (1, {"revision": 1})


def test_nobody_corrects_in_any_way_what_they_could_not_send_alone() -> None:
    for known, why in (
        (draft(state=S.RUNNING, started_at=NOW, people=101), "broadcasts.too_many"),
        (draft(state=S.RUNNING, started_at=NOW, category=Category.SYSTEM), "broadcasts.owner_needed"),
    ):
        waiting = msgspec.structs.replace(known, composing=Composing(1))
        for event, of in (
            (wrote("/broadcast 4 correct"), known),
            (pressed("4.correct"), known),
            (wrote("log in here"), waiting),
        ):
            done = decide(event, of)
            assert (done.refused, done.broadcasts, said(done)) == (True, (), [why])
        asked = decide(BroadcastWritten(4, Content(Kind.TEXT, "log in here")), known)
        assert (asked.refused, asked.reply, asked.broadcasts) == (True, text(why), ())


def test_a_form_keeps_the_message_and_the_options_together_or_nothing() -> None:
    whole = BroadcastKept(4, "language=de\nsilent=off\n", Content(Kind.TEXT, "better"), buttons="Go | https://x.y")
    kept = decide(whole, draft())
    (changed,) = kept.broadcasts
    assert (changed.audience.languages, changed.silent) == (("de",), False)
    assert [(each.content.text, each.buttons) for each in changed.variants] == [
        ("better", (LinkButton("Go", "https://x.y"),))
    ]
    assert [each.action for each in kept.notes] == ["broadcast.options", "broadcast.written"]
    for wrong in ({"options": "age=x\n"}, {"buttons": "no bar"}, {"content": Content(Kind.POLL)}):
        refusal = decide(msgspec.structs.replace(whole, **wrong), draft())
        assert (refusal.refused, refusal.broadcasts, refusal.notes) == (True, (), ()), wrong
    again = decide(BroadcastKept(4, "language=de\nsilent=off\n"), changed)
    assert (again.refused, again.broadcasts, again.notes) == (False, (), ()), "nothing new, so nothing is noted"
    assert decide(BroadcastKept(5, ""), draft()).refused


@pytest.mark.parametrize(
    ("content", "most"),
    [(Content(Kind.TEXT, "y" * 4097), 4096), (Content(Kind.TEXT, "😀" * 2049), 4096), (PHOTO, 1024)],
)
def test_a_message_that_telegram_would_not_take_is_refused_with_its_limit(content: Content, most: int) -> None:
    sent = MessageReceived(ANN.person, BOT, (MessageId(5),), (content,), NOW)
    waiting = draft(composing=Composing(1))
    for event, known in ((sent, waiting), (BroadcastKept(4, content=content), draft())):
        done = decide(event, known)
        key = "broadcasts.too_long" if most == 4096 else "broadcasts.caption_too_long"
        assert (done.refused, done.broadcasts, done.reply) == (True, (), text(key, most=most))
    assert decide(BroadcastKept(4, content=Content(Kind.TEXT, "😀" * 2048)), draft()).broadcasts


def test_buttons_without_a_message_belong_to_the_message_that_is_there() -> None:
    kept = decide(BroadcastKept(4, buttons="Go | https://x.y"), draft())
    assert kept.broadcasts[0].variants[0].buttons == (LinkButton("Go", "https://x.y"),)
    for asked in (BroadcastKept(4, language="de"), BroadcastKept(4, arm="B", buttons="Go | https://x.y")):
        refusal = decide(asked, draft())
        assert (refusal.refused, refusal.reply) == (True, text("broadcasts.no_message"))
    known = draft(variants=(msgspec.structs.replace(HELLO, language="de"),))
    assert decide(BroadcastKept(4, language="de"), known).broadcasts == ()


def test_an_old_form_changes_no_draft_that_somebody_else_changed() -> None:
    asked = BroadcastKept(4, "silent=off\n", seal=seal_of(draft()))
    assert decide(asked, draft()).broadcasts
    late = decide(asked, draft(category=Category.PROMO))
    assert (late.refused, late.reply, late.broadcasts) == (True, text("broadcasts.changed"), ())


def test_writing_a_draft_corrects_nothing_that_has_started_meanwhile() -> None:
    asked = BroadcastKept(4, "", Content(Kind.TEXT, "better"))
    assert decide(asked, draft()).broadcasts
    late = decide(asked, draft(state=S.RUNNING, started_at=NOW))
    assert (late.refused, late.reply, late.broadcasts) == (True, text("broadcasts.not_now"), ())


def test_options_are_words_and_the_wrong_one_is_named() -> None:
    done = decide(wrote("/broadcast 4 language=de silent=off"), draft())
    assert (done.broadcasts[0].audience.languages, done.broadcasts[0].silent) == (("de",), False)
    assert "broadcasts.audience" not in said(done), "the old number would be wrong"
    wrong = decide(BroadcastSet(4, "cats=yes"), draft())
    assert wrong.reply is not None
    assert ("option", "cats=yes") in wrong.reply.args
    assert decide(BroadcastSet(4, "silent=off"), draft(state=S.RUNNING)).refused
    assert decide(BroadcastSet(4, "silent=off"), draft()).effects == ()


def test_a_start_above_the_limit_asks_the_others_who_may_broadcast() -> None:
    done = decide(pressed(f"4.start.{seal_of(draft())}"), draft(), people=101)
    assert done.broadcasts[0].state is S.SUBMITTED
    assert [each.to for each in done.effects if isinstance(each, Say)] == [BOB.person]
    approved = decide(pressed("4.approve", by=BOB), done.broadcasts[0], me=BOB, people=101)
    assert (approved.broadcasts[0].state, approved.broadcasts[0].approved_by) == (S.STARTING, 2)
    assert not [each for each in approved.effects if isinstance(each, Say)]
    assert decide(pressed(f"4.start.{seal_of(draft())}"), draft(), people=100).broadcasts[0].state is S.STARTING


def test_nothing_starts_before_a_question_that_says_to_whom_when_and_how() -> None:
    bots: dict[str, Any] = {
        "by_bot": ((BotId(7), 450), (BotId(8), 50)),
        "fleet": KnownBots((FleetBot(BotId(7), "one_bot"),)),
    }
    for event in (
        pressed("4.plan"),
        pressed("4.start"),
        wrote("/broadcast 4 start"),
        BroadcastDone(4, BroadcastAct.PLAN),
    ):
        asked = decide(event, draft(audience=Audience(languages=("de",))), people=500, **bots)
        assert (asked.broadcasts, asked.notes, asked.refused) == ((), (), False)
        assert asked.reply is not None
        words = catalogue().plain(asked.reply, "en").splitlines()
        canary = "First, 200 people get it. Ten minutes later it goes on by itself. If unusually many of them left, "
        assert words == [
            "Start broadcast #4?",
            "category=news language=de silent=on hour=off canary=on paid=off weekly=off",
            "People who would get it now: 500",
            "Through: @one_bot (450), 8 (50)",
            "When: at once",
            "Rate: up to 20 a second for each bot, and only what chats leave. It takes 11 min or longer.",
            canary + "or Telegram refuses it, it pauses and tells you.",
            "Someone else on the team must approve it.",
        ]
    (revise,) = (each for each in decide(pressed("4.plan"), draft()).effects if isinstance(each, Revise))
    assert isinstance(revise.keyboard, Menu)
    tokens = [button.token for row in revise.keyboard.rows for button in row]
    assert tokens == [f"4.start.{seal_of(draft())}", "4.show"]
    other = draft(holdout_percent=5, starts_at=NOW + 86_400, weekly=True, usual_hour=True, canary=False, paid=True)
    assert said(decide(wrote("/broadcast 4 plan"), other, people=50)) == [
        f"broadcasts.{key}"
        for key in [
            "ask_start",
            "options",
            "audience",
            "plan_held_out",
            "plan_weekly",
            "plan_hour",
            "plan_rate_paid",
            "plan_all",
            "cost",
        ]
    ]
    assert "broadcasts.plan_small" in said(decide(wrote("/broadcast 4 plan"), draft(), people=50))
    assert "broadcasts.plan_at" in said(decide(wrote("/broadcast 4 plan"), draft(starts_at=NOW + 9), people=50))
    assert decide(pressed("4.plan"), draft(), people=0).reply == text("broadcasts.nobody")
    waits = decide(pressed("4.plan"), draft(state=S.SUBMITTED), people=500)
    assert (waits.refused, waits.broadcasts) == (False, ()), "the second member may ask, too"
    over = decide(pressed("4.plan"), draft(starts_at=NOW - 60))
    assert (over.refused, over.reply) == (True, text("broadcasts.at_is_over", at="2027-01-15 07:59 UTC"))


@pytest.mark.parametrize(
    ("bot_rate_per_s", "paid", "rate", "minutes"),
    [
        (30.0, False, "20", 1),
        (25.0, False, "16", 2),
        (3.0, False, "2", 9),
        (1.0, False, "0.6", 26),
        (1.0, True, "100", 1),
    ],
)
def test_the_question_says_the_true_rate(bot_rate_per_s: float, paid: bool, rate: str, minutes: int) -> None:
    env = Env(NOW, Random(1), Rules(bot_rate_per_s=bot_rate_per_s))
    asked = decide(wrote("/broadcast 4 plan"), draft(canary=False, paid=paid), people=1_001, env=env)
    (say,) = (each for each in asked.effects if isinstance(each, Say))
    assert say.text is not None
    begun = f"Rate: up to {rate} a second for each bot, "
    takes = f". It takes {minutes} min or longer."
    charges = " Telegram charges for messages above its free rate."
    ends = f"beside the chats{takes}{charges}" if paid else f"and only what chats leave{takes}"
    assert begun + ends in catalogue().plain(say.text, "en").splitlines()


def test_a_broadcast_that_changed_after_the_question_is_not_started() -> None:
    seal = seal_of(draft())
    changed = draft(silent=False)
    pressed_late = decide(pressed(f"4.start.{seal}"), changed)
    assert pressed_late.broadcasts == ()
    assert "broadcasts.ask_start" in said(pressed_late), "it asks again"
    asked = decide(BroadcastDone(4, BroadcastAct.START, seal), changed)
    assert (asked.refused, asked.reply, asked.broadcasts) == (True, text("broadcasts.changed"), ())
    assert decide(BroadcastDone(4, BroadcastAct.START, seal), draft()).broadcasts[0].state is S.STARTING
    assert decide(BroadcastDone(4, BroadcastAct.START), changed).broadcasts[0].state is S.STARTING, "a typed command"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("language=german", "unknown_language"),
        ("at=2020-01-01T00:00", "at_is_over"),
        ("silent=perhaps", "wrong_option"),
        ("bot=@nobody", "unknown_bot"),
        ("holdout=90", "out_of_range"),
        ("age=30-18", "age_backwards"),
        ("active=5 idle=30", "active_against_idle"),
        ("category=comeback", "idle_needed"),
        ("message german", "unknown_language"),
        ("message de C", "wrong_version"),
        ("buttons fr", "no_message"),
    ],
)
def test_a_wrong_command_is_explained_and_changes_nothing(words: str, why: str) -> None:
    fleet = KnownBots((FleetBot(BotId(7), "one_bot"),))
    done = decide(wrote(f"/broadcast 4 {words}"), draft(), fleet=fleet)
    assert (done.refused, done.broadcasts, said(done)) == (True, (), [f"broadcasts.{why}"])
    if "=" in words:
        assert decide(BroadcastSet(4, words), draft(), fleet=fleet).reply == done.reply, "the same words everywhere"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("https://example.org", "button_bar"),
        ("Go | example.org", "button_link"),
        (" | https://example.org", "button_label"),
        ("\n".join(["Go | https://example.org"] * 9), "button_many"),
    ],
)
def test_a_wrong_button_is_explained(line: str, why: str) -> None:
    waiting = draft(composing=Composing(1, buttons=True))
    sent, typed = decide(wrote(line), waiting), decide(BroadcastWritten(4, HELLO.content, buttons=line), draft())
    assert (said(sent), sent.broadcasts, typed.broadcasts) == ([f"broadcasts.{why}"], (), ())
    assert typed.reply == sent.reply


def test_bold_and_links_of_a_message_to_the_staff_bot_are_kept() -> None:
    marked = Content(
        Kind.TEXT, "bold link", entities=(Entity("bold", 0, 4), Entity("text_link", 5, 4, "https://x.org"))
    )
    event = MessageReceived(ANN.person, BOT, (MessageId(5),), (marked,), NOW)
    (changed,) = decide(event, draft(composing=Composing(1))).broadcasts
    assert changed.variants[0].content == marked


def test_an_impossible_action_says_why() -> None:
    for event in (pressed("4.resume"), wrote("/broadcast 4 resume"), BroadcastDone(4, BroadcastAct.RESUME)):
        done = decide(event, draft())
        assert (done.refused, done.broadcasts, done.reply) == (True, (), text("broadcasts.not_now"))
    for event in (
        pressed("5.show"),
        pressed("x.show"),
        pressed("4.dance"),
        wrote("/broadcast 5"),
        wrote("/broadcast x"),
    ):
        assert decide(event, draft()).reply == text("broadcasts.unknown")
    for asked in (BroadcastSet(5, ""), BroadcastDone(5, BroadcastAct.SHOW), BroadcastWritten(5, HELLO.content)):
        assert decide(asked, draft()).reply == text("broadcasts.unknown")
    assert decide(BroadcastWritten(4, HELLO.content, buttons="?"), draft()).refused
    assert decide(BroadcastWritten(4, Content(Kind.POLL)), draft()).refused


def test_a_preview_goes_to_who_asks_and_a_test_to_all_who_may_broadcast() -> None:
    preview = decide(pressed("4.preview"), draft())
    assert preview.broadcasts[0].audience.people == (ANN.person,)
    assert [type(each) for each in preview.effects] == [Answer]
    test = decide(wrote("/broadcast 4 test"), draft())
    assert (test.broadcasts[0].number, test.broadcasts[0].audience.people) == (9, (ANN.person, BOB.person))
    assert [type(each) for each in test.effects] == [Say]
    on_the_command_line = decide(BroadcastDone(4, BroadcastAct.PREVIEW), draft(), me=THE_OPERATOR)
    assert on_the_command_line.reply == text("broadcasts.nobody")
    assert decide(pressed("4.preview"), draft(variants=())).refused


def test_a_card_shows_how_far_it_is_and_why_it_paused() -> None:
    counts = {
        TargetState.SENT: 5,
        TargetState.UNKNOWN: 1,
        TargetState.WAITING: 3,
        TargetState.SENDING: 1,
        TargetState.MUTED: 2,
    }
    paused = draft(state=S.PAUSED, started_at=NOW, people=12, why="broadcasts.why_left")
    (_, shown) = decide(pressed("4.show"), paused, progress=Progress(counts)).effects
    assert isinstance(shown, Revise)
    assert _deep(shown.text)[-2:] == ["broadcasts.why_left", "broadcasts.progress"]
    assert isinstance(shown.keyboard, Menu)
    acts = [button.token for row in shown.keyboard.rows for button in row]
    assert acts == ["4.resume", "4.stop", "4.correct", "4.recall", "4.show"]
    never_started = decide(pressed("4.show"), draft(state=S.STOPPED)).effects[1]
    assert isinstance(never_started, Revise)
    assert isinstance(never_started.keyboard, Menu)
    assert [button.token for row in never_started.keyboard.rows for button in row] == ["4.show"]


def test_paid_sending_shows_what_it_may_cost() -> None:
    (_, shown) = decide(pressed("4.show"), draft(paid=True), people=5_000).effects
    assert isinstance(shown, Revise)
    assert dict(shown.text.args)["below"] == text("broadcasts.cost", stars=500)


def test_a_number_from_a_sample_says_so_on_the_card_in_the_question_and_in_the_audit() -> None:
    sample: dict[str, Any] = {"people": 138_000, "spread": 6_000, "by_bot": ((BotId(7), 70_000), (BotId(8), 68_000))}
    about = "People who would get it now: about 138,000 (counted from a sample; give or take 6,000)"
    for event in (wrote("/broadcast 4 show"), wrote("/broadcast 4 plan")):
        shown = decide(event, draft(paid=True), **sample).reply
        assert shown is not None
        words = catalogue().plain(shown, "en").splitlines()
        assert about in words
        assert "Paid sending is on. It can cost up to 14,400 Stars." in words, "it may be as many as that"
    env = Env(NOW, Random(1), Rules(approval_above=144_000))
    started = decide(BroadcastDone(4, BroadcastAct.START), draft(), env=env, **sample)
    assert started.broadcasts[0].state is S.STARTING
    assert started.notes[0].details == {"people": 138_000, "give_or_take": 6_000}


def test_the_audit_says_how_many_people_a_broadcast_has_that_is_paused() -> None:
    paused = decide(
        BroadcastDone(4, BroadcastAct.PAUSE), draft(state=S.RUNNING, started_at=NOW, people=12), people=None
    )
    assert paused.notes[0].details == {"people": 12}


@pytest.mark.parametrize(("people", "noted"), [(0, 0), (1, 10), (9, 10), (10, 10), (11, 11)])
def test_the_audit_tells_no_number_of_people_below_ten(people: int, noted: int) -> None:
    paused = draft(state=S.RUNNING, started_at=NOW, people=people)
    for decided in (
        decide(BroadcastDone(4, BroadcastAct.PAUSE), paused, people=None),
        decide(BroadcastDone(4, BroadcastAct.PAUSE), paused, people=people),
    ):
        assert decided.notes[0].details == {"people": noted}


def test_the_progress_of_a_broadcast_tells_no_number_of_people_below_ten() -> None:
    def progress(people: int, **counts: int) -> str:
        found = {TargetState(name): number for name, number in counts.items()}
        running = draft(state=S.RUNNING, started_at=NOW, people=people)
        shown = decide(wrote("/broadcast 4 show"), running, progress=Progress(found)).reply
        assert shown is not None
        return catalogue().plain(shown, "en").splitlines()[-1]

    told = progress(5, sent=2, waiting=3)
    assert told == progress(7, sent=5, waiting=2)
    assert "< 10" in told
    assert progress(1_500, sent=1_497, muted=3) == progress(1_500, sent=1_495, muted=5), "nor by subtracting"
    assert "1,480" in progress(1_500, sent=1_480, muted=20)


def test_the_command_line_makes_a_draft_and_reads_its_number() -> None:
    made = decide(BroadcastNew(), me=THE_OPERATOR)
    assert made.reply == text("broadcasts.made", number=9)
    assert made.broadcasts == (Broadcast(9, S.DRAFT, 0, NOW),)
    written = decide(BroadcastWritten(9, Content(Kind.TEXT, "hi"), buttons="Go | https://x.y"), made.broadcasts[0])
    assert written.broadcasts[0].variants == (
        Variant(Content(Kind.TEXT, "hi"), buttons=(LinkButton("Go", "https://x.y"),)),
    )
    assert decide(BroadcastDone(9, BroadcastAct.SHOW), *written.broadcasts).reply is not None
