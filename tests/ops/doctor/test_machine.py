"""The doctor's findings on this machine: permissions, directories, and missing things."""

import os
import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr

from passerby.ops.doctor import machine
from passerby.ops.doctor.finding import Finding, Verdict, ahead_by, skew
from passerby.settings import Settings, open_key

TOKENS = tuple(SecretStr(f"{number}:" + "x" * 35) for number in (123456789, 987654321))
SHARED = {"redis_url": SecretStr("redis://localhost/0"), "postgres_uri": SecretStr("postgresql://localhost/passerby")}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in machine.checks(settings)}


def embedded(directory: Path, **given: object) -> Settings:
    return Settings(**{"bot_tokens": TOKENS, "sqlite_db_path": directory / "passerby.db", **given})


def shared(directory: Path, **given: object) -> Settings:
    return Settings(**{"bot_tokens": TOKENS, "run_dir": directory / "run", **SHARED, **given})


def test_a_file_with_secrets_that_others_may_read_is_reported(directory: Path) -> None:
    open_key(embedded(directory))
    (directory / ".env").touch(0o644)
    (directory / ".env").chmod(0o644)
    checks = found(embedded(directory))
    assert (checks["key file"].verdict, checks[".env"].verdict) == (Verdict.OK, Verdict.WARN)
    (directory / "passerby.key").chmod(0o640)
    (directory / ".env").chmod(0o600)
    checks = found(embedded(directory))
    assert (checks["key file"].verdict, checks[".env"].verdict) == (Verdict.FAIL, Verdict.OK)


def test_a_missing_file_has_no_wrong_permissions(directory: Path) -> None:
    checks = found(embedded(directory))
    assert not {"key file", "tokens file", "database file"} & checks.keys()
    assert checks[".env"].verdict is Verdict.OK


@pytest.mark.parametrize(("count", "verdict"), [(0, Verdict.FAIL), (1, Verdict.WARN), (2, Verdict.OK)])
def test_a_single_bot_is_a_warning_and_none_is_a_failure(directory: Path, count: int, verdict: Verdict) -> None:
    assert found(embedded(directory, bot_tokens=TOKENS[:count]))["bots"].verdict is verdict


def test_people_need_somebody_to_ask_about_their_data(directory: Path) -> None:
    assert found(embedded(directory))["contact"].verdict is Verdict.WARN
    assert found(shared(directory))["contact"].verdict is Verdict.FAIL, "this is no laptop"
    assert found(embedded(directory, contact="@our_team"))["contact"].verdict is Verdict.OK


