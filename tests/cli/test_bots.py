"""`passerby bots`: a token file that is changed while everything else stays."""

import json
import os
import stat
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import SecretStr

from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.token_watch import TokenWatch
from passerby.kernel.ids import BotId
from passerby.ops.token_file import TokenFile
from passerby.settings import Settings, WrongSetting
from passerby.settings.forms import read_tokens_file
from tests import warm
from tests.cli.command import PASSERBY, WAIT_S, environment, passerby, running, said
from tests.ports import free_port
from tests.simulation.run import captured_log

ONE, TWO, NEW = (f"{number}:" + letter * 35 for number, letter in ((111111, "a"), (222222, "b"), (333333, "c")))


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    path = tmp_path / "tokens"
    path.write_text(f"# ours\n{ONE}, {TWO}  # two brands\n\n")
    path.chmod(0o600)
    return TokenFile(path)


def tokens(file: TokenFile) -> list[str]:
    return [token.get_secret_value() for token in read_tokens_file(file.path)]


def test_a_bot_is_added_and_comments_stay(file: TokenFile) -> None:
    assert file.add(NEW) == 333333
    assert tokens(file) == [ONE, TWO, NEW]
    text = file.path.read_text()
    assert "# ours" in text
    assert "# two brands" in text
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_new_token_of_the_same_bot_replaces_the_old_one(file: TokenFile) -> None:
    changed = ONE[:-1] + "z"
    file.add(changed)
    assert tokens(file) == [changed, TWO], "in the order of before, by which an import maps bots"
    assert "# two brands" in file.path.read_text()


