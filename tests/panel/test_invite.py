"""The page to sign in says which command prints a link, if there is no staff bot."""

from pathlib import Path

import pytest

from passerby.bootstrap.panel import _command, _into_team
from passerby.settings import Settings
from tests.panel.stage import Browser, Stage, play


@pytest.mark.parametrize(
    ("url", "is_whole"), [("http://127.0.0.1:8090", True), ("http://localhost:8090", True), ("https://ops.test", False)]
)
def test_only_a_panel_of_this_machine_says_where_its_database_is(tmp_path: Path, url: str, is_whole: bool) -> None:
    database = tmp_path / "demo.db"
    settings = Settings(sqlite_db_path=database, panel_url=url)
    for said, command in (
        (_command(settings, "panel invite"), "passerby panel invite"),
        (_into_team(settings), "passerby staff invite --role owner"),
    ):
        assert said.endswith(command)
        assert (f"SQLITE_DB_PATH={database} PANEL_URL={url} /" in said) is is_whole


def test_the_page_to_sign_in_says_how_to_go_in_if_the_staff_bot_knows_nobody(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        page = (await Browser(stage.app).get("/login")).text
        assert "<code>make run</code>" in page, "each start of the demo prints an invite"
        assert "passerby panel invite</code>" in page
        assert "sandbox-" not in page, "and no token"

    play(tmp_path, scene)
