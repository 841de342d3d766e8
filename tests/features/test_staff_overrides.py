"""Staff change a setting or a text: each change has seen the one before, and is in the audit."""

from random import Random

import msgspec

from passerby.domain.approvals import override_key_of
from passerby.kernel.decision import Env
from passerby.kernel.effect import Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.override import Overridden, Override, OverrideKey
from passerby.kernel.staff import AuditNote, Role, StaffDecision, StaffFacts, StaffId, StaffMember
from passerby.kernel.staff_requests import OverrideAsked
from passerby.kernel.text import text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

NOW = 1_800_000_000.0
SETTING = OverrideKey(Overridden.SETTING, "PATIENCE")
WORDS = OverrideKey(Overridden.TEXT, "intro.short", BotId(7), "de")


def decide(asked: OverrideAsked, last: Override | None = None, role: Role = Role.ADMIN) -> StaffDecision:
    me = StaffMember(StaffId(4), PersonId(104), role, NOW)
    facts = StaffFacts(me, (me,), override=last, next_override=9, override_version=2)
    return StaffRouter(ALL).decide(asked, facts, Env(NOW, Random(1)))


def test_a_setting_is_changed_and_the_audit_has_both_values() -> None:
    last = Override(3, SETTING, "2", 0, NOW - 9)
    done = decide(OverrideAsked(SETTING, "3", 3), last)
    assert done.overrides == (Override(9, SETTING, "3", 4, NOW, 2),)
    assert done.notes == (AuditNote("setting.changed", "PATIENCE", {"version": 2, "before": "2", "after": "3"}),)
    reset = decide(OverrideAsked(SETTING, None, 3), last)
    assert reset.notes == (AuditNote("setting.reset", "PATIENCE", {"version": 2, "before": "2", "after": None}),)


def test_the_audit_names_a_changed_text_but_has_not_its_words() -> None:
    done = decide(OverrideAsked(WORDS, '["Hallo"]', 0))
    assert done.notes == (AuditNote("text.changed", "intro.short, de, bot 7", {"version": 2}),)


def test_a_change_that_has_not_seen_the_one_before_is_refused() -> None:
    last = Override(3, SETTING, "2", 0, NOW - 9)
    for asked, why in (
        (OverrideAsked(SETTING, "3", 0), "overrides.changed_meanwhile"),
        (OverrideAsked(SETTING, "2", 3), "overrides.same"),
    ):
        assert decide(asked, last) == StaffDecision(reply=text(why), refused=True)
    assert decide(OverrideAsked(SETTING, None, 0)).refused, "it has no override yet"
    assert decide(OverrideAsked(SETTING, "3", 3), last, Role.MODERATOR).reply == text("team.not_allowed")


def test_plans_that_sell_for_less_wait_for_a_second_member_and_for_nothing_that_changed_meanwhile() -> None:
    key = OverrideKey(Overridden.SETTING, "VIP_PLANS")
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.ADMIN, NOW) for number in (4, 5))
    last = Override(3, key, "week=7d:75", 0, NOW - 9)
    facts = StaffFacts(team[0], team, override=last, next_override=9, override_version=2)
    request = OverrideAsked(key, "week=3650d:1", 3, gives_more=True)
    asked = StaffRouter(ALL).decide(request, facts, Env(NOW, Random(1)))
    (approval,) = asked.approvals
    assert (asked.overrides, approval.needs, approval.subject) == ((), "settings", "VIP_PLANS")
    assert [each.to for each in asked.effects if isinstance(each, Say)] == [105]
    assert override_key_of(approval) == key
    second = msgspec.structs.replace(facts, me=team[1], approvals=(approval,), approval=approval)
    agree = ButtonPressed(PersonId(105), BotId(9), "q", MessageId(5), "approval_agree", str(approval.number))
    done = StaffRouter(ALL).decide(agree, second, Env(NOW, Random(1)))
    assert done.overrides == (Override(9, key, "week=3650d:1", 4, NOW, 2),)
    details = {"version": 2, "approval": approval.number, "before": "week=7d:75", "after": "week=3650d:1"}
    assert AuditNote("setting.changed", "VIP_PLANS", details) in done.notes
    newer = msgspec.structs.replace(second, override=msgspec.structs.replace(last, number=4))
    late = StaffRouter(ALL).decide(agree, newer, Env(NOW, Random(1)))
    assert (late.overrides, late.reply) == ((), text("overrides.changed_meanwhile"))


def test_a_text_that_leads_to_new_places_waits_for_a_second_member_who_reads_each_of_them() -> None:
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.ADMIN, NOW) for number in (4, 5))
    facts = StaffFacts(team[0], team, next_override=9, override_version=2)
    for count, shown in ((1, "@evil_0"), (25, "@evil_19  …")):
        places = tuple(f"@evil_{number}" for number in range(count))
        asked = StaffRouter(ALL).decide(
            OverrideAsked(WORDS, '["Hallo"]', 0, leads_to=places), facts, Env(NOW, Random(1))
        )
        assert (asked.overrides, len(asked.approvals)) == ((), 1)
        (question,) = [each for each in asked.effects if isinstance(each, Say)]
        assert shown in repr(question)
