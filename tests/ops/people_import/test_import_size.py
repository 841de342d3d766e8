"""A large import, timed."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerby.settings import Settings
from tests.contract.records_places import PostgresServer
from tests.contract.servers import postgres_uri
from tests.ops.people_import.test_import import TOKENS, brought
from tests.size import size

PEOPLE = 100_000


@pytest.fixture(params=["file", pytest.param("PostgreSQL", marks=pytest.mark.services)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    if request.param == "file":
        yield Settings(bot_tokens=TOKENS, sqlite_db_path=tmp_path / "passerby.db")
        return
    with postgres_uri() as uri, PostgresServer(uri).database() as own:
        yield Settings(bot_tokens=TOKENS, postgres_uri=own, run_dir=tmp_path / "run").model_copy(
            update={"sqlite_db_path": tmp_path / "beside.db"}
        )


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hundred_thousand_people_are_brought_once(settings: Settings, tmp_path: Path) -> None:
    """This test prints the time."""
    people = size(2_000, PEOPLE)
    file = tmp_path / "people.csv"
    header = "telegram_id,bot,gender,age,language,vip_until,banned_until,blocked_ids\n"
    lines = (
        f"{number},111111111,male,{18 + number % 40},en,,{'forever' if number % 200 == 0 else ''},"
        f"{number + 1 if number % 10 == 0 else ''}\n"
        for number in range(1_000_000, 1_000_000 + people)
    )
    file.write_text(header + "".join(lines))
    began_at = time.monotonic()
    outcome, refusals = brought(settings, file)
    print(f"{outcome.taken} people in {time.monotonic() - began_at:.1f} s")
    assert (outcome.taken, outcome.banned, refusals) == (people, people // 200, [])
    assert brought(settings, file)[0].taken == 0
