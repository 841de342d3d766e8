"""The notices and the abilities of a person under a sanction."""

import re
from pathlib import Path

import msgspec
import pytest

from passerby.dialogue.keyboards import keys_for
from passerby.domain.sanctions import APPEAL_S
from passerby.features.sanctions import barred, feature, letter
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Keys, Relay, Say
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId
from passerby.kernel.participant import Complaint, Idle
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import AppealRefused, LiftOrdered, ReportDecided, SanctionOrdered, SanctionOverturned
from passerby.kernel.text import day, text
from passerby.runtime.decide.router import Router
from tests.features.playbook import NOW, WORDS, Playbook

STAFF = BotId(0)


def sanction(kind: SanctionKind, until: float | None = NOW + 3600, name: str = "s", by: int | None = 3) -> Sanction:
    return Sanction(name, kind, Reason.SCAM, NOW, until, by)


def said(decision: Decision) -> list[str]:
    return [each.text.key for each in decision.effects if isinstance(each, Say)]


def test_the_letter_has_the_five_parts_of_a_statement_of_reasons() -> None:
    noon = 1_800_014_400.0  # 2027-01-15 12:00 UTC
    told = letter(sanction(SanctionKind.MEDIA_OFF, noon + 30 * 60), NOW)
    parts = dict(told.args)
    assert parts["what"] == text("sanctions.kind_media_off")
    assert parts["why"] == text("sanctions.because", why=text("reasons.scam"))
    assert parts["until"] == text("sanctions.until", day=text("days.20833"), time="12:30")
    assert parts["who"] == text("sanctions.by_team")
    for_good = dict(letter(sanction(SanctionKind.BANNED, None, by=None), NOW).args)
    assert for_good["until"] == text("sanctions.for_good")
    assert for_good["who"] == text("sanctions.by_rule")


def test_a_ban_ends_the_chat_and_the_partner_reads_only_that_they_left() -> None:
    talk = Playbook()
    ann, bob = talk.pair(talk.person(), talk.person())
    ban = sanction(SanctionKind.BANNED, None)
    done = talk.happens(SanctionOrdered(ann.person, STAFF, ban))
    assert isinstance(ann.value.state, Idle)
    assert isinstance(bob.value.state, Idle)
    first, *others = done.effects
    assert first == Say(ann.person, letter(ban, NOW), Keys())
    assert [each.to for each in others if isinstance(each, Say)] == [bob.person] * len(others)
    assert said(done)[1] == "chat.partner_left"
    assert talk.happens(SanctionOrdered(ann.person, STAFF, ban)) == Decision(), "once is enough"


def test_a_barred_person_reaches_only_what_is_open_to_them() -> None:
    talk = Playbook()
    ann = talk.person()
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(SanctionKind.SUSPENDED)))
    for closed in ("/search", "/next", "/profile", "/friends", "hello", "/nonsense"):
        assert said(ann.writes(closed)) == ["sanctions.barred"], closed
        assert isinstance(ann.value.state, Idle)
    pressed = ann.presses("seek", "x")
    assert isinstance(pressed.effects[0], Answer)
    assert said(pressed) == ["sanctions.barred"]
    for command in ("/privacy", "/rules", "/terms"):
        assert said(ann.writes(command)) == [f"pages.{command[1:]}"]
    assert said(ann.writes("/paysupport")) == ["vip.pay_nothing"]
    assert said(ann.writes("/help")) == ["pages.with_code"]
    assert said(ann.writes("/report")) == ["safety.nobody"]
    talk.later(3600)
    assert said(ann.writes("/search")) == ["search.begun"], "it ends by itself"


def test_the_letter_says_until_when_to_appeal_or_what_became_of_the_appeal() -> None:
    ban = sanction(SanctionKind.BANNED, None)

    def end(appeal: Appeal, now: float = NOW) -> object:
        told = letter(msgspec.structs.replace(ban, appeal=appeal), now)
        return dict(told.args).get("appeal", told.key)

    assert end(Appeal.NONE) == "sanctions.letter"
    assert dict(letter(ban, NOW).args)["day"] == day(NOW + APPEAL_S)
    assert dict(letter(sanction(SanctionKind.SUSPENDED, NOW + 60), NOW).args)["day"] == day(NOW + 60)
    assert end(Appeal.OPEN) == text("sanctions.appeal_waits")
    assert end(Appeal.UPHELD) == text("sanctions.upheld")
    assert end(Appeal.NONE, NOW + APPEAL_S) == text("sanctions.appeal_over")
    young = msgspec.structs.replace(ban, reason=Reason.UNDERAGE)
    assert dict(letter(young, NOW).args)["why"] == text("sanctions.because_age", why=text("reasons.underage"))


@pytest.mark.parametrize("language", WORDS.languages)
def test_a_warning_restricts_nothing_so_its_letter_has_no_end(language: str) -> None:
    warned = sanction(SanctionKind.WARNING, NOW + 86_400)
    for now in (NOW, NOW + APPEAL_S):
        said = letter(warned, now)
        assert dict(said.args)["until"] == text("sanctions.unrestricted")
        assert "UTC" not in WORDS.plain(said, language)


