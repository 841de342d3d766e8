"""`backup run` over PostgreSQL is killed at ten moments: the last good backup stays, and the server is as before."""

import asyncio
import signal
import subprocess
import sys
from time import monotonic, sleep

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.tables import users
from passerby.ops.backup.taking import take
from passerby.ops.backup.verifying import listed, verify
from passerby.ops.stores import database
from passerby.settings import Settings
from tests.ops.backup.test_backups import CLOCK, STEPS, a_second_later, fill
from tests.size import in_full

pytestmark = pytest.mark.services
MOMENTS = ("write 2", *STEPS, "write 1", "write 5")
"""The names of steps, and pieces of the dump that come from pg_dump."""
PROGRAM = """
import asyncio, os, signal, sys
from itertools import count
from pathlib import Path
from passerby.ops.backup.sealed import BackupSealer
from passerby.ops.backup.taking import take
from passerby.settings import Settings
uri, directory, key_file, moment = sys.argv[1:]
settings = Settings(bot_tokens="123456789:" + "x" * 35, postgres_uri=uri, redis_url="redis://127.0.0.1:1",
                    secret_key="A" * 43 + "=", backup_dir=Path(directory), backup_key_file=Path(key_file))
def die(reached):
    if reached == moment:
        os.kill(os.getpid(), signal.SIGKILL)
pieces, write = count(1), BackupSealer.write
def written(self, data):
    write(self, data)
    die(f"write {next(pieces)}")
BackupSealer.write = written
asyncio.run(take(settings, lambda: 1_700_000_000.0, die))
"""
MANY = 20_000
"""People whose chats have names that do not compress, so that a dump comes in several pieces."""
PATIENCE_S = 30.0


async def many_people(settings: Settings) -> None:
    engine = connect(database_url(database(settings)), poolclass=NullPool)
    names = [column.name for column in users.columns]
    values = {"id": "1000 + n", "last_chat": "md5(n::text) || md5((n + 1)::text)"}
    copied = ", ".join(values.get(name, name) for name in names)
    async with engine.begin() as connection:
        await connection.execute(
            sa.text(
                f"INSERT INTO users ({', '.join(names)}) "  # names of our columns
                f"SELECT {copied} FROM users, generate_series(1, {MANY}) AS n WHERE id = 1"
            )
        )
    await engine.dispose()


async def others(settings: Settings) -> int:
    """The connections to this database, without this one."""
    engine = connect(database_url(database(settings)), poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await engine.dispose()
    return int(found or 0)


@pytest.mark.parametrize("moment", in_full(MOMENTS, 1))
def test_a_kill_of_a_backup_leaves_the_last_good_one_and_the_server_as_it_was(
    on_servers: Settings, moment: str
) -> None:
    asyncio.run(fill(on_servers, range(1, 4)))
    asyncio.run(many_people(on_servers))
    good = asyncio.run(take(on_servers, CLOCK.now)).path
    assert on_servers.postgres_uri is not None
    assert on_servers.backup_dir is not None
    assert on_servers.backup_key_file is not None
    places = [on_servers.postgres_uri.get_secret_value(), str(on_servers.backup_dir), str(on_servers.backup_key_file)]
    killed = subprocess.run([sys.executable, "-c", PROGRAM, *places, moment], check=False, timeout=100)
    assert killed.returncode == -signal.SIGKILL
    found = listed(on_servers)
    assert good in [each.path for each in found]
    assert all(not each.problem for each in found)
    until = monotonic() + PATIENCE_S
    while asyncio.run(others(on_servers)) and monotonic() < until:  # pg_dump ends when nobody reads it any more
        sleep(0.05)
    assert asyncio.run(others(on_servers)) == 0, "no connection, and no snapshot, is left"
    taken = asyncio.run(take(on_servers, a_second_later))
    assert list(on_servers.backup_dir.rglob("*.part")) == []
    assert asyncio.run(verify(on_servers, taken.path.name, CLOCK.now)).problems == []
