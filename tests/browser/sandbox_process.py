"""The sandbox in its own process, with its control API."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from time import monotonic, sleep
from typing import Any

from tests import warm
from tests.ports import free_port

START_S = 120.0


class Sandbox:
    """A sandbox in its own process, at `url`, without bots. It can be stopped, and started again empty."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bots", "0", "--no-limits", "--check-own"]
        command = [sys.executable, "-m", "botapi_sandbox", *options]
        self.process = warm.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        give_up = monotonic() + START_S
        while True:
            try:
                self.get("bots")
                return
            except OSError:
                assert self.process.poll() is None, "the sandbox ended while it started"
                assert monotonic() < give_up, "the sandbox does not answer"
                sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/sandbox/{path}", timeout=60) as response:
            return json.load(response)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}/sandbox/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
