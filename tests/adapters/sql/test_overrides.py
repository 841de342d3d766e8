"""Overrides in both databases: the newest of each key counts, and the others are its versions."""

from random import Random

from passerby.adapters.sql import SqlRecords, SqlStaff
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId
from passerby.kernel.override import Overridden, OverrideKey
from passerby.kernel.staff_requests import OverrideAsked
from passerby.runtime.staff.decisions import StaffDecisions
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

NOW = 1_800_000_000.0
SETTING = OverrideKey(Overridden.SETTING, "PATIENCE")
WORDS = OverrideKey(Overridden.TEXT, "intro.short", BotId(1000001), "de")


@in_a_loop
async def test_the_newest_override_of_each_place_counts_and_all_are_its_versions(database: str) -> None:
    await make_tables(database)
    records, rng = SqlRecords.at(database), Random(1)
    decisions = StaffDecisions(SqlStaff(records.engine), StaffRouter(ALL), lambda: Env(NOW, rng))
    stored = SqlOverrides(records.engine)
    assert (await stored.newest(), await stored.current()) == (0, [])
    for key, value, seen in ((SETTING, "2", 0), (WORDS, '["Hallo"]', 0), (SETTING, None, 1), (SETTING, "3", 3)):
        assert not (await decisions.on_request(OverrideAsked(key, value, seen))).refused
    for key, value, seen in ((SETTING, "4", 3), (SETTING, "3", 4), (WORDS, None, 0)):
        assert (await decisions.on_request(OverrideAsked(key, value, seen))).refused
    assert await stored.newest() == 4
    assert [(each.key, each.value) for each in await stored.current()] == [(WORDS, '["Hallo"]'), (SETTING, "3")]
    versions = await stored.versions(Overridden.SETTING, "PATIENCE", 2)
    assert [(each.number, each.version, each.value) for each in versions] == [(4, 3, "3"), (3, 2, None)]
    assert [(each.number, each.version) for each in await stored.latest(Overridden.TEXT, 9)] == [(2, 1)]
    assert await stored.one(2) == (await stored.latest(Overridden.TEXT, 9))[0]
    assert await stored.one(99) is None
    await records.aclose()
