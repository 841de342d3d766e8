"""The data of the demo's panel on its first day: invented people and chats, their purchases and their reports.

It is written into the demo's own database, once. The people have ids that Telegram never gives, nobody can meet them,
and the terminal says that they are invented. The last of them left a few minutes before the demo started, so that the
live figures, which are those of the phones on the page, go on where the invented ones end.
"""

from collections.abc import Sequence
from random import Random, SystemRandom
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql import ConnectionPool, SqlRecords
from passerby.adapters.sql.cases import gather
from passerby.adapters.sql.funnel import funnel
from passerby.adapters.sql.packing import pack
from passerby.adapters.sql.panel_counter import PanelCounter
from passerby.adapters.sql.panel_tables import panel_figures
from passerby.adapters.sql.rows import Details
from passerby.adapters.sql.tables import blocks, cases, complaints, past_chats, users
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.demo_cases import new_reports, old_cases, wait_for_a_second_member
from passerby.bootstrap.demo_hour import QUIET_S, hour
from passerby.bootstrap.demo_money import SOURCES, ledger, steps, vip_ends, with_sources
from passerby.bootstrap.staff import staff_office
from passerby.kernel.ids import BotId
from passerby.kernel.journey import Journey
from passerby.kernel.staff import Role
from passerby.ops.stores import database, init_schema
from passerby.runtime.delivery.sealer import Sealer
from passerby.settings import Settings, open_key

DAYS: Final = 75
PEOPLE: Final = 2_600
EVENING: Final = 240
LINK_S: Final = 86_400.0
FIRST_ID: Final = 1 << 52
INVENTED: Final = "invented"
_LANGUAGES: Final = ("en", "en", "en", "es", "pt", "de", "ru", "id")
_DAY_S: Final = 86_400.0
_BLOCKED: Final = 0.008
"""Of the chats that somebody ended: the share that ended with a block."""
_BLOCKED_LATER: Final = 0.002


async def prepare(settings: Settings) -> tuple[str, str]:
    """Invent people, chats and payments, if the database is new. Returns a link into the panel, and the secret of an
    invite for an owner to the staff bot."""
    await init_schema(settings)
    records = SqlRecords.at(database(settings), ConnectionPool(2, 1))
    is_new = False
    try:
        async with records.engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                told = sa.select(sa.func.count()).select_from(panel_figures)
                if not await connection.scalar(told):
                    await _invent(connection, settings, SystemRandom(), SystemClock().now())
                    is_new = True
        if is_new:
            await wait_for_a_second_member(records.engine, SystemRandom(), SystemClock())
        await PanelCounter(records.engine).count(SystemClock().now())
    finally:
        await records.aclose()
    async with staff_office(settings) as office:
        link = await office.panel_link(0, LINK_S)
        invite = await office.invite(Role.OWNER, "You", LINK_S)
        return link.url, invite.secret


async def _invent(connection: AsyncConnection, settings: Settings, rng: Random, now: float) -> None:
    bots = list(settings.tokens)
    people = _people(rng, now, bots)
    met = [*_chats(rng, now, people), *_evening(rng, now, people)]
    past = [pack(each) for each in met]
    came = with_sources(people)
    money = ledger(rng, now, came)
    filed, decided = old_cases(rng, now, people)
    ends = vip_ends(money, now)
    await connection.execute(sa.insert(users), [each | {"vip_until": ends.get(each["id"], 0.0)} for each in people])
    await connection.execute(sa.insert(past_chats), past)
    await connection.execute(sa.insert(blocks), _blocks(rng, now, met))
    await connection.execute(sa.insert(cases), decided)
    await connection.execute(sa.insert(complaints), filed)
    await connection.execute(sa.insert(complaints), new_reports(Sealer(open_key(settings)), now, people))
    await gather(connection, now)
    for table, rows in money.items():
        await connection.execute(sa.insert(table), rows)
    await connection.execute(sa.insert(funnel), steps(rng, came, money))
    await connection.execute(sa.insert(panel_figures), hour(rng, now, bots, past))


