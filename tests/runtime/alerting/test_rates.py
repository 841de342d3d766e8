"""Counts within a window, even if the clock is set back."""

from passerby.ports.leases import WorkerId
from passerby.runtime.alerting.rates import Rates
from passerby.telemetry.figures import Snapshot

WORKER = WorkerId("w1")


def test_a_window_stays_as_long_as_it_was_if_the_clock_is_set_back() -> None:
    rates, now = Rates(), 1_800_000_000.0
    for errors, at in enumerate(range(0, 3000, 5)):
        now += 5 - (86_400 if at == 1500 else 0)
        rates.feed({WORKER: Snapshot(at=now, poll_errors=errors)}, {}, now)
        if at >= 60:
            assert rates.increase("poll_errors", 60.0) in range(11, 14), at
    assert len(rates._past) <= 3000 / 5
