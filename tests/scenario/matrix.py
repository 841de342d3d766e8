"""The axes of the test matrix, and a way to get a message of any kind to the partner."""

import asyncio
from typing import Any

import pytest

from tests.scenario.kinds import ASKED_FIRST, SENT
from tests.scenario.stage import Phone, Stage
from tests.scenario.stores import FILE, FLEET, SERVERS, STORES
from tests.size import in_full

over_stores = pytest.mark.parametrize("store", STORES)
over_servers = pytest.mark.parametrize("store", [*STORES, SERVERS])
over_everything = pytest.mark.parametrize("store", [*STORES, FILE, SERVERS, FLEET])
on_both = pytest.mark.parametrize("store", [FILE, SERVERS])
over_pairs = pytest.mark.parametrize("store", [FILE, SERVERS, FLEET])
"""Both stores of a laptop, both on servers, and these with two workers."""
HOMES = pytest.mark.parametrize("home", [True, False], ids=["one bot", "two bots"])
ONE_PERSON = pytest.mark.parametrize("home", in_full([True, False], 1), ids=["one bot", "two bots"])
"""The same, where only one person takes part."""
HISTORIES = pytest.mark.parametrize("history", ["fresh", "restarted", "killed"])
"""The app's state before the action under test."""


async def pass_on(on: Stage, sender: Phone, kind: str, **more: Any) -> int:
    """Send a message of this kind and confirm it if asked. Return its id in the sender's chat."""
    sent = sender.send(SENT[kind], **more)
    if kind in ASKED_FIRST:
        await on.quiet()
        sender.press("show")
    await on.quiet()
    await asyncio.sleep(1.0)  # best-effort calls are in no queue
    return sent
