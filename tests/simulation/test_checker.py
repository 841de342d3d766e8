"""The checker, with stories that are written by hand."""

from random import Random
from typing import Any

import pytest

from botapi_sandbox import World
from tests.simulation.checker import Evidence, check
from tests.simulation.virtual_time import VirtualLoop
from tests.simulation.witness import FOUND, IDLE_HERE, Witness

ANN, BOT = 1, 1000001
(READY,) = IDLE_HERE

FIND, START, PRESS = {"kind": "out", "asked": "find"}, {"kind": "out", "text": "/start"}, {"kind": "press"}
BLOCK, TOLD_IDLE, TOLD_FOUND = {"kind": "block"}, {"kind": "in", "key": READY}, {"kind": "in", "key": FOUND}


def late_founds(*story: dict[str, Any]) -> list[str]:
    loop = VirtualLoop()
    try:
        world = World(clock=lambda: 0.0, rng=Random(1))
        witness = Witness(world, loop)
        for what in story:
            witness._add(ANN, BOT, **what)
        evidence = Evidence(world, witness, 0.0, frozenset(), [], [])
        return [broken.what for broken in check(evidence) if "after the end of that chat" in broken.what]
    finally:
        loop.close()


def test_a_partner_who_is_told_of_after_the_chat_is_over_is_a_breach() -> None:
    assert late_founds(FIND, BLOCK, START, TOLD_IDLE, TOLD_FOUND)
    assert late_founds(FIND, START, TOLD_IDLE, START, TOLD_FOUND, FIND, TOLD_FOUND)


@pytest.mark.parametrize(
    "story",
    [
        (FIND, TOLD_FOUND),
        (FIND, BLOCK, START, TOLD_FOUND),
        (FIND, BLOCK, START, FIND, TOLD_IDLE, TOLD_FOUND),
        (FIND, BLOCK, START, TOLD_IDLE, FIND, TOLD_FOUND),
        (FIND, BLOCK, START, TOLD_IDLE, PRESS, TOLD_FOUND),
    ],
    ids=["found", "the block may not be known yet", "asked before the answer", "asked again", "pressed a button"],
)
def test_a_partner_who_was_asked_for_is_none(story: tuple[dict[str, Any], ...]) -> None:
    assert late_founds(*story) == []
