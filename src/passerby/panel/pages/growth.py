"""Growth: who came, what became of them, and where they came in."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from passerby.adapters.sql.funnel import FunnelRow, read_funnel, summed
from passerby.adapters.sql.panel_counter import BACK, GROWTH, Growth
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.kernel.journey import Step
from passerby.kernel.staff import Permission
from passerby.panel.figure import COUNTED, Figure
from passerby.panel.http import Answer
from passerby.panel.look import FEW, Look, day, people, percent
from passerby.panel.marks import Marks
from passerby.panel.visit import Page, Route, Visit

PERIODS: Final = (7, 30, 90)
FUNNEL: Final = (
    ("people", "opened a bot"),
    ("consented", "agreed to the rules"),
    ("profile", "gave age and gender"),
    ("chatted", "had a chat"),
    ("back1", "came back a day later, or more"),
    ("back7", "came back a week later, or more"),
    ("back30", "came back a month later, or more"),
)
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
        chosen = {number: _chosen(growth, bot, language) for number, growth in days.items()}
        span = range(today - period + 1, today + 1)
        now = _sum(chosen, span)
        before = _sum(chosen, range(today - 2 * period + 1, today - period + 1))
        shown = {
            "title": "Growth",
            "period": period,
            "periods": PERIODS,
            "bot": bot,
            "language": language,
            "counted_at": counted_at,
            "figures": _figures(now, before, period, counted_at),
            "funnel": _funnel(now),
            "back": [_back(chosen, today, period, each) for each in BACK],
            "labels": [day(number) for number in span],
            "new": [
                ("new people", [_value(chosen, number, "people") for number in span]),
                ("of them had a chat", [_value(chosen, number, "chatted") for number in span]),
            ],
            "reached": [("had a chat, %", [_reached(chosen, number) for number in span])],
            "marks": await self._marks.of_days(span),
            "bots": _breakdown(days, span, "bots"),
            "languages": _breakdown(days, span, "languages"),
            "source_steps": [said for _, said in SOURCE_STEPS],
            "sources": _sources(await read_funnel(self._reading.engine, span[0], span[-1]), bot, language),
        }
        return self._look.page(visit, "growth.html", shown)


async def read_growth(reading: PanelReader, first: int, last: int) -> tuple[dict[int, Growth], float]:
    """The days, and when the newest of them was counted."""
    rows = await reading.figures(GROWTH, first, last)
    days = {number: msgspec.json.decode(body, type=Growth) for number, body, _ in rows}
    return days, max((at for _, _, at in rows), default=0.0)


def _chosen(growth: Growth, bot: str, language: str) -> Mapping[str, int]:
    """Of one bot, or of one language, or of all. There are no figures of both together."""
    if bot:
        return growth.bots.get(bot, {})
    return growth.languages.get(language, {}) if language else growth.all


def _sum(days: Mapping[int, Mapping[str, int]], span: range) -> Counter[str]:
    total: Counter[str] = Counter()
    for number in span:
        total.update(days.get(number, {}))
    return total


def _value(days: Mapping[int, Mapping[str, int]], number: int, step: str) -> float | None:
    """None: not counted, or so few that somebody could be recognised."""
    if number not in days:
        return None
    value = days[number].get(step, 0)
    return None if 0 < value < FEW else float(value)


def _reached(days: Mapping[int, Mapping[str, int]], number: int) -> float | None:
    steps = days.get(number, {})
    share = _share(steps.get("chatted", 0), steps.get("people", 0))
    return None if share is None else round(share * 100, 1)


def _sources(rows: list[FunnelRow], bot: str, language: str) -> list[dict[str, Any]]:
    """How far the people of each source came. Steps of people who started in the period."""
    chosen = [row for row in rows if bot in ("", str(row.bot)) and language in ("", row.language)]
    sums = list(summed(chosen, "source").items())
    rest: Counter[Step] = Counter()
    for _, steps in sums[MOST_SOURCES:]:
        rest.update(steps)
    named = [(source or "no tag", steps) for source, steps in sums[:MOST_SOURCES]]
    shown = [*named, (f"{len(sums) - MOST_SOURCES} more", rest)] if rest else named
    return [{"name": name, "steps": [people(steps[step]) for step, _ in SOURCE_STEPS]} for name, steps in shown]


def _figures(now: Mapping[str, int], before: Mapping[str, int], period: int, at: float) -> list[Figure]:
    names = (
        ("people", "New people"),
        ("profile", "With a profile"),
        ("chatted", "Had a chat"),
        ("alive", "Can be reached"),
    )
    said = f"of those who came in {period} days"
    return [
        Figure(label, people(now.get(step, 0)), COUNTED, at, _change(now.get(step, 0), before.get(step, 0)) or said)
        for step, label in names
    ]


def _change(now: int, before: int) -> str:
    """Against the period before. Empty if one of them is too small to say."""
    if now < FEW or before < FEW:
        return ""
    share = (now - before) / before * 100
    return f"{share:+.0f} % against the period before ({before:,})"


def _funnel(now: Mapping[str, int]) -> list[dict[str, Any]]:
    whole = now.get("people", 0)
    return [
        {"said": said, "people": people(now.get(step, 0)), "share": _share(now.get(step, 0), whole)}
        for step, said in FUNNEL[:4]
    ]


def _share(part: int, whole: int) -> float | None:
    return None if whole < FEW or 0 < part < FEW else part / whole


def _back(days: Mapping[int, Mapping[str, int]], today: int, period: int, after: int) -> dict[str, Any]:
    """Only those who came long enough ago count."""
    span = range(today - after - period, today - after)
    whole = sum(days[number].get("people", 0) - days[number].get("deleted", 0) for number in span if number in days)
    part = sum(days[number].get(f"back{after}", 0) for number in span if number in days)
    share = _share(part, whole)
    return {
        "after": after,
        "people": people(whole),
        "back": people(part),
        "share": share,
        "said": percent(share),
    }


def _breakdown(days: Mapping[int, Growth], span: range, part: str) -> list[dict[str, Any]]:
    tables: dict[str, Counter[str]] = {}
    for number in span:
        if number in days:
            for name, steps in getattr(days[number], part).items():
                tables.setdefault(name, Counter()).update(steps)
    rows = sorted(tables.items(), key=lambda each: -each[1]["people"])
    return [
        {
            "name": name,
            "people": people(steps["people"]),
            "chatted": percent(_share(steps["chatted"], steps["people"])),
            "back": percent(_share(steps["back1"], steps["people"])),
            "blocked": percent(_share(steps["people"] - steps["alive"], steps["people"])),
        }
        for name, steps in rows
    ]
