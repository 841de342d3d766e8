"""`passerby people`: what is ordered for somebody who shows their support code."""

import asyncio
import json
import os
from pathlib import Path
from time import time

import pytest
from typer.testing import CliRunner

from passerby.adapters.sql import SqlRecords, SqlStaff
from passerby.cli.app import app
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import SupportCode
from passerby.kernel.staff import DataOrder
from passerby.ports.facts import PersonChanged
from tests.cli.command import environment
from tests.contract.records_places import make_tables

PERSON = PersonId(7351946101)
CODE = "ABCDEFGH"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with one person, who sees CODE in /help."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    path = tmp_path / "passerby.db"
    bot = BotId(12345)

    async def fill() -> None:
        await make_tables(path)
        records = SqlRecords.at(path)
        person = Participant(PERSON, 1, bot, (bot,), support=SupportCode(CODE, time() + 86_400.0))
        await records.apply("g", [(1, PersonChanged(person, time()))])
        await records.aclose()

    asyncio.run(fill())
    return path


def orders(path: Path) -> list[object]:
    async def read() -> list[object]:
        records = SqlRecords.at(path)
        try:
            return [order for _, order in await SqlStaff(records.engine).orders(10)]
        finally:
            await records.aclose()

    return asyncio.run(read())


@pytest.mark.parametrize(("command", "erases"), [("copy", False), ("erase", True)])
def test_a_copy_or_an_erasure_is_ordered_by_the_code_alone_and_is_in_the_audit(
    place: Path, command: str, erases: bool
) -> None:
    runner = CliRunner()
    wrong = runner.invoke(app, ["people", command, "ZZZZ-ZZZZ"])
    assert (wrong.exit_code, orders(place)) == (2, [])
    done = runner.invoke(app, ["people", command, "ABCD-EFGH", "--note", "asked by letter"])
    assert done.exit_code == 0, done.output
    assert orders(place) == [DataOrder(PERSON, erases=erases)]
    told = runner.invoke(app, ["audit", "list", "--json"])
    (row,) = json.loads(told.output)
    assert (row["action"], row["reason"]) == (f"person.{'erasure' if erases else 'copy'}_ordered", "asked by letter")
    assert str(PERSON) not in done.output + told.output, "the operator learns no id"
