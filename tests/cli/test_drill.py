"""`passerby drill failover` on a real cluster: the others take over, and the killed worker comes back."""

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerby.loadtest.probe import NoProbe, ProbeChat
from tests.cli.command import PASSERBY, WAIT_S, passerby, running, said
from tests.contract.servers import start_postgres, start_valkey
from tests.ports import free_port


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path, for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="psr-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def new_bot(url: str) -> str:
    """Returns the token."""
    request = urllib.request.Request(f"{url}/sandbox/bots", b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return str(json.load(answer)["token"])


def test_without_a_sandbox_there_is_no_probe_chat_and_the_reason_is_said() -> None:
    probe = ProbeChat(f"http://127.0.0.1:{free_port()}", lambda: 0.0, lambda delay_s: None)
    with pytest.raises(NoProbe, match="is no sandbox, and on Telegram nobody can write for people"):
        probe.begin([1])


@pytest.mark.long
@pytest.mark.services
def test_a_healthy_cluster_passes_the_drill_and_one_process_is_refused(place: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        start_postgres() as postgres,
        start_valkey("--appendonly", "yes", "--appendfsync", "always") as valkey,
        running(place, *PASSERBY, "sandbox", "--port", str(port)) as sandbox,
    ):
        said(sandbox, str(port))
        given = {
            "BOT_TOKENS": ",".join(new_bot(url) for _ in range(4)),
            "BOT_API_URL": url,
            "POSTGRES_URI": postgres.uri,
            "REDIS_URL": valkey.url,
        }
        alone = passerby(place, "drill", "failover", **given)
        assert (alone.returncode, alone.stdout) == (1, "")
        assert "not healthy: nothing runs here" in alone.stderr
        try:
            started = passerby(place, "cluster", "--workers", "2", **given)
            assert started.returncode == 0, started.stderr
            while passerby(place, "status", **given).returncode:
                pass
            done = passerby(place, "drill", "failover", "--json", **given)
            assert done.returncode == 0, done.stderr
            drill = json.loads(done.stdout)
            assert drill["bots"] == 2
            assert 0 < drill["taken_over_s"] <= drill["whole_s"]
            probe = drill["probe"]
            assert probe["sent"] > 0
            assert (probe["lost"], probe["doubled"]) in ((0, 0), (0, 1))
        finally:
            passerby(place, "stop", **given)
