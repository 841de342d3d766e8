"""`passerby slow` against real stores: what is wrong is found, and said with a remedy."""

import asyncio
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from passerby.adapters.redis import open_redis
from passerby.adapters.sql import SqlRecords, init_schema
from passerby.kernel.ids import PersonId
from passerby.ops.doctor.finding import Finding, Verdict
from passerby.ops.slow import Insights, postgres, processes, read_insights, sqlite
from passerby.ops.slow.insight import size
from passerby.settings import Settings
from tests.contract.records_places import PostgresServer, make_tables
from tests.contract.servers import postgres_uri, start_postgres, start_valkey
from tests.runtime.virtual import VirtualClock

TOKEN = "123456789:" + "x" * 35
NOW = 1_800_000_000.0


def verdicts(findings: list[Finding]) -> dict[str, Verdict]:
    assert all(finding.remedy for finding in findings if finding.verdict is not Verdict.OK)
    return {finding.check: finding.verdict for finding in findings}


def test_a_file_shows_its_pages_and_its_log(tmp_path: Path) -> None:
    path = tmp_path / "passerby.db"
    assert sqlite.insight(path).figures == {"database": "it is made at the first start"}
    asyncio.run(make_tables(path))
    seen = asyncio.run(read_insights(Settings(bot_tokens=TOKEN, sqlite_db_path=path), NOW))
    assert set(seen.records.figures) == {"pages", "free pages", "journal", "write-ahead log"}
    assert seen.records.figures["journal"] == "wal"
    assert seen.live is None
    assert set(verdicts(seen.findings).values()) == {Verdict.OK}


def test_a_log_that_grows_and_a_file_of_free_pages_are_warnings() -> None:
    assert sqlite._wal(1 << 20).verdict is Verdict.OK
    assert sqlite._wal(1 << 30).verdict is Verdict.WARN
    assert sqlite._free(0.9, 1 << 20).verdict is Verdict.OK
    assert sqlite._free(0.9, 1 << 30).verdict is Verdict.WARN


def test_a_user_cache_that_misses_often_is_a_warning() -> None:
    def rate(live: float, records: float) -> list[Verdict]:
        name = "passerby_people_lookups_total"
        return [each.verdict for each in processes._cache({(name, "live"): live, (name, "records"): records})]

    assert rate(9_600, 400) == [Verdict.OK]
    assert rate(9_000, 1_000) == [Verdict.WARN]
    assert rate(50, 50) == [], "a few lookups say nothing"


def test_nobody_is_told_to_drop_an_index_of_ours_that_was_not_used_yet() -> None:
    unused = [("ix_past_chats_user1", "past_chats", 10_000_000), ("somebody_tried_this", "users", 10_000_000)]
    found = {each.check: each for each in postgres._judged([], unused)}
    assert "index ix_past_chats_user1" not in found
    assert found["index somebody_tried_this"].verdict is Verdict.WARN
    assert "if nobody needs it" in found["index somebody_tried_this"].remedy
    assert "unused indexes" in {each.check for each in postgres._judged([], unused[:1])}


def test_sizes_are_said_in_words() -> None:
    assert [size(each) for each in (10, 2048, 3 << 20, 5 << 30)] == ["10 B", "2.0 KiB", "3.0 MiB", "5.0 GiB"]


@pytest.mark.services
def test_both_servers_are_looked_into_and_their_faults_are_found() -> None:
    async def main(uri: str, url: str) -> Insights:
        await make_tables(uri)
        records = SqlRecords.at(uri)
        await records.people([PersonId(1)])
        async with records.engine.begin() as connection:
            await connection.execute(
                sa.text("CREATE TABLE big AS SELECT n, 'x' || n AS word FROM generate_series(1, 60000) n")
            )
            await connection.execute(sa.text("CREATE INDEX never_used ON big (word)"))
            await connection.execute(sa.text("ALTER TABLE big SET (autovacuum_enabled = false)"))
        async with records.engine.begin() as connection:
            await connection.execute(sa.text("DELETE FROM big WHERE n % 2 = 0"))
            await connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
        for _ in range(3):
            async with records.engine.connect() as connection:
                await connection.execute(sa.text("SELECT count(*) FROM big WHERE n = 7"))
                await connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
        store = (await open_redis(url, VirtualClock(), Random(1), name="slow", may_lose=True)).store
        await store.adopt((), whole=True)
        await store.keep_memo("large", b"x" * 100_000)
        settings = Settings(bot_tokens=TOKEN, postgres_uri=SecretStr(uri), redis_url=SecretStr(url), redis_name="slow")
        async with records.engine.connect() as holding:
            await holding.execute(sa.text("SELECT 1"))
            found = await _settled(settings)
        await store.aclose()
        await records.aclose()
        return found

    async def _settled(settings: Settings) -> Insights:
        """PostgreSQL's statistics come a moment later."""
        async with asyncio.timeout(60):
            while True:
                found = await read_insights(settings, NOW)
                if verdicts(found.findings).get("dead rows big") is Verdict.WARN:
                    return found
                await asyncio.sleep(0.2)

    with (
        postgres_uri() as server,
        PostgresServer(server).database() as uri,
        start_valkey("--appendonly", "yes") as valkey,
    ):
        seen = asyncio.run(main(uri, valkey.url))
    said = verdicts(seen.findings)
    assert said["index never_used"] is Verdict.WARN
    assert said["scans of big"] is Verdict.WARN
    assert said["transactions"] is Verdict.OK
    assert said["redis state"] is Verdict.OK
    assert seen.records.figures["longest transaction"] != "none"
    assert any(row[0].startswith("passerby") for row in seen.records.tables["connections"])
    assert seen.live is not None
    kinds = {row[0] for row in seen.live.tables["memory by kind of key"]}
    assert {"store", "memos"} <= kinds
    assert seen.live.figures["append-only file"] == "yes"


@pytest.mark.long
@pytest.mark.services
def test_the_servers_own_measurements_have_the_names_of_our_code() -> None:
    async def main(uri: str) -> None:
        await init_schema(uri)
        records = SqlRecords.at(uri)
        async with records.engine.begin() as connection:
            await connection.execute(sa.text("CREATE EXTENSION pg_stat_statements"))
        for _ in range(50):
            await records.people([PersonId(1)])
            await records.applied("")
        names = {each.name for each in await postgres._statements(records)}
        await records.aclose()
        assert {"people", "applied"} <= {name.rpartition(".")[2] for name in names}

    with start_postgres("-c", "shared_preload_libraries=pg_stat_statements") as server:
        asyncio.run(main(server.uri))
