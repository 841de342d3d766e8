"""The doctor's findings about servers, even about those that do not answer."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from passerby.ops.doctor import database, redis, telegram
from passerby.ops.doctor.finding import Finding, Verdict
from passerby.ports.webhook_api import Switches, WebhookState
from passerby.settings import Settings
from tests.contract.records_places import make_tables
from tests.contract.servers import start_postgres, start_valkey
from tests.ports import free_port

TOKEN = "123456789:" + "x" * 35
WELL = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always"}
INFO = {"redis_version": "7.2.4", "used_memory": "10", "maxmemory": "100"}
NOW = 1_700_000_000.0


def settings(**given: Any) -> Settings:
    whole = {
        "bot_tokens": TOKEN,
        "redis_url": SecretStr("redis://localhost/0"),
        "postgres_uri": SecretStr("postgresql://localhost/passerby"),
    } | given
    return Settings(**whole)


def collected(part: AsyncIterator[Finding]) -> dict[str, Finding]:
    async def collect() -> dict[str, Finding]:
        return {finding.check: finding async for finding in part}

    return asyncio.run(collect())


def verdicts(found: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.verdict.value for finding in found}


def test_a_redis_that_loses_nothing_is_ok() -> None:
    assert set(verdicts(redis._judged(WELL, INFO, settings())).values()) == {"ok"}


@pytest.mark.parametrize(
    ("config", "info", "check", "verdict"),
    [
        ({"maxmemory-policy": "allkeys-lru"}, {}, "redis policy", "fail"),
        ({"appendonly": "no"}, {}, "redis file", "fail"),
        ({"appendfsync": "everysec"}, {}, "redis sync", "fail"),
        ({}, {"used_memory": "81"}, "redis memory", "fail"),
        ({}, {"maxmemory": "0"}, "redis memory", "warn"),
        ({}, {"redis_version": "6.2.0"}, "redis version", "fail"),
        ({}, {"aof_last_write_status": "err"}, "redis writes", "fail"),
    ],
)
def test_a_redis_that_may_lose_data_is_reported(
    config: dict[str, str], info: dict[str, str], check: str, verdict: str
) -> None:
    assert verdicts(redis._judged(WELL | config, INFO | info, settings()))[check] == verdict


def test_an_accepted_loss_of_seconds_is_a_warning() -> None:
    accepts = settings(redis_may_lose_seconds=True)
    found = verdicts(redis._judged(WELL | {"appendfsync": "everysec"}, INFO, accepts))
    assert found["redis sync"] == "warn"


def test_a_redis_that_hides_its_configuration_is_a_warning() -> None:
    found = verdicts(redis._judged({}, {}, settings()))
    assert (found["redis policy"], found["redis file"]) == ("warn", "warn")


def test_missing_replicas_are_reported() -> None:
    every_second = WELL | {"appendfsync": "everysec"}
    waits = settings(redis_replicas=1)
    assert verdicts(redis._judged(every_second, INFO | {"connected_slaves": "1"}, waits))["redis replicas"] == "ok"
    assert verdicts(redis._judged(every_second, INFO, waits))["redis replicas"] == "fail"


@pytest.mark.parametrize(
    ("least", "most", "processes", "verdict"),
    [(20, 24, 4, "ok"), (20, 25, 4, "warn"), (25, 25, 4, "fail"), (20, 100, 1, "warn"), (20, 97, 1, "ok")],
)
def test_all_connection_pools_together_must_fit_the_server(least: int, most: int, processes: int, verdict: str) -> None:
    finding = database.judged_pools(settings(db_pool_min=least, db_pool_max=most), processes, most=100, reserved=3)
    assert finding.verdict == verdict
    if verdict != "ok":
        assert f"DB_POOL_MAX={97 // processes}" in finding.remedy


@pytest.mark.parametrize("name", Switches.__struct_fields__)
def test_a_harmful_switch_in_botfather_is_reported_with_a_remedy(name: str) -> None:
    (finding,) = telegram.switch_findings("bot", Switches(**{name: True}))
    assert finding.verdict == Verdict.WARN
    assert "@BotFather" in finding.remedy


def test_a_bot_without_harmful_switches_is_ok() -> None:
    (finding,) = telegram.switch_findings("bot", Switches())
    assert finding.verdict == Verdict.OK


@pytest.mark.parametrize(
    ("given", "state", "verdict"),
    [
        ({}, WebhookState(), "ok"),
        ({}, WebhookState(pending_update_count=60_000), "warn"),
        ({}, WebhookState(url="https://chat.example.org/x"), "fail"),
        ({"update_mode": "webhook"}, WebhookState(), "fail"),
        ({"update_mode": "webhook"}, WebhookState(url="https://chat.example.org/x"), "ok"),
        ({"update_mode": "webhook"}, WebhookState(url="https://other.example.org/x"), "fail"),
        (
            {"update_mode": "webhook"},
            WebhookState(url="https://chat.example.org/x", last_error_date=int(NOW) - 60),
            "warn",
        ),
    ],
)
def test_a_webhook_is_compared_with_the_settings(given: dict[str, Any], state: WebhookState, verdict: str) -> None:
    ours = settings(webhook_url="https://chat.example.org", **given)
    (finding,) = telegram.webhook_findings("bot", state, ours, NOW)
    assert finding.verdict == verdict


def test_servers_that_do_not_answer_are_reported() -> None:
    port = free_port()
    away = settings(
        redis_url=SecretStr(f"redis://:hush@127.0.0.1:{port}/0"),
        postgres_uri=SecretStr(f"postgresql://me:hush@127.0.0.1:{port}/passerby"),
        bot_api_url=f"http://127.0.0.1:{port}",
        staff_bot_token=SecretStr("987654321:" + "y" * 35),
    )
    found = {
        **collected(redis.checks(away, lambda: NOW)),
        **collected(database.checks(away, 1, lambda: NOW)),
        **collected(telegram.checks(away, lambda: NOW)),
    }
    assert {check: finding.verdict for check, finding in found.items()} == dict.fromkeys(
        ("redis", "postgresql", "bot 123456789", "staff bot", "bot api"), Verdict.FAIL
    )
    assert not any("hush" in finding.told or TOKEN[10:] in finding.told for finding in found.values())


@pytest.mark.services
def test_real_servers_are_checked_and_not_changed() -> None:
    import time

    with start_postgres() as postgres, start_valkey("--appendonly", "yes", "--appendfsync", "always") as valkey:
        there = settings(redis_url=SecretStr(valkey.url), postgres_uri=SecretStr(postgres.uri))
        live = collected(redis.checks(there, time.time))
        records = collected(database.checks(there, 1, time.time))
        again = collected(database.checks(there, 1, time.time))
    assert {check: finding.verdict for check, finding in live.items()} == {
        "redis version": "ok",
        "redis policy": "ok",
        "redis file": "ok",
        "redis sync": "ok",
        "redis memory": "warn",
        "redis clock": "ok",
    }
    # The test servers do not sync to a disk.
    assert {check: finding.verdict for check, finding in records.items()} == {
        "schema": "fail",
        "postgresql version": "ok",
        "pools": "warn",
        "postgresql sync": "warn",
        "postgresql clock": "ok",
    }
    assert again["schema"].told == records["schema"].told


def test_a_database_file_has_a_schema_check_and_no_pool_check(tmp_path: Path) -> None:
    embedded = Settings(bot_tokens=TOKEN, sqlite_db_path=tmp_path / "passerby.db")
    found = collected(database.checks(embedded, 1, lambda: NOW))
    assert {check: finding.verdict for check, finding in found.items()} == {"schema": "ok"}
    assert list(tmp_path.iterdir()) == []
    assert collected(redis.checks(embedded, lambda: NOW)) == {}


def test_the_doctor_advises_the_newer_release_if_that_has_changed_the_database(tmp_path: Path) -> None:
    path = tmp_path / "passerby.db"
    asyncio.run(make_tables(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    embedded = Settings(bot_tokens=TOKEN, sqlite_db_path=path)
    schema = collected(database.checks(embedded, 1, lambda: NOW))["schema"]
    assert schema.verdict is Verdict.FAIL
    assert "9999" in schema.told
    assert schema.remedy == "install the newer release that has changed the database"


@pytest.mark.parametrize(
    ("fsync", "commits", "verdict"),
    [
        ("on", "on", Verdict.OK),
        ("on", "remote_apply", Verdict.OK),
        ("on", "local", Verdict.OK),
        ("on", "off", Verdict.WARN),
        ("off", "on", Verdict.WARN),
    ],
)
def test_a_database_that_may_lose_what_it_has_confirmed_is_reported(fsync: str, commits: str, verdict: Verdict) -> None:
    assert database.judged_sync(fsync, commits).verdict is verdict
