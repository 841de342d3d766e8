"""The records stay small: old chats in few bytes, older ones deleted, and what binds is kept."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.packing import REASONS
from passerby.adapters.sql.personal_data import ERASE
from passerby.adapters.sql.retention import BATCH, PACK_AFTER_S, Kept, Retention
from passerby.adapters.sql.tables import (
    blocks,
    cases,
    chats,
    complaints,
    daily_figures,
    evidence,
    farm_accounts,
    muted_reporters,
    past_chats,
    sanctions,
    staff_orders,
    users,
)
from passerby.kernel.participant import Rating
from passerby.ports.facts import Fact
from tests.contract.records_facts import (
    NOW,
    block,
    changed,
    chatting,
    closed,
    complaint,
    numbered,
    opened,
    person,
    rated,
)
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

DAY_S = 86_400.0
DAY = int(NOW // DAY_S)
LATER = NOW + PACK_AFTER_S + 61


async def fill(database: str, *facts: Fact) -> SqlRecords:
    await make_tables(database)
    records = SqlRecords.at(database)
    await records.apply("g", numbered(*facts))
    return records


async def rows(database: str, table: sa.Table) -> list[tuple[Any, ...]]:
    engine = connect(database_url(database), poolclass=NullPool)
    async with engine.connect() as connection:
        found = [tuple(row) for row in await connection.execute(sa.select(table).order_by(*list(table.columns)[:2]))]
    await engine.dispose()
    return found


async def drained(retention: Retention, now: float) -> None:
    while await retention.pack(now):
        pass
    while await retention.forget(now):
        pass


@in_a_loop
async def test_a_chat_that_ended_a_day_ago_is_kept_in_few_bytes(database: str) -> None:
    records = await fill(
        database,
        *(opened("a", 1, 2), closed("a", 2, "stop"), rated("a", 1), rated("a", 2, Rating.BAD)),
        *(opened("b", 3, 4, NOW + 120), closed("b", None, "something new", NOW + 400)),
        opened("open", 5, 6),
    )
    retention = Retention(records.engine, Kept(90, 365, 730))
    assert await retention.pack(NOW + PACK_AFTER_S) == 0
    assert await retention.pack(LATER + 400) == 2
    assert await retention.pack(LATER + 400) == 0
    assert [row[0] for row in await rows(database, chats)] == ["open"]
    minute = int(NOW // 60)
    assert await rows(database, past_chats) == [
        (1, 2, minute, 60, REASONS.index("stop") * 1000 + 231),
        (3, 4, minute + 2, 280, 22),
    ]
    assert await rows(database, daily_figures) == [(DAY, 2, 340, 1, 1, 0, 0, 0)]
    await records.aclose()


@in_a_loop
async def test_past_chats_go_when_their_time_is_over_and_their_figures_stay(database: str) -> None:
    facts = [
        fact for n in range(40) for fact in (opened(f"c{n}", 1, 2, NOW + n * 60), closed(f"c{n}", at=NOW + n * 61))
    ]
    records = await fill(database, *facts)
    retention = Retention(records.engine, Kept(90, 365, 730))
    await drained(retention, LATER + 3600)
    assert len(await rows(database, past_chats)) == 40
    figures = await rows(database, daily_figures)
    await drained(retention, NOW + 90 * DAY_S + 20 * 60)
    assert len(await rows(database, past_chats)) == 20
    await retention.resummarise()
    assert len(await rows(database, past_chats)) == 20
    await drained(retention, NOW + 91 * DAY_S)
    assert await rows(database, past_chats) == []
    assert await rows(database, daily_figures) == figures
    assert sum(row[1] for row in figures) == 40
    await records.aclose()


@in_a_loop
async def test_past_chats_that_come_late_and_hours_without_chats_hold_nothing_up(database: str) -> None:
    records = await fill(database)
    retention = Retention(records.engine, Kept(90, 365, 730))
    for at in (NOW + 5 * 3600, NOW, NOW + 3600):
        await records.apply(
            "late", list(enumerate((opened(f"c{at}", 1, 2, at), closed(f"c{at}", at=at + 60)), int(at)))
        )
        await drained(retention, at + 2 * DAY_S)
        await drained(retention, NOW + 90 * DAY_S + 4 * 3600)
    assert [row[2] for row in await rows(database, past_chats)] == [int(NOW + 5 * 3600) // 60]
    await records.aclose()


@in_a_loop
async def test_nothing_is_deleted_if_it_is_kept_for_ever(database: str) -> None:
    records = await fill(database, opened("a", 1, 2), closed("a"), complaint("a", 1, 2), changed(person(1, 1)))
    await drained(Retention(records.engine, Kept(0, 0, 0)), NOW + 1000 * DAY_S)
    counts = [len(await rows(database, table)) for table in (past_chats, complaints, users)]
    assert counts == [1, 1, 1]
    await records.aclose()


@in_a_loop
async def test_blocks_bans_and_vip_are_kept_as_long_as_they_bind(database: str) -> None:
    vip = person(6, 1)
    records = await fill(
        database,
        *(changed(person(number, 1)) for number in (1, 2, 3, 4, 5)),
        *(changed(chatting(7, 8, "x", 1)), changed(chatting(8, 7, "x", 1)), changed(vip)),
        *(block(1, 2), block(3, 9), block(3, 9, blocked=False, at=NOW + 60), complaint("a", 1, 2)),
    )
    async with records.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.id == 4).values(barred_until=float("inf")))
        await connection.execute(sa.update(users).where(users.c.id == 6).values(vip_until=NOW + 5000 * DAY_S))
    retention = Retention(records.engine, Kept(90, 365, 730))
    await drained(retention, NOW + 80 * DAY_S)
    assert (len(await rows(database, blocks)), len(await rows(database, complaints))) == (2, 1)
    await drained(retention, NOW + 100 * DAY_S)
    assert [row[:2] for row in await rows(database, blocks)] == [(1, 2)], "the lifted one has gone"
    await drained(retention, NOW + 800 * DAY_S)
    assert await rows(database, complaints) == []
    # 5 was away and is part of nothing, and so is 3 since its block has gone.
    assert [row[0] for row in await rows(database, users)] == [1, 2, 4, 6, 7, 8]
    assert await rows(database, daily_figures) == [(DAY, 0, 0, 0, 0, 1, 1, 2)]
    await records.aclose()


@in_a_loop
async def test_a_person_who_was_deleted_may_come_back(database: str) -> None:
    """The live store may know them at that very moment. Their next fact writes the whole row again."""
    records = await fill(database, changed(person(1, 3)))
    await drained(Retention(records.engine, Kept(90, 365, 730)), NOW + 800 * DAY_S)
    assert await records.people([person(1).person]) == {}
    await records.apply("g", numbered(changed(person(1, 4)), after=1))
    assert await records.people([person(1).person]) == {1: person(1, 4)}
    await records.aclose()


@in_a_loop
async def test_a_batch_is_small_and_a_failed_one_changes_nothing(tmp_path: Path) -> None:
    database = str(tmp_path / "records.db")
    facts = [fact for n in range(BATCH + 7) for fact in (opened(f"c{n:04}", 1, 2, NOW + n), closed(f"c{n:04}"))]
    records = await fill(database, *facts)
    retention = Retention(records.engine, Kept(90, 365, 730))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("passerby.adapters.sql.retention._figures", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await retention.pack(LATER)
    assert await rows(database, past_chats) == []
    assert (await retention.pack(LATER), await retention.pack(LATER)) == (BATCH, 7)
    await records.aclose()


@in_a_loop
async def test_a_copy_of_ones_data_has_packed_chats_and_an_erased_person_leaves_them(database: str) -> None:
    records = await fill(
        database,
        *(opened("a", 1, 2), closed("a", 2, "stop"), rated("a", 1), rated("a", 2, Rating.BAD)),
        *(opened("b", 3, 1, NOW + 120), closed("b", 1, "next", NOW + 400), changed(person(1, 1))),
    )
    retention = Retention(records.engine, Kept(90, 365, 730))
    whole = (await records.history(person(1).person)).chats
    assert await retention.pack(LATER + 400) == 2
    packed = (await records.history(person(1).person)).chats
    minute = NOW // 60 * 60
    assert [msgspec.structs.replace(each, chat="", bot=None) for each in whole] == [
        msgspec.structs.replace(each, opened_at=one.opened_at, closed_at=one.closed_at)
        for each, one in zip(packed, whole, strict=True)
    ]
    assert [each.opened_at for each in packed] == [minute, minute + 120]
    async with records.engine.begin() as connection:
        for statement in ERASE:
            await connection.execute(statement, {"who": 1})
    stop, next_ = REASONS.index("stop") * 1000, REASONS.index("next") * 1000
    opened_min = int(NOW // 60)
    assert await rows(database, past_chats) == [
        (0, 2, opened_min, 60, stop + 221),
        (3, 0, opened_min + 2, 280, next_ + 22),
    ]
    await records.aclose()


@in_a_loop
async def test_evidence_goes_with_its_case_and_what_is_open_held_or_binding_stays(database: str) -> None:
    records = await fill(database)
    chosen = {"user_id": 1, "place": 1, "accused_id": 2, "sealed": b"x", "digest": "d", "chosen_at": NOW}
    case = {
        "about": "reports",
        "accused_id": 2,
        "lane": 2,
        "state": "open",
        "opened_at": NOW,
        "version": 1,
        "salt": "s",
    }
    ban = {"user_id": 2, "kind": "banned", "reason": "scam", "since": NOW, "rule": "", "evidence": ""}
    async with records.engine.begin() as connection:
        for chat, more in (
            ("over", {"erase_at": NOW + 9}),
            ("held", {"erase_at": NOW + 9, "held": True}),
            ("open", {"erase_at": None}),
        ):
            await connection.execute(sa.insert(evidence), chosen | {"chat_id": chat} | more)
        for number, decided_at in ((1, NOW + 9), (2, None)):
            await connection.execute(sa.insert(cases), case | {"number": number, "decided_at": decided_at})
            account = {"case_number": number, "place": 1, "user_id": 2, "is_recruit": False}
            await connection.execute(sa.insert(farm_accounts), account)
        for name, until, appeal in (("past", NOW + 9, "none"), ("asked", NOW + 9, "open"), ("good", None, "none")):
            await connection.execute(sa.insert(sanctions), ban | {"id": name, "until": until, "appeal": appeal})
        for number, done_at in ((1, NOW), (2, None), (3, NOW)):
            order = {"number": number, "body": "", "made_at": NOW, "done_at": done_at}
            await connection.execute(sa.insert(staff_orders), order)
        await connection.execute(sa.insert(muted_reporters), {"user_id": 5, "until": NOW + 9})
    retention = Retention(records.engine, Kept(0, 100, 0))
    await drained(retention, NOW + 8)
    assert len(await rows(database, evidence)) == 3
    await drained(retention, NOW + 10 * DAY_S)
    assert [row[0] for row in await rows(database, evidence)] == ["held", "open"]
    assert [row[0] for row in await rows(database, staff_orders)] == [2, 3], "numbers count on"
    assert await rows(database, muted_reporters) == []
    assert len(await rows(database, cases)) == 2
    await drained(retention, NOW + 101 * DAY_S)
    assert [row[0] for row in await rows(database, cases)] == [2]
    assert [row[0] for row in await rows(database, farm_accounts)] == [2]
    assert [row[0] for row in await rows(database, sanctions)] == ["asked", "good"]
    await records.aclose()
