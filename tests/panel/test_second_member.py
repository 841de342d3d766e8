"""What needs a second member of the team cannot be had alone by way of the panel."""

from pathlib import Path

import msgspec

from passerby.adapters.sql import SqlBroadcasts
from passerby.kernel.broadcast import Broadcast, BroadcastState, Category
from passerby.kernel.staff import AuditNote, Role
from tests.panel.stage import Browser, Stage, hidden, play


async def fields(browser: Browser) -> dict[str, str]:
    return {"csrf": hidden((await browser.get("/sessions")).text)["csrf"]}


def test_the_panel_writes_drafts_and_changes_no_broadcast_that_has_started(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        owner = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        admin = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        given = await fields(owner)
        await owner.post("/broadcasts", given)
        wish = {"broadcast": "1", "text": "We move on Friday"}
        assert (await owner.post("/broadcasts/write", given | wish)).status == 200
        found = SqlBroadcasts(stage.records.engine)

        def start(broadcast: Broadcast, number: int) -> tuple[Broadcast, ...]:
            now, running = stage.clock.now(), BroadcastState.RUNNING
            return (msgspec.structs.replace(broadcast, state=running, category=Category.SYSTEM, started_at=now),)

        await found.change(1, start, AuditNote("broadcast.started", "broadcast 1"), stage.clock.now())
        before = await found.broadcast(1)
        for browser in (admin, owner):
            wish = await fields(browser) | {"broadcast": "1", "text": "Log in", "buttons": "Log in | https://x.example"}
            assert (await browser.post("/broadcasts/write", wish)).status == 400
            assert await found.broadcast(1) == before

    play(tmp_path, scene)
