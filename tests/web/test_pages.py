"""The pages for operators."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from passerby.web import CannotListen, Pages, listen_on_socket, listen_on_tcp
from tests.staged import in_a_loop
from tests.web.asking import Answered, ask


class Worker:
    """A worker for the pages to show."""

    def __init__(self, *reasons: str, slow: bool = False) -> None:
        self._reasons = reasons
        self._slow = slow

    async def unready(self) -> Sequence[str]:
        if self._slow:
            await asyncio.Event().wait()
        return self._reasons

    async def status(self) -> Mapping[str, object]:
        await self.unready()
        return {"relays": 3, "bots": {"1000001": "mine"}}


@asynccontextmanager
async def answering(worker: Worker | None = None) -> AsyncIterator[int]:
    pages = Pages(lambda: b"passerby_relays_total 3.0\n")
    pages.watched = worker
    listener = listen_on_tcp(pages, "127.0.0.1", 0)
    try:
        yield listener.port
    finally:
        await listener.aclose()


def got(path: str, worker: Worker | None = None, method: str = "GET") -> Answered:
    async def main() -> Answered:
        async with answering(worker) as port:
            return await ask(port, path, method=method)

    return asyncio.run(main())


def test_a_process_is_alive_before_it_is_ready() -> None:
    assert got("/livez")[::2] == (200, b"ok\n")
    assert got("/readyz")[::2] == (503, b"it is starting, or stopping\n")
    assert got("/status").status == 503


def test_a_process_is_ready_if_nothing_speaks_against_it() -> None:
    assert got("/readyz", Worker())[::2] == (200, b"ok\n")
    assert got("/readyz", Worker("Redis is away", "no lease"))[::2] == (503, b"Redis is away\nno lease\n")


def test_a_probe_does_not_wait_long_for_a_slow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerby.web.pages.PATIENCE_S", 0.01)
    assert got("/readyz", Worker(slow=True)).status == 503
    assert got("/status", Worker(slow=True)).status == 503


def test_metrics_are_in_prometheus_format_and_status_is_json() -> None:
    metrics = got("/metrics")
    assert metrics.body == b"passerby_relays_total 3.0\n"
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    status = got("/status", Worker())
    assert json.loads(status.body) == {"relays": 3, "bots": {"1000001": "mine"}}
    assert status.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/secret", "/../metrics", "/livez?x=/readyz/.."])
def test_other_pages_do_not_exist(path: str) -> None:
    answered = got(path)
    assert answered.status == (200 if path.startswith("/livez?") else 404)


def test_pages_only_accept_get() -> None:
    assert got("/livez", method="POST").status == 405
    assert got("/livez", method="HEAD")[::2] == (200, b"")


def test_an_answer_does_not_name_the_server_software() -> None:
    assert set(got("/livez").headers) == {"content-length", "content-type", "cache-control", "connection"}


@in_a_loop
async def test_only_its_owner_can_open_a_socket_and_it_goes_with_the_process(tmp_path: Path) -> None:
    path = tmp_path / "run" / "w.sock"
    listener = listen_on_socket(Pages(bytes), path)
    try:
        assert (await ask(path, "/livez")).status == 200
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with pytest.raises(CannotListen, match=r"another process answers at w\.sock"):
            listen_on_socket(Pages(bytes), path)
    finally:
        await listener.aclose()
    assert not path.exists()


@in_a_loop
async def test_the_socket_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "w.sock"
    dead = listen_on_socket(Pages(bytes), path)
    left = path.rename(tmp_path / "left")
    await dead.aclose()
    left.rename(path)  # its file, without a process
    listener = listen_on_socket(Pages(bytes), path)
    assert (await ask(path, "/livez")).status == 200
    await listener.aclose()


@in_a_loop
async def test_a_process_that_ends_does_not_remove_its_successors_socket(tmp_path: Path) -> None:
    path = tmp_path / "w.sock"
    former = listen_on_socket(Pages(bytes), path)
    path.unlink()
    later = listen_on_socket(Pages(bytes), path)
    await former.aclose()
    assert (await ask(path, "/livez")).status == 200
    await later.aclose()


def test_a_file_that_is_not_a_socket_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "w.sock").write_text("mine")
    with pytest.raises(CannotListen, match="there is a file named"):
        listen_on_socket(Pages(bytes), tmp_path / "w.sock")
    assert (tmp_path / "w.sock").read_text() == "mine"


def test_a_socket_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CannotListen, match=r"cannot be made there \(AF_UNIX path too long\)"):
        listen_on_socket(Pages(bytes), tmp_path / ("x" * 200))


@in_a_loop
async def test_processes_on_one_machine_take_the_next_free_ports() -> None:
    first = listen_on_tcp(Pages(bytes), "127.0.0.1", 0)
    second = listen_on_tcp(Pages(bytes), "127.0.0.1", first.port, or_next=True)
    assert second.port > first.port
    assert second.address == f"127.0.0.1:{second.port}"
    with pytest.raises(CannotListen, match="in use"):
        listen_on_tcp(Pages(bytes), "127.0.0.1", first.port)
    await first.aclose()
    await second.aclose()


@in_a_loop
async def test_processes_on_one_machine_can_share_a_port() -> None:
    first = listen_on_tcp(Pages(bytes), "127.0.0.1", 0, shared=True)
    second = listen_on_tcp(Pages(bytes), "127.0.0.1", first.port, shared=True)
    port = first.port
    await first.aclose()
    assert (await ask(port, "/livez")).status == 200
    await second.aclose()


@in_a_loop
async def test_a_process_that_ends_leaves_a_shared_port_to_the_others() -> None:
    first = listen_on_tcp(Pages(bytes), "127.0.0.1", 0, shared=True)
    second = listen_on_tcp(Pages(bytes), "127.0.0.1", first.port, shared=True)
    port = first.port
    assert (await ask(port, "/livez")).status == 200  # both have started by then
    first.refuse()
    assert [(await ask(port, "/livez")).status for _ in range(20)] == [200] * 20
    await second.aclose()
    with pytest.raises(ConnectionRefusedError):
        await ask(port, "/livez")
    await first.aclose()


def test_an_address_of_another_machine_is_explained() -> None:
    with pytest.raises(CannotListen, match=r"[Cc]annot assign|not one of this machine"):
        listen_on_tcp(Pages(bytes), "192.0.2.1", 0)
