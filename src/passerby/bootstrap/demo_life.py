"""What the panel of the demo shows on its first day: a month of invented people and chats, and an hour of figures.

It is written into the demo's own database, once. The people have ids that Telegram never gives, nobody can meet them,
and the page says that they are invented.
"""

import math
from collections.abc import Sequence
from random import Random, SystemRandom
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from passerby.adapters.sql import Pool, SqlRecords
from passerby.adapters.sql.packing import pack
from passerby.adapters.sql.panel_counting import PanelCounting
from passerby.adapters.sql.panel_tables import panel_figures
from passerby.adapters.sql.tables import blocks, complaints, past_chats, users
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.staff import staff_office
from passerby.bootstrap.stores import database, init_schema
from passerby.panel.samples import Sample
from passerby.settings import Settings
from passerby.telemetry.figures import LATENCY_S, Snapshot

DAYS: Final = 75
PEOPLE: Final = 2_600
LINK_S: Final = 86_400.0
FIRST_ID: Final = 1 << 52
INVENTED: Final = "invented"
_LANGUAGES: Final = ("en", "en", "en", "es", "pt", "de", "ru", "id")
_DAY_S: Final = 86_400.0


async def prepare(settings: Settings) -> str:
    """Invent the life, if the database is new. Returns a link into the panel."""
    await init_schema(settings)
    records = SqlRecords.at(database(settings), Pool(2, 1))
    try:
        async with records.engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                told = sa.select(sa.func.count()).select_from(panel_figures)
                if not await connection.scalar(told):
                    rng, now = SystemRandom(), SystemClock().now()
                    bots = list(settings.tokens)
                    people = _people(rng, now, bots)
                    await connection.execute(sa.insert(users), people)
                    await connection.execute(sa.insert(past_chats), _chats(rng, now, people))
                    await connection.execute(sa.insert(blocks), _blocks(rng, now, people))
                    await connection.execute(sa.insert(complaints), _complaints(rng, now, people))
                    await connection.execute(sa.insert(panel_figures), _hour(rng, now, bots))
        await PanelCounting(records.engine).count(SystemClock().now())
    finally:
        await records.aclose()
    async with staff_office(settings) as office:
        return (await office.panel_link(0, LINK_S)).secret


def _people(rng: Random, now: float, bots: Sequence[int]) -> list[dict[str, Any]]:
    rows = []
    for number in range(PEOPLE):
        created = now - _DAY_S * DAYS * (1 - (number / PEOPLE) ** 0.8) - rng.uniform(0, 3600)
        stays = rng.expovariate(1 / 9.0) if rng.random() < 0.55 else 0.0
        seen = min(now - rng.uniform(0, 1800), created + _DAY_S * stays + rng.uniform(60, 3000))
        step = rng.random()
        bot = rng.choice([*bots, bots[0]])
        rows.append(
            {
                "id": FIRST_ID + number,
                "version": 1,
                "bot_id": bot,
                "bots": f"[{bot}]",
                "has_started": rng.random() > 0.07,
                "consented_at": created + 20 if step < 0.93 else None,
                "age": rng.randint(18, 45) if step < 0.88 else None,
                "age_given_at": created + 25 if step < 0.88 else 0.0,
                "gender": rng.choice(("male", "male", "male", "female", "female", "other")) if step < 0.85 else None,
                "language": rng.choice(_LANGUAGES),
                "state": "idle",
                "last_chat": f"{INVENTED}-{number}" if step < 0.76 else None,
                "last_partner": FIRST_ID + rng.randrange(PEOPLE) if step < 0.76 else None,
                "last_closed_at": seen if step < 0.76 else None,
                "last_reason": "next" if step < 0.76 else None,
                "last_left": True if step < 0.76 else None,
                "last_active_date": seen,
                "created_at": created,
            }
        )
    return rows


def _chats(rng: Random, now: float, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    talkers = [each for each in people if each["last_chat"]]
    for each in talkers:
        for _ in range(1 + int(rng.expovariate(1 / 5))):
            span = max(1.0, each["last_active_date"] - each["created_at"])
            opened = each["created_at"] + rng.uniform(0, span)
            lasted = min(20_000.0, rng.lognormvariate(5.0, 1.6))
            other = rng.choice(talkers)
            if other is each or opened + lasted > now - 60:
                continue
            closer = rng.choice((each["id"], other["id"], None))
            rows.append(
                pack(
                    {
                        "id": "",
                        "user1": each["id"],
                        "user2": other["id"],
                        "opened_at": opened,
                        "closed_at": opened + lasted,
                        "closed_by": closer,
                        "reason": rng.choice(("next", "next", "stop", "block")) if closer else "idle",
                        "rating1": rng.choice((None, None, "good", "bad")),
                        "rating2": rng.choice((None, None, None, "good")),
                    }
                )
            )
    return rows


def _blocks(rng: Random, now: float, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pairs = {(rng.choice(people)["id"], rng.choice(people)["id"]) for _ in range(130)}
    return [
        {"user_id": one, "blocked_id": other, "blocked_at": now - rng.uniform(0, DAYS * _DAY_S), "lifted_at": None}
        for one, other in pairs
    ]


def _complaints(rng: Random, now: float, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "chat_id": f"{INVENTED}-report-{number}",
            "user_id": rng.choice(people)["id"],
            "accused_id": rng.choice(people)["id"],
            "reason": "spam",
            "filed_at": now - rng.uniform(0, DAYS * _DAY_S),
            "words": None,
        }
        for number in range(45)
    ]


def _hour(rng: Random, now: float, bots: Sequence[int]) -> list[dict[str, Any]]:
    """A sample for each of the last 90 minutes, as of one worker."""
    rows = []
    relays, latency = 0, [0] * (len(LATENCY_S) + 1)
    waits, waited = 0, 0.0
    minute = int(now // 60)
    for ago in range(90, 0, -1):
        tide = 1 + 0.35 * math.sin(ago / 14) + rng.uniform(-0.08, 0.08)
        for _ in range(int(420 * tide)):
            relays += 1
            slow = rng.lognormvariate(-3.1, 0.7)
            latency[next((place for place, top in enumerate(LATENCY_S) if slow <= top), len(LATENCY_S))] += 1
        pairs = int(14 * tide)
        waits, waited = waits + 2 * pairs, waited + pairs * rng.uniform(8, 22)
        states = {str(bot): "o" for bot in bots}
        if 38 <= ago <= 41:
            states[str(bots[-1])] = "h" if ago > 39 else "-"
        counts = Snapshot(
            at=(minute - ago) * 60.0,
            relays=relays,
            waits=waits,
            waited_s=waited,
            pairs=waits // 2,
            latency=tuple(latency),
        )
        made = Sample(
            counts.at,
            waiting=int(9 * tide + rng.uniform(0, 5)),
            chats=int(70 * tide),
            outbox=int(rng.expovariate(1)),
            bots=states,
            workers={INVENTED: counts},
        )
        body = msgspec.json.encode(made).decode()
        rows.append({"kind": "minute", "number": minute - ago, "body": body, "at": counts.at})
    return rows
