"""`passerby demo` in a process of its own: the sandbox, Passerby on three bots, and the page."""

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from time import monotonic, sleep

START_S = 120.0
END_S = 120.0


class Demo:
    """The demo at `url`, with its data in `folder` and its output in `log`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "demo.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._said = 0  # bytes of the log from earlier starts

    def start(self) -> None:
        program = Path(sys.executable).parent / "passerby"
        command: list[str | Path] = [program, "demo", "--data", self.folder / "data", "--port", str(self.port)]
        self._said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        give_up = monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, f"the demo ended while it started: {self.log.read_text()}"
            assert monotonic() < give_up, f"the demo does not answer: {self.log.read_text()}"
            sleep(0.1)

    def stop(self) -> int:
        """Press Ctrl-C. Returns the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def end(self) -> None:
        """Stop it if a failed test left it running."""
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def _answers(self) -> bool:
        if b"Open http" not in self.log.read_bytes()[self._said :]:
            return False
        with urllib.request.urlopen(self.url, timeout=60) as response:
            return bool(response.status == 200)
