"""The health of chats: do people talk, how do chats end, and do they hurt each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from passerby.adapters.sql.panel_counter import CHATS
from passerby.adapters.sql.panel_reader import PanelReader
from passerby.domain.small_numbers import FEW, count, parts, people
from passerby.kernel.staff import Permission
from passerby.panel.figure import COUNTED, RECORDS, Figure
from passerby.panel.http import Answer
from passerby.panel.look import Look, day, percent
from passerby.panel.marks import Marks
from passerby.panel.pages.growth import PERIODS
from passerby.panel.pages.now import GENDERS
from passerby.panel.visit import Page, Route, Visit

LENGTHS: Final = (
    ("seconds", "less than a minute"),
    ("minutes", "1 to 5 minutes"),
    ("longer", "5 to 30 minutes"),
    ("long", "more than 30 minutes"),
)
TALKED: Final = ("longer", "long")
ENDS: Final = {
    "ended next": "somebody went on to the next",
    "ended stop": "somebody stopped",
    "ended idle": "both fell silent",
    "ended block": "somebody blocked the other",
    "ended report": "somebody reported the other",
    "ended blocked": "somebody blocked the bot",
    "ended bot_lost": "the bot was lost",
    "ended lost": "we lost the connection",
    "ended other": "another reason",
}


class HealthPage:
    page = Page("/chats", "Chats", Permission.FIGURES)

    def __init__(self, look: Look, reading: PanelReader, marks: Marks) -> None:
        self._look = look
        self._reading = reading
        self._marks = marks

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/chats", self.show, Permission.FIGURES),)

    async def show(self, visit: Visit) -> Answer:
        period = next((each for each in PERIODS if str(each) == visit.request.query.get("days")), 30)
        today = int(visit.now // 86_400)
        span = range(today - period + 1, today + 1)
        rows = await self._reading.figures(CHATS, span.start, today)
        days = {number: msgspec.json.decode(body, type=dict[str, int]) for number, body, _ in rows}
        at = max((at for _, _, at in rows), default=0.0)
        total: Counter[str] = Counter()
        for each in days.values():
            total.update(each)
        waiting: Counter[str] = Counter()
        for wait in await self._reading.waiting(visit.now):
            waiting[GENDERS.get(wait.gender, "others")] += wait.people
        shown = {
            "title": "Chats",
            "period": period,
            "periods": PERIODS,
            "counted_at": at,
            "figures": _figures(total, waiting, at, visit.now),
            "lengths": _parts(total, LENGTHS),
            "ends": _parts(total, [(name, said) for name, said in ENDS.items() if total[name]]),
            "labels": [day(number) for number in span],
            "chats": [("chats", [_of(days, number, "chats") for number in span])],
            "talked": [("lasted 5 minutes or more, %", [_talked(days, number) for number in span])],
            "hurt": [
                ("blocks", [_per_thousand(days, number, "blocks") for number in span]),
                ("reports", [_per_thousand(days, number, "complaints") for number in span]),
            ],
            "marks": await self._marks.of_days(span),
        }
        return self._look.page(visit, "health.html", shown)


def _ended(total: Mapping[str, int]) -> int:
    return total.get("chats", 0) - total.get("open", 0)


def _figures(total: Mapping[str, int], waiting: Mapping[str, int], at: float, now: float) -> list[Figure]:
    chats, ended = total.get("chats", 0), _ended(total)
    talked = sum(total.get(name, 0) for name in TALKED)
    rated = total.get("good", 0) + total.get("bad", 0)
    balance = ", ".join(f"{people(number)} {who}" for who, number in sorted(waiting.items())) or "nobody"
    return [
        Figure("Chats", count(chats), COUNTED, at, f"{count(total.get('open', 0))} of them are open"),
        Figure("Lasted 5 min or more", percent(share(talked, ended)), COUNTED, at, "of the chats that ended"),
        Figure(
            "Liked", percent(share(total.get("good", 0), rated)), COUNTED, at, f"of {count(rated)} ratings, a day old"
        ),
        Figure(
            "Blocks in 1,000 chats", thousandth(total.get("blocks", 0), chats), COUNTED, at, "by the day of the block"
        ),
        Figure(
            "Reports in 1,000 chats",
            thousandth(total.get("complaints", 0), chats),
            COUNTED,
            at,
            "by the day of the report",
        ),
        Figure("Waiting now", balance, RECORDS, now, "the balance of genders"),
    ]


def share(part: int, whole: int) -> float | None:
    """None: so few that somebody could be recognised."""
    return None if whole < FEW else part / whole


def thousandth(part: int, whole: int) -> str:
    found = share(part, whole)
    return "–" if found is None else f"{found * 1000:.1f}"


def _parts(total: Mapping[str, int], named: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Rows that add up to the chats that ended. A share would tell a number that is not shown."""
    whole, counts = _ended(total), [total.get(name, 0) for name, _ in named]
    rows = []
    for (_, said), part, shown in zip(named, counts, parts(counts), strict=True):
        found = share(part, whole) if shown == count(part) else None
        rows.append({"said": said, "chats": shown, "share": found, "percent": percent(found)})
    return rows


def _of(days: Mapping[int, Mapping[str, int]], number: int, name: str) -> float | None:
    return float(days[number].get(name, 0)) if number in days else None


def _talked(days: Mapping[int, Mapping[str, int]], number: int) -> float | None:
    counts = days.get(number, {})
    found = share(sum(counts.get(name, 0) for name in TALKED), _ended(counts))
    return None if found is None else round(found * 100, 1)


def _per_thousand(days: Mapping[int, Mapping[str, int]], number: int, name: str) -> float | None:
    counts = days.get(number, {})
    found = share(counts.get(name, 0), counts.get("chats", 0))
    return None if found is None else round(found * 1000, 2)
