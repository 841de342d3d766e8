"""Now: is it well? One screen, which refreshes itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from passerby.adapters.sql.panel_reader import PanelReader, Waiting
from passerby.domain.small_numbers import count, people
from passerby.kernel.ids import BotId
from passerby.kernel.staff import Permission
from passerby.panel.figure import RECORDS, STORE, WORKERS, Figure
from passerby.panel.http import Answer
from passerby.panel.live import Fleet, FleetReader
from passerby.panel.look import Look, seconds
from passerby.panel.marks import Marks
from passerby.panel.samples import Sample, between, per_minute, sample_of
from passerby.panel.visit import Page, Route, Visit
from passerby.telemetry.figures import Snapshot

SHOWN_MIN: Final = 60
LATELY_MIN: Final = 5
DAY_S: Final = 86_400.0
GENDERS: Final = {"male": "men", "female": "women", "other": "others", None: "not given"}
MINUTE: Final = "minute"


Bots = Callable[[], Sequence[BotId]]
"""The bots of the fleet now."""


class NowPage:
    page = Page("/", "Now", Permission.FIGURES)

    def __init__(self, look: Look, live: FleetReader, reading: PanelReader, marks: Marks, bots: Bots) -> None:
        self._look = look
        self._live = live
        self._reading = reading
        self._marks = marks
        self._bots = bots

    @property
    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/", self.show, Permission.FIGURES),)

    async def show(self, visit: Visit) -> Answer:
        fleet = await self._live.fleet()
        online = await self._reading.online(visit.now)
        waiting = await self._reading.waiting(visit.now)
        samples = await read_samples(self._reading, visit.now, SHOWN_MIN + 1)
        newest = sample_of(
            fleet.reports,
            self._bots(),
            visit.now,
            waiting=fleet.figures.waiting,
            chats=fleet.figures.chats,
            outbox=fleet.figures.outbox,
            journal=fleet.figures.journal,
        )
        before = lately(samples, visit.now)
        day_ago = await read_samples(self._reading, visit.now - DAY_S, LATELY_MIN)
        shown = {
            "title": "Now",
            "fleet": fleet,
            "figures": self._figures(fleet, online, newest, before, day_ago, visit.now),
            "waits": [_wait(each) for each in waiting],
            "bots": self._rows(fleet, samples, newest),
            "workers": _workers(fleet, before),
            **_hour(samples),
            "marks": await self._marks.of_moments([each.at for each in samples[1:]]),
        }
        return self._look.page(visit, "now.html", shown)

    def _figures(
        self,
        fleet: Fleet,
        online: int,
        newest: Sample,
        before: Sample | None,
        day_ago: Sequence[Sample],
        now: float,
    ) -> list[Figure]:
        live, at, then = fleet.figures, fleet.at, _then(day_ago)
        step = between(before, newest) if before is not None else None
        p50, p99 = (step.quantile_s(0.5), step.quantile_s(0.99)) if step is not None else (None, None)
        span = max(1.0, newest.at - before.at) if before is not None else 60.0
        relays = step.relays * 60 / span if step is not None else None
        waited = step.waited_s / step.waits if step is not None and step.waits else None
        lately_said = f"in the last {round(span / 60)} min" if before is not None else "not known yet"
        known = not fleet.fault
        return [
            Figure("Online", people(online), RECORDS, now, "did something in the last 5 min"),
            Figure(
                "Searching", people(live.waiting) if known else "–", STORE, at, f"wait for a partner{then.searching}"
            ),
            Figure("In a chat", people(live.chats * 2) if known else "–", STORE, at, f"in pairs{then.chatting}"),
            Figure("Messages a minute", count(relays), WORKERS, at, f"{lately_said}{then.messages}"),
            Figure("Delivery, median", seconds(p50), WORKERS, at, lately_said),
            Figure("Delivery, p99", seconds(p99), WORKERS, at, f"{lately_said}{then.p99}"),
            Figure("Wait for a partner", seconds(waited), WORKERS, at, f"average, {lately_said}"),
            Figure("Outbox", count(live.outbox) if known else "–", STORE, at, "notices and parked messages"),
        ]

    def _rows(self, fleet: Fleet, samples: Sequence[Sample], newest: Sample) -> list[dict[str, Any]]:
        rows = []
        for bot in self._bots():
            name = str(bot)
            holder = fleet.holders.get(f"bot:{bot}", "")
            states = "".join(each.bots.get(name, " ") for each in samples) + newest.bots.get(name, " ")
            held = [r.figures.held_s.get(bot, 0.0) for r in fleet.reports.values() if r.figures is not None]
            polled = [r.figures.polled_at.get(bot, 0.0) for r in fleet.reports.values() if r.figures is not None]
            rows.append(
                {
                    "bot": name,
                    "state": newest.bots.get(name, " "),
                    "beats": states,
                    "holder": fleet.reports[holder].name if holder in fleet.reports else "",
                    "polled_at": max(polled, default=0.0),
                    "held_s": max(held, default=0.0),
                    "delivery": samples[-1].delivery.get(name) if samples else None,
                }
            )
        return rows


class Then(NamedTuple):
    """The same figures a day ago, each as the end of a hint. Empty: nobody knows it."""

    searching: str = ""
    chatting: str = ""
    messages: str = ""
    p99: str = ""


def _then(samples: Sequence[Sample]) -> Then:
    if not samples:
        return Then()
    first, last = samples[0], samples[-1]
    step = between(first, last) if last.at > first.at else None
    relays = step.relays * 60 / (last.at - first.at) if step is not None else None
    values = (
        people(last.waiting),
        people(last.chats * 2),
        count(relays) if relays is not None else "",
        seconds(step.quantile_s(0.99)) if step is not None and step.relays else "",
    )
    return Then(*(f"; {value} a day ago" if value else "" for value in values))


async def read_samples(reading: PanelReader, now: float, minutes: int) -> list[Sample]:
    """The samples of the last minutes, in order."""
    minute = int(now // 60)
    rows = await reading.figures(MINUTE, minute - minutes, minute)
    return [msgspec.json.decode(body, type=Sample) for _, body, _ in rows]


def lately(samples: Sequence[Sample], now: float) -> Sample | None:
    """The oldest sample of the last minutes: rates are measured from it."""
    return next((each for each in samples if now - each.at <= LATELY_MIN * 60 + 30), None)


def _wait(each: Waiting) -> dict[str, Any]:
    few = each.people < 10
    return {
        "pool": each.pool,
        "gender": GENDERS.get(each.gender, each.gender or ""),
        "people": people(each.people),
        # Of a few people, one wait could be somebody's.
        "median": "–" if few else seconds(each.median_s),
        "p90": "–" if few else seconds(each.p90_s),
    }


def _workers(fleet: Fleet, before: Sample | None) -> list[dict[str, Any]]:
    rows = []
    for worker, report in sorted(fleet.reports.items(), key=lambda each: each[1].name):
        figures = report.figures
        earlier = before.workers.get(worker) if before is not None else None
        step = _step(figures, earlier)
        rows.append(
            {
                "name": report.name,
                "since": report.since,
                "memory_mb": figures.memory_bytes / 1e6 if figures is not None else None,
                "pending": figures.pending if figures is not None else None,
                "lag_s": figures.loop_lag_s if figures is not None else None,
                "p50": step.quantile_s(0.5) if step is not None else None,
                "p99": step.quantile_s(0.99) if step is not None else None,
                "errors": step.errors if step is not None else None,
                "leaving": report.leaving,
            }
        )
    return rows


def _step(figures: Snapshot | None, earlier: Snapshot | None) -> Snapshot | None:
    if figures is None:
        return None
    return figures.since(earlier) if earlier is not None else figures


def _hour(samples: Sequence[Sample]) -> Mapping[str, Any]:
    """The lines of the last hour."""
    steps = per_minute(samples)
    labels = [_clock(each.at) for each in samples[1:]]
    relays = [None if step is None else float(step.relays) for step in steps]
    searching = [float(each.waiting) for each in samples[1:]]
    chats = [float(each.chats) for each in samples[1:]]
    p99 = [None if step is None else _ms(step) for step in steps]
    return {
        "labels": labels,
        "messages": [("messages", relays)],
        "crowd": [("chats", chats), ("searching", searching)],
        "delivery": [("p99, ms", p99)],
    }


def _ms(step: Snapshot) -> float | None:
    found = step.quantile_s(0.99)
    return None if found is None else found * 1000


def _clock(at: float) -> str:
    minutes = int(at // 60) % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}"
