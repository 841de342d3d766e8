"""Overrides: staff change a setting or a text, and the whole fleet takes it up within seconds.

Whether a value is allowed is checked before (`passerby.settings.overrides`, `passerby.catalogue.wordings`), because
it depends on the settings and on the catalogue. Each change must have seen the one before.

Plans that sell VIP for less need a second member. Otherwise one member could sell ten years for a Star. So does a
change that sends everybody to another place: a link or a user name in a text, or a sponsor's channel.
"""

from collections.abc import Mapping
from typing import Final

from passerby.dialogue.approvals import second_asked
from passerby.dialogue.staff import refused
from passerby.domain.alone import APPROVAL
from passerby.kernel.decision import Env
from passerby.kernel.override import Overridden, Override, OverrideKey, wordings_in
from passerby.kernel.staff import Agreed, Allowed, AuditNote, Permission, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.staff_requests import OverrideAsked
from passerby.kernel.text import Text, text

PLACES: Final = 20
LONGEST: Final = 80
MOST: Final = 1000
"""How many places a question names, and how many characters of each, and of the new words. Telegram takes 4,096."""


def change(asked: OverrideAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    why = _obstacle(asked, facts)
    if why is not None:
        return refused(asked, why)
    if asked.gives_more or asked.leads_to:
        what = _asked(asked, _before(facts))
        return second_asked(asked, asked, facts, env, needs=Permission.SETTINGS, subject=_named(asked.key), what=what)
    return _changed(asked, facts, int(facts.me.number), env, {})


def agreed(asked: OverrideAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """A second member agrees. Meanwhile somebody else may have changed it."""
    assert facts.approval is not None, "it was asked for"
    why = _obstacle(asked, facts)
    if why is not None:
        return refused(asked, why)
    return _changed(asked, facts, facts.approval.asked_by, env, {APPROVAL: facts.approval.number})


def _asked(asked: OverrideAsked, before: str | None) -> Text:
    """The question to the second member. Every new place is in it, however long the text is."""
    name, value, before = _named(asked.key), _short(asked.key, asked.value, MOST), _short(asked.key, before, MOST // 4)
    if asked.gives_more:
        return text("overrides.ask", name=name, value=value, before=before)
    places = [_cut(each, LONGEST) for each in asked.leads_to[:PLACES]]
    if len(asked.leads_to) > PLACES:
        places.append("…")
    return text("overrides.ask_places", places="  ".join(places), name=name, value=value, before=before)


def _short(key: OverrideKey, value: str | None, most: int) -> str:
    words = " / ".join(wordings_in(value)) if value and key.what is Overridden.TEXT else value
    return _cut(words or "–", most)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[:most]}…"


def _obstacle(asked: OverrideAsked, facts: StaffFacts) -> Text | None:
    last = facts.override
    if (last.number if last is not None else 0) != asked.seen:
        return text("overrides.changed_meanwhile")
    return text("overrides.same") if _before(facts) == asked.value else None


def _before(facts: StaffFacts) -> str | None:
    return facts.override.value if facts.override is not None else None


def _changed(asked: OverrideAsked, facts: StaffFacts, by: int, env: Env, more: Mapping[str, int]) -> StaffDecision:
    new = Override(facts.next_override, asked.key, asked.value, by, env.now, facts.override_version)
    note = _note(new, _before(facts), more)
    return StaffDecision(overrides=(new,), notes=(note,), reply=text("overrides.done"), effects=())


def _note(new: Override, before: str | None, more: Mapping[str, int]) -> AuditNote:
    """Texts may be long, so the audit has the numbers of their versions only."""
    key = new.key
    details: dict[str, str | int | None] = {"version": new.version, **more}
    if key.what is Overridden.SETTING:
        details |= {"before": before, "after": new.value}
    return AuditNote(f"{key.what}.changed" if new.value is not None else f"{key.what}.reset", _named(key), details)


def _named(key: OverrideKey) -> str:
    parts = (key.name, key.language, f"bot {key.bot}" if key.bot else "")
    return ", ".join(filter(None, parts))


feature = StaffFeature(
    "overrides",
    requests={OverrideAsked: Allowed(change, Permission.SETTINGS)},
    agreed={OverrideAsked: Agreed(agreed)},
)
