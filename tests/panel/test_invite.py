"""The page to sign in says which command prints a link, if there is no staff bot."""

from pathlib import Path

import pytest

from passerby.bootstrap.panel import _invite
from passerby.settings import Settings


@pytest.mark.parametrize(
    ("url", "is_whole"), [("http://127.0.0.1:8090", True), ("http://localhost:8090", True), ("https://ops.test", False)]
)
def test_only_a_panel_of_this_machine_says_where_its_database_is(tmp_path: Path, url: str, is_whole: bool) -> None:
    database = tmp_path / "demo.db"
    said = _invite(Settings(sqlite_db_path=database, panel_url=url))
    assert said.endswith("passerby panel invite")
    assert (f"SQLITE_DB_PATH={database} PANEL_URL={url} /" in said) is is_whole
