"""No metric identifies a person: after any activity, the process's metrics contain no canary."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from passerby.kernel.ids import BotId
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.delivery.outcome_writer import OutcomeWriter
from passerby.telemetry import metrics
from passerby.telemetry.instruments import INSTRUMENTS, OTHER, Instrument
from tests.leaks.canaries import TYPED, look
from tests.leaks.cases import ALL
from tests.leaks.judge import Judge
from tests.leaks.stage import Stage, staged

FLOOD_S = 3


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    for instrument in INSTRUMENTS:
        instrument.clear()
    yield
    for instrument in INSTRUMENTS:
        instrument.clear()


def shown() -> str:
    return metrics.exposition().decode() + msgspec.json.encode(metrics.snapshot(1.0)).decode()


def played() -> str:
    """Return the metrics after a bit of everything: every kind of content, refusals, a 429, chats that end."""
    with staged(just_met=True) as stage:
        judge = Judge(stage, strangers=True)

        async def play() -> None:
            for case in ALL[:: len(ALL) // 60]:
                await judge.play(case)
            await _quarrel(stage)

        stage.loop.run_until_complete(play())
        return shown()


async def _quarrel(stage: Stage) -> None:
    couple = stage.couples[1]
    stage.flood(couple.partner, FLOOD_S)
    stage.send(couple.me, couple.bot, {"text": f"{TYPED} <name>"})
    await stage.settled()
    await asyncio.sleep(FLOOD_S)
    for each in stage.couples:
        stage.send(each.me, each.bot, {"text": "/stop"})
        stage.send(each.me, each.bot, {"text": TYPED})
    await stage.settled()


def test_the_metrics_contain_no_personal_data() -> None:
    text = played()
    found = look(text)
    assert (found.typed, found.letters, found.numbers) == (False, frozenset(), frozenset())
    for busy in (metrics.UPDATES, metrics.RELAYS, metrics.NOTICES, metrics.FLOODS, metrics.SEARCHES, metrics.DECISIONS):
        assert busy.total() > 0, busy.name
    assert sum(metrics.RELAY_LATENCY.counts()) > 20
    assert f'"{OTHER}"' not in text, "every label value that the product counts under is one of its label's"


def test_a_persons_id_in_the_place_of_a_bots_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OutcomeWriter, "_count", _count_by_person)
    text = played()
    assert not look(text).numbers
    assert f'"{OTHER}"' in text


def test_a_planted_leak_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, with the hiding switched off."""
    monkeypatch.setattr(OutcomeWriter, "_count", _count_by_person)
    monkeypatch.setattr(Instrument, "_shown", lambda _, values: tuple(map(str, values)))
    assert look(played()).numbers >= {101, 102, 103, 104}


def _count_by_person(storing: OutcomeWriter, delivery: Delivery, outcome: str, now: float) -> None:
    metrics.RELAYS.add(BotId(delivery.person), "relay", "delivered")
