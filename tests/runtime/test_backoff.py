"""Pauses between tries, and waits with a bound."""

import asyncio
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from passerby.runtime.backoff import Backoff, steady
from passerby.runtime.waiting import Signal, event_within
from tests.staged import in_virtual_time

SEEDS = st.integers().map(Random)


def test_pauses_double_up_to_the_longest() -> None:
    even = Backoff(0.5, 3.0, 1.0, 1.0)
    assert [even.pause_s(failures, Random(1)) for failures in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]


@given(failures=st.integers(1, 10_000), rng=SEEDS)
def test_a_pause_stays_within_its_spread_however_often_it_failed(failures: int, rng: Random) -> None:
    assert 0.375 <= Backoff(0.5, 30.0).pause_s(failures, rng) <= 37.5


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert steady(1.0).pause_s(1, Random(1)) != steady(1.0).pause_s(1, Random(2))


@in_virtual_time
async def test_a_wait_ends_with_its_event_or_with_its_time() -> None:
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    began_at = loop.time()
    assert not await event_within(event, 5.0)
    assert loop.time() - began_at >= 5.0
    loop.call_later(1.0, event.set)
    assert await event_within(event, 60.0)
    assert loop.time() - began_at < 7.0


@in_virtual_time
async def test_a_signal_wakes_all_who_wait_even_if_it_is_taken_back_at_once() -> None:
    signal, loop = Signal(), asyncio.get_running_loop()
    began_at = loop.time()
    assert not await signal.within(5.0)
    assert loop.time() - began_at >= 5.0

    def pulse() -> None:
        signal.set()
        signal.set()
        signal.clear()

    loop.call_later(1.0, pulse)
    cancelled = asyncio.ensure_future(signal.within(60.0))
    loop.call_later(0.5, cancelled.cancel)
    found = await asyncio.gather(signal.within(60.0), signal.wait(), cancelled, return_exceptions=True)
    assert found[:2] == [True, None]
    assert isinstance(found[2], asyncio.CancelledError)
    assert loop.time() - began_at < 7.0
    assert not signal.is_set()
    signal.set()
    await signal.wait()
    assert await signal.within(0.0)
