"""A relay runs no SQL. The test runs the whole product over a real SQLite file and counts every statement."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.engine import Engine

from botapi_sandbox.service import make_world, running
from botapi_sandbox.world import World
from passerby.bootstrap.serving import serve
from passerby.settings import Settings
from tests.wording import opening

MESSAGES = 15


@contextmanager
def counting() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class Phone:
    def __init__(self, world: World, name: str, bot: int) -> None:
        self.world, self.bot = world, bot
        self.id = world.add_person(name, None, "en").id

    def shows(self) -> list[str]:
        _, messages = self.world.phones.view(self.id, self.bot)
        return [held.message.get("text", "") for held in messages if not held.outgoing]

    def presses(self, data: str) -> None:
        _, messages = self.world.phones.view(self.id, self.bot)
        self.world.phones.press_data(self.id, self.bot, messages[-1].message["message_id"], data)

    async def sees(self, words: str) -> None:
        await until(lambda: any(words in shown for shown in self.shows()))

    async def joins(self) -> None:
        self.world.phones.start(self.id, self.bot)
        await self.sees(opening("start.consent"))
        self.presses("agree:")
        await self.sees(opening("start.ask_age"))
        self.world.phones.write(self.id, self.bot, "25")
        await self.sees(opening("start.ask_gender"))
        self.presses("gender:other")
        await self.sees(opening("start.ready"))
        self.world.phones.write(self.id, self.bot, "/search")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not true():
            await asyncio.sleep(0.01)


def is_a_look(statement: str) -> bool:
    """Whether it may be of a background task that looks now and then how far the recorder is."""
    return statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")) or (
        statement.startswith("SELECT") and "FROM journal_positions" in statement.replace("\n", " ")
    )


async def quiet(statements: list[str]) -> None:
    """Wait until the recorder has written everything. Duties go on reading."""
    before, unchanged = -1, 0
    while unchanged < 5:
        written = sum(each.startswith(("INSERT", "UPDATE", "DELETE")) for each in statements)
        unchanged = unchanged + 1 if before == written else 0
        before = written
        await asyncio.sleep(0.4)


def test_relaying_runs_no_sql(tmp_path: Path) -> None:
    async def story() -> None:
        world = make_world(bots=2, seed=1)
        tokens = tuple(SecretStr(bot.token) for bot in world.state.bots.values())
        stop = asyncio.Event()
        async with running(world) as sandbox:
            settings = Settings(bot_tokens=tokens, bot_api_url=sandbox.url, sqlite_db_path=tmp_path / "p.db")
            with counting() as statements:
                serving = asyncio.ensure_future(serve(settings, stop=stop))
                ann, ben = (Phone(world, name, bot) for name, bot in zip(("Ann", "Ben"), world.state.bots, strict=True))
                await ann.joins()
                await ben.joins()
                await asyncio.gather(ann.sees("Partner found"), ben.sees("Partner found"))
                await quiet(statements)
                assert statements, "the control: what happened until now has been written down"
                statements.clear()
                for number in range(MESSAGES):
                    world.phones.write(ann.id, ann.bot, f"from Ann {number}")
                    world.phones.write(ben.id, ben.bot, f"from Ben {number}")
                last = MESSAGES - 1
                await asyncio.gather(ann.sees(f"from Ben {last}"), ben.sees(f"from Ann {last}"))
                await quiet(statements)
                # Duties look into the records now and then. A statement of the relay's would come for each message.
                often = Counter(each for each in statements if not is_a_look(each))
                assert {each: count for each, count in often.items() if count >= MESSAGES} == {}
            stop.set()
            await serving

    asyncio.run(story())
