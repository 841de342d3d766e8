"""What is found on this machine: rights, places, and what is missing."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from passerby.checkup import machine
from passerby.checkup.finding import Finding, Verdict, skew
from passerby.settings import Settings

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


def test_a_file_with_secrets_that_others_may_read_is_found(directory: Path) -> None:
    (directory / "passerby.key").touch(0o600)
    (directory / ".env").touch(0o644)
    (directory / ".env").chmod(0o644)
    checks = found(embedded(directory))
    assert (checks["key file"].verdict, checks[".env"].verdict) == (Verdict.OK, Verdict.WARN)
    (directory / "passerby.key").chmod(0o640)
    (directory / ".env").chmod(0o600)
    checks = found(embedded(directory))
    assert (checks["key file"].verdict, checks[".env"].verdict) == (Verdict.FAIL, Verdict.OK)


def test_what_is_not_there_has_no_rights_to_be_wrong(directory: Path) -> None:
    assert not {"key file", ".env", "tokens file", "database file"} & found(embedded(directory)).keys()


@pytest.mark.parametrize(("count", "verdict"), [(0, Verdict.FAIL), (1, Verdict.WARN), (2, Verdict.OK)])
def test_a_fleet_is_more_than_one_bot(directory: Path, count: int, verdict: Verdict) -> None:
    assert found(embedded(directory, bot_tokens=TOKENS[:count]))["bots"].verdict is verdict


def test_several_machines_need_one_key(directory: Path) -> None:
    assert found(shared(directory))["key"].verdict is Verdict.WARN
    key = SecretStr("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    assert found(shared(directory, secret_key=key))["key"].verdict is Verdict.OK


def test_a_run_directory_that_no_socket_fits_into_is_found(directory: Path) -> None:
    deep = directory / ("d" * 100)
    deep.mkdir()
    assert found(shared(directory, run_dir=deep))["run directory"].verdict is Verdict.FAIL


def test_a_limit_that_a_process_is_born_with_is_found(directory: Path) -> None:
    assert found(embedded(directory, max_memory_mb=128))["memory"].verdict is Verdict.FAIL
    assert found(embedded(directory, max_memory_mb=256))["memory"].verdict is Verdict.OK


def test_every_finding_that_is_not_well_says_what_to_do(directory: Path) -> None:
    for settings in (embedded(directory, bot_tokens=()), shared(directory, max_memory_mb=1_000_000)):
        for finding in machine.checks(settings):
            assert (finding.verdict is Verdict.OK) == (finding.remedy == ""), finding


@pytest.mark.parametrize(
    ("ahead_s", "verdict"),
    [(0, Verdict.OK), (-1.9, Verdict.OK), (2.1, Verdict.WARN), (-29, Verdict.WARN), (31, Verdict.FAIL)],
)
def test_clocks_may_differ_a_little(ahead_s: float, verdict: Verdict) -> None:
    assert skew("clock", ahead_s).verdict is verdict