def test_several_machines_need_a_shared_key(directory: Path) -> None:
    assert found(shared(directory))["key"].verdict is Verdict.WARN
    key = SecretStr("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    assert found(shared(directory, secret_key=key))["key"].verdict is Verdict.OK


def test_a_run_directory_with_a_path_too_long_for_sockets_is_reported(directory: Path) -> None:
    deep = directory / ("d" * 100)
    deep.mkdir()
    assert found(shared(directory, run_dir=deep))["run directory"].verdict is Verdict.FAIL


@pytest.fixture
def read_only(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This directory, as if this user may not write to it. Root may write everywhere, so it is simulated."""
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: allowed(path, mode) and not (mode & os.W_OK))
    return directory


def test_no_file_is_promised_in_a_directory_that_cannot_be_written_to(read_only: Path) -> None:
    checks = found(Settings(bot_tokens=TOKENS))
    assert (checks["key"].verdict, checks["run directory"].verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert "cannot be made" in checks["key"].told
    assert "cannot be made" in checks["run directory"].told
    Path("run").mkdir(0o700)
    assert "cannot be written to" in found(Settings(bot_tokens=TOKENS))["run directory"].told
    assert found(Settings(bot_tokens=TOKENS, **SHARED))["key"].verdict is Verdict.FAIL, "on servers, too"


def test_a_directory_instead_of_a_file_and_the_reverse_are_reported(directory: Path) -> None:
    (directory / "passerby.key").mkdir()
    (directory / "run").touch(0o600)
    checks = found(embedded(directory))
    assert (checks["key file"].verdict, checks["key file"].told) == (Verdict.FAIL, "passerby.key is a directory")
    assert checks["run directory"].verdict is Verdict.FAIL
    assert "key" not in checks


def test_a_key_that_this_user_cannot_read_is_reported(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "passerby.key").touch(0o600)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK)
    assert "cannot be read" in found(embedded(directory))["key file"].told


@pytest.mark.parametrize(
    ("listen", "warned"),
    [(None, False), ("127.0.0.1:9464", False), ("localhost:9464", False), ("0.0.0.0:9464", True), ("[::]:9464", True)],
)
def test_metrics_that_others_can_read_are_reported(directory: Path, listen: str | None, warned: bool) -> None:
    assert ("metrics" in found(embedded(directory, metrics_listen=listen))) == warned


def test_a_misspelt_variable_is_reported(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_DRI", "/run/passerby")
    finding = found(embedded(directory))["environment"]
    assert finding.told == "RUN_DRI is no setting: did you mean RUN_DIR?"
    assert finding.verdict is Verdict.WARN


def test_with_postgresql_the_doctor_does_not_say_that_records_are_in_a_file(directory: Path) -> None:
    alone = Settings(bot_tokens=TOKENS, run_dir=directory / "run", postgres_uri=SHARED["postgres_uri"])
    assert "PostgreSQL has the records" in found(alone)["stores"].told


def test_a_memory_limit_that_is_too_small_for_a_start_is_reported(directory: Path) -> None:
    assert found(embedded(directory, max_memory_mb=128))["memory"].verdict is Verdict.FAIL
    assert found(embedded(directory, max_memory_mb=256))["memory"].verdict is Verdict.OK


def test_every_bad_finding_says_what_to_do(directory: Path) -> None:
    for settings in (embedded(directory, bot_tokens=()), shared(directory, max_memory_mb=1_000_000)):
        for finding in machine.checks(settings):
            assert (finding.verdict is Verdict.OK) == (finding.remedy == ""), finding


@pytest.mark.parametrize(
    ("ahead_s", "verdict"),
    [(0, Verdict.OK), (-1.9, Verdict.OK), (2.1, Verdict.WARN), (-29, Verdict.WARN), (31, Verdict.FAIL)],
)
def test_a_small_difference_between_clocks_is_accepted(ahead_s: float, verdict: Verdict) -> None:
    assert skew("clock", ahead_s).verdict is verdict


@pytest.mark.parametrize(("there", "ahead_s"), [(99.0, 1.0), (100.0, 0.0), (107.0, 0.0), (110.0, 0.0), (112.0, -2.0)])
def test_a_slow_answer_is_no_difference_between_clocks(there: float, ahead_s: float) -> None:
    assert ahead_by(100.0, there, 110.0) == ahead_s


@pytest.mark.parametrize("content", ["", "abc", "AAAA"])
def test_a_key_file_without_a_key_is_reported(directory: Path, content: str) -> None:
    file = directory / "passerby.key"
    file.touch(0o600)
    file.write_text(content)
    check = found(embedded(directory))["key file"]
    assert (check.verdict, check.told) == (Verdict.FAIL, "passerby.key contains no key")
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("free_gib", "verdict"),
    [(100, Verdict.OK), (5, Verdict.OK), (4, Verdict.WARN), (1, Verdict.WARN), (0.5, Verdict.FAIL)],
)
def test_a_disk_that_is_nearly_full_is_reported(
    directory: Path, monkeypatch: pytest.MonkeyPatch, free_gib: float, verdict: Verdict
) -> None:
    usage = shutil.disk_usage(directory)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=int(free_gib * 1024**3)))
    disk = found(embedded(directory))["disk"]
    assert disk.verdict is verdict
    assert disk.told == f"{free_gib:.1f} GiB free where the database is"
