"""A case about a farm: what moderators see, and what its buttons decide."""

import msgspec
import pytest

from passerby.domain.alone import FREED_ALONE, IMPOSED_ALONE, summed
from passerby.domain.cases import DAY_S
from passerby.domain.farms.judgement import RULE
from passerby.kernel.alone import Alone
from passerby.kernel.case import About, Case, CaseFile, CaseState, Desk, Lane, Outcome, Proposal
from passerby.kernel.farm import FarmAccount, FarmFile, FarmSign, Measured
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import LiftOrder, OverturnOrder, Role, SanctionOrder, StaffFacts
from passerby.panel.pages.safety import ACTIONS, BY_FORM, LEGAL, SECOND
from passerby.staff.cases import feature
from tests.features.test_staff_cases import ENV, NOW, ROUTER, actions, decide, member, pressed, said, wrote

CASE = Case(7, About.FARM, PersonId(0), Lane.REST, NOW - 7200, "salt", version=3, claimed_by=4, claimed_until=NOW + 60)
MEASURED = Measured(FarmSign.PLACE, "1a2b", NOW - 7200, 200, 180, 3, 160, 120, 32, 2.1)
BAN = Sanction("x", SanctionKind.BANNED, Reason.SPAM, NOW - 9, by=4)
ACCOUNTS = (
    FarmAccount(1, PersonId(11), False, Participant(PersonId(11), 1, sanctions=(BAN,))),
    FarmAccount(2, PersonId(12), False),
    FarmAccount(4, PersonId(13), True, Participant(PersonId(13), 1)),
)
FARM = CaseFile(CASE, None, farm=FarmFile(MEASURED, ACCOUNTS))
INTERIM = Sanction("i7.2", SanctionKind.SUSPENDED, Reason.SPAM, NOW - 9, NOW + 9, 5, evidence="case 7")


def in_state(state: CaseState) -> CaseFile:
    proposal = Proposal(5, NOW - 60, Reason.SPAM) if state is CaseState.SECOND else None
    case = msgspec.structs.replace(CASE, state=state, proposal=proposal)
    return msgspec.structs.replace(FARM, case=case, past=(INTERIM,) if proposal else ())


def test_the_card_says_what_was_measured_and_names_nobody() -> None:
    shown = decide(pressed("case_show", case=CASE), FARM, waiting=(CASE,))
    card = said(shown)
    for said_so in (("accounts", 2), ("recruits", 1), ("led", 90), ("cut", 75), ("disliked", 20), ("delay", "2.1")):
        assert repr(said_so) in card
    assert "cases.farm_place" in card
    assert "cases.farm_barred" in card, "one of them is barred already"
    assert "1a2b" in card
    assert actions(shown) == ["case_lift", "case_suspend", "case_ban", "case_leave"]


def test_a_farm_of_which_little_is_known_is_shown_too() -> None:
    bare = CaseFile(CASE, None, farm=FarmFile(Measured(FarmSign.HABITS, "habits-0", NOW, 0), ()))
    card = said(decide(pressed("case_show", case=CASE), bare, waiting=(CASE,)))
    assert "('delay', '–')" in card
    assert "cases.farm_barred" not in card


def test_the_queue_counts_farms_apart_from_reports() -> None:
    queue = said(decide(wrote("/cases"), None, waiting=(CASE,)))
    assert "cases.lane_farms" in queue
    assert "cases.lane_rest" not in queue


def test_lifting_frees_everybody_in_the_case_of_all_measures() -> None:
    done = decide(pressed("case_lift", case=CASE), FARM, waiting=(CASE,))
    assert done.orders == tuple(LiftOrder(each.id, RULE) for each in ACCOUNTS)
    assert [(each.outcome, each.decided_by) for each in done.cases] == [(Outcome.DISMISSED, 4)]
    assert [each.action for each in done.notes] == ["case.decided"]


def test_suspending_bars_the_accounts_for_a_month_and_no_recruit() -> None:
    done = decide(pressed("case_suspend", case=CASE), FARM, waiting=(CASE,))
    ordered = [each for each in done.orders if isinstance(each, SanctionOrder)]
    assert [(each.person, each.sanction.id) for each in ordered] == [(11, "c7.1"), (12, "c7.2")]
    assert {each.sanction.kind for each in ordered} == {SanctionKind.SUSPENDED}
    assert {each.sanction.until for each in ordered} == {NOW + 30 * DAY_S}
    assert done.cases[0].outcome is Outcome.SANCTIONED


