"""The acts of staff on a broadcast in each state, and their results."""

from random import Random
from typing import Any

import msgspec
import pytest

from passerby.domain.broadcasts.actions import (
    LASTS_S,
    RECALL_S,
    WrongButton,
    act,
    buttons_in,
    edition_of,
    needs_second,
    no_correction,
    plain,
    tried,
    with_buttons,
)
from passerby.domain.broadcasts.actions import written as written_by
from passerby.kernel.alone import Alone
from passerby.kernel.broadcast import Audience, Broadcast, BroadcastState, Category, LinkButton, Reach, Variant
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.ids import PersonId
from passerby.kernel.rules import Rules
from passerby.kernel.staff import Role, StaffFacts, StaffId, StaffMember
from passerby.kernel.staff_requests import BroadcastAct

NOW = 1_800_000_000.0
ENV = Env(NOW, Random(1), Rules(approval_above=100))
HELLO = Variant(plain("hello"))
S = BroadcastState


def member(number: int, role: Role = Role.ADMIN) -> StaffMember:
    return StaffMember(StaffId(number), PersonId(100 + number), role, NOW)


def made(state: BroadcastState = S.DRAFT, **more: Any) -> Broadcast:
    return Broadcast(1, state, 1, NOW, **({"variants": (HELLO,)} | more))


def did(broadcast: Broadcast, what: BroadcastAct, by: int = 1, people: int | None = 5, role: Role = Role.ADMIN) -> Any:
    me, reach = member(by, role), Reach(people) if people is not None else None
    team = (me, *(member(other) for other in (1, 2) if other != by))
    return act(broadcast, what, StaffFacts(me, team, broadcasts=(broadcast,), reach=reach), ENV)


def written(broadcast: Broadcast, variant: Variant, role: Role = Role.ADMIN) -> Broadcast | str:
    me = member(1, role)
    return written_by(broadcast, variant, StaffFacts(me, (me,), broadcasts=(broadcast,)), ENV)


def state(changed: Broadcast | str) -> BroadcastState | str:
    return changed if isinstance(changed, str) else changed.state


@pytest.mark.parametrize(
    ("draft", "people", "becomes"),
    [
        (made(), 100, S.STARTING),
        (made(), 101, S.SUBMITTED),
        (made(), 0, "broadcasts.nobody"),
        (made(), None, "broadcasts.nobody"),
        (made(variants=()), 5, "broadcasts.no_message"),
        (made(S.RUNNING), 5, "broadcasts.not_now"),
        (made(starts_at=NOW + 5), 5, S.SCHEDULED),
        (made(starts_at=NOW - 5), 5, "broadcasts.at_is_over"),
        (made(starts_at=NOW - 5, weekly=True), 5, "broadcasts.at_is_over"),
        (made(starts_at=NOW + 5, weekly=True), 5, S.SCHEDULED),
        (made(weekly=True), 5, "broadcasts.moment_needed"),
        (made(category=Category.SYSTEM), 5, "broadcasts.owner_needed"),
        (made(category=Category.COMEBACK), 5, "broadcasts.idle_needed"),
        (made(category=Category.COMEBACK, audience=Audience(idle_days=30)), 5, S.STARTING),
    ],
)
def test_a_draft_starts_if_it_may(draft: Broadcast, people: int | None, becomes: BroadcastState | str) -> None:
    assert state(did(draft, BroadcastAct.START, people=people)) == becomes


@pytest.mark.parametrize(("before", "becomes"), [(60, S.STARTING), (61, S.SUBMITTED)])
def test_several_small_broadcasts_by_one_member_need_a_second_one_as_one_large_one_does(
    before: int, becomes: BroadcastState
) -> None:
    me = member(1, Role.ADMIN)
    facts = StaffFacts(me, (me,), broadcasts=(made(),), reach=Reach(40), alone=Alone(reached=before))
    assert state(act(made(), BroadcastAct.START, facts, ENV)) == becomes


