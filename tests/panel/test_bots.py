"""Bots come and go from the panel: with the checks of the command line, and a row of the audit each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from passerby.kernel.ids import BotId
from passerby.kernel.staff_requests import DrainAsked
from passerby.panel.bot_names import BotNames
from passerby.panel.figures_duty import MINUTE
from passerby.panel.samples import Sample
from passerby.ports.telegram import BotIdentity, TokenRefused
from tests.panel.stage import TOKENS, Clock, Stage, play
from tests.panel.test_pages import token
from tests.ports import free_port

NEW = "1000003:sandbox-ddddddddddddddddddddddddddddd"


@asynccontextmanager
async def telegram_that_knows(known: str, port: int) -> AsyncIterator[None]:
    """Answers getMe for one token."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        is_known = f"/bot{known}/getMe" in head
        me = b'{"ok":true,"result":{"id":1000003,"is_bot":true,"first_name":"N","username":"new_bot"}}'
        body = me if is_known else b'{"ok":false,"error_code":401,"description":"Unauthorized"}'
        status = "200 OK" if is_known else "401 Unauthorized"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


def test_a_bot_is_added_by_its_token_and_retired_once_it_closes(tmp_path: Path) -> None:
    file, port = tmp_path / "tokens", free_port()
    file.write_text("\n".join(TOKENS))

    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        given = {"csrf": await token(browser)}
        async with telegram_that_knows(NEW, port):
            for wrong in ("", "nonsense", NEW.replace("d", "e"), stage.settings.staff_bot_token.get_secret_value()):
                answer = await browser.post("/bots/add", given | {"token": wrong})
                assert answer.status == 400, wrong
                assert not wrong or wrong not in answer.text
                assert 'action="/bots/add"' in answer.text.partition('role="status"')[2], "it is said above the form"
            assert file.read_text().split() == [*TOKENS]
            assert (await browser.press("/bots", "/bots/add", token=NEW)).status == 303
        assert file.read_text().split() == [*TOKENS, NEW]
        assert (await stage.actions())[-1] == "bots.added"
        early = await browser.post("/bots/retire", given | {"bot": "1000001"})
        assert "Close the bot first" in early.text
        await stage.decisions.on_request(DrainAsked(BotId(1000001), BotId(1000002), "two_bot"))
        asked = await browser.press("/bots", "/bots/retire", bot="1000001")
        assert "Retire 1000001?" in asked.text
        assert file.read_text().split() == [*TOKENS, NEW], "a first press only asks"
        assert (await browser.press("/bots", "/bots/retire", bot="1000001", sure="yes")).status == 303
        assert file.read_text().split() == [TOKENS[1], NEW]
        assert (await stage.actions())[-1] == "bots.retired"
        for text in ([(row.details, row.subject) for row in await stage.staff.newest_audit(99)],):
            assert "sandbox-" not in str(text)

    play(tmp_path, scene, bot_tokens_file=file, bot_api_url=f"http://127.0.0.1:{port}")


def test_without_a_file_of_tokens_the_page_offers_neither(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        page = (await browser.get("/bots")).text
        assert "Add a bot" not in page
        assert "Retire" not in page
        assert 'href="/texts/intro.name?bot=1000001"' in page
        answer = await browser.post("/bots/add", {"csrf": await token(browser), "token": NEW})
        assert "Set BOT_TOKENS_FILE" in answer.text

    play(tmp_path, scene)


def test_closing_a_bot_asks_first(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        asked = await browser.press("/bots", "/bots/drain", sister="1000002")
        assert "Close 1000001?" in asked.text
        assert 'name="sure" value="yes"' in asked.text
        assert not await stage.staff.drains()

    play(tmp_path, scene)


def test_a_bot_is_its_number_until_telegram_has_said_its_name(tmp_path: Path) -> None:
    async def run() -> None:
        names, turns = BotNames(), []

        async def identify(bot: BotId) -> BotIdentity:
            turns.append(bot)
            if len(turns) == 1:
                raise TokenRefused
            return BotIdentity(bot, "lantern_bot", "Lantern")

        asking = asyncio.create_task(names.keep(lambda: (BotId(7),), identify, Clock()))
        assert names.name(7) == "7"
        async with asyncio.timeout(60):
            while names.name(7) == "7":
                await asyncio.sleep(0)
        assert names.name("7") == "@lantern_bot"
        asking.cancel()
        assert turns == [7, 7]

    asyncio.run(run())


def test_the_page_says_when_a_bot_did_not_work_and_for_which_share_it_did(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        now = int(stage.clock.now() // 60)
        for ago in range(100, 0, -1):
            state = "h" if ago in (40, 41, 42) else "o"
            sample = Sample((now - ago) * 60.0, bots={"1000001": state, "1000002": "o"})
            await stage.counting.keep(MINUTE, now - ago, msgspec.json.encode(sample).decode(), sample.at)
        shown = (await (await stage.signed_in()).get("/bots")).text
        assert "97.0 % ok of 100 min" in shown
        assert "100.0 % ok of 100 min" in shown
        outages = shown.partition("Outages in 24 hours, the newest first")[2].partition("</table>")[0]
        assert outages.count("<tr>") == 2, "its head, and one outage"
        assert "held by Telegram" in outages
        assert "3 min" in outages

    play(tmp_path, scene)