def test_bans_for_good_wait_for_a_second_member_and_the_accounts_are_suspended_for_now() -> None:
    done = decide(pressed("case_ban", case=CASE), FARM, waiting=(CASE,))
    assert [each.sanction.id for each in done.orders if isinstance(each, SanctionOrder)] == ["i7.1", "i7.2"]
    waits = done.cases[0]
    assert (waits.state, waits.proposal) == (CaseState.SECOND, Proposal(4, NOW, Reason.SPAM))


def test_a_second_member_confirms_the_bans_or_gives_everything_back() -> None:
    file = in_state(CaseState.SECOND)
    shown = decide(pressed("case_show", case=file.case), file, Role.ADMIN, waiting=(file.case,))
    assert actions(shown) == ["case_confirm", "case_refuse", "case_leave"]
    assert "cases.proposed" in said(shown)
    done = decide(pressed("case_confirm", case=file.case), file, Role.ADMIN, waiting=(file.case,))
    ordered = [each.sanction for each in done.orders if isinstance(each, SanctionOrder)]
    assert [(each.id, each.kind, each.until) for each in ordered] == [
        ("c7.1", SanctionKind.BANNED, None),
        ("c7.2", SanctionKind.BANNED, None),
    ]
    back = decide(pressed("case_refuse", case=file.case), file, Role.ADMIN, waiting=(file.case,))
    assert back.orders == (OverturnOrder(PersonId(12), INTERIM),)
    assert back.cases[0].state is CaseState.OPEN


@pytest.mark.parametrize("action", ["case_lift", "case_suspend", "case_ban"])
def test_a_member_who_has_freed_or_sanctioned_many_accounts_hands_the_next_farm_over(action: str) -> None:
    for alone in (Alone(freed=FREED_ALONE - 1, imposed=IMPOSED_ALONE - 1), Alone(freed=FREED_ALONE, imposed=200)):
        facts = StaffFacts(member(), (member(),), desk=Desk((CASE,), FARM, frozenset(), 2), alone=alone)
        done = ROUTER.decide(pressed(action, case=CASE), facts, ENV)
        is_much = alone.imposed == IMPOSED_ALONE
        assert bool(done.orders) is not is_much
        assert bool(done.changes) is not is_much
        counted = summed((note.action, note.details) for note in done.notes)
        frees = action == "case_lift"
        assert is_much or counted == (Alone(freed=3) if frees else Alone(imposed=2))


def test_the_bans_that_a_second_member_confirms_count_for_nobody() -> None:
    file = in_state(CaseState.SECOND)
    done = decide(pressed("case_confirm", case=file.case), file, Role.ADMIN, waiting=(file.case,))
    assert summed((note.action, note.details) for note in done.notes) == Alone()


def test_the_member_who_proposed_the_bans_does_not_confirm_them() -> None:
    file = in_state(CaseState.SECOND)
    done = decide(pressed("case_confirm", case=file.case), file, Role.ADMIN, number=5, waiting=(file.case,))
    assert done.orders == ()


@pytest.mark.parametrize("action", ["case_lift", "case_suspend", "case_ban"])
def test_a_proposal_is_not_passed_by(action: str) -> None:
    file = in_state(CaseState.SECOND)
    assert decide(pressed(action, case=file.case), file, Role.ADMIN, waiting=(file.case,)).orders == ()


@pytest.mark.parametrize("action", ["case_dismiss", "case_note", "case_mute"])
def test_buttons_of_reports_decide_nothing_about_a_farm(action: str) -> None:
    assert not decide(pressed(action, case=CASE), FARM, waiting=(CASE,)).changes


@pytest.mark.parametrize("action", ["case_lift", "case_suspend", "case_ban"])
def test_buttons_of_a_farm_decide_nothing_about_reports(action: str) -> None:
    assert not decide(pressed(action)).changes


def test_the_panel_can_press_every_button_of_a_case() -> None:
    assert set(feature.presses) == ACTIONS | SECOND | LEGAL | BY_FORM