def _people(rng: Random, now: float, bots: Sequence[int]) -> list[dict[str, Any]]:
    rows = []
    for number in range(PEOPLE):
        created = now - _DAY_S * DAYS * (1 - (number / PEOPLE) ** 0.8) - rng.uniform(2700, 6300)
        stays = rng.expovariate(1 / 9.0) if rng.random() < 0.55 else 0.0
        seen = min(now - rng.uniform(QUIET_S, 2400), created + _DAY_S * stays + rng.uniform(60, 3000))
        step = rng.random()
        bot = rng.choice([*bots, bots[0]])
        is_reached, language = rng.random() > 0.07, rng.choice(_LANGUAGES)
        journey = Journey(rng.choice(SOURCES), BotId(bot), language, created)
        rows.append(
            {
                "id": FIRST_ID + number,
                "version": 1,
                "bot_id": bot if is_reached else None,
                "bots": f"[{bot}]" if is_reached else "[]",
                "has_started": is_reached,
                "consented_at": created + 20 if step < 0.93 else None,
                "age": rng.randint(18, 45) if step < 0.88 else None,
                "age_given_at": created + 25 if step < 0.88 else 0.0,
                "gender": rng.choice(("male", "male", "male", "female", "female", "other")) if step < 0.85 else None,
                "language": language,
                "details": msgspec.json.encode(Details(journey=journey)).decode(),
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
        for _ in range(1 + int(rng.expovariate(1 / 7))):
            span = max(1.0, each["last_active_date"] - each["created_at"])
            opened = each["created_at"] + rng.uniform(0, span)
            lasted = min(20_000.0, rng.lognormvariate(5.0, 1.6))
            other = rng.choice(talkers)
            if other is not each and opened + lasted <= now - QUIET_S:
                rows.append(_chat(rng, each, other, opened, lasted))
    return rows


def _evening(rng: Random, now: float, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The chats of the last hour. The newest people have them."""
    rows = []
    talkers = [each for each in people if each["last_chat"]][-300:]
    for _ in range(EVENING):
        one, other = rng.sample(talkers, 2)
        opened = now - rng.uniform(QUIET_S + 240, 5_000)
        lasted = min(rng.lognormvariate(5.2, 1.2), now - QUIET_S - opened)
        rows.append(_chat(rng, one, other, opened, lasted))
        for each in (one, other):
            each["created_at"] = min(each["created_at"], opened - 60)
            each["last_active_date"] = max(each["last_active_date"], opened + lasted)
    return rows


def _chat(rng: Random, one: dict[str, Any], other: dict[str, Any], opened: float, lasted: float) -> dict[str, Any]:
    closer = rng.choice((one["id"], other["id"], None))
    return {
        "id": "",
        "user1": one["id"],
        "user2": other["id"],
        "opened_at": opened,
        "closed_at": opened + lasted,
        "closed_by": closer,
        "reason": _ending(rng) if closer else "idle",
        "rating1": rng.choice((None, None, "good", "bad")),
        "rating2": rng.choice((None, None, None, "good")),
    }


def _ending(rng: Random) -> str:
    return "block" if rng.random() < _BLOCKED else rng.choice(("next", "next", "stop"))


def _blocks(rng: Random, now: float, met: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One for each chat that ended with it, and a few by people who blocked their last partner afterwards."""
    found: dict[tuple[int, int], float] = {}
    for chat in met:
        ends = chat["reason"] == "block"
        if ends or rng.random() < _BLOCKED_LATER:
            by = chat["closed_by"] if ends else chat["user1"]
            blocked = chat["user2"] if by == chat["user1"] else chat["user1"]
            found.setdefault((by, blocked), chat["closed_at"] if ends else min(now, chat["closed_at"] + 60))
    return [
        {"user_id": one, "blocked_id": other, "blocked_at": at, "lifted_at": None} for (one, other), at in found.items()
    ]
