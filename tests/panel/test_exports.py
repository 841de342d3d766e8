"""Exports: each file has the columns of the page about them, also on a quiet day. Zeros and dates are values."""

import csv
import io
from pathlib import Path

import msgspec
import pytest

from passerby.adapters.sql.packing import REASONS
from passerby.adapters.sql.panel_counter import CHATS, GROWTH, LASTED, STEPS, Growth
from passerby.kernel.staff import Role
from passerby.panel import export_columns
from passerby.panel.export_columns import EXPORTS
from tests.panel.stage import START, Stage, play

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/exports.md"
TODAY = int(START // 86_400)
QUIET = dict.fromkeys(STEPS, 0)


async def filled(stage: Stage) -> None:
    growth = Growth(QUIET | {"people": 30, "deleted": 12}, {"1000001": QUIET | {"people": 30}}, {})
    await stage.counting.keep(GROWTH, TODAY, msgspec.json.encode(growth).decode(), START)
    await stage.counting.keep(GROWTH, TODAY - 1, msgspec.json.encode(Growth(QUIET, {}, {})).decode(), START)
    await stage.counting.keep(CHATS, TODAY, '{"chats": 25, "ended stop": 3}', START)
    await stage.counting.keep(CHATS, TODAY - 1, "{}", START)


@pytest.mark.parametrize("name", EXPORTS)
def test_each_export_has_all_columns_of_its_page_in_their_order(name: str, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        if name != "audit":
            empty = (await browser.get(f"/exports/{name}.csv")).text
            assert empty.strip().split(",") == list(EXPORTS[name].columns), "also before anything was counted"
        await filled(stage)
        saved = (await browser.get(f"/exports/{name}.csv")).text
        header, *rows = csv.reader(io.StringIO(saved))
        assert header == list(EXPORTS[name].columns)
        assert rows
        for row in msgspec.json.decode((await browser.get(f"/exports/{name}.json")).body):
            assert list(row) == header
        described = PAGE.read_text("utf-8").partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert [line.split("`")[1] for line in described.splitlines() if line.startswith("| `")] == header

    play(tmp_path, scene)


def test_a_zero_was_counted_and_an_empty_cell_is_what_nobody_counts(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await filled(stage)
        browser = await stage.signed_in()
        rows = list(csv.DictReader(io.StringIO((await browser.get("/exports/chats.csv")).text)))
        assert [(row["chats"], row["ended stop"], row["blocks"]) for row in rows] == [
            ("0", "0", "0"),
            ("25", "<10", "0"),
        ]
        rows = list(csv.DictReader(io.StringIO((await browser.get("/exports/growth.csv")).text)))
        assert [(row["part"], row["people"], row["deleted"], row["back30"]) for row in rows] == [
            ("all", "0", "0", "0"),
            ("all", "30", "12", "0"),
            ("bot", "30", "", "0"),
        ]
        told = msgspec.json.decode((await browser.get("/exports/growth.json")).body)
        assert [row["deleted"] for row in told] == [0, 12, None]

    play(tmp_path, scene)


def test_the_audit_has_dates_and_its_details_are_values_in_json(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in()
        rows = msgspec.json.decode((await browser.get("/exports/audit.json")).body)
        assert {row["at"] for row in rows} == {"2027-01-15T08:00:00.000000Z"}
        assert all(isinstance(row["details"], dict) for row in rows)
        assert any(row["details"] for row in rows)
        table = list(csv.DictReader(io.StringIO((await browser.get("/exports/audit.csv")).text)))
        assert [msgspec.json.decode(row["details"]) for row in table] == [row["details"] for row in rows]

    play(tmp_path, scene)


def test_every_figure_that_is_counted_is_a_column_with_a_meaning() -> None:
    assert {*STEPS, "deleted"} <= {*export_columns.GROWTH}
    ends = {f"ended {reason or 'other'}" for reason in REASONS}
    lengths = {name for name, _ in LASTED} | {"long"}
    assert {"chats", "open", "left", "nobody left", "good", "bad", "blocks", "complaints"} | ends | lengths <= {
        *export_columns.CHATS
    }