@pytest.mark.parametrize(
    ("earlier", "needs"),
    [
        ({}, True),
        ({"submitted_by": 2}, False),
        ({"approved_by": 2}, False),
        ({"is_test": True}, False),
        ({"started_at": None}, False),
        ({"started_at": NOW - 86_400.0}, False),
        ({"number": 1}, False),
    ],
    ids=str,
)
def test_people_who_are_stored_count_with_those_of_the_members_other_broadcasts_of_the_day(
    earlier: dict[str, Any], needs: bool
) -> None:
    values = {"number": 2, "submitted_by": 1, "people": 60, "started_at": NOW - 3600} | earlier
    other = msgspec.structs.replace(made(S.RUNNING), **values)
    frozen = made(S.STARTING, submitted_by=1)
    assert needs_second(frozen, 41, (other,), 100, NOW) is needs
    assert needs_second(frozen, 101, (), 100, NOW)
    assert not needs_second(msgspec.structs.replace(frozen, approved_by=2), 101, (other,), 100, NOW)
    assert not needs_second(msgspec.structs.replace(frozen, is_test=True), 101, (other,), 100, NOW)


def test_only_owners_start_what_nobody_can_turn_off() -> None:
    system = made(category=Category.SYSTEM)
    assert state(did(system, BroadcastAct.START, role=Role.OWNER)) is S.STARTING


def test_somebody_else_approves_what_goes_to_many() -> None:
    submitted = did(made(), BroadcastAct.START, people=101)
    assert did(submitted, BroadcastAct.APPROVE) == "broadcasts.second_needed"
    on_the_command_line = did(submitted, BroadcastAct.APPROVE, by=0, role=Role.OWNER)
    assert on_the_command_line == "broadcasts.second_needed", "nobody knows who sits there"
    approved = did(submitted, BroadcastAct.APPROVE, by=2)
    assert (approved.state, approved.submitted_by, approved.approved_by) == (S.STARTING, 1, 2)
    assert did(made(), BroadcastAct.APPROVE, by=2) == "broadcasts.not_now"


def test_nobody_approves_a_broadcast_of_their_own_with_another_number_or_of_a_member_who_has_left() -> None:
    submitted = made(S.SUBMITTED, submitted_by=1)
    me = member(2)
    same = msgspec.structs.replace(me, number=StaffId(1))
    for team in ((me, same), (me,)):
        facts = StaffFacts(me, team, broadcasts=(submitted,))
        assert act(submitted, BroadcastAct.APPROVE, facts, ENV) == "broadcasts.second_needed"
    assert did(made(S.SUBMITTED), BroadcastAct.APPROVE, by=2) == "broadcasts.second_needed"


def test_a_weekly_one_without_a_moment_starts_by_no_way() -> None:
    assert did(made(S.SUBMITTED, weekly=True, submitted_by=1), BroadcastAct.APPROVE, by=2) == "broadcasts.moment_needed"
    assert did(made(S.PAUSED, weekly=True), BroadcastAct.RESUME) == "broadcasts.moment_needed"


def test_it_is_paused_and_goes_on_where_it_was() -> None:
    running = made(S.RUNNING, started_at=NOW - 5, wave=0, watched_until=NOW + 9)
    paused = did(running, BroadcastAct.PAUSE)
    assert paused.state is S.PAUSED
    resumed = did(paused, BroadcastAct.RESUME)
    assert (resumed.state, resumed.wave, resumed.watched_until) == (S.RUNNING, 0, None)
    judged = msgspec.structs.replace(paused, why="broadcasts.why_left")
    assert (did(judged, BroadcastAct.RESUME).wave, did(judged, BroadcastAct.RESUME).why) == (1, "")
    late = did(made(S.PAUSED, starts_at=NOW - 9_000, why="broadcasts.why_late"), BroadcastAct.RESUME)
    assert (late.state, late.starts_at) == (S.STARTING, None)
    assert state(did(made(S.PAUSED, starts_at=NOW - 9, weekly=True), BroadcastAct.RESUME)) is S.SCHEDULED
    assert did(made(), BroadcastAct.PAUSE) == did(running, BroadcastAct.RESUME) == "broadcasts.not_now"
    assert did(made(S.SUBMITTED), BroadcastAct.PAUSE) == "broadcasts.not_now"


