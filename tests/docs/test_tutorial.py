"""Follows the tutorial in a copy of the tree, as a reader would, and runs the checks there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import passerby

ROOT = Path(passerby.__file__).parents[2]
PAGE = ROOT / "docs/tutorial/first-feature.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDER = Path("src/passerby/features/coin")
TEST = Path("tests/features/test_coin.py")
COPIED = ("src", "tests", "tools", "docs", "benchmarks", "requirements", "deploy")
READ = (
    "pyproject.toml",
    ".importlinter",
    ".env.example",
    "Makefile",
    "README.md",
    "CHANGELOG.md",
)


def _blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(PAGE.read_text("utf-8"))


def _files(tree: Path) -> set[Path]:
    return {path.relative_to(tree) for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which a reader has followed every step."""
    copy = tmp_path_factory.mktemp("tutorial")
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    # A reader of the tutorial may run this test, too.
    shutil.rmtree(copy / FOLDER, ignore_errors=True)
    (copy / TEST).unlink(missing_ok=True)
    for name in READ:
        shutil.copy(ROOT / name, copy / name)
    kinds, (feature, texts, test, _) = zip(*_blocks(), strict=True)
    assert kinds == ("python", "sh", "python", "sh")
    before = _files(copy)
    folder = copy / FOLDER
    folder.mkdir()
    (folder / "__init__.py").write_text(feature, "utf-8")
    subprocess.run(["bash", "-e"], input=texts, cwd=copy, check=True, text=True, timeout=300)
    (copy / TEST).write_text(test, "utf-8")
    made = _files(copy) - before
    assert {path for path in made if FOLDER not in path.parents} == {TEST}, "one folder and its test, nothing else"
    return copy


def _run(copy: Path, *command: str) -> None:
    """Run a command in the copy, with the code of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tutorials_own_test_passes_when_run_as_printed(followed: Path) -> None:
    program, *arguments = _blocks()[-1][1].split()
    assert program == ".venv/bin/python"
    _run(followed, *arguments)


@pytest.mark.long
def test_the_tutorials_feature_passes_the_tests_that_look_at_every_feature(followed: Path) -> None:
    quick = ("-q", "-n", "0", "-p", "no:cacheprovider", "-p", "no:randomly")
    looking = ("test_coin", "test_routing", "test_buttons", "test_pages", "test_unknown")
    features = [f"tests/features/{name}.py" for name in looking]
    _run(followed, "-m", "pytest", *quick, "tests/catalogue", "tests/domain/test_commands.py", *features)


def test_the_tutorials_feature_keeps_the_style_and_the_layers(followed: Path) -> None:
    made = ("src/passerby/features", "tests/features/test_coin.py")
    _run(followed, "-m", "ruff", "check", "-q", "--no-cache", *made)
    _run(followed, "-m", "ruff", "format", "-q", "--check", "--no-cache", *made)
    _run(followed, "tools/reference.py", "--check")


def test_the_tutorials_command_is_in_the_bots_menu_in_every_language(followed: Path) -> None:
    _run(
        followed,
        "-c",
        "from pathlib import Path\n"
        "import passerby\n"
        "from passerby.catalogue import Catalogue\n"
        "from passerby.features import ALL\n"
        "from passerby.runtime.decide.router import Router\n"
        "from passerby.runtime.delivery.wording import Wording\n"
        "words = Catalogue.load(Path(passerby.__file__).parent)\n"
        "router = Router(ALL, words.key_with_label)\n"
        "menus = Wording(words).menus(router.menu, 1)\n"
        "shown = {dict(menu.commands)['coin'] for menu in menus}\n"
        "assert len(shown) == len(menus) == 10, shown\n",
    )
