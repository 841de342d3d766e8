"""An update that ends the process twice is put aside by the third process. Real processes, restarted by the test.

In a fleet, and with webhooks: `python -m tests.faults poison-update poison-brought`.
"""

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from passerby.ops.cluster import sockets
from passerby.runtime.flight_recorder import EXIT_STUCK
from simulated_people.phrases import words_of
from tests.faults import child
from tests.faults.crowd import Crowd
from tests.faults.people import Person
from tests.faults.product import Product
from tests.faults.sandbox import a_sandbox
from tests.size import in_full
from tests.staged import in_a_loop
from tests.wording import opening

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

SORRY = opening("chat.failed_fatal")
WAIT_S = 180.0
ENDS = {"loop": EXIT_STUCK, "abort": -6}


@asynccontextmanager
async def two_in_a_chat(directory: Path, **environment: str) -> AsyncIterator[tuple[Product, Person, Person]]:
    async with a_sandbox(directory, bots=2, seed=1) as (sandbox, tokens):
        product = Product(directory, tokens, sandbox.url, child.command("poison", role="run"), **environment)
        try:
            crowd = Crowd(sandbox, 2, 1)
            async with crowd.present():
                product.start()
                await crowd.join()
                ann, ben = crowd.people
                await asyncio.gather(ann.ask("/search", "Partner found"), ben.ask("/search", "Partner found"))
                yield product, ann, ben
                await crowd.follow()
                assert crowd.journal.dropped == 0
        finally:
            product.close()


async def _has(person: Person, words: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while not any(words in words_of(each) for each in await person.phone()):
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("where", "how"), in_full([("decide", "abort"), ("send", "loop"), ("decide", "loop"), ("send", "abort")], 0)
)
@in_a_loop
async def test_an_update_that_ends_the_process_twice_is_put_aside(tmp_path: Path, where: str, how: str) -> None:
    async with two_in_a_chat(tmp_path) as (product, ann, ben):
        await ann.say(f"poison {where} {how}")
        await ben.say("meanwhile")
        codes = []
        for _ in range(2):
            codes.append(await product.ended(WAIT_S))
            product.start()
        await ann.say("afterwards")
        await asyncio.gather(_has(ann, SORRY), _has(ann, "meanwhile"), _has(ben, "afterwards"))
        assert codes == [ENDS[how]] * 2
        assert not any("poison" in words_of(each) for each in await ben.phone())
        assert await product.stop() == 0
    said = product.log.read_text()
    assert said.count('"event.put_aside"') == 1
    assert "poison" not in said, "a log contains a person's message"


async def _until_silent(directory: Path) -> None:
    """Wait until the liveness probe gets no answer within two seconds. A busy machine alone is never that slow."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                code, _ = await asyncio.to_thread(sockets.ask, directory / "run", "passerby", "/livez", 2.0)
            except sockets.Silent:
                return
            assert code == http.client.OK


class Systemd:
    """Receives what a process reports to systemd."""

    def __init__(self, directory: Path) -> None:
        path = directory / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path)}
        self.watching = {**self.environment, "WATCHDOG_USEC": "300000"}
        """The socket holds only a few reports, so whoever asks for many must read them."""

    def heard(self) -> list[str]:
        """Return the reports since the last call."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.mark.long
@in_a_loop
async def test_a_process_with_a_stuck_loop_reports_no_life_to_probes_or_systemd(tmp_path: Path) -> None:
    with closing(Systemd(tmp_path)) as systemd:
        async with two_in_a_chat(tmp_path, **systemd.watching) as (product, ann, _):
            heard = systemd.heard()
            assert "READY=1" in heard
            assert heard.count("WATCHDOG=1") > 1
            await ann.say("poison decide loop")
            await _until_silent(tmp_path)
            systemd.heard()
            assert await product.ended(WAIT_S) == EXIT_STUCK
            assert systemd.heard() == []


@pytest.mark.long
@in_a_loop
async def test_systemd_is_told_that_the_process_stops(tmp_path: Path) -> None:
    with closing(Systemd(tmp_path)) as systemd:
        async with two_in_a_chat(tmp_path, **systemd.environment) as (product, _, _):
            assert await product.stop() == 0
            assert "STOPPING=1" in systemd.heard()