def test_it_is_stopped_for_good() -> None:
    stopped = did(made(S.RUNNING, started_at=NOW - 5), BroadcastAct.STOP)
    assert (stopped.state, stopped.ended_at, stopped.is_open) == (S.STOPPED, NOW, False)
    assert did(stopped, BroadcastAct.STOP) == "broadcasts.not_now"


def test_a_recall_stops_it_and_deletes_what_was_sent_while_telegram_allows_it() -> None:
    running = made(S.RUNNING, started_at=NOW - 5)
    recalled = did(running, BroadcastAct.RECALL)
    assert (recalled.state, recalled.ended_at, recalled.recalls, recalled.is_open) == (S.STOPPED, NOW, True, True)
    ended = did(made(S.ENDED, started_at=NOW - 5, ended_at=NOW - 1), BroadcastAct.RECALL)
    assert (ended.state, ended.ended_at, ended.recalls) == (S.ENDED, NOW - 1, True)
    old = made(S.ENDED, started_at=NOW - RECALL_S - LASTS_S - 1)
    for cannot in (recalled, made(), old):
        assert did(cannot, BroadcastAct.RECALL) == "broadcasts.not_now"


def test_acts_that_change_nothing_are_no_business_of_this_one() -> None:
    with pytest.raises(AssertionError):
        did(made(), BroadcastAct.SHOW)


def test_a_message_replaces_the_one_of_its_language_and_version_and_keeps_its_buttons() -> None:
    button = LinkButton("Go", "https://example.org")
    draft = with_buttons(made(variants=(HELLO, Variant(plain("hallo"), "de"))), "de", "A", (button,))
    assert [each.buttons for each in draft.variants] == [(), (button,)]
    newer = written(draft, Variant(plain("servus"), "de"))
    assert isinstance(newer, Broadcast)
    assert newer.variants == (HELLO, Variant(plain("servus"), "de", "A", (button,)))
    more = written(newer, Variant(plain("salut"), "fr", "B", (button,)))
    assert isinstance(more, Broadcast)
    assert (len(more.variants), more.revision) == (3, 0)


@pytest.mark.parametrize("content", [Content(Kind.STICKER), Content(Kind.POLL), Content(Kind.DICE)])
def test_content_that_cannot_be_sent_to_many_is_refused(content: Content) -> None:
    assert written(made(), Variant(content)) == "broadcasts.wrong_kind"


def test_a_message_for_a_language_that_does_not_exist_is_refused() -> None:
    assert written(made(), Variant(plain("hallo"), "german")) == "broadcasts.unknown_language"


@pytest.mark.parametrize(("people", "spread", "becomes"), [(95, 5, S.STARTING), (95, 6, S.SUBMITTED)])
def test_a_number_from_a_sample_needs_approval_if_the_true_one_may(
    people: int, spread: int, becomes: BroadcastState
) -> None:
    facts = StaffFacts(member(1), (member(1),), broadcasts=(made(),), reach=Reach(people, spread=spread))
    assert state(act(made(), BroadcastAct.START, facts, ENV)) == becomes


def test_an_item_of_an_album_is_refused_with_the_reason() -> None:
    assert written(made(), Variant(Content(Kind.PHOTO, group="album"))) == "broadcasts.no_album"


