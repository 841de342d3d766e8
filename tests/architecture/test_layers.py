"""The layers are proven: a forbidden import is caught in every layer, and a module without a layer is caught."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"

PLANTED = {
    "passerby.kernel": ("passerby.domain.ages", "asyncio"),
    "passerby.domain": ("passerby.dialogue.keyboards", "logging"),
    "passerby.dialogue": ("passerby.features.idle", "time"),
    "passerby.features.idle": (
        "passerby.telemetry.logs",
        "passerby.ports.live_store",
        "passerby.features.start",
        "socket",
    ),
    "passerby.staff.alerts": ("passerby.ports.staff", "passerby.staff.team", "passerby.features.idle"),
    "passerby.ports": ("passerby.runtime.tasks", "passerby.domain.ages"),
    "passerby.telemetry": ("passerby.settings", "passerby.ports.clock"),
    "passerby.adapters.memory": ("passerby.runtime.tasks", "passerby.adapters.sql"),
    "passerby.runtime.delivery": ("passerby.adapters.sql", "passerby.runtime.decide.router", "passerby.features.idle"),
    "passerby.runtime.membership": ("passerby.runtime.inbound.albums",),
    "passerby.web": ("passerby.runtime.tasks", "passerby.domain.ages"),
    "passerby.settings": ("passerby.web.exchange", "passerby.kernel.ids"),
    "passerby.catalogue": ("passerby.telemetry.logs",),
    "passerby.ops": ("passerby.bootstrap", "passerby.panel"),
    "passerby.panel": ("passerby.bootstrap",),
    "passerby.bootstrap": ("passerby.cli.status",),
    "passerby.cli": ("passerby.adapters.sql", "passerby.features.idle"),
    "passerby.loadtest": ("passerby.cli.status", "passerby.adapters.sql"),
    "botapi_sandbox": ("passerby.kernel.ids",),
    "simulated_people": ("passerby.features.idle",),
}
"""For each package, what the module `planted` in it imports. An allowed import is not in the report."""

ALLOWED = {("passerby.settings", "passerby.kernel.ids")}
"""The control: allowed imports that the report must not name."""


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-logo", "--no-cache", "--config", tree / ".importlinter"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source and the contracts, for planted faults."""
    left_out = shutil.ignore_patterns("__pycache__", "*.po", "data", "playground")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=left_out)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_a_planted_import_is_caught_in_every_layer(tree: Path) -> None:
    for package, imports in PLANTED.items():
        lines = "".join(f"import {each}\n" for each in imports)
        (tree / "src" / package.replace(".", "/") / "planted.py").write_text(lines)
    linted = lint(tree)
    report = re.sub(r"\s+", " ", linted.stdout)
    seen = {
        (package, each)
        for package, imports in PLANTED.items()
        for each in imports
        if f"{package}.planted -> {each} " in report
    }
    wanted = {(package, each) for package, imports in PLANTED.items() for each in imports} - ALLOWED
    assert linted.returncode == 1, linted.stderr
    assert seen == wanted, f"not seen: {sorted(wanted - seen)}; seen, but allowed: {sorted(seen - wanted)}"


def test_a_planted_import_is_tried_in_every_layer_and_every_package_is_checked() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    roots = contracts["importlinter"]["root_packages"].split()
    assert sorted(roots) == sorted(path.parent.name for path in (ROOT / "src").glob("*/__init__.py"))
    layers = {f"passerby.{layer}" for layer in re.findall(r"\w+", contracts["importlinter:contract:layers"]["layers"])}
    assert layers | {*roots} - {"passerby"} == {".".join(package.split(".")[:2]) for package in PLANTED}


@pytest.mark.parametrize("place", ["passerby", "passerby.runtime"])
def test_a_new_module_in_no_layer_is_caught(tree: Path, place: str) -> None:
    (tree / "src" / place.replace(".", "/") / "somewhere.py").write_text("")
    linted = lint(tree)
    assert (linted.returncode, "somewhere" in linted.stdout) == (1, True), linted.stdout + linted.stderr
