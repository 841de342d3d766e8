"""Backups of both databases: made, listed, tested, restored."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.memory import FileLog
from passerby.adapters.sql import SqlBroadcasts, SqlRecords, SqlStaff
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.tables import journal_positions, users
from passerby.bootstrap.clock import SystemClock
from passerby.kernel.broadcast import Broadcast, BroadcastState, TargetState
from passerby.kernel.effect import Priority
from passerby.kernel.ids import BotId, ChatId, PersonId, UpdateRef
from passerby.kernel.money import StarRow
from passerby.kernel.participant import Participant
from passerby.kernel.staff import AuditNote, StaffDecision
from passerby.kernel.text import text
from passerby.ops.backup import postgres, sqlite
from passerby.ops.backup.failure import BackupFailed
from passerby.ops.backup.places import directory_of
from passerby.ops.backup.programs import Address, program
from passerby.ops.backup.restoring import Restored, restore
from passerby.ops.backup.taking import take
from passerby.ops.backup.verifying import listed, verify
from passerby.ops.doctor import backups
from passerby.ops.standstill import FleetRuns, standstill
from passerby.ops.stores import database
from passerby.ports.doubts import StoredPerson
from passerby.ports.facts import Fact
from passerby.ports.leases import WorkerId
from passerby.ports.outbox import Notice, Parked
from passerby.ports.participants import Commit, Committed
from passerby.ports.trails import Trail, trail_of
from passerby.settings import Settings, WrongSetting
from tests import warm
from tests.contract.records_facts import banned_for_good, block, changed, chatting, closed, opened, person, searching
from tests.contract.records_places import make_tables
from tests.size import in_full

CLOCK = SystemClock()
STEPS = ("seal", "name", "retire", "sweep", "dump", "finish", "upload")


async def fill(settings: Settings, people: range, chatted: int = 3) -> None:
    await make_tables(database(settings))
    records = SqlRecords.at(database(settings))
    facts: list[Fact] = [changed(person(number, 1)) for number in people[:-1]]
    facts.append(changed(banned_for_good(people[-1], 1)))
    for number in range(chatted):
        name = f"c{people[0]}-{number}"
        facts += [opened(name, people[0], people[1]), closed(name, people[0])]
    facts.append(block(people[0], people[1]))
    await records.apply(f"of {people}", list(enumerate(facts, 1)))
    await records.aclose()


async def ids(settings: Settings) -> list[int]:
    engine = connect(database_url(database(settings)), poolclass=NullPool)
    async with engine.connect() as connection:
        found = list(await connection.scalars(sa.select(users.c.id).order_by(users.c.id)))
    await engine.dispose()
    return found


def a_second_later() -> float:
    """Two backups of one test have different names."""
    a_second_later.passed += 1  # type: ignore[attr-defined]
    return CLOCK.now() + a_second_later.passed  # type: ignore[attr-defined,no-any-return]


a_second_later.passed = 0  # type: ignore[attr-defined]


def restored(settings: Settings, name: str | None = None) -> Restored:
    return asyncio.run(restore(settings, name, CLOCK, replace=True))


def test_a_restore_brings_back_exactly_what_the_database_held_and_empties_the_live_store(settings: Settings) -> None:
    asyncio.run(fill(settings, range(1, 5)))
    taken = asyncio.run(take(settings, a_second_later))
    assert taken.manifest.contents.tables["users"].rows == 4
    assert [(each.path, each.problem) for each in listed(settings)] == [(taken.path, "")]
    assert asyncio.run(verify(settings, None, CLOCK.now)).problems == []

    asyncio.run(fill(settings, range(10, 12), chatted=2))
    asyncio.run(use_live_store(settings))
    assert asyncio.run(ids(settings)) == [1, 2, 3, 4, 10, 11]
    result = restored(settings)
    assert result.live_entries > 0
    assert asyncio.run(new_live_store(settings)) == ([], [])
    assert asyncio.run(ids(settings)) == [1, 2, 3, 4]
    assert (result.lost["users"], result.lost["chats"], result.lost["blocks"]) == (2, 2, 1)

    again = asyncio.run(take(settings, a_second_later))
    assert taken.manifest.contents.differences(again.manifest.contents) == []


@pytest.mark.parametrize("fault", in_full(["no room", "refused"], 1))
def test_a_restore_that_cannot_replace_the_records_leaves_the_live_store_as_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    asyncio.run(fill(settings, range(1, 5)))
    asyncio.run(take(settings, a_second_later))
    asyncio.run(fill(settings, range(10, 12), chatted=2))
    asyncio.run(use_live_store(settings))
    before, held = asyncio.run(ids(settings)), asyncio.run(live_figures(settings))
    is_full = fault == "no room" and settings.postgres_uri is None
    with monkeypatch.context() as broken:
        if is_full:
            broken.setattr(sqlite.Path, "open", full_disk(Path.open))
        else:
            broken.setattr(sqlite, "_copy_over", refuse)
            broken.setattr(postgres, "feed", refuse)
        with pytest.raises(BackupFailed) as failed:
            restored(settings)
    if is_full:
        place = settings.sqlite_db_path.parent
        assert f"{place} cannot hold the restored database (No space left on device): make" in str(failed.value)
    assert asyncio.run(ids(settings)) == before
    assert asyncio.run(live_figures(settings)) == held
    assert restored(settings).live_entries > 0, "it works when the fault is gone"
    assert asyncio.run(ids(settings)) == [1, 2, 3, 4]
    assert not list(settings.sqlite_db_path.parent.glob("*before-restore*"))
    assert not list(settings.sqlite_db_path.parent.glob(".*before-restore*"))


def refuse(*_: object, **__: object) -> Any:
    raise BackupFailed("refused")


def full_disk(really: Callable[..., Any]) -> Callable[..., Any]:
    """A `Path.open` that opens the copy of a restored database on a full disk."""
    return lambda path, *args, **kwargs: really(Path("/dev/full") if path.name == "copy.db" else path, *args, **kwargs)


async def live_figures(settings: Settings) -> Any:
    async with standstill(settings, CLOCK) as still:
        return await still.contents()


def test_every_chat_and_search_of_a_backup_ends_because_people_have_met_others_since(on_a_file: Settings) -> None:
    async def chat() -> None:
        await make_tables(database(on_a_file))
        records = SqlRecords.at(database(on_a_file))
        busy: list[Fact] = [changed(chatting(1, 2, "c", 1)), changed(chatting(2, 1, "c", 1)), changed(searching(3, 1))]
        await records.apply("g", list(enumerate([*busy, opened("c")], 1)))
        await records.aclose()

    async def active() -> tuple[object, ...]:
        records = SqlRecords.at(database(on_a_file))
        found = await records.active()
        await records.aclose()
        return tuple(found)

    asyncio.run(chat())
    asyncio.run(take(on_a_file, a_second_later))
    assert restored(on_a_file).ended == (1, 1)
    assert asyncio.run(active()) == ([], [], [])
    assert asyncio.run(ids(on_a_file)) == [1, 2, 3]


def test_after_a_restore_the_transactions_of_every_bot_are_read_from_the_first_one(on_a_file: Settings) -> None:
    async def swept() -> None:
        await make_tables(database(on_a_file))
        records = SqlRecords.at(database(on_a_file))
        await records.apply("g", [(1, changed(person(1, 1)))])
        await records.note_rows(BotId(1), [StarRow("sale", True, 5.0, 75)], 300, 6.0)
        assert await records.rows_seen(BotId(1)) == 300
        await records.aclose()

    async def seen() -> int:
        records = SqlRecords.at(database(on_a_file))
        found = await records.rows_seen(BotId(1))
        await records.aclose()
        return found

    asyncio.run(swept())
    asyncio.run(take(on_a_file, a_second_later))
    restored(on_a_file)
    assert asyncio.run(seen()) == 0


@pytest.mark.long
def test_a_restored_broadcast_sends_nothing_because_nobody_knows_what_was_sent_since(on_a_file: Settings) -> None:
    async def broadcasting() -> None:
        await make_tables(database(on_a_file))
        records = SqlRecords.at(database(on_a_file))
        await records.apply("g", [(1, changed(person(1, 1)))])
        made = Broadcast(1, BroadcastState.STARTING, 0, 0.0)
        decision = StaffDecision(notes=(AuditNote("broadcast.made"),), broadcasts=(made,))
        await SqlStaff(records.engine).decide(None, UpdateRef(BotId(0), 1), lambda facts: decision, 0.0)
        assert await SqlBroadcasts(records.engine).freeze(1, 0.0, 60.0, lambda frozen, people: 0, 1_000_000)
        await records.aclose()

    async def counts() -> dict[TargetState, int]:
        records = SqlRecords.at(database(on_a_file))
        found = (await SqlBroadcasts(records.engine).progress(1)).counts
        await records.aclose()
        return found

    asyncio.run(broadcasting())
    assert asyncio.run(counts()) == {TargetState.WAITING: 1}
    asyncio.run(take(on_a_file, a_second_later))
    restored(on_a_file)
    assert asyncio.run(counts()) == {TargetState.UNKNOWN: 1}


def test_a_restore_never_replaces_people_unless_told_to(on_a_file: Settings) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_a_file, a_second_later))
    with pytest.raises(BackupFailed, match="holds 3 people"):
        asyncio.run(restore(on_a_file, None, CLOCK, replace=False))
    assert asyncio.run(ids(on_a_file)) == [1, 2, 3]


def test_a_restore_over_a_fleet_that_served_nobody_replaces_it_at_once(on_a_file: Settings) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_a_file, a_second_later))
    on_a_file.sqlite_db_path.unlink()

    async def started() -> None:
        await make_tables(database(on_a_file))
        records = SqlRecords.at(database(on_a_file))
        async with records.engine.begin() as connection:
            await connection.execute(sa.insert(journal_positions).values(generation="new", applied=1))
        await records.aclose()

    asyncio.run(started())
    asyncio.run(restore(on_a_file, None, CLOCK, replace=False))
    assert asyncio.run(ids(on_a_file)) == [1, 2, 3]


@pytest.mark.long
def test_a_backup_is_restored_into_an_empty_place(settings: Settings) -> None:
    asyncio.run(fill(settings, range(1, 4)))
    asyncio.run(take(settings, a_second_later))
    if settings.postgres_uri is None:
        settings.sqlite_db_path.unlink()
    else:
        asyncio.run(drop_all(settings))
    asyncio.run(restore(settings, None, CLOCK, replace=False))
    assert asyncio.run(ids(settings)) == [1, 2, 3]


async def drop_all(settings: Settings) -> None:
    engine = connect(database_url(database(settings)), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        await connection.exec_driver_sql("CREATE SCHEMA public")
    await engine.dispose()


async def use_live_store(settings: Settings) -> None:
    async with standstill(settings, CLOCK) as still, still._live_store() as store:
        await store.adopt((), whole=True)


async def new_live_store(settings: Settings) -> tuple[list[StoredPerson], list[tuple[int, str]]]:
    """Return the people that it holds, and the notices of a worker that starts now. It is whole, and there is no doubt
    about it."""
    async with standstill(settings, CLOCK) as still, still._live_store() as store:
        assert not store.newborn
        assert not store.doubts
        entries = await store.inherit(WorkerId("w1"))
        told = [(each.to, each.text.key) for each in entries if isinstance(each, Notice)]
        return await store.everybody(), told


async def live_through(settings: Settings, commit: Commit) -> None:
    async with standstill(settings, CLOCK) as still, still._live_store() as store:
        await store.adopt((), whole=True)
        assert await store.commit(commit) is Committed.YES


def test_people_whose_chat_or_search_a_restore_took_away_get_one_notice(settings: Settings) -> None:
    """The live store says who they are. A person with a message on its way gets it too; one who chatted only at the
    time of the backup does not."""

    async def then() -> None:
        await make_tables(database(settings))
        records = SqlRecords.at(database(settings))
        busy: list[Fact] = [changed(chatting(1, 2, "c", 1)), changed(chatting(2, 1, "c", 1)), opened("c")]
        await records.apply("g", list(enumerate(busy, 1)))
        await records.aclose()

    asyncio.run(then())
    asyncio.run(take(settings, a_second_later))
    relay = Parked("r", ChatId("d"), PersonId(7), BotId(7), b"", CLOCK.now() + 60)
    trail = Trail("t", trail_of(PersonId(8)), BotId(7), CLOCK.now() + 60)
    people = (chatting(3, 4, "d", 1), chatting(4, 3, "d", 1), searching(5, 1), person(6, 1))
    notice = Notice("n", PersonId(6), BotId(7), text("help"), Priority.SYSTEM, 0.0)
    asyncio.run(live_through(settings, Commit(people, outbox=(relay, trail, notice))))
    result = restored(settings)
    assert (result.told, result.waiting, result.ended) == (4, (1, 1), (1, 0))
    held, told = asyncio.run(new_live_store(settings))
    assert held == []
    assert sorted(told) == [(number, "chat.connection_lost") for number in (3, 4, 5, 8)]
    # A restore that is repeated tells them all the same, once.
    assert restored(settings).told == 4
    assert sorted(asyncio.run(new_live_store(settings))[1]) == sorted(told)


def test_if_the_live_store_is_gone_too_the_records_say_who_must_hear_of_a_restore(on_a_file: Settings) -> None:
    async def chat(*people: Participant) -> None:
        await make_tables(database(on_a_file))
        records = SqlRecords.at(database(on_a_file))
        await records.apply(f"of {people[0].person}", [(n, changed(each)) for n, each in enumerate(people, 1)])
        await records.aclose()

    def whom() -> list[int]:
        return sorted(person for person, _ in asyncio.run(new_live_store(on_a_file))[1])

    asyncio.run(chat(chatting(1, 2, "c", 1), chatting(2, 1, "c", 1)))
    asyncio.run(take(on_a_file, a_second_later))
    asyncio.run(chat(searching(3, 1), chatting(1, 3, "d", 2)))
    assert restored(on_a_file).told == 3
    assert whom() == [1, 2, 3]
    on_a_file.sqlite_db_path.unlink()
    on_a_file.live_path.unlink()
    assert restored(on_a_file).told == 2
    assert whom() == [1, 2]


def test_nothing_is_restored_while_a_process_runs(on_a_file: Settings) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_a_file, a_second_later))
    log = FileLog(on_a_file.live_path)
    with pytest.raises(FleetRuns, match=r"passerby\.live"):
        restored(on_a_file)
    log.close()
    restored(on_a_file)


@pytest.mark.long
@pytest.mark.services
def test_nothing_is_restored_while_a_worker_lives_or_is_connected(on_servers: Settings) -> None:
    async def try_it() -> None:
        await fill(on_servers, range(1, 4))
        await take(on_servers, a_second_later)
        records = SqlRecords.at(database(on_servers))
        await records.applied("")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("passerby.ops.standstill._LOOK_EVERY_S", 0.01)
            with pytest.raises(FleetRuns, match="connections"):
                await restore(on_servers, None, CLOCK, replace=True)
        await records.aclose()
        async with standstill(on_servers, CLOCK) as still, still._live_store() as store:
            await store.heartbeat("w1", {}, 60.0, b"")  # type: ignore[arg-type]
        with pytest.raises(FleetRuns, match="1 processes"):
            await restore(on_servers, None, CLOCK, replace=True)

    asyncio.run(try_it())


@pytest.mark.parametrize("step", in_full(STEPS, 1))
def test_a_kill_at_any_step_leaves_the_last_good_backup(on_a_file: Settings, step: str) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    good = asyncio.run(take(on_a_file, CLOCK.now)).path
    program = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from passerby.ops.backup.taking import take\n"
        "from passerby.settings import Settings\n"
        "settings = Settings(sqlite_db_path=Path(sys.argv[1]), backup_dir=Path(sys.argv[2]))\n"
        "die = lambda step: step == sys.argv[3] and os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(take(settings, lambda: 1_700_000_000.0, die))\n"
    )
    places = [str(on_a_file.sqlite_db_path), str(on_a_file.backup_dir)]
    killed = warm.run([sys.executable, "-c", program, *places, step], timeout=100)
    assert killed.returncode == -signal.SIGKILL
    found = listed(on_a_file)
    assert good in [each.path for each in found]
    assert all(not each.problem for each in found)
    # The next one works, and nothing that the killed one left remains.
    asyncio.run(take(on_a_file, a_second_later))
    left = [*on_a_file.sqlite_db_path.parent.rglob("*.part"), *on_a_file.sqlite_db_path.parent.glob(".*copy*")]
    assert left == []


def test_a_backup_that_does_not_fit_its_manifest_fails_the_restore_test(on_a_file: Settings) -> None:
    """As if a row had been lost between the figures and the dump."""
    asyncio.run(fill(on_a_file, range(1, 4)))
    from passerby.ops.backup import taking

    genuine = taking.database_of(on_a_file)

    class Losing:
        kind = genuine.kind
        sweep = genuine.sweep

        def dump(self) -> object:
            from contextlib import asynccontextmanager

            @asynccontextmanager
            async def losing() -> object:  # type: ignore[misc]
                async with genuine.dump() as dump:
                    tables = dict(dump.contents.tables)
                    tables["users"] = msgspec.structs.replace(tables["users"], rows=9)
                    yield dump._replace(contents=msgspec.structs.replace(dump.contents, tables=tables))

            return losing()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking, "database_of", lambda _: Losing())
        asyncio.run(take(on_a_file, a_second_later))
    verified = asyncio.run(verify(on_a_file, None, CLOCK.now))
    assert verified.problems == ["rows of users: 9 in one and 3 in the other"]
    found = {each.check: each for each in backups.checks(on_a_file, CLOCK.now)}
    assert found["restore test"].verdict == "fail"


def test_the_doctor_names_the_newest_backup_and_the_last_restore_test(on_a_file: Settings) -> None:
    def verdicts(now: float) -> dict[str, str]:
        found = backups.checks(on_a_file, lambda: now)
        return {each.check: str(each.verdict) for each in found if each.check != "backup directory"}

    asyncio.run(fill(on_a_file, range(1, 4)))
    assert verdicts(CLOCK.now()) == {"backup": "warn"}
    path = asyncio.run(take(on_a_file, CLOCK.now)).path
    assert verdicts(CLOCK.now()) == {"backup": "ok", "restore test": "warn"}
    asyncio.run(verify(on_a_file, None, CLOCK.now))
    assert verdicts(CLOCK.now()) == {"backup": "ok", "restore test": "ok"}
    assert path.name in next(each.told for each in backups.checks(on_a_file, CLOCK.now) if each.check == "backup")
    assert verdicts(CLOCK.now() + 27 * 3600) == {"backup": "fail", "restore test": "ok"}
    assert verdicts(CLOCK.now() + 9 * 86_400)["restore test"] == "warn"


def test_links_directories_and_empty_files_among_the_backups_are_named_and_stop_nothing(on_a_file: Settings) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    path = asyncio.run(take(on_a_file, CLOCK.now)).path
    path.with_name("passerby-20250101T000000Z.backup").symlink_to("nowhere")
    path.with_name("passerby-20250102T000000Z.backup").mkdir()
    path.with_name("passerby-20991231T000000Z.backup").touch()
    problems = [each.problem for each in listed(on_a_file, CLOCK.now())]
    assert problems == ["it is not a file", "it is not a file", "", "its name says a time in the future"]
    verified = asyncio.run(verify(on_a_file, None, CLOCK.now))
    assert (verified.name, verified.problems) == (path.name, [])
    told = [each for each in backups.checks(on_a_file, CLOCK.now) if each.check == "backup"]
    assert [str(each.verdict) for each in told] == ["warn", "warn", "warn", "ok"]
    assert path.name in told[-1].told


def test_a_list_of_no_backups_asks_for_the_directory_and_never_for_a_key(on_a_file: Settings) -> None:
    keyless = on_a_file.model_copy(update={"backup_key": None})
    assert listed(keyless) == []
    with pytest.raises(WrongSetting, match="BACKUP_DIR: is not set"):
        listed(keyless.model_copy(update={"backup_dir": None}))


def test_a_test_of_another_file_does_not_count_as_the_last_restore_test(on_a_file: Settings, tmp_path: Path) -> None:
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_a_file, CLOCK.now))
    asyncio.run(verify(on_a_file, None, CLOCK.now))
    noted = directory_of(on_a_file).state().verified
    (tmp_path / "notes.txt").write_text("no backup")
    assert asyncio.run(verify(on_a_file, str(tmp_path / "notes.txt"), CLOCK.now)).problems
    assert noted is not None
    assert directory_of(on_a_file).state().verified == noted


@pytest.mark.long
def test_a_copy_elsewhere_that_failed_is_made_with_the_next_backup(on_a_file: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    settings = on_a_file.model_copy(update={"backup_upload_command": f"cp {{file}} {elsewhere}/"})
    asyncio.run(fill(settings, range(1, 4)))
    first = asyncio.run(take(settings, a_second_later))
    assert first.not_uploaded == "BACKUP_UPLOAD_COMMAND ended with code 1"
    elsewhere.mkdir()
    second = asyncio.run(take(settings, lambda: CLOCK.now() + 86_400))
    assert second.not_uploaded == ""
    assert sorted(path.name for path in elsewhere.iterdir()) == [each.name for each in directory_of(settings).backups()]


@pytest.mark.services
def test_a_pg_dump_that_is_older_than_the_server_is_named(
    on_servers: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(on_servers, range(1, 4)))
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 13.4'\n")
    old.chmod(0o755)
    monkeypatch.setattr("passerby.ops.backup.programs._ELSEWHERE", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupFailed, match=r"pg_dump is of version 13, and the server of \d+: install it"):
        asyncio.run(take(on_servers, a_second_later))
    old.unlink()
    with pytest.raises(BackupFailed, match="pg_dump is not installed: install it"):
        asyncio.run(program("pg_dump", 18))


def test_a_password_is_never_an_argument_of_a_program() -> None:
    address = Address.of("postgresql+asyncpg://me:s%40cret@db:5433/passerby?ssl=require", "other")
    assert address == ("postgresql://me@db:5433/other?sslmode=require", "s@cret")
    assert address.environment["PGPASSWORD"] == "s@cret"
    assert Address.of("postgresql://postgres@/postgres?host=/tmp/x").uri == (
        "postgresql://postgres@/postgres?host=/tmp/x"
    )


@pytest.mark.long
@pytest.mark.services
def test_other_programs_tables_are_neither_copied_nor_touched(on_servers: Settings) -> None:
    async def notes() -> int:
        engine = connect(database_url(database(on_servers)), poolclass=NullPool)
        async with engine.connect() as connection:
            count = await connection.scalar(sa.text("SELECT count(*) FROM notes"))
        await engine.dispose()
        return int(count or 0)

    async def make_notes() -> None:
        engine = connect(database_url(database(on_servers)), poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("CREATE TABLE notes AS SELECT 1 AS one")
        await engine.dispose()

    asyncio.run(fill(on_servers, range(1, 4)))
    asyncio.run(make_notes())
    asyncio.run(take(on_servers, a_second_later))
    restored(on_servers)
    assert asyncio.run(notes()) == 1