def test_a_draft_may_have_a_live_number_and_a_correction_may_not() -> None:
    counted = Variant(plain("{waiting} people are looking for a chat now."))
    assert isinstance(written(made(), counted), Broadcast)
    assert written(made(S.ENDED, started_at=NOW - 5), counted) == "broadcasts.no_number"


def test_after_the_start_a_message_is_a_correction_of_the_same_kind() -> None:
    ended = made(S.ENDED, started_at=NOW - 5)
    corrected = written(ended, Variant(plain("hello!")))
    assert isinstance(corrected, Broadcast)
    assert (corrected.revision, corrected.is_open) == (1, True)
    assert written(ended, Variant(Content(Kind.PHOTO))) == "broadcasts.wrong_kind"
    assert written(ended, Variant(plain("hallo"), "de")) == "broadcasts.wrong_kind"
    assert written(made(S.SCHEDULED), Variant(plain("x"))) == "broadcasts.not_now"
    assert written(made(S.ENDED, started_at=NOW, recalls=True), Variant(plain("x"))) == "broadcasts.not_now"


@pytest.mark.parametrize("under_way", [S.RUNNING, S.PAUSED, S.ENDED, S.STOPPED])
def test_a_correction_obeys_the_rules_of_sending(under_way: BroadcastState) -> None:
    new = Variant(plain("log in here"))
    system = made(under_way, started_at=NOW - 5, category=Category.SYSTEM, people=100)
    assert written(system, new) == "broadcasts.owner_needed"
    assert isinstance(written(system, new, Role.OWNER), Broadcast)
    for more in ({"people": 101}, {"approved_by": 2, "people": 100}):
        approved = made(under_way, started_at=NOW - 5, **more)
        assert {written(approved, new, role) for role in (Role.ADMIN, Role.OWNER)} == {"broadcasts.too_many"}
        me = member(2, Role.OWNER)
        assert no_correction(approved, StaffFacts(me, (me,)), ENV) == "broadcasts.too_many"


def test_buttons_are_lines_with_a_label_and_a_link() -> None:
    assert buttons_in("Go | https://example.org\n\n a|b | tg://resolve?domain=x ") == (
        LinkButton("Go", "https://example.org"),
        LinkButton("a|b", "tg://resolve?domain=x"),
    )
    assert buttons_in("") == ()
    many = "\n".join(["Go | https://example.org"] * 9)
    for wrong, why in (
        ("Go", "bar"),
        ("Go | http://example.org", "link"),
        ("| https://example.org", "label"),
        (f"{'x' * 65} | https://x.y", "label"),
        (many, "many"),
        ("a | https://x y", "link"),
        ("Go | https://example.org\nhttps://example.org", "bar"),
    ):
        with pytest.raises(WrongButton) as said:
            buttons_in(wrong)
        assert said.value.why == f"broadcasts.button_{why}", wrong


def test_a_test_is_the_same_message_to_the_team_only() -> None:
    me = (PersonId(101),)
    trial = tried(made(category=Category.PROMO, silent=False), 7, me, 1, ENV)
    assert isinstance(trial, Broadcast)
    assert (trial.number, trial.state, trial.of, trial.is_test, trial.audience.people) == (7, S.STARTING, 1, True, me)
    assert (trial.variants, trial.category, trial.silent, trial.canary) == ((HELLO,), Category.PROMO, False, False)
    assert tried(made(variants=()), 7, me, 1, ENV) == "broadcasts.no_message"


def test_a_weekly_broadcast_has_one_edition_however_many_weeks_were_missed() -> None:
    week_s = 7 * 86_400.0
    weekly = made(S.SCHEDULED, starts_at=NOW - 2.5 * week_s, weekly=True)
    edition, rest = edition_of(weekly, 9, NOW)
    assert (edition.number, edition.state, edition.of) == (9, S.STARTING, 1)
    assert (edition.weekly, edition.starts_at) == (False, None)
    assert (rest.state, rest.starts_at) == (S.SCHEDULED, NOW + 0.5 * week_s)
