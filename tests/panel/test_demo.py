"""The demo's panel, for a newcomer. Its people are invented, but no page contradicts another."""

import re
import time
from pathlib import Path

import msgspec
import sqlalchemy as sa

from passerby.adapters.sql.money_tables import charges, subscriptions
from passerby.adapters.sql.packing import REASONS
from passerby.adapters.sql.panel_tables import panel_figures
from passerby.adapters.sql.tables import blocks, past_chats
from passerby.bootstrap.demo_hour import QUIET_S
from passerby.bootstrap.demo_life import prepare
from passerby.kernel.ids import BotId
from passerby.panel.pages.now import MINUTE
from passerby.panel.samples import Sample
from passerby.ports.telegram import BotIdentity
from tests.panel.stage import Stage, play

WITH_BOTS = ("/", "/growth", "/growth?bot=1000001", "/bots", "/money", "/texts/start.consent?bot=1000001")
PAGES = (
    *WITH_BOTS,
    "/chats",
    "/alerts",
    "/safety",
    "/approvals",
    "/audit",
    "/errors",
    "/team",
    "/exports",
)


def test_every_page_of_the_demo_has_something_to_show_and_no_page_contradicts_another(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await prepare(stage.settings)
        before = await _rows(stage, panel_figures.select())
        sold = await _rows(stage, charges.select())
        await prepare(stage.settings)
        assert await _rows(stage, charges.select()) == sold, "the second start adds nothing"
        now = stage.clock.at = time.time()
        browser = await stage.signed_in()

        money = (await browser.get("/money")).text
        for words in ("week", "month", "monthly", ", a gift", "refunded", "nothing"):
            assert words in money, words
        assert re.search(r" by (staff|buyer)</td>", money), "a refund among the newest payments"
        assert await stage.records.unconfirmed(0.0, now) == 0, "no alert from invented money"
        held = [row.paid_until for row in await _rows(stage, subscriptions.select())]
        assert min(held) > now - 60, "each subscription is paid for"
        growth = (await browser.get("/growth")).text
        assert "tiktok" in growth
        assert "tiktok" in growth.partition("Who comes back, by source")[2].partition("</table>")[0]
        safety = (await browser.get("/safety")).text
        assert re.search(r'Open cases</div>\s*<div class="value">1<', safety)
        assert re.search(r'Decided</div>\s*<div class="value">\d', safety)
        approvals = (await browser.get("/approvals")).text
        assert "Nothing waits" not in approvals
        assert "ban" in approvals
        assert "Robin" in (await browser.get("/team")).text
        assert "approval.asked" in (await browser.get("/audit")).text

        for number, username in ((1000001, "lantern_bot"), (1000002, "harbour_bot")):
            stage.names.told(BotIdentity(BotId(number), username, ""))
        for path in PAGES:
            page = (await browser.get(path)).text
            seen = re.sub(r"<[^>]*>", " ", page)
            assert "1000001" not in seen, f"{path} shows a bot by its number"
            assert ("@lantern_bot" in seen) == (path in WITH_BOTS), path
        assert 'title="1000001">@lantern_bot<' in (await browser.get("/bots")).text

        chats = await _rows(stage, past_chats.select())
        ended = {(row.user1, row.user2) for row in chats if REASONS[row.outcome // 1000] == "block"}
        blocked = {(row.user_id, row.blocked_id) for row in await _rows(stage, blocks.select())}
        pairs = blocked | {(other, one) for one, other in blocked}
        assert ended, "some chats ended with a block"
        assert ended <= pairs, "each of them has its block, so the page's two figures agree"
        assert len(blocked) < 3 * len(ended), "and no more than a few were made later"

        samples = [msgspec.json.decode(row.body, type=Sample) for row in before if row.kind == MINUTE]
        talks = await _rows(stage, past_chats.select())
        for each in samples:
            known = sum(row.opened_min * 60 <= each.at < row.opened_min * 60 + row.lasted_s for row in talks)
            assert each.chats == known, "the hour has the chats that the records have"
        assert max(each.chats for each in samples) > 5
        end = max(samples, key=lambda each: each.at)
        assert (end.chats, end.waiting, end.outbox) == (0, 0, 0), "the live figures go on where it ends"
        assert QUIET_S > 300
        assert await stage.reading.online(now) == 0
        assert not [row for row in talks if row.opened_min * 60 + row.lasted_s > now]

    play(tmp_path, scene)


async def _rows(stage: Stage, query: sa.Select[tuple[object, ...]]) -> list[sa.Row[tuple[object, ...]]]:
    async with stage.records.engine.connect() as connection:
        return list(await connection.execute(query))
