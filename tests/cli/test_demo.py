"""The whole demo: two processes that start, stop and continue together."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from passerby.bootstrap.demo_money import PLANS, RENEWS
from passerby.cli.demo import STAFF_BOT, TRIED, _panel_port, tried
from passerby.kernel.rules import Filter
from passerby.settings import Settings
from tests.cli.command import PASSERBY, TOKEN, WAIT_S, interrupt, passerby, running, said
from tests.ports import free_port

ADDRESS_SIGN = "Open http://"


def address(process: subprocess.Popen[str]) -> str:
    """Wait until the demo prints the address of its page. Returns it."""
    return next(word for word in said(process, ADDRESS_SIGN).split() if word.startswith("http://")).rstrip("/")


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
        return json.load(answer)


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return json.load(answer)


def wait_for_the_case(url: str, words: str) -> None:
    """Send the staff bot `words`, which the demo printed, and take the case that waits."""
    (crew,) = (bot["id"] for bot in get(f"{url}/bots") if bot["first_name"] == STAFF_BOT[0])
    person = post(f"{url}/people", {"first_name": "Mira", "language_code": "en"})["id"]
    chat = f"{url}/people/{person}/chats/{crew}"
    for each in (words, "/next"):
        post(f"{chat}/send", {"text": each})
    deadline = monotonic() + WAIT_S
    while not any("Reports: 2" in each.get("text", "") for each in get(chat)["messages"]):
        assert monotonic() < deadline, get(chat)["messages"]
        sleep(0.1)


def demo(port: int | None = None) -> list[str]:
    return [*PASSERBY, "demo", *(["--port", str(port)] if port else [])]


def test_the_demo_serves_three_bots_and_a_staff_bot_stops_on_ctrl_c_and_continues_next_time(tmp_path: Path) -> None:
    """It ignores real settings. A person who sends its output to the staff bot is an owner."""
    (tmp_path / ".env").write_text(f"BOT_TOKENS={TOKEN}\nMINIMUM_AGE=nonsense\n")
    known = []
    for _ in range(2):
        with running(tmp_path, *demo(free_port()), BOT_TOKENS=TOKEN, REDIS_URL="redis://host") as process:
            url = f"{address(process)}/sandbox"
            known.append([bot["id"] for bot in get(f"{url}/bots")])
            words = said(process, "/start ").strip()
            if len(known) == 1:
                wait_for_the_case(url, words)
            group = [process.pid, *(child.pid for child in children(process))]
            assert {os.getpgid(pid) for pid in group} == {process.pid}, "one process group"
            interrupt(process)
            said(process, "Stopped.")
            assert process.wait(WAIT_S) == 0
            assert not any(psutil.pid_exists(pid) for pid in group[1:])
    assert len(known[0]) == 4
    assert int(TOKEN.partition(":")[0]) not in known[0]
    assert known[0] == known[1]


@pytest.mark.long
def test_sigterm_to_the_demo_ends_the_sandbox_too(tmp_path: Path) -> None:
    with running(tmp_path, *demo(free_port())) as process:
        address(process)
        (sandbox,) = children(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
        assert not sandbox.is_running()


@pytest.mark.long
def test_sigterm_to_the_whole_group_ends_demo_and_sandbox_cleanly(tmp_path: Path) -> None:
    with running(tmp_path, *demo(free_port())) as process:
        address(process)
        (sandbox,) = children(process)
        os.killpg(process.pid, signal.SIGTERM)
        said(process, "Stopped.")
        assert process.wait(WAIT_S) == 0
        assert not sandbox.is_running()


@pytest.mark.long
def test_a_signal_during_the_start_ends_the_demo(tmp_path: Path) -> None:
    with running(tmp_path, *demo(free_port())) as process:
        said(process, "Starting")
        while not children(process):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0


@pytest.mark.long
def test_the_sandbox_ends_when_the_demo_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, *demo(free_port())) as process:
        address(process)
        (sandbox,) = children(process)
        process.kill()
        psutil.wait_procs([sandbox], timeout=WAIT_S)
        assert not sandbox.is_running() or sandbox.status() == psutil.STATUS_ZOMBIE


@pytest.mark.long
def test_the_demo_ends_with_a_sentence_when_the_sandbox_dies(tmp_path: Path) -> None:
    with running(tmp_path, *demo(free_port())) as process:
        address(process)
        (sandbox,) = children(process)
        sandbox.kill()
        assert said(process, "sandbox ended") == "The sandbox ended by itself (code -9): it gave no reason\n"
        assert process.wait(WAIT_S) == 1


def test_a_damaged_sandbox_state_is_reported_in_the_sandboxs_words(tmp_path: Path) -> None:
    (tmp_path / "var/demo").mkdir(parents=True)
    (tmp_path / "var/demo/sandbox").write_text("no state")
    done = passerby(tmp_path, "demo", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.startswith("The sandbox ended by itself (code 2): ")
    assert "is not a state file" in done.stderr


@pytest.mark.long
def test_the_demo_takes_a_free_port_if_none_is_given(tmp_path: Path) -> None:
    with running(tmp_path / "..", *demo(), "--data", str(tmp_path / "first")) as first:
        one = address(first)
        with running(tmp_path, *demo()) as second:
            other = address(second)
            assert one != other
            assert len(get(f"{other}/sandbox/bots")) == 4


def test_a_taken_port_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = passerby(tmp_path, "demo", "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"--port: {port} is taken by another program; name another one, or leave it out for any free one\n"
    )


def test_a_second_demo_in_the_same_directory_is_refused_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "var/demo"
    data.mkdir(parents=True)
    with (data / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = passerby(tmp_path, "demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "--data: another demo is using var/demo; stop it first, or give this one a directory of its own: --data DIR\n"
    )


def test_a_directory_that_cannot_be_made_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = passerby(tmp_path, "demo", "--data", "file/inside")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--data: cannot be made or written to; name a directory that can, or none\n"


def test_two_demos_that_start_at_once_have_a_panel_each() -> None:
    assert _panel_port() != _panel_port()


def test_the_demo_sells_the_plans_that_the_invented_payments_of_its_panel_are_for() -> None:
    settings = Settings(bot_tokens=("1000001:" + "A" * 35,), **tried({}))  # type: ignore[arg-type]
    assert {(plan.name, plan.days, plan.stars) for plan in settings.vip_plans} == set(PLANS)
    assert {plan.name for plan in settings.vip_plans if plan.renews} == {RENEWS}
    assert settings.filters_for_all == tuple(Filter), "a newcomer meets no lock before they know what there is"


def test_the_demo_takes_what_is_sold_and_given_from_the_environment_and_no_secret() -> None:
    found = tried({"VIP_PLANS": "week=7d:75", "REFERRAL_DAYS": "3", "BOT_TOKENS": "1:secret", "TRIAL_DAYS": ""})
    assert found == {"vip_plans": "week=7d:75", "referral_days": "3"}
    settings = Settings(bot_tokens=("1000001:" + "A" * 35,), **found)  # type: ignore[arg-type]
    assert ([plan.name for plan in settings.vip_plans], settings.referral_days) == (["week"], 3)
    assert tried({"VIP_PLANS": ""}) == {}, "nothing is sold if somebody says so"
    assert not any(word in name for name in TRIED for word in ("TOKEN", "KEY", "SECRET", "URL", "URI"))
