"""Growth: how many people came, how far they got, and from which link."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from passerby.adapters.sql.funnel import FunnelRow, read_funnel, summed
from passerby.adapters.sql.panel_counter import BACK, GROWTH, SOURCES, Growth, Sources
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.domain.small_numbers import FEW, NOT_SHOWN, in_tens, of_parts, parts, people, told
from passerby.kernel.journey import Step
from passerby.kernel.staff import Permission
from passerby.panel.figure import COUNTED, Figure
from passerby.panel.http import Answer
from passerby.panel.look import Look, day, percent
from passerby.panel.marks import Marks
from passerby.panel.visit import Page, Route, Visit

PERIODS: Final = (7, 30, 90)
FUNNEL: Final = (
    ("people", "opened a bot"),
    ("consented", "agreed to the rules"),
    ("profile", "gave age and gender"),
    ("chatted", "had a chat"),
)
NO_TAG: Final = "no tag"
MOST_SOURCES: Final = 30
"""More are summed: strangers can invent tags."""
SOURCE_STEPS: Final = (
    (Step.START, "started"),
    (Step.PROFILE, "profile"),
    (Step.SEARCH, "search"),
    (Step.CHAT, "chat"),
    (Step.TALK, "real chat"),
    (Step.INVOICE, "invoice"),
    (Step.CHECKOUT, "checkout"),
    (Step.PAID, "paid"),
)


class GrowthPage:
    page = Page("/growth", "Growth", Permission.FIGURES)

    def __init__(self, look: Look, reading: PanelReader, marks: Marks) -> None:
        self._look = look
        self._reading = reading
        self._marks = marks

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/growth", self.show, Permission.FIGURES),)

    async def show(self, visit: Visit) -> Answer:
        query = visit.request.query
        period = next((each for each in PERIODS if str(each) == query.get("days")), 30)
        bot, language = query.get("bot", ""), query.get("language", "")
        today = int(visit.now // 86_400)
        # The period before, and those who came long enough ago to be back after the most days.
        first = today - max(2 * period - 1, period + max(BACK))
        days, counted_at = await read_growth(self._reading, first, today)
        sources = await read_sources(self._reading, first, today)
        part, name = ("bots", bot) if bot else ("languages", language) if language else ("", "")
        span = range(today - period + 1, today + 1)
        now = _sum(days, span, part, name)
        before = _sum(days, range(today - 2 * period + 1, today - period + 1), part, name)
        by_day = {number: _sum(days, range(number, number + 1), part, name) for number in span if number in days}
        shown = {
            "title": "Growth",
            "period": period,
            "periods": PERIODS,
            "bot": bot,
            "language": language,
            "counted_at": counted_at,
            "figures": _figures(now, before, period, counted_at),
            "funnel": _funnel(now),
            "back": [_back(days, today, period, each, part, name) for each in BACK],
            "labels": [day(number) for number in span],
            "new": [
                ("new people", [_value(by_day.get(number), "people") for number in span]),
                ("of them had a chat", [_value(by_day.get(number), "chatted") for number in span]),
            ],
            "reached": [("had a chat, %", [_reached(by_day.get(number)) for number in span])],
            "marks": await self._marks.of_days(span),
            "bots": _breakdown(days, span, "bots"),
            "languages": _breakdown(days, span, "languages"),
            "returns": [
                ("By source", "source", _returns(sources, today, period)),
                ("By language", "language", _returns({at: each.languages for at, each in days.items()}, today, period)),
                ("By bot", "bot", _returns({at: each.bots for at, each in days.items()}, today, period)),
            ],
            "back_after": BACK,
            "source_steps": [said for _, said in SOURCE_STEPS],
            "sources": _sources(await self._funnel(today), span, bot, language),
        }
        return self._look.page(visit, "growth.html", shown)

    async def _funnel(self, today: int) -> list[FunnelRow]:
        """Of the longest period: what is not told there is told nowhere."""
        return await read_funnel(self._reading.engine, today - max(PERIODS) + 1, today)


async def read_growth(reading: PanelReader, first: int, last: int) -> tuple[dict[int, Growth], float]:
    """The days, and when the newest of them was counted."""
    rows = await reading.figures(GROWTH, first, last)
    days = {number: msgspec.json.decode(body, type=Growth) for number, body, _ in rows}
    return days, max((at for _, _, at in rows), default=0.0)


async def read_sources(reading: PanelReader, first: int, last: int) -> dict[int, Sources]:
    """The days. Those that only an earlier release counted have none."""
    return {
        day: msgspec.json.decode(body, type=Sources) for day, body, _ in await reading.figures(SOURCES, first, last)
    }


class Sum(NamedTuple):
    """Step -> people. `untold`: steps from which a small number could be computed, and what is shown in their place."""

    steps: Mapping[str, int]
    untold: Mapping[str, str]

    def shown(self, step: str) -> str:
        return self.untold.get(step) or people(self.steps.get(step, 0))

    def share(self, step: str, of: str) -> float | None:
        return None if {step, of} & self.untold.keys() else _share(self.steps.get(step, 0), self.steps.get(of, 0))


def _tables(days: Mapping[int, Growth], span: range, part: str) -> dict[str, Counter[str]]:
    """The sums of each bot or language. "gone" cannot be reached any more, "stayed" did not have their data deleted."""
    tables: dict[str, Counter[str]] = {}
    for number in span:
        if number in days:
            rows = getattr(days[number], part) if part else {"": days[number].all}
            for name, steps in rows.items():
                tables.setdefault(name, Counter()).update(steps)
    for steps in tables.values():
        steps["gone"] = steps["people"] - steps["alive"]
        steps["stayed"] = steps["people"] - steps["deleted"]
    return tables


def _sum(days: Mapping[int, Growth], span: range, part: str, name: str) -> Sum:
    """Of one bot, or of one language, or of all. There are no figures of both together."""
    tables = _tables(days, span, part)
    steps = tables.get(name, Counter())
    untold = {step: shown for step in steps if (shown := of_parts(tables, name, step)) is not None}
    if 0 < steps["gone"] < FEW or "gone" in untold:
        untold["alive"] = NOT_SHOWN
    return Sum(steps, untold)


def _value(of: Sum | None, step: str) -> float | None:
    """None: not counted, or so few that somebody could be recognised."""
    if of is None or step in of.untold:
        return None
    value = of.steps.get(step, 0)
    return None if 0 < value < FEW else float(value)


def _reached(of: Sum | None) -> float | None:
    share = of.share("chatted", "people") if of is not None else None
    return None if share is None else round(share * 100, 1)


def _sources(rows: list[FunnelRow], span: range, bot: str, language: str) -> list[dict[str, Any]]:
    """How far the people of each source came. Steps of people who started in the period.

    A reader can subtract what one bot, language or period shows from what all show. So all numbers are in tens. One
    that is untold for everybody is untold everywhere, and so are a small one of a bot or a language and one beside it.
    """
    language = language if not bot else ""
    untold: set[tuple[str, Step]] = set()
    last = span[-1]
    for period in PERIODS:
        table = _by_source([row for row in rows if last - period < row.day <= last])
        for step, _ in SOURCE_STEPS:
            may_tell = told([steps[step] for _, steps in table])
            untold.update((name, step) for (name, _), is_told in zip(table, may_tell, strict=True) if not is_told)

    in_span = [row for row in rows if row.day in span]
    chosen = [row for row in in_span if bot in ("", str(row.bot)) and language in ("", row.language)]
    is_whole = not (bot or language)
    if not is_whole:
        untold |= _untold_apart(in_span, "bot" if bot else "language", bot or language)
    table = _by_source(chosen)
    columns = []
    for step, _ in SOURCE_STEPS:
        values = [steps[step] for _, steps in table]
        column = []
        for at, (value, shown, is_told) in enumerate(zip(values, parts(values), told(values), strict=True)):
            if value == 0 or (is_whole and not is_told):
                column.append(shown)
            elif not is_told or (table[at][0], step) in untold:
                column.append(shown if is_whole and value < FEW else NOT_SHOWN)
            else:
                column.append(in_tens(value))
        columns.append(column)
    return [
        {"name": name, "steps": list(row)} for (name, _), row in zip(table, zip(*columns, strict=True), strict=True)
    ]


def _untold_apart(rows: list[FunnelRow], part: str, chosen: str) -> set[tuple[str, Step]]:
    """The numbers of one bot or language that all the others would tell, and those that would tell another one's."""
    parts_of: dict[str, dict[str, Counter[Step]]] = {}
    for row in rows:
        by_part = parts_of.setdefault(row.source or NO_TAG, {chosen: Counter()})
        by_part.setdefault(str(getattr(row, part)), Counter()).update(row.people)
    return {
        (source, step)
        for source, by_part in parts_of.items()
        for step, _ in SOURCE_STEPS
        if not told([steps[step] for steps in by_part.values()])[0]
    }


