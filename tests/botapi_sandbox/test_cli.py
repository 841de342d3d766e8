"""The command in its own process."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from botapi_sandbox.cli import main
from botapi_sandbox.world.world import pretend_token
from tests import warm
from tests.botapi_sandbox.wire import request


class Process:
    """A sandbox that runs with these arguments."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "botapi_sandbox", "--port", "0", *arguments]
        self.process = warm.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert first.startswith("Bot API sandbox at http://127.0.0.1:"), first
        self.url = first.split()[4]
        self.tokens: list[str] = []

    def read_tokens(self, count: int) -> list[str]:
        assert self.process.stdout is not None
        return [self.process.stdout.readline().split()[1] for _ in range(count)]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(120)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def test_the_command_prints_its_address_and_tokens_and_stops_cleanly() -> None:
    started = Process("--bots", "2", "--seed", "5")
    tokens = started.read_tokens(2)
    assert tokens == [pretend_token(5, 1000001), pretend_token(5, 1000002)]
    assert request(f"{started.url}/bot{tokens[0]}/getMe").json()["result"]["id"] == 1000001
    assert (started.end(signal.SIGTERM), started.errors) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_open_polls_and_streams_do_not_delay_the_stop(number: int) -> None:
    started = Process("--bots", "1")
    (token,) = started.read_tokens(1)
    port = int(started.url.rpartition(":")[2])
    connections = []
    for path in (f"/bot{token}/getUpdates?timeout=50", "/sandbox/events?people="):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        connections.append(connection)
    assert b"200 OK" in connections[1].recv(1000)
    assert (started.end(number), started.errors) == (0, "")
    for connection in connections:
        connection.close()


def test_a_killed_sandbox_continues_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "world"
    started = Process("--bots", "1", "--state", str(path))
    (token,) = started.read_tokens(1)
    person = request(f"{started.url}/sandbox/people", b"{}").json()["id"]
    chat = f"/sandbox/people/{person}/chats/1000001"
    request(f"{started.url}{chat}/start", b"{}")
    while b"/start" not in (path.read_bytes() if path.exists() else b""):
        request(f"{started.url}{chat}")
    started.end(signal.SIGKILL)
    again = Process("--bots", "1", "--state", str(path))
    assert again.read_tokens(1) == [token]
    assert request(f"{again.url}{chat}").json()["messages"][0]["text"] == "/start"
    updates = request(f"{again.url}/bot{token}/getUpdates").json()["result"]
    assert updates[-1]["message"]["text"] == "/start"
    again.end(signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--port", "x"], "botapi_sandbox: argument --port: 'x' is not a port: use a number from 0 to 65535\n"),
        (["--bots", "-1"], "botapi_sandbox: argument --bots: '-1' is not a number from 0 to 1000\n"),
        (["--what"], "botapi_sandbox: unrecognized arguments: --what\n"),
    ],
)
def test_a_wrong_argument_exits_with_2_and_prints_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, capsys.readouterr().err) == (2, line)


def test_a_taken_port_or_an_unreadable_state_file_exits_with_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    strange = tmp_path / "world"
    strange.write_bytes(b"x")
    assert main(["--port", "0", "--state", str(strange)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "in use" in lines[0]
    assert "is not a state file" in lines[1]
