"""The weight of reports, the work on cases, and the measures of rules: also against people who report together."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.cases import (
    CLAIM_S,
    HEAVIEST,
    INDEPENDENT,
    MEASURE_S,
    STRIKES_S,
    case_of,
    costs,
    evidence_of,
    groups,
    lane_of,
    may_decide,
    measure,
    next_for,
    pseudonym,
    reason_of,
    strikes,
    trust,
    usual,
    weight,
    weights,
)
from passerby.kernel.case import (
    About,
    Case,
    CaseFile,
    CaseState,
    Lane,
    Proposal,
    Report,
    ReporterRecord,
)
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Complaint
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind
from passerby.kernel.staff import Role, StaffId, StaffMember

NOW = 1_800_000_000.0
DAY = 86_400.0
KNOWN = ReporterRecord(chats=9, since=NOW - 90 * DAY)


def case(number: int = 1, **more: object) -> Case:
    values = {"about": About.REPORTS, "accused": PersonId(66), "lane": Lane.REST, "opened_at": NOW - 60, "salt": "s"}
    return Case(number, **(values | more))  # type: ignore[arg-type]


def report(by: int, at: float = NOW, reason: Complaint = Complaint.RUDE, **record: object) -> Report:
    known = msgspec.structs.replace(KNOWN, **record)
    return Report(ChatId(f"c{by}"), PersonId(by), reason, at, 0.5, record=known)


def member(number: int = 1, role: Role = Role.MODERATOR) -> StaffMember:
    return StaffMember(StaffId(number), PersonId(100 + number), role, NOW)


def file(*reports: Report, past: tuple[Sanction, ...] = (), **more: object) -> CaseFile:
    return CaseFile(case(**more), None, reports, past)


def test_minors_and_threats_go_first() -> None:
    assert lane_of([Complaint.RUDE, Complaint.UNDERAGE]) is Lane.FIRST
    assert lane_of([Complaint.THREAT]) is Lane.FIRST
    assert lane_of([Complaint.SPAM]) is Lane.REST
    old, first, appeal = case(1), case(2, lane=Lane.FIRST, opened_at=NOW), case(3, lane=Lane.APPEALS)
    assert next_for(member(), [old, first, appeal], (), NOW) == first
    assert next_for(member(), [old, appeal], (), NOW) == appeal
    assert next_for(member(), [], (), NOW) is None


def test_a_case_is_one_members_for_a_quarter_of_an_hour() -> None:
    taken = case(claimed_by=1, claimed_until=NOW + CLAIM_S)
    assert next_for(member(2), [taken], (), NOW) is None
    assert next_for(member(2), [taken], (), NOW + CLAIM_S) == taken
    first = case(2, lane=Lane.FIRST)
    assert next_for(member(1), [first, taken], (), NOW) == taken, "first what one has"
    passed = case(passed_by=(1,))
    assert next_for(member(1), [passed], (), NOW) is None
    assert next_for(member(2), [passed], (), NOW) == passed


def test_nobody_decides_about_themselves_or_on_their_own_decision() -> None:
    assert may_decide(member(), case(), ())
    assert not may_decide(member(), case(), (1,))
    assert not may_decide(member(), case(state=CaseState.DECIDED), ())
    assert not may_decide(member(1), case(about=About.APPEAL, against=1), ())
    assert may_decide(member(2), case(about=About.APPEAL, against=1), ())
    assert may_decide(member(1), case(about=About.APPEAL), ()), "a rule decided"
    second = case(state=CaseState.SECOND, proposal=Proposal(1, NOW, Reason.THREAT))
    assert not may_decide(member(1, Role.OWNER), second, ())
    assert not may_decide(member(2, Role.MODERATOR), second, ())
    assert may_decide(member(2, Role.ADMIN), second, ())
    assert not may_decide(member(0, Role.OWNER), second, ()), "nobody knows who sits at the command line"
    assert not may_decide(member(2, Role.ADMIN), case(state=CaseState.SECOND), ())


def test_pseudonyms_are_others_tomorrow_and_in_another_case() -> None:
    names = {pseudonym(case(salt=salt), PersonId(5), at) for salt in ("a", "b") for at in (NOW, NOW + DAY)}
    assert len(names) == 4
    assert pseudonym(case(), PersonId(5), NOW) == pseudonym(case(), PersonId(5), NOW)


@given(upheld=st.integers(0, 200), dismissed=st.integers(0, 200))
def test_a_record_moves_the_weight_only_after_five_decided_reports(upheld: int, dismissed: int) -> None:
    found = trust(ReporterRecord(upheld, dismissed))
    assert 0 <= found <= HEAVIEST
    if upheld + dismissed <= 5:
        assert found == 1.0
    else:  # from the sixth one on, all six count, even if the sixth was right
        assert trust(ReporterRecord(upheld + 1, dismissed)) >= found - 0.2
    assert trust(ReporterRecord(20, 0)) > 1 > trust(ReporterRecord(0, 20)) == 0


def test_revenge_and_newcomers_weigh_a_quarter_and_muted_reporters_nothing() -> None:
    assert weight(report(1)) == 1
    assert weight(msgspec.structs.replace(report(1), retaliates=True)) == 0.25
    assert weight(report(1, chats=1)) == 0.25
    assert weight(report(1, muted_until=NOW + 1)) == 0
    assert weight(report(1, muted_until=NOW)) == 1


def test_reporters_who_belong_together_are_one_cluster() -> None:
    apart = [report(number, NOW + 600 * number) for number in range(4)]
    assert len(groups(apart)) == 4
    again = [*apart, report(1, NOW + 9000)]
    assert len(groups(again)) == 4, "the same person"
    friends = [report(1, NOW), report(2, NOW + 600, met=frozenset({PersonId(1)})), report(3, NOW + 1200)]
    assert len(groups(friends)) == 2
    assert len(groups([report(1, NOW, met=frozenset({PersonId(2)})), report(2, NOW + 600)])) == 1
    assert len(groups([report(1, NOW), report(2, NOW + 60)])) == 1, "at the same time"
    new = [report(number, NOW + 600 * number, since=NOW - 3000 + number, source=7) for number in range(3)]
    assert len(groups(new)) == 1, "new in the same hour, through the same bot"
    other = [report(1, NOW, since=NOW - 3000, source=7), report(2, NOW + 600, since=NOW - 3000, source=8)]
    assert len(groups(other)) == 2
    assert weights([*friends, report(4, NOW + 3000, chats=0)]) == [1.0, 1.0, 0.25]


def test_a_rule_acts_on_three_independent_reporters_and_only_with_what_can_be_undone() -> None:
    three = [report(number, NOW + 600 * number) for number in range(3)]
    done = measure(file(*three), NOW)
    assert done == Sanction(
        "m1", SanctionKind.SLOW, Reason.RUDE, NOW, NOW + MEASURE_S, None, "reports", evidence_of(case())
    )
    assert case_of(done) == 1
    assert case_of(msgspec.structs.replace(done, evidence="something else")) is None
    sexual = [msgspec.structs.replace(each, reason=Complaint.SEXUAL) for each in three]
    picture = measure(file(*sexual), NOW)
    assert picture is not None
    assert picture.kind is SanctionKind.MEDIA_OFF
    assert measure(file(*three[:2]), NOW) is None
    assert measure(file(*three, measure="m1"), NOW) is None, "once"
    assert measure(file(*three, about=About.APPEAL), NOW) is None
    assert measure(file(*three, state=CaseState.SECOND), NOW) is None
    assert measure(file(), NOW) is None
    revenge = [*three[:2], msgspec.structs.replace(three[2], retaliates=True)]
    assert measure(file(*revenge), NOW) is None


def test_one_report_of_age_that_counts_parts_the_accused_from_both_pools_for_some_days() -> None:
    age = report(1, reason=Complaint.UNDERAGE)
    done = measure(file(age, report(2, NOW + 600)), NOW)
    assert done is not None
    assert (done.kind, done.reason, done.until, done.by) == (
        *(SanctionKind.AGE_DOUBT, Reason.UNDERAGE),
        *(NOW + MEASURE_S, None),
    )
    assert measure(file(msgspec.structs.replace(age, retaliates=True)), NOW) is None
    assert measure(file(report(1, reason=Complaint.UNDERAGE, chats=1)), NOW) is not None, "also a newcomer's"
    assert measure(file(report(1, reason=Complaint.UNDERAGE, muted_until=NOW + 1)), NOW) is None
    assert measure(file(report(1, reason=Complaint.UNDERAGE, dismissed=9)), NOW) is None


def test_a_cleared_person_is_not_parted_again_for_ninety_days() -> None:
    age = report(1, reason=Complaint.UNDERAGE)
    cleared = Sanction("m9", SanctionKind.AGE_DOUBT, Reason.UNDERAGE, NOW - 5 * DAY, appeal=Appeal.OVERTURNED)
    assert measure(file(age, past=(cleared,)), NOW) is None
    assert measure(file(age, past=(cleared,)), NOW + STRIKES_S) is not None
    stood = msgspec.structs.replace(cleared, appeal=Appeal.NONE)
    assert measure(file(age, past=(stood,)), NOW) is not None


def test_the_ladder_counts_strikes_that_stood_and_have_not_expired() -> None:
    def past(age_s: float, by: int | None = 1, appeal: Appeal = Appeal.NONE) -> Sanction:
        return Sanction(f"{age_s}", SanctionKind.WARNING, Reason.RUDE, NOW - age_s, NOW, by, appeal=appeal)

    assert strikes([past(1), past(STRIKES_S), past(2, None), past(3, 1, Appeal.OVERTURNED)], NOW) == 1
    assert usual(file(), Reason.RUDE, NOW) == (SanctionKind.WARNING, 24)
    assert usual(file(), Reason.THREAT, NOW) == (SanctionKind.SUSPENDED, 24)
    many = tuple(past(number) for number in range(9))
    assert usual(file(past=many), Reason.RUDE, NOW) == (SanctionKind.BANNED, None)
    assert reason_of(file(report(1), report(2), report(3, reason=Complaint.SPAM))) is Reason.RUDE
    assert reason_of(file()) is Reason.OTHER
    assert costs([report(1), msgspec.structs.replace(report(2), cost=0.0)]) == ((0.5, NOW),)


def measured_after(reports: list[Report]) -> int | None:
    """After how many reports, in order, the rule acts. None: it never does."""
    for count in range(1, len(reports) + 1):
        if measure(file(*reports[:count]), reports[count - 1].filed_at) is not None:
            return count
    return None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("style", ["friends", "recruits", "burst", "fresh"])
def test_a_ring_of_thirty_cannot_restrict_an_honest_person(style: str, seed: int) -> None:
    """They know each other, came together, strike together, or have only just come. Two strangers agree with them."""
    rng = Random(seed)
    ring = [PersonId(number) for number in range(1, 31)]
    filed = []
    at = NOW
    for person in ring:
        at += rng.uniform(5, 80) if style == "burst" else rng.uniform(120, 900)
        more: dict[str, object] = {}
        if style == "friends":
            more = {"met": frozenset(rng.sample([each for each in ring if each != person], 12))}
        if style == "recruits":
            more = {"since": NOW - 3600 * 24 - rng.uniform(0, 1700), "source": 7}
        if style == "fresh":
            more = {"chats": rng.randint(0, 2), "since": NOW - rng.uniform(0, 5 * DAY), "source": rng.randint(1, 5)}
        filed.append(report(person, at, **more))
    assert measured_after(filed) is None
    honest = [report(98, at + 2000)]
    assert measured_after([*filed, *honest]) is None


WITHIN = 10


def reports_about_an_offender(seed: int) -> list[tuple[int, Report]]:
    """Three in ten partners report. Each report with the number of its chat. Partners are people of all kinds: half of
    them are new in the last days. A chat takes four minutes on average."""
    rng, at, filed = Random(seed), NOW, []
    for chat in range(1, 61):
        at += max(20.0, rng.expovariate(1 / 240))
        if rng.random() < 0.3:
            since = NOW - rng.uniform(0, 6 * DAY) if rng.random() < 0.5 else NOW - 60 * DAY
            filed.append((chat, report(chat, at, chats=rng.randint(3, 10), since=since, source=rng.randint(1, 4))))
    return filed


def test_an_offender_whom_three_in_ten_report_is_restricted_within_ten_chats_as_often_as_three_report() -> None:
    """Half of all offenders have three reports by then, and hardly any of these waits for more."""
    seeds, enough, restricted = 300, 0, 0
    for seed in range(seeds):
        early = [each for chat, each in reports_about_an_offender(seed) if chat <= WITHIN]
        enough += len(early) >= INDEPENDENT
        restricted += measured_after(early) is not None
    assert seeds / 2 <= restricted <= enough
    assert restricted >= 0.85 * enough