def _by_source(rows: list[FunnelRow]) -> list[tuple[str, Counter[Step]]]:
    """The steps of each source, those with the most people first. More than `MOST_SOURCES` are one row."""
    sums = [(source or NO_TAG, Counter(steps)) for source, steps in summed(rows, "source").items()]
    rest: Counter[Step] = Counter()
    for _, steps in sums[MOST_SOURCES:]:
        rest.update(steps)
    named = sums[:MOST_SOURCES]
    return [*named, (f"{len(sums) - MOST_SOURCES} more", rest)] if rest else named


def _figures(now: Sum, before: Sum, period: int, at: float) -> list[Figure]:
    names = (
        ("people", "New people"),
        ("profile", "With a profile"),
        ("chatted", "Had a chat"),
        ("alive", "Can be reached"),
    )
    said = f"of those who came in {period} days"
    return [Figure(label, now.shown(step), COUNTED, at, _change(now, before, step) or said) for step, label in names]


def _change(now: Sum, before: Sum, step: str) -> str:
    """Against the period before. Empty if one of them is too small to say."""
    new, old = now.steps.get(step, 0), before.steps.get(step, 0)
    if new < FEW or old < FEW or step in {*now.untold, *before.untold}:
        return ""
    share = (new - old) / old * 100
    return f"{share:+.0f} % against the period before ({old:,})"