@pytest.mark.parametrize("language", WORDS.languages)
def test_a_letter_and_what_a_barred_person_reads_are_recognised_by_their_words(language: str) -> None:
    said = letter(sanction(SanctionKind.BANNED, None), NOW)
    closed = text("sanctions.barred", letter=said, commands=(text("sanctions.command", name="help"),))
    notices = WORDS.notices(language)
    assert notices.key(WORDS.plain(said, language)) == "sanctions.letter"
    assert notices.key(WORDS.plain(closed, language)) == "sanctions.barred"


def test_a_barred_person_reads_which_commands_work_and_appeal_is_one_of_them_while_it_is() -> None:
    talk = Playbook()
    ann = talk.person()
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(SanctionKind.BANNED, None)))

    def open_now() -> list[str]:
        (told,) = (each for each in ann.writes("/search").effects if isinstance(each, Say))
        words = WORDS.plain(told.text, "en")
        return [word.strip(",.") for word in words.splitlines()[-1].split() if word.startswith("/")]

    everything = [f"/{name}" for name in talk.router.open_to_barred]
    assert open_now() == everything
    for command in everything:
        if command not in ("/appeal", "/deleteme"):
            assert "sanctions.barred" not in said(ann.writes(command)), command
    ann.writes("/appeal")
    assert open_now() == [each for each in everything if each != "/appeal"]
    (told,) = (each for each in ann.writes("/search").effects if isinstance(each, Say))
    assert "Your appeal is waiting" in WORDS.plain(told.text, "en")


def test_the_page_for_staff_names_the_same_commands() -> None:
    page = Path("docs/how-to/staff.md").read_text("utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith("| suspension, ban"))
    assert re.findall(r"`/(\w+)`", row) == list(Playbook().router.open_to_barred)


def test_a_reason_has_one_name_for_people_for_staff_and_on_the_command_line() -> None:
    """The catalogue has one text for each; the command line has its first word, or the whole of it."""
    assert {each.value for each in Reason} == {each.value for each in Complaint}
    for reason in Reason:
        name = WORDS.plain(text(f"reasons.{reason}"), "en").lower()
        assert reason.word in (name, *name.split(), name.replace(" ", ""), "other"), reason
    for key in WORDS.keys:
        assert not re.match(r"(safety|people|sanctions)\.reason_(?!source)", key)


def test_a_lifted_ban_is_told_and_the_person_can_search_again() -> None:
    talk = Playbook()
    ann = talk.person()
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(SanctionKind.BANNED, None)))
    lifted = talk.happens(LiftOrdered(ann.person, STAFF, "s"))
    (told,) = lifted.effects
    assert isinstance(told, Say)
    assert (told.text, type(told.keyboard)) == (text("sanctions.lifted"), Keys)
    assert talk.happens(LiftOrdered(ann.person, STAFF, "s")) == Decision()
    assert said(ann.writes("/search")) == ["search.begun"]
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(SanctionKind.WARNING)))
    (told,) = talk.happens(LiftOrdered(ann.person, STAFF, "s")).effects
    assert isinstance(told, Say)
    assert told.keyboard is None


def test_each_sanction_is_appealed_once() -> None:
    talk = Playbook()
    ann = talk.person()
    assert said(ann.writes("/appeal")) == ["sanctions.none"]
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(SanctionKind.BANNED, None)))
    assert said(ann.writes("/appeal")) == ["sanctions.appealed"]
    assert ann.value.sanctions[0].appeal is Appeal.OPEN
    assert said(ann.writes("/appeal")) == ["sanctions.appeal_waits"]
    upheld = msgspec.structs.replace(ann.value.sanctions[0], appeal=Appeal.UPHELD)
    talk.people[ann.person] = msgspec.structs.replace(ann.value, sanctions=(upheld,))
    assert said(ann.writes("/appeal")) == ["sanctions.appeal_over"]


@pytest.mark.parametrize(
    ("kind", "content", "notice"),
    [
        (SanctionKind.MEDIA_OFF, Content(Kind.DICE, detail={"emoji": "🎲"}), "chat.media_off"),
        (SanctionKind.LINKS_OFF, Content(Kind.TEXT, text="look at https://example.org/x"), "chat.links_off"),
    ],
)
def test_messages_that_a_sanction_withholds_reach_nobody(kind: SanctionKind, content: Content, notice: str) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    talk.later(600)
    assert any(isinstance(each, Relay) for each in ann.sends(content).effects)
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(kind, NOW + 1200)))
    assert said(ann.sends(content)) == [notice]
    assert any(isinstance(each, Relay) for each in ann.writes("just words").effects)
    talk.later(600)
    assert any(isinstance(each, Relay) for each in ann.sends(content).effects), "it is over"


