"""The alert about farms: accounts that really advertise the same, on a real live store."""

from random import Random

from passerby.adapters.memory import MemoryStore
from passerby.domain.alerts import rules
from passerby.domain.farms.conduct import Note, Wrote
from passerby.kernel.ids import ChatId, PersonId
from passerby.runtime.background.farm_watch import AGAIN_S, DAY_S, ConductKeeper, FarmWatch
from tests.contract.live_places import Disk, DiskLog
from tests.runtime.alerting.stage import clean_metrics
from tests.runtime.alerting.test_server_causes import Fleet
from tests.staged import in_a_loop

KEY = b"k" * 32


@in_a_loop
async def test_a_farm_is_an_alert_until_none_was_found_for_hours() -> None:
    with clean_metrics():
        fleet = Fleet()
        store = MemoryStore(DiskLog(Disk()), fleet.clock, Random(1))
        notes: list[Note] = []
        watch = FarmWatch(store, lambda _: None, fleet.clock)
        for account in range(6):
            for chat in range(4):
                id_, at = ChatId(f"{account}.{chat}"), fleet.clock.now()
                notes.append(Wrote(PersonId(account + 1), id_, at, 0, 2.0 + chat, "come to sweet-room.club"))
        await watch.judge_candidates()
        await fleet.passes(60)
        assert not fleet.fires(rules.FARM_FOUND)
        await ConductKeeper(store, lambda: notes, KEY, fleet.clock).keep()
        await watch.judge_candidates()
        await fleet.passes(60)
        assert fleet.fires(rules.FARM_FOUND)
        fleet.clock.offset_s += 2 * DAY_S + AGAIN_S
        await watch.judge_candidates()
        await fleet.passes(120)
        assert not fleet.fires(rules.FARM_FOUND)
