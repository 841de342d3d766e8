"""The command line cannot raise a limit above which a second member must agree, and says when it waits for them."""

import asyncio
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.installation import note_limits, noted_limits
from passerby.adapters.sql.overrides import SqlOverrides, add_overrides
from passerby.bootstrap.override_watch import LIMITS, OverrideWatch, limits_of, rules_of, stricter
from passerby.cli.app import app
from passerby.kernel.override import Overridden, Override, OverrideKey
from passerby.kernel.rules import Rules
from passerby.settings import Settings
from passerby.settings.overrides import SECOND_ABOVE
from tests.cli.command import environment
from tests.contract.records_places import make_tables
from tests.panel.stage import Clock

WAITS = 3


class Stopped(Exception):
    """Ends the watch after its first look."""


class Once(Clock):
    async def sleep(self, seconds: float) -> None:
        raise Stopped


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A fleet served here with these limits."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)

    async def serve() -> None:
        await make_tables(tmp_path / "passerby.db")
        records = SqlRecords.at(tmp_path / "passerby.db")
        settings = Settings(
            bot_tokens=("123456789:" + "x" * 35,),
            vip_plans="year=365d:100",  # type: ignore[arg-type]
            promo_second_above=700,
            sqlite_db_path=tmp_path / "passerby.db",
        )

        async def noted(limits: dict[str, int]) -> None:
            await note_limits(records.engine, limits)

        watch = OverrideWatch(settings, SqlOverrides(records.engine), Once(), notes_limits=noted)  # type: ignore[arg-type]
        with pytest.raises(Stopped):
            await watch.run()
        assert await noted_limits(records.engine) == limits_of(rules_of(settings))
        await records.aclose()

    asyncio.run(serve())
    return CliRunner()


def promo(ask: CliRunner, *options: str, **told: str) -> Result:
    return ask.invoke(app, ["promo", "create", *options], env=told)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--days", "3650", "--uses", "1000"), {"PROMO_SECOND_ABOVE": "1000000000"}),
        (("--days", "71", "--uses", "10"), {}),
        (("--percent", "99", "--uses", "2"), {"PROMO_SECOND_ABOVE": "1000000000", "VIP_PLANS": "day=1d:1"}),
        (("--percent", "99", "--uses", "2"), {}),
        (("--days", "60", "--uses", "10"), {"PROMO_SECOND_ABOVE": "500"}),
    ],
)
def test_the_stricter_one_of_the_fleets_limit_and_ones_own_counts(
    ask: CliRunner, options: tuple[str, ...], told: dict[str, str]
) -> None:
    done = promo(ask, *options, "--code", "SECRETCODE", **told)
    assert done.exit_code == WAITS, done.output
    assert "This needs a second member. It's no. 1" in done.output
    assert "SECRETCODE" not in done.output, "nobody can use it yet"
    as_csv = promo(ask, *options, "--csv", "--count", "2", **told)
    assert (as_csv.exit_code, as_csv.stdout) == (WAITS, "")
    assert "No code was made" in as_csv.stderr
    assert "None yet" in ask.invoke(app, ["promo", "list"]).output


@pytest.mark.parametrize(
    ("sold", "waits"), [("year=3650d:9999", True), ("week=7d:75", False), ("year=9999999d:1", False)]
)
def test_a_discount_is_valued_by_the_longest_plan_that_was_ever_sold(ask: CliRunner, sold: str, waits: bool) -> None:
    """Otherwise, somebody sells only short plans for a moment, and makes codes then."""

    async def sell() -> None:
        records = SqlRecords.at(Path("passerby.db"))
        key = OverrideKey(Overridden.SETTING, "VIP_PLANS")
        async with records.engine.begin() as connection:
            values = (sold, "day=1d:13", None)
            await add_overrides(connection, [Override(at, key, value, 1, 1.0) for at, value in enumerate(values, 1)])
        await records.aclose()

    asyncio.run(sell())
    done = promo(ask, "--percent", "10", "--uses", "2")
    assert done.exit_code == (WAITS if waits else 0), done.output


def test_below_the_fleets_limit_a_code_is_made_at_once(ask: CliRunner) -> None:
    done = promo(ask, "--days", "7", "--uses", "100", "--code", "HELLO")
    assert (done.exit_code, "HELLO,?start=p_HELLO" in done.output) == (0, True), done.output


def test_each_limit_of_the_settings_is_noted() -> None:
    assert {name.removeprefix("broadcast_") for name in SECOND_ABOVE} == {*LIMITS}
    raised = Rules(approval_above=9_000, refund_second_above=9_000, promo_second_above=90_000)
    lowered = stricter(raised, limits_of(Rules()))
    assert limits_of(lowered) == limits_of(Rules())
    assert limits_of(stricter(Rules(), limits_of(raised))) == limits_of(Rules())
    assert stricter(raised, {}) == raised, "a fleet that never served has none"