def test_an_edit_does_not_let_a_held_picture_through_once_pictures_are_off() -> None:
    talk = Playbook(Rules())
    ann, _ = talk.pair(talk.person(), talk.person())
    picture = Content(Kind.PHOTO, "write to @ann_99", file=File("f", "u"))
    assert said(ann.sends(picture)) == ["chat.confirm_name"]
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(SanctionKind.MEDIA_OFF)))
    harmless = msgspec.structs.replace(picture, text="a harmless word")
    edit = ann.edits(ann.last_message, "", content=harmless)
    assert edit.effects == ()


def test_two_features_cannot_both_answer_barred_people() -> None:
    with pytest.raises(ValueError, match="second to answer people who are barred"):
        Router((feature, Feature("another", barred=barred)), lambda label: None)


def test_an_overturned_ban_frees_its_person_and_says_that_it_was_wrong() -> None:
    talk = Playbook()
    ann = talk.person()
    ban = sanction(SanctionKind.BANNED, None)
    talk.happens(SanctionOrdered(ann.person, STAFF, ban))
    free = talk.happens(SanctionOverturned(ann.person, STAFF, ban, ((1.0, NOW),)))
    (told,) = (each for each in free.effects if isinstance(each, Say))
    assert told.text == text("sanctions.overturned")
    assert told.keyboard == keys_for(Idle())
    assert ann.value.karma.score > 0
    assert talk.happens(SanctionOverturned(ann.person, STAFF, ban, ((1.0, NOW),))) == Decision(), "once"
    slow = sanction(SanctionKind.SLOW, None, "t")
    talk.happens(SanctionOrdered(ann.person, STAFF, slow))
    (told,) = talk.happens(SanctionOverturned(ann.person, STAFF, slow)).effects
    assert isinstance(told, Say)
    assert told.keyboard is None
    silent = talk.happens(SanctionOverturned(ann.person, STAFF, None, ((1.0, NOW),)))
    assert silent.effects == ()
    assert silent.changes != ()


def test_a_ban_that_was_only_asked_for_changes_nothing_for_who_is_barred_already() -> None:
    talk = Playbook()
    ann = talk.person()
    before = sanction(SanctionKind.SUSPENDED, NOW + 86_400)
    talk.happens(SanctionOrdered(ann.person, STAFF, before))
    for asked in (
        sanction(SanctionKind.SUSPENDED, NOW + 86_401, "same"),
        sanction(SanctionKind.SUSPENDED, name="short"),
    ):
        done = talk.happens(SanctionOrdered(ann.person, STAFF, asked))
        assert (done.effects, ann.value.sanctions[-1]) == ((), asked), "it binds, and there is nothing new to read"
        assert talk.happens(SanctionOverturned(ann.person, STAFF, asked)).effects == (), "the first one holds still"
    longer = sanction(SanctionKind.SUSPENDED, NOW + 2 * 86_400, "longer")
    assert said(talk.happens(SanctionOrdered(ann.person, STAFF, longer))) == ["sanctions.letter"]
    declined = talk.happens(SanctionOverturned(ann.person, STAFF, longer))
    assert declined.effects == (Say(ann.person, letter(before, NOW)),), "what holds now"
    slow = sanction(SanctionKind.SLOW, name="slow")
    assert said(talk.happens(SanctionOrdered(ann.person, STAFF, slow))) == ["sanctions.letter"]
    assert said(ann.writes("/search")) == ["sanctions.barred"]
    freed = talk.happens(SanctionOverturned(ann.person, STAFF, before))
    assert freed.effects == (Say(ann.person, text("sanctions.overturned"), keys_for(Idle())),)
    assert said(ann.writes("/search")) == ["search.begun"]


def test_a_person_who_appealed_reads_the_answer_and_what_still_holds() -> None:
    talk = Playbook()
    ann = talk.person()
    ban, before = sanction(SanctionKind.BANNED, None, "ban"), sanction(SanctionKind.SUSPENDED)
    for each in (before, ban):
        talk.happens(SanctionOrdered(ann.person, STAFF, each))
    ann.writes("/appeal")
    done = talk.happens(SanctionOverturned(ann.person, STAFF, ban))
    assert done.effects == (Say(ann.person, text("sanctions.overturned")), Say(ann.person, letter(before, NOW)))


def test_an_appeal_that_does_not_help_is_answered_once() -> None:
    talk = Playbook()
    ann = talk.person()
    talk.happens(SanctionOrdered(ann.person, STAFF, sanction(SanctionKind.BANNED, None)))
    ann.writes("/appeal")
    assert said(talk.happens(AppealRefused(ann.person, STAFF, "s"))) == ["sanctions.upheld"]
    assert talk.happens(AppealRefused(ann.person, STAFF, "s")) == Decision()


def test_a_reporter_hears_whether_something_was_done_and_no_more() -> None:
    talk = Playbook()
    ann = talk.person()
    assert said(talk.happens(ReportDecided(ann.person, STAFF, acted=True))) == ["safety.acted"]
    assert said(talk.happens(ReportDecided(ann.person, STAFF, acted=False))) == ["safety.not_acted"]
