"""`passerby broadcast`: a draft, its text and its options, without a staff bot."""

import json
from pathlib import Path

import pytest

from tests.cli.command import passerby


@pytest.mark.long
def test_a_broadcast_is_written_set_and_shown_by_commands(tmp_path: Path) -> None:
    def broadcast(*arguments: str, code: int = 0) -> str:
        done = passerby(tmp_path, "broadcast", *arguments)
        assert done.returncode == code, done.stderr
        return done.stdout or done.stderr

    assert broadcast("new") == "Draft #1 is ready to be written.\n"
    broadcast("write", "1", "Hello", "--button", "More | https://example.org")
    assert "language=de" in broadcast("set", "1", "language=de", "silent=off")
    wrong = broadcast("set", "1", "cats=yes", code=2)
    assert "cats=yes" in wrong
    assert "broadcast list" not in wrong, "the number was right"
    assert broadcast("do", "1", "start", code=2).startswith("Nobody would get it.")
    assert broadcast("set", "9", "silent=off", code=2).endswith("`passerby broadcast list` shows the latest.\n")
    shown = json.loads(broadcast("show", "1", "--json"))
    assert (shown["state"], shown["progress"], shown["compared"]) == ("draft", {}, [])
    assert [each["number"] for each in json.loads(broadcast("list", "--json"))] == [1]
