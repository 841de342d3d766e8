"""The wheel has everything: installed away from the source, the program runs.

The last test builds and installs it as people do, with what the package registry has today. It is skipped without one.
"""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from passerby import __version__
from tests.cli.command import WAIT_S, environment, interrupt, running, said
from tests.cli.test_demo import address, get
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("hatchling") is None:
        pytest.skip("there is no hatchling (pip install 'passerby[build]')")
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", place, ROOT]
    subprocess.run(command, check=True, timeout=300)
    return next(place.glob("*.whl"))


@pytest.mark.long
def test_the_wheel_has_every_file_of_the_packages_and_no_test(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= inside
    assert not any(name.startswith(("tests/", "benchmarks/", "tools/")) for name in inside)
    assert f"-{__version__}-" in wheel.name


@pytest.mark.long
def test_the_demo_runs_from_the_wheel_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """The libraries are those of this environment, so that no network is needed."""
    home = tmp_path / "home"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    own = next((home / "lib").glob("python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(own)
    # Files of paths are not read from there, so this environment's editable Passerby stays out.
    libraries = {"PYTHONPATH": f"{own}:{sysconfig.get_path('purelib')}"}
    told = subprocess.run(
        [python, "-m", "passerby.cli", "--version"],
        cwd=tmp_path,
        env=environment() | libraries,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert told.stdout.strip() == __version__
    where = [python, "-c", "import passerby; print(passerby.__file__)"]
    found = subprocess.run(
        where, cwd=tmp_path, env=environment() | libraries, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()).is_relative_to(home)
    command = [str(python), "-m", "passerby.cli", "demo", "--port", str(free_port())]
    with running(tmp_path, *command, **libraries) as process:
        assert len(get(f"{address(process)}/sandbox/bots")) == 3
        interrupt(process)
        said(process, "Stopped.")
        assert process.wait(WAIT_S) == 0


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_wheel_that_was_built_and_installed_from_the_registry_runs_the_demo(tmp_path: Path) -> None:
    builder, home, away = tmp_path / "builder", tmp_path / "home", tmp_path / "away"
    away.mkdir()
    for each in (builder, home):
        venv.create(each, with_pip=True)
    try:
        _run(builder / "bin" / "python", "-m", "pip", "install", "-q", "build", cwd=away)
    except AssertionError as error:
        pytest.skip(f"there is no package registry: {error}")
    source = tmp_path / "source"
    source.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    _run(builder / "bin" / "python", "-m", "build", "--outdir", tmp_path / "dist", source, cwd=away)
    (built,) = (tmp_path / "dist").glob("*.whl")
    _run(home / "bin" / "python", "-m", "pip", "install", "-q", built, cwd=away)
    assert _run(home / "bin" / "passerby", "--version", cwd=away).strip() == __version__
    with running(away, str(home / "bin" / "passerby"), "demo", "--port", str(free_port())) as process:
        assert len(get(f"{address(process)}/sandbox/bots")) == 3
        interrupt(process)
        said(process, "Stopped.")
        assert process.wait(WAIT_S) == 0
