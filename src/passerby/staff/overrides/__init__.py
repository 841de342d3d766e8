"""Overrides: staff change a setting or a text, and the whole fleet takes it up within seconds.

Whether a value is allowed is checked before (`passerby.settings.overrides`, `passerby.catalogue.wordings`), because
it depends on the settings and on the catalogue. Each change must have seen the one before.
"""

from passerby.dialogue.staff import refused
from passerby.kernel.decision import Env
from passerby.kernel.override import Overridden, Override, OverrideKey
from passerby.kernel.staff import Allowed, AuditNote, Permission, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.staff_requests import OverrideAsked
from passerby.kernel.text import text


def change(asked: OverrideAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    last = facts.override
    if (last.number if last is not None else 0) != asked.seen:
        return refused(asked, text("overrides.changed_meanwhile"))
    before = last.value if last is not None else None
    if before == asked.value:
        return refused(asked, text("overrides.same"))
    new = Override(facts.next_override, asked.key, asked.value, int(facts.me.number), env.now, facts.override_version)
    return StaffDecision(overrides=(new,), notes=(_note(new, before),), reply=text("overrides.done"), effects=())


def _note(new: Override, before: str | None) -> AuditNote:
    """Texts may be long, so the audit has the numbers of their versions only."""
    key = new.key
    details: dict[str, str | int | None] = {"version": new.version}
    if key.what is Overridden.SETTING:
        details |= {"before": before, "after": new.value}
    return AuditNote(f"{key.what}.changed" if new.value is not None else f"{key.what}.reset", _named(key), details)


def _named(key: OverrideKey) -> str:
    parts = (key.name, key.language, f"bot {key.bot}" if key.bot else "")
    return ", ".join(filter(None, parts))


feature = StaffFeature("overrides", requests={OverrideAsked: Allowed(change, Permission.SETTINGS)})
