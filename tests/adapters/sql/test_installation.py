"""What both databases know about their installation: its key, and whether a process runs."""

import asyncio

import pytest

from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.installation import OtherKey, begin_run, claim_key, end_run, installation
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
async def test_of_two_processes_with_different_keys_that_start_at_once_one_is_refused(database: str) -> None:
    await make_table(database)
    done = await asyncio.gather(claim_key(database, (A,)), claim_key(database, (B,)), return_exceptions=True)
    assert [type(each) for each in done if each is not None] == [OtherKey]


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