def test_a_token_file_that_is_a_link_stays_one_and_keeps_its_mode(file: TokenFile, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    there = file.path.rename(tmp_path / "secrets" / "real")
    there.chmod(0o640)
    file.path.symlink_to(there)
    file.add(NEW)
    assert file.path.is_symlink()
    assert tokens(TokenFile(there)) == [ONE, TWO, NEW]
    assert stat.S_IMODE(there.stat().st_mode) == 0o640


def test_several_operators_who_add_bots_at_the_same_time_lose_none(file: TokenFile) -> None:
    added = [f"{number}:" + "d" * 35 for number in range(400_000, 400_020)]
    with ThreadPoolExecutor(8) as operators:
        list(operators.map(TokenFile(file.path).add, added))
    assert sorted(_lines(file)) == sorted([ONE, TWO, *added])


def _lines(file: TokenFile) -> list[str]:
    return [line.partition(" ")[0] for line in file.path.read_text().splitlines() if line and not line.startswith("#")]


def test_a_bot_is_removed_but_never_the_last_one(file: TokenFile) -> None:
    file.remove(BotId(111111))
    assert tokens(file) == [TWO]
    with pytest.raises(WrongSetting, match="is the last one"):
        file.remove(BotId(222222))
    with pytest.raises(WrongSetting, match="has no bot 5"):
        file.remove(BotId(5))
    assert tokens(file) == [TWO]


def test_the_staff_bot_is_never_added_to_the_public_bots(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"{ONE}\n")
    path.chmod(0o600)
    file = TokenFile.of(Settings(bot_tokens_file=path, staff_bot_token=SecretStr(TWO)))
    with pytest.raises(WrongSetting, match="is the token of the staff bot; ask @BotFather for another bot"):
        file.add(TWO)
    assert tokens(file) == [ONE]


def test_a_token_file_with_a_mistake_changes_nothing_and_says_so_once(file: TokenFile) -> None:
    watch = TokenWatch(Settings(bot_tokens_file=file.path, staff_bot_token=SecretStr(NEW)), SystemClock())
    with captured_log() as log:
        assert not watch.reread()
        for wrong in ("no token at all", NEW):
            file.path.write_text(f"{ONE}\n{wrong}\n")
            assert not watch.reread()
            assert not watch.reread()
        file.path.unlink()
        assert not watch.reread()
        assert [str(bot) for bot in watch.tokens] == ["111111", "222222"]
        file.path.write_text(f"{TWO}\n{ONE[:-1]}z\n")
        file.path.chmod(0o600)
        assert watch.reread()
        assert not watch.reread()
    assert [token.get_secret_value() for token in watch.tokens.values()] == [TWO, f"{ONE[:-1]}z"]
    events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    assert events == ["bots.unreadable", "bots.readable", "bot.token_changed"]
    assert "aaaa" not in log.getvalue()
    assert "cccc" not in log.getvalue()


def test_a_token_file_that_can_be_read_again_is_read_again(file: TokenFile) -> None:
    """New rights change neither its time nor its size."""
    watch = TokenWatch(Settings(bot_tokens_file=file.path), SystemClock())
    assert not watch.reread()
    good = file.path.read_bytes().replace(b"222222", b"444444")
    with file.path.open("r+b") as opened:
        opened.write(good.replace(b":", b"?"))
    written = file.path.stat()
    assert not watch.reread()
    with file.path.open("r+b") as opened:
        opened.write(good)
    os.utime(file.path, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert watch.reread()
    assert list(watch.tokens) == [111111, 444444]


def test_one_of_two_operators_who_retire_the_last_two_bots_is_refused_before_anything_is_noted(
    file: TokenFile,
) -> None:
    noted, begun = [], Barrier(2)

    def retire(bot: int) -> None:
        begun.wait()
        try:
            with TokenFile(file.path).removing(BotId(bot)):
                noted.append(bot)
        except WrongSetting:
            pass

    with ThreadPoolExecutor(2) as operators:
        list(operators.map(retire, (111111, 222222)))
    assert len(noted) == 1
    assert len(tokens(file)) == 1


def _new_bot(url: str) -> str:
    """Returns the token."""
    request = urllib.request.Request(f"{url}/sandbox/bots", b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return str(json.load(answer)["token"])


@pytest.mark.long
def test_the_commands_ask_telegram_before_they_change_anything(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(tmp_path, *PASSERBY, "sandbox", "--port", str(port)) as sandbox:
        said(sandbox, str(port))
        first, second = (_new_bot(url) for _ in range(2))
        path = tmp_path / "tokens"
        path.write_text(f"{first}\n")
        path.chmod(0o600)
        told = {"BOT_TOKENS_FILE": str(path), "BOT_API_URL": url}

        def add(token: str) -> "subprocess.CompletedProcess[str]":
            command = [*PASSERBY, "bots", "add"]
            return warm.run(
                command,
                cwd=tmp_path,
                env=environment(**told),
                input=f"{token}\n",
                capture_output=True,
                text=True,
                timeout=WAIT_S,
            )

        refused = add("123456789:" + "x" * 35)
        assert refused.returncode == 2
        assert "Telegram does not take it" in refused.stderr
        assert "xxxx" not in refused.stderr
        assert path.read_text() == f"{first}\n"
        assert add(second).returncode == 0
        listed = json.loads(passerby(tmp_path, "bots", "list", "--json", **told).stdout)
        assert [each["bot"] for each in listed] == [int(each.partition(":")[0]) for each in (first, second)]
        assert all(each["username"] and not each["fault"] for each in listed)
        number = first.partition(":")[0]
        linked = passerby(tmp_path, "links", "Spring", "tiktok", "--csv", **told).stdout.splitlines()
        assert linked[1] == f"{number},spring,https://t.me/{listed[0]['username']}?start=s_spring"
        assert len(linked) == 5
        assert "cannot be a tag" in passerby(tmp_path, "links", "=1", **told).stderr
        drained = passerby(tmp_path, "bots", "drain", number, **told)
        assert f"Bot {number} is closing" in drained.stdout
        assert f"@{listed[1]['username']}" in drained.stdout
        assert "closing: its people go to @" in passerby(tmp_path, "bots", "list", **told).stdout
        nowhere = passerby(tmp_path, "bots", "drain", second.partition(":")[0], **told)
        assert nowhere.returncode == 2
        assert "no other bot works" in nowhere.stderr
        assert passerby(tmp_path, "bots", "drain", number, "--to", "5", **told).returncode == 2
        assert "open again" in passerby(tmp_path, "bots", "drain", number, "--end", **told).stdout
        early = passerby(tmp_path, "bots", "retire", number, **told)
        assert (early.returncode, "is open; close it with" in early.stderr) == (2, True)
        assert passerby(tmp_path, "bots", "drain", number, **told).returncode == 0
        early = passerby(tmp_path, "bots", "retire", number, **told)
        assert (early.returncode, "was closed 0 minutes ago" in early.stderr) == (2, True)
        assert path.read_text() == f"{first}\n{second}\n"
        assert passerby(tmp_path, "bots", "retire", number, "--now", **told).returncode == 0
        assert path.read_text().strip() == second


@pytest.mark.long
def test_a_running_fleet_serves_a_bot_that_is_added_and_stops_serving_one_that_is_retired(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(tmp_path, *PASSERBY, "sandbox", "--port", str(port)) as sandbox:
        said(sandbox, str(port))
        first, second = (_new_bot(url) for _ in range(2))
        path = tmp_path / "tokens"
        path.write_text(f"{first}\n")
        path.chmod(0o600)
        told = {"BOT_TOKENS_FILE": str(path), "BOT_API_URL": url, "LOG_FORMAT": "json"}
        with running(tmp_path, *PASSERBY, "run", **told) as fleet:
            said(fleet, "runtime.ready")
            path.write_text(f"{first}\nnot a token\n")
            assert "malformed" in said(fleet, "bots.unreadable")
            path.write_text(f"{first}\n{second}\n")
            number = second.partition(":")[0]
            said(fleet, "bot.added")
            assert number in said(fleet, "bot.working")
            assert passerby(tmp_path, "bots", "retire", first.partition(":")[0], "--now", **told).returncode == 0
            said(fleet, "bot.removed")
