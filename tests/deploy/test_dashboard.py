"""Every panel of the dashboard shows something: a real Prometheus scrapes a real fleet under load."""

import json
import math
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from passerby.ops.cluster import sockets
from tests import warm
from tests.cli.command import PASSERBY, environment
from tests.contract.servers import start_postgres, start_valkey
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy/monitoring/grafana/passerby.json"
PATIENCE_S = 240.0


def expressions() -> dict[str, str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return {
        f"{panel['title']}: {target['legendFormat']}": target["expr"]
        for panel in panels
        for target in panel.get("targets", ())
    }


@contextmanager
def bridge(directory: Path) -> Iterator[int]:
    """Prometheus scrapes no Unix sockets: /NAME/metrics are the metrics of the process with that name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.split("/")[1]
            try:
                code, body = sockets.ask(directory, name, "/metrics")
            except sockets.Silent:
                code, body = 503, b""
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def prometheus(directory: Path, port: int, names: list[str]) -> Iterator[str]:
    program = shutil.which("prometheus")
    assert program is not None
    directory.mkdir()
    jobs = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"__metrics_path__": f"/{name}/metrics", "instance": name},
        }
        for name in names
    ]
    config = {
        "global": {"scrape_interval": "2s"},
        "scrape_configs": [{"job_name": "passerby", "static_configs": jobs}],
    }
    (directory / "prometheus.yaml").write_text(yaml.safe_dump(config), "utf-8")
    own = free_port()
    process = subprocess.Popen(
        [
            program,
            f"--config.file={directory / 'prometheus.yaml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{own}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{own}"
    finally:
        process.terminate()
        process.wait(60)


def is_shown(url: str, expression: str) -> bool:
    """Whether the expression has a value now."""
    asked = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            told: Any = json.load(answer)
    except OSError:
        return False
    return any(not math.isnan(float(each["value"][1])) for each in told["data"]["result"])


@pytest.mark.long
@pytest.mark.services
@pytest.mark.timeout(900)
def test_no_panel_is_empty_while_a_fleet_is_under_load(tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("there is no prometheus (Debian: apt install prometheus)")
    with (
        # The path of a socket must be short.
        tempfile.TemporaryDirectory(prefix="pd-") as short,
        start_postgres() as postgres,
        start_valkey("--appendonly", "yes", "--appendfsync", "always") as valkey,
    ):
        stores = {"POSTGRES_URI": postgres.uri, "REDIS_URL": valkey.url}
        command = [*PASSERBY, "loadtest", "--users", "60", "--seconds", str(int(PATIENCE_S)), "--workers", "2"]
        load = warm.start(
            [*command, "--report", str(tmp_path / "page.html")],
            cwd=tmp_path,
            env=environment() | stores | {"TMPDIR": short},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            run_dir, names = _fleet_of(Path(short))
            with bridge(run_dir) as port, prometheus(tmp_path / "prometheus", port, names) as url:
                missing = dict(expressions())
                ends_at = time.monotonic() + PATIENCE_S
                while missing and time.monotonic() < ends_at:
                    missing = {name: each for name, each in missing.items() if not is_shown(url, each)}
                    time.sleep(2)
                assert missing == {}
        finally:
            load.terminate()
            load.wait(120)


def _fleet_of(directory: Path) -> tuple[Path, list[str]]:
    """Where the load test's two workers have their sockets, and their names."""
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        for found in directory.rglob("*.sock"):
            names = [each for each in sockets.names(found.parent) if each.startswith("worker")]
            if len(names) >= 2:
                return found.parent, names
        time.sleep(0.5)
    raise AssertionError("the load test has started no fleet")
