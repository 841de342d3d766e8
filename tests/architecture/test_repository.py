"""These must never be in the repository: tokens, paths of one machine, package registries, large files."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1024 * 1024

# Written so that this file does not match itself.
FORBIDDEN = {
    "a bot token": re.compile(rb"\b\d{8,10}:A[A][\w-]{33}"),
    "a machine's path": re.compile(rb"(?<![\w.$}])/(?:work|root|opt|mnt|home/\w+|Users/\w+)/[\w.]"),
    "a package index": re.compile(
        rb"https?://[^\s\"'/]*(?:pypi|pythonhosted|registry|artifactory|nexus)[^\s\"'/]*|--index-u[r]l"
    ),
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KE[Y]-----"),
}


def committed() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listing = subprocess.run(
        # The checkout may belong to a different user.
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [path for name in listing.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_committed_file_contains(what: str) -> None:
    holders = []
    for path in committed():
        content = path.read_bytes()
        lines = [content.count(b"\n", 0, match.start()) + 1 for match in FORBIDDEN[what].finditer(content)]
        holders += [f"{path.relative_to(ROOT)}:{line}" for line in lines]
    assert holders == []


def test_no_committed_file_is_larger_than_one_mebibyte() -> None:
    assert [str(path.relative_to(ROOT)) for path in committed() if path.stat().st_size > LIMIT] == []


def test_no_file_that_belongs_to_one_machine_is_committed() -> None:
    names = {path.name for path in committed()}
    assert not {name for name in names if name == ".env" or name.endswith((".db", ".key", ".live", ".pyc"))}


@pytest.mark.parametrize(
    ("what", "example"),
    [
        ("a bot token", b"123456789:@A".replace(b"@", b"A") + b"x" * 33),
        ("a machine's path", b'open("/@ome/ann/notes")'.replace(b"@", b"h")),
        ("a package index", b"https://p@pi.example.org/!imple".replace(b"@", b"y").replace(b"!", b"s")),
        ("a private key", b"-----BEGIN RSA PRIVATE K@Y-----".replace(b"@", b"E")),
    ],
)
def test_the_search_finds_each_of_these_when_planted(what: str, example: bytes) -> None:
    assert FORBIDDEN[what].search(example)
