"""`passerby funnel`: what the operator sees of the sums."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from passerby.adapters.sql import SqlRecords
from passerby.cli.app import app
from passerby.kernel.ids import BotId
from passerby.kernel.journey import Step
from passerby.ports.facts import StepReached
from tests.cli.command import environment
from tests.contract.records_places import make_tables

STARTED = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Three people started, two of them by a link with a tag."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    path = tmp_path / "passerby.db"

    async def fill() -> None:
        await make_tables(path)
        records = SqlRecords.at(path)
        steps = [("spring", Step.START), ("spring", Step.START), ("spring", Step.PAID), ("", Step.START)]
        facts = [StepReached(source, BotId(12345), "en", STARTED, step, STARTED) for source, step in steps]
        await records.apply("g", list(enumerate(facts, 1)))
        await records.aclose()

    asyncio.run(fill())
    return CliRunner()


def test_the_funnel_is_a_table_by_source_and_csv_and_json_by_everything(asked: CliRunner) -> None:
    period = ["funnel", "--from", "2026-03-04", "--to", "2026-03-05"]
    table = asked.invoke(app, period)
    assert table.exit_code == 0, table.output
    assert [line.split()[:2] for line in table.output.splitlines()] == [
        ["source", "start"],
        ["spring", "2"],
        ["-", "1"],
    ]
    assert "12345" in asked.invoke(app, [*period, "--by", "bot"]).output
    rows = json.loads(asked.invoke(app, [*period, "--json"]).output)
    assert [(row["day"], row["source"], row["start"], row["paid"]) for row in rows] == [
        ("2026-03-04", "", 1, 0),
        ("2026-03-04", "spring", 2, 1),
    ]
    first, *lines = asked.invoke(app, [*period, "--csv"]).output.splitlines()
    assert first == "day,source,bot,language,start,profile,search,chat,talk,invoice,checkout,paid"
    assert lines == ["2026-03-04,,12345,en,1,0,0,0,0,0,0,0", "2026-03-04,spring,12345,en,2,0,0,0,0,0,0,1"]


def test_codes_are_made_listed_and_revoked(asked: CliRunner) -> None:
    made = asked.invoke(app, ["promo", "create", "--days", "7", "--count", "3", "--uses", "5", "--csv"])
    assert made.exit_code == 0, made.output
    first, *codes = made.stdout.splitlines()
    assert first == "code,link_ends_in"
    assert len({line.partition(",")[0] for line in codes}) == 3
    assert asked.invoke(app, ["promo", "create", "--code", "hello", "--percent", "20"]).exit_code == 0
    assert asked.invoke(app, ["promo", "create", "--code", "hello", "--days", "2"]).exit_code == 2
    assert "already" in asked.invoke(app, ["promo", "create", "--code", "HELLO", "--days", "2"]).output
    assert "Uses: 0" in asked.invoke(app, ["promo", "revoke", "hello"]).output
    rows = {row["code"]: row for row in json.loads(asked.invoke(app, ["promo", "list", "--json"]).output)}
    assert len(rows) == 4
    assert (rows["HELLO"]["state"], rows["HELLO"]["first_purchase"]) == ("revoked", True)
    assert {rows[line.partition(",")[0]]["state"] for line in codes} == {"open"}
    assert "20 % off" in asked.invoke(app, ["promo", "list"]).output
    audit = json.loads(asked.invoke(app, ["audit", "list", "--json"]).output)
    assert [row["action"] for row in audit] == ["promos.made", "promos.made", "promos.revoked"]


@pytest.mark.parametrize(
    "options",
    [[], ["--days", "7", "--percent", "5"], ["--days", "7", "--code", "HELLO", "--count", "2"],
     ["--days", "7", "--from", "2026-03-04", "--to", "2026-03-04"]],
)  # fmt: skip
def test_a_code_that_makes_no_sense_is_refused(asked: CliRunner, options: list[str]) -> None:
    assert asked.invoke(app, ["promo", "create", *options]).exit_code == 2


def test_a_period_without_people_and_a_wrong_period_are_said(asked: CliRunner) -> None:
    assert "Nobody started" in asked.invoke(app, ["funnel", "--to", "2026-03-04"]).output
    assert asked.invoke(app, ["funnel", "--from", "2026-03-04", "--to", "2026-03-04"]).exit_code == 2
    assert asked.invoke(app, ["funnel", "--by", "age"]).exit_code == 2
