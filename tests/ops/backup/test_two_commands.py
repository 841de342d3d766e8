"""Commands that need the stores alone: two at once, and one that is killed, on PostgreSQL and Valkey."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from passerby.ops.backup.restoring import restore
from passerby.ops.backup.taking import take
from passerby.ops.move.moving import move
from passerby.ops.people_import.import_run import bring
from passerby.ops.standstill import FleetRuns, standstill
from passerby.settings import Settings
from tests import warm
from tests.ops.backup.test_backups import CLOCK, a_second_later, fill, ids

pytestmark = pytest.mark.services
ANOTHER = r"another command \(restore, move or import\) works on this database now: wait until it has ended"


def people(path: Path, count: int, young: int) -> Path:
    """People of 30. The one of this number is too young, so it is named."""
    rows = [f"{number},{9 if number == young else 30}" for number in range(1, count + 1)]
    path.write_text("\n".join(["telegram_id,age", *rows]))
    return path


def test_no_second_command_begins_while_one_works_on_the_database(
    on_servers: Settings, on_a_file: Settings, tmp_path: Path
) -> None:
    asyncio.run(fill(on_servers, range(1, 4)))
    asyncio.run(fill(on_a_file, range(1, 4)))
    asyncio.run(take(on_servers, a_second_later))
    assert on_servers.postgres_uri is not None
    uri, source = on_servers.postgres_uri.get_secret_value(), people(tmp_path / "people.csv", 3, 0)

    async def beside() -> None:
        async with standstill(on_servers, CLOCK):
            for work in (
                restore(on_servers, None, CLOCK, replace=True),
                bring(on_servers, str(source), CLOCK, dry_run=False),
                move(on_servers, str(tmp_path / "other.db"), CLOCK),
                move(on_a_file, uri, CLOCK),
            ):
                with pytest.raises(FleetRuns, match=ANOTHER):
                    await work
            # These may: a backup, and an import that only looks.
            await take(on_servers, a_second_later)
            await bring(on_servers, str(source), CLOCK, dry_run=True)

    asyncio.run(beside())
    assert not (tmp_path / "other.db").exists()
    assert asyncio.run(ids(on_servers)) == [1, 2, 3]
    asyncio.run(restore(on_servers, None, CLOCK, replace=True))


def test_an_import_that_is_killed_goes_on_where_it_was(on_servers: Settings, tmp_path: Path) -> None:
    assert on_servers.postgres_uri is not None
    uri, source = on_servers.postgres_uri.get_secret_value(), people(tmp_path / "people.csv", 1200, 700)
    program = (
        "import asyncio, os, signal, sys\n"
        "from passerby.bootstrap.clock import SystemClock\n"
        "from passerby.ops.people_import.import_run import bring\n"
        "from passerby.settings import Settings\n"
        "die = lambda where, reason: os.kill(os.getpid(), signal.SIGKILL)\n"
        "settings = Settings(bot_tokens='123456789:' + 'x' * 35, postgres_uri=sys.argv[1], redis_url=sys.argv[2],"
        " redis_name=sys.argv[3])\n"
        "asyncio.run(bring(settings, sys.argv[4], SystemClock(), dry_run=False, refused=die))\n"
    )
    places = [uri, on_servers.redis_url.get_secret_value(), on_servers.redis_name, str(source)]
    killed = warm.run([sys.executable, "-c", program, *places], timeout=100)
    assert killed.returncode == -signal.SIGKILL
    assert len(asyncio.run(ids(on_servers))) == 500, "the batch before"
    outcome = asyncio.run(bring(on_servers, str(source), CLOCK, dry_run=False))
    assert (outcome.taken, outcome.known, outcome.refused) == (699, 500, 1)
    assert len(asyncio.run(ids(on_servers))) == 1199
