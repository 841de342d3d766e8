"""Notes of both databases about their installation: its key, and whether a process runs."""

import asyncio
from base64 import b64encode

import pytest

from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.installation import (
    OtherKey,
    begin_run,
    claim_key,
    end_run,
    installation,
    note_limits,
    noted_limits,
)
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.start import Start
from passerby.settings import Settings, WrongSetting
from tests.staged import in_a_loop

A, B, C = bytes(16), bytes(range(16)), b"c" * 16


async def make_table(database: str) -> None:
    engine = connect(database_url(database))
    async with engine.begin() as connection:
        await connection.run_sync(installation.create)
    await engine.dispose()


@in_a_loop
async def test_a_database_belongs_to_the_key_that_used_it_last(database: str) -> None:
    await make_table(database)
    await claim_key(database, (A,))
    await claim_key(database, (A, C))
    for refused in ((B,), (B, C)):
        with pytest.raises(OtherKey):
            await claim_key(database, refused)
    await claim_key(database, (B, A))
    with pytest.raises(OtherKey):
        await claim_key(database, (A,))
    await claim_key(database, (C,), key_is_lost=True)
    await claim_key(database, (C,))


@in_a_loop
async def test_one_of_two_processes_with_different_keys_that_start_at_once_is_refused(database: str) -> None:
    await make_table(database)
    done = await asyncio.gather(claim_key(database, (A,)), claim_key(database, (B,)), return_exceptions=True)
    assert [type(each) for each in done if each is not None] == [OtherKey]


@in_a_loop
async def test_the_limits_of_the_fleet_are_those_of_the_process_that_started_last(database: str) -> None:
    await make_table(database)
    engine = connect(database_url(database))
    assert await noted_limits(engine) == {}
    for limits in ({"promo_second_above": 5}, {"promo_second_above": 7}, {"promo_second_above": 7}):
        await note_limits(engine, limits)
        assert await noted_limits(engine) == limits
    await engine.dispose()


@in_a_loop
async def test_a_run_that_did_not_end_on_purpose_is_known_to_the_next_one(database: str) -> None:
    await make_table(database)
    engine = connect(database_url(database))
    assert not await begin_run(engine)
    await end_run(engine)
    assert not await begin_run(engine)
    assert await begin_run(engine)
    assert await begin_run(engine), "as long as no run ends on purpose"
    await end_run(engine)
    assert not await begin_run(engine)
    await engine.dispose()


@pytest.mark.long
def test_a_start_with_another_key_ends_with_a_sentence(database: str) -> None:
    where = {"postgres_uri": database} if "://" in database else {"sqlite_db_path": database}

    def start(key: bytes) -> None:
        async def run() -> None:
            settings = Settings(secret_key=b64encode(key).decode(), **where)  # type: ignore[arg-type]
            async with Start(settings, SystemClock(), asyncio.Event()).records(needed=True):
                pass

        asyncio.run(run())

    start(bytes(32))
    start(bytes(32))
    with pytest.raises(WrongSetting, match=r"SECRET_KEY: is not the key that .* was used with; set the old one"):
        start(bytes(range(32)))
    start(bytes(32))
