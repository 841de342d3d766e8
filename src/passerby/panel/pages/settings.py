"""Settings: what is set, and changes of those that the fleet takes up while it runs.

A change has two steps: the page first shows what would change, and then does it. Each step has the number of the newest
override that was seen, so that two members do not undo each other's change without knowing.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import BaseModel

from passerby.adapters.sql.overrides import SqlOverrides
from passerby.catalogue import Catalogue
from passerby.kernel.override import Overridden, Override, OverrideKey
from passerby.kernel.staff import Permission
from passerby.kernel.staff_requests import OverrideAsked
from passerby.panel.http import Answer, see
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.ports.staff import StaffRecords
from passerby.settings import Settings, WrongSetting
from passerby.settings.alerting import AlertSettings
from passerby.settings.growth import GrowthSettings
from passerby.settings.limits import LimitSettings
from passerby.settings.money import MoneySettings
from passerby.settings.overrides import OVERRIDABLE, gives_more, leads_to, overridden, overridden_by, shown
from passerby.settings.panel import PanelSettings
from passerby.settings.retention import RetentionSettings
from passerby.settings.rules import RuleSettings
from passerby.settings.sponsor import SponsorSettings

_WRITE: Final = re.compile(r"write ([A-Z_]+)=(.*)")
SHOWN: Final = 30
MOST: Final = 500
MOST_FIND: Final = 100
CHANGED: Final = "Changed here"
REST: Final = "Bots, stores and addresses"
ABOUT: Final[dict[str, type[BaseModel]]] = {
    "Rules": RuleSettings,
    "Money": MoneySettings,
    "Growth": GrowthSettings,
    "Sponsor": SponsorSettings,
    "Alerts": AlertSettings,
    "Limits": LimitSettings,
    "Panel": PanelSettings,
    "What is kept": RetentionSettings,
}
NAMES: Final = frozenset(name.upper() for name in OVERRIDABLE)


class SettingsPage:
    page = Page("/settings", "Settings", Permission.SETTINGS)

    def __init__(
        self,
        look: Look,
        settings: Settings,
        overrides: SqlOverrides,
        staff: StaffRecords,
        act: Act,
        words: Catalogue,
    ) -> None:
        self._look = look
        self._settings = settings
        self._overrides = overrides
        self._staff = staff
        self._act = act
        self._words = words

    @property
    def routes(self) -> tuple[Route, ...]:
        needs = Permission.SETTINGS
        return (
            Route("GET", "/settings", self.show, needs),
            Route("GET", "/settings/*", self.one, needs),
            Route("POST", "/settings/review", self.review, needs),
            Route("POST", "/settings/change", self.change, needs, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        newest = {each.key.name: each for each in await self._current()}
        in_effect, refused = self._in_effect(newest.values())
        values = in_effect.shown()
        chosen = {name.upper() for name in self._settings.model_fields_set}
        rows: list[dict[str, Any]] = []
        for each in Settings.describe():
            override = newest.get(each.name)
            is_changed = override is not None and override.value is not None and each.name not in refused
            rows.append(
                {
                    "name": each.name,
                    "value": values[each.name],
                    "default": each.default,
                    "is_set": is_changed or each.name in chosen,
                    "is_changed": is_changed,
                    "is_live": each.name in NAMES,
                    "description": each.description,
                }
            )
        rows.sort(key=lambda row: (not row["is_changed"], not row["is_live"], not row["is_set"]))
        history = await self._overrides.latest(Overridden.SETTING, SHOWN)
        find = visit.request.query.get("find", "").strip()[:MOST_FIND]
        shown_ = {
            "title": "Settings",
            "groups": _grouped([row for row in rows if _fits(row, find)]),
            "find": find,
            "history": history,
            "names": await self._names(),
            "refused": [_refused(newest[name], error) for name, error in refused.items()],
        }
        return self._look.page(visit, "settings.html", shown_)

    async def one(self, visit: Visit) -> Answer:
        return await self._one(visit, visit.request.path.removeprefix("/settings/"))

    async def review(self, visit: Visit) -> Answer:
        """Show what would change. Nothing changes."""
        form = visit.request.form
        name, value = form.get("name", ""), _wished(form)
        if name not in NAMES:
            return see("/settings")
        newest = {each.key.name: each for each in await self._current()}
        before, _ = self._in_effect(newest.values())
        try:
            after = self._with(newest.values(), name, value)
        except WrongSetting as error:
            said = told(error, name)
            return await self._one(visit, name, said, 400, typed=value)
        was, then = before.shown(), after.shown()
        names = (each.upper() for each in OVERRIDABLE)
        changes = [(each, was[each], then[each]) for each in names if was[each] != then[each]]
        review = {
            "name": name,
            "value": value,
            "seen": form.get("seen", "0"),
            "changes": changes,
            "gives_more": gives_more(before, after, self._settings),
            "leads_to": leads_to(before, after, self._settings),
        }
        return await self._one(visit, name, review=review)

    async def change(self, visit: Visit) -> Answer:
        form = visit.request.form
        name, value, seen = form.get("name", ""), _wished(form), form.get("seen", "")
        current = await self._current()
        is_known = name in NAMES or (value is None and name in {each.key.name for each in current})
        if not is_known or not seen.isdecimal() or len(seen) > 15:
            return see("/settings")
        try:
            after = self._with(current, name, value)
        except WrongSetting as error:
            said = told(error, name)
            return await self._one(visit, name, said, 400, typed=value)
        before = self._in_effect(current)[0]
        asked = OverrideAsked(
            OverrideKey(Overridden.SETTING, name),
            value,
            int(seen),
            gives_more=gives_more(before, after, self._settings),
            leads_to=leads_to(before, after, self._settings),
        )
        done = await self._act(asked, visit.by)
        if name not in NAMES:
            return see("/settings")
        said = self._words.plain(done.reply, "en") if done.reply is not None else ""
        return await self._one(visit, name, said, 409 if done.refused else 200)

    async def _one(
        self,
        visit: Visit,
        name: str,
        said: str = "",
        status: int = 200,
        review: dict[str, Any] | None = None,
        typed: str | None = None,
    ) -> Answer:
        described = next((each for each in Settings.describe() if each.name == name and name in NAMES), None)
        if described is None:
            return self._look.page(visit, "error.html", {"said": "This setting cannot be changed here."}, 404)
        versions = await self._overrides.versions(Overridden.SETTING, name, SHOWN)
        newest = {each.key.name: each for each in await self._current()}
        in_effect, refused = self._in_effect(newest.values())
        values = {
            "title": name,
            "setting": described,
            "value": shown(in_effect, name),
            "refused": _refused(newest[name], refused[name]) if name in refused else None,
            "started": shown(self._settings, name),
            "said": said,
            "review": review,
            "typed": typed,
            "versions": versions,
            "seen": versions[0].number if versions else 0,
            "names": await self._names(),
        }
        return self._look.page(visit, "setting.html", values, status, at=f"/settings/{name}")

    async def _current(self) -> Sequence[Override]:
        return [each for each in await self._overrides.current() if each.key.what is Overridden.SETTING]

    async def _names(self) -> dict[int, str]:
        return {0: "command line"} | {int(each.number): each.name for each in await self._staff.everybody()}

    def _in_effect(self, current: Iterable[Override]) -> tuple[Settings, dict[str, WrongSetting]]:
        """As the workers see it: a value that this release refuses does not count. Also, why it refuses which."""
        found, _, refused = overridden_by(self._settings, _values(current))
        return found, refused

    def _with(self, current: Iterable[Override], name: str, value: str | None) -> Settings:
        """With another value of one setting. The others stay, except those that do not count anyway.

        Raises: WrongSetting.
        """
        values = _values(current)
        _, kept, _ = overridden_by(self._settings, values)
        kept.pop(name, None)
        return overridden(self._settings, kept | ({} if value is None else {name: value}))


def _values(current: Iterable[Override]) -> dict[str, str]:
    return {each.key.name: each.value for each in current if each.value is not None}


def _refused(override: Override, error: WrongSetting) -> dict[str, Any]:
    """A stored value that does not count."""
    name = override.key.name
    why = f"{error.setting} {error.problem}" if name in NAMES else "This release has no such setting"
    return {"name": name, "value": override.value, "seen": override.number, "why": why}


def _fits(row: dict[str, Any], find: str) -> bool:
    """Whether the name or the description of a setting has all the words."""
    said = f"{row['name']} {row['name'].replace('_', ' ')} {row['description']}".lower()
    return all(word in said for word in find.lower().split())


def _grouped(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """By what they are about. Those that were changed here come first."""
    groups: dict[str, list[dict[str, Any]]] = {title: [] for title in (CHANGED, *ABOUT, REST)}
    for row in rows:
        about = next((title for title, model in ABOUT.items() if row["name"].lower() in model.model_fields), REST)
        groups[CHANGED if row["is_changed"] else about].append(row)
    return [(title, some) for title, some in groups.items() if some]


def told(error: WrongSetting, name: str) -> str:
    """Return the problem, for somebody who types into the field of the setting `name`, and not into a file."""
    remedy = f"To correct it: {error.others.get(name, error.remedy)}."
    if name in error.others:
        return f"{error.setting} {error.problem}. {remedy}"
    if found := _WRITE.fullmatch(error.remedy):
        here = "" if found[1] == name else f" in {found[1]}"
        remedy = f"For example{here}: {found[2]}"
    return f"{error.setting} {error.problem}. {remedy}"


def _wished(form: Any) -> str | None:
    """None: the value of the start again."""
    return None if form.get("back") else str(form.get("value", "")).strip()[:MOST]