def _funnel(now: Sum) -> list[dict[str, Any]]:
    return [{"said": said, "people": now.shown(step), "share": now.share(step, "people")} for step, said in FUNNEL]


def _share(part: int, whole: int) -> float | None:
    return None if whole < FEW or 0 < part < FEW else part / whole


def _long_ago(today: int, period: int, after: int) -> range:
    """The days whose newcomers came long enough ago to be back after so many days."""
    return range(today - after - period, today - after)


def _back(days: Mapping[int, Growth], today: int, period: int, after: int, part: str, name: str) -> dict[str, Any]:
    """Only those who came long enough ago count."""
    found = _sum(days, _long_ago(today, period, after), part, name)
    share = found.share(f"back{after}", "stayed")
    return {
        "after": after,
        "people": found.shown("stayed"),
        "back": found.shown(f"back{after}"),
        "share": share,
        "said": percent(share),
    }


Table = Mapping[str, Mapping[str, int]]
"""The rows of a day: bot, language or source -> step -> people."""


def _returns(days: Mapping[int, Table], today: int, period: int) -> list[dict[str, Any]]:
    """The people who come back, for each bot, language or source. A share is told if both of its numbers are, as in
    `_breakdown`. The smallest rows are summed: strangers can invent tags."""
    pairs = {after: _pairs(days, _long_ago(today, period, after), f"back{after}") for after in BACK}
    came_in_all: Counter[str] = Counter()
    for table in pairs.values():
        came_in_all.update({name: came for name, (came, _) in table.items()})
    names = sorted(came_in_all, key=lambda each: (-came_in_all[each], each))
    groups = [[name] for name in names[:MOST_SOURCES]] + ([names[MOST_SOURCES:]] if names[MOST_SOURCES:] else [])
    columns = []
    for table in pairs.values():
        came, back = ([sum(table.get(name, (0, 0))[at] for name in group) for group in groups] for at in (0, 1))
        may_tell = [all(both) for both in zip(told(came), told(back), strict=True)]
        shares = [
            percent(_share(some, of) if may else None) for some, of, may in zip(back, came, may_tell, strict=True)
        ]
        columns.append(list(zip(shares, parts(came), strict=True)))
    rest = f"{len(names) - MOST_SOURCES} more"
    return [
        {"name": group[0] if len(group) == 1 else rest, "is_rest": len(group) > 1, "back": list(cells)}
        for group, cells in zip(groups, zip(*columns, strict=True), strict=True)
    ]


def _pairs(days: Mapping[int, Table], span: range, step: str) -> dict[str, tuple[int, int]]:
    """Of each row: the people who came on these days, and those of them who reached a step."""
    came: dict[str, int] = {}
    reached: dict[str, int] = {}
    for number in span:
        for name, steps in days.get(number, {}).items():
            came[name] = came.get(name, 0) + steps["people"]
            reached[name] = reached.get(name, 0) + steps[step]
    return {name: (people, reached[name]) for name, people in came.items()}


def bots_of(days: Mapping[int, Growth], span: range) -> tuple[dict[str, str], dict[str, str]]:
    """Each bot's new people, and how many of them blocked it. All bots together are figures of the page Growth."""
    tables = _tables(days, span, "bots")
    new, gone = (parts([steps[step] for steps in tables.values()]) for step in ("people", "gone"))
    return dict(zip(tables, new, strict=True)), dict(zip(tables, gone, strict=True))


def _breakdown(days: Mapping[int, Growth], span: range, part: str) -> list[dict[str, Any]]:
    """A share is told if both of its numbers are: all rows together are numbers that the page shows."""
    tables = _tables(days, span, part)
    names = sorted(tables, key=lambda each: -tables[each]["people"])
    shown = dict(zip(names, parts([tables[name]["people"] for name in names]), strict=True))
    may_tell = {
        step: dict(zip(names, told([tables[name][step] for name in names]), strict=True))
        for step in ("people", "chatted", "gone")
    }

    def of_people(name: str, step: str) -> str:
        is_told = may_tell["people"][name] and may_tell[step][name]
        return percent(_share(tables[name][step], tables[name]["people"]) if is_told else None)

    return [
        {
            "name": name,
            "people": shown[name],
            "chatted": of_people(name, "chatted"),
            "blocked": of_people(name, "gone"),
        }
        for name in names
    ]
