"""Notifications to systemd, over a real socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerby.cli.notify import Notify


class Systemd:
    def __init__(self, address: str | bytes) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(0.0)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["file", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Systemd, str]]:
    name = str(tmp_path / "notify") if request.param == "file" else f"@passerby-test-{os.getpid()}"
    there = Systemd(name if name[0] != "@" else "\0" + name[1:])
    yield there, name
    there.close()


def test_systemd_is_told_when_the_process_is_ready_and_when_it_stops(systemd: tuple[Systemd, str]) -> None:
    there, name = systemd
    notify = Notify({"NOTIFY_SOCKET": name})
    notify.ready()
    notify.stopping()
    notify.stopping()
    assert there.heard() == ["READY=1", "STOPPING=1"]


def test_systemd_gets_three_signs_of_life_within_its_time_limit(systemd: tuple[Systemd, str]) -> None:
    there, name = systemd
    notify = Notify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())})
    for now in range(100, 131):
        notify.alive(float(now))
    assert there.heard() == ["WATCHDOG=1"] * 4


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}])
def test_a_process_without_a_watchdog_sends_nothing(systemd: tuple[Systemd, str], more: dict[str, str]) -> None:
    there, name = systemd
    Notify({"NOTIFY_SOCKET": name, **more}).alive(100.0)
    assert there.heard() == []


def test_without_systemd_nothing_happens(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}):
        notify = Notify(environment)
        notify.ready()
        notify.stopping()
