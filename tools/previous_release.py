"""Runs the previous release's contract tests of the records on this tree's tables.

    .venv/bin/python tools/previous_release.py              # the newest tag v* before this commit
    .venv/bin/python tools/previous_release.py COMMIT       # another one

Both releases use one database while an operator updates: the new one has changed the tables already, and workers of the
old one still read and write. So the old code must pass its own tests there. The tables are made in PostgreSQL's
`template1`, from which every database of the old tests is copied. They name the old revision, because an old process
refuses to start on newer ones, and here it stands for one that has started before. Without a tag, nothing is tried.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

TESTS = ("test_records.py", "test_records_beside.py", "test_records_order.py", "test_staff_records.py")
LIMIT_S = 1800


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def previous() -> str:
    """The newest release before this commit. Empty: there is none."""
    return git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^")


async def prepare(database: str, old: str) -> str:
    """Make the tables of this tree, and name the old revision. Returns ours."""
    from passerby.adapters.sql import init_schema
    from passerby.adapters.sql.checksums import VERSIONS
    from passerby.adapters.sql.engine import connect, database_url

    made = await init_schema(database)
    engine = connect(database_url(database), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(sa.text(f"UPDATE {VERSIONS} SET version_num = :old"), {"old": old})
    await engine.dispose()
    return made.needed


def main() -> int:
    commit = sys.argv[1] if len(sys.argv) > 1 else previous()
    if not commit:
        print("there is no release before this one: nothing to try")
        return 0
    from tests.contract.servers import start_postgres

    with tempfile.TemporaryDirectory(prefix="previous-") as directory, start_postgres() as server:
        tree = Path(directory) / "tree"
        if subprocess.run(["git", "worktree", "add", "-q", "--detach", tree, commit], cwd=ROOT, check=False).returncode:
            return 2
        try:
            paths = os.pathsep.join((str(tree / "src"), str(tree)))
            environment = os.environ | {"TEST_POSTGRES_URI": server.uri, "PYTHONPATH": paths}
            command = [sys.executable, "-c", "from passerby.adapters.sql import release; print(f'{release():04}')"]
            asked = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=True)
            old = asked.stdout.strip()
            made = asyncio.run(prepare(server.uri.replace("/postgres?", "/template1?"), old))
            print(f"{commit}, which knows {old}, on tables at {made}", flush=True)
            tests = [f"tests/contract/{name}" for name in TESTS if (tree / "tests/contract" / name).exists()]
            command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-k", "postgres", *tests]
            return subprocess.run(command, cwd=tree, env=environment, check=False, timeout=LIMIT_S).returncode
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=False)


if __name__ == "__main__":
    sys.exit(main())
