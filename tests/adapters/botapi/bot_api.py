"""Shared by these tests: two bots with planted tokens, a real file cache in memory, the adapter on a stub."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from passerby.adapters.botapi import BotApi
from passerby.adapters.memory.sightings import Sightings
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.ports.telegram import SendContent
from tests.adapters.botapi.stub import Stub, serving

A = BotId(1000001)
B = BotId(1000002)
TOKENS = {A: "1000001:sandbox-canary-a", B: "1000002:sandbox-canary-b"}
SENDER = PersonId(777000111)
READER = PersonId(555000222)


class Memory:
    """The file cache in a dict, and how many people each set was seen with."""

    def __init__(self) -> None:
        self.ids: dict[tuple[str, BotId], str] = {}
        self.sightings = Sightings()

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        return self.ids.get((unique, bot))

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        if file_id is None:
            self.ids.pop((unique, bot), None)
        else:
            self.ids[unique, bot] = file_id

    async def sight(self, bits: Sequence[int]) -> int:
        self.sightings.note(bits, 0.0)
        return self.sightings.least(bits, 0.0)


class Popular(Memory):
    """Treats every set as one that many people use."""

    async def sight(self, bits: Sequence[int]) -> int:
        return 64


@asynccontextmanager
async def fleet(
    files: Memory | None = None, tokens: Mapping[BotId, str] = TOKENS, **options: Any
) -> AsyncIterator[tuple[BotApi, Stub]]:
    memory = files or Memory()
    async with serving() as stub:
        api = BotApi(tokens, memory, base_url=stub.url, sightings=memory, **options)
        try:
            yield api, stub
        finally:
            await api.aclose()


def content_call(
    *contents: Content, to: BotId = B, source: BotId = A, copyable: bool = False, **more: Any
) -> SendContent:
    return SendContent(
        bot=to,
        person=READER,
        source_bot=source,
        source_person=SENDER,
        sources=tuple(MessageId(10 + n) for n in range(len(contents))),
        contents=contents,
        copyable=copyable,
        **more,
    )


def photo(file_id: str = "photo-a", unique: str = "photo", **more: Any) -> Content:
    return Content(Kind.PHOTO, file=File(file_id, unique, 3), **more)
