"""Backups that something is in the way of: no rights, no room, a server that goes away, programs that fail.

Each is one sentence, and the last good backup stays.
"""

import asyncio
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from passerby.adapters.sql.engine import connect, database_url
from passerby.ops.backup import sealed
from passerby.ops.backup.failure import BackupFailed
from passerby.ops.backup.places import directory_of
from passerby.ops.backup.taking import take
from passerby.ops.backup.verifying import verify
from passerby.settings import Settings
from tests.ops.backup.test_backups import CLOCK, a_second_later, fill
from tests.size import in_full

pytestmark = pytest.mark.services
BAD_DUMP = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 99.0' && exit\nhead -c 100000 /dev/zero\n"


@contextmanager
def user_with(settings: Settings, *rights: str) -> Iterator[Settings]:
    """The same installation with backups as another user, who may do nothing else. {role} is their name."""
    assert settings.postgres_uri is not None
    uri = settings.postgres_uri.get_secret_value()
    role = f"keeper_{directory_of(settings).path.parent.name[:40]}"

    async def run(*statements: str) -> None:
        engine = connect(database_url(uri))
        async with engine.connect() as connection:
            for each in statements:
                await connection.exec_driver_sql(each.format(role=f'"{role}"'))
            await connection.commit()
        await engine.dispose()

    asyncio.run(run("CREATE ROLE {role} LOGIN PASSWORD 'secret'", *rights))
    url = make_url(uri).set(username=role, password="secret").render_as_string(hide_password=False)
    try:
        yield settings.model_copy(update={"backup_postgres_uri": type(settings.postgres_uri)(url)})
    finally:
        asyncio.run(run("DROP OWNED BY {role}", "DROP ROLE {role}"))


def test_a_user_who_may_only_read_makes_backups_and_is_told_what_a_restore_test_needs(on_servers: Settings) -> None:
    asyncio.run(fill(on_servers, range(1, 4)))
    with user_with(on_servers, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}") as reader:
        assert asyncio.run(take(reader, a_second_later)).manifest.contents.tables["users"].rows == 3
        with pytest.raises(BackupFailed, match="may not make a database for a restore test: give it the right"):
            asyncio.run(verify(reader, None, CLOCK.now))
    with user_with(on_servers) as stranger, pytest.raises(BackupFailed, match="refuses: this user may not use"):
        asyncio.run(take(stranger, a_second_later))
    assert len(directory_of(on_servers).backups()) == 1


def test_a_dump_that_postgresql_does_not_take_fails_its_restore_test(
    on_servers: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(on_servers, range(1, 4)))
    lying = tmp_path / "bin" / "pg_dump"
    lying.parent.mkdir()
    lying.write_text(BAD_DUMP)
    lying.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr("passerby.ops.backup.programs._paths", lambda _: iter([lying]))
        asyncio.run(take(on_servers, a_second_later))
    problems = asyncio.run(verify(on_servers, None, CLOCK.now)).problems
    assert len(problems) == 1
    assert problems[0].startswith("pg_restore failed: ")
    assert directory_of(on_servers).state().verified is not None
    lying.write_text(BAD_DUMP + "exit 3\n")
    with monkeypatch.context() as patch:
        patch.setattr("passerby.ops.backup.programs._paths", lambda _: iter([lying]))
        with pytest.raises(BackupFailed, match="pg_dump failed: it ended with code 3"):
            asyncio.run(take(on_servers, a_second_later))
    assert len(list(directory_of(on_servers).path.glob("passerby-*"))) == 1


@pytest.mark.long
def test_an_old_or_missing_pg_restore_is_no_fault_of_the_backup(
    on_servers: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(on_servers, range(1, 4)))
    asyncio.run(take(on_servers, a_second_later))
    old = tmp_path / "bin" / "pg_restore"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'pg_restore (PostgreSQL) 9.6'\n")
    old.chmod(0o755)
    for found, words in (([old], "is of version 9"), ([], "is not installed")):
        with monkeypatch.context() as patch:
            patch.setattr("passerby.ops.backup.programs._paths", lambda _, found=found: iter(found))
            with pytest.raises(BackupFailed, match=f"pg_restore {words}.*: install it"):
                asyncio.run(verify(on_servers, None, CLOCK.now))
    assert directory_of(on_servers).state().verified is None, "no alert says that it cannot be restored"


@pytest.mark.parametrize("code", in_full([errno.ENOSPC, errno.EFBIG], 1))
def test_a_backup_on_a_full_disk_is_one_sentence_and_leaves_no_half_of_a_file(
    mostly_on_a_file: Settings, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    asyncio.run(fill(mostly_on_a_file, range(1, 4)))
    good = asyncio.run(take(mostly_on_a_file, a_second_later)).path

    def full(*_: object) -> None:
        raise OSError(code, "no room")

    monkeypatch.setattr(sealed.BackupSealer, "finish", full)
    with pytest.raises(BackupFailed, match=r"takes no more \(no room\): make room"):
        asyncio.run(take(mostly_on_a_file, a_second_later))
    assert list(directory_of(mostly_on_a_file).path.glob("passerby-*")) == [good]
