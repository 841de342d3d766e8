"""File ids are stored so that the store alone reveals neither what was sent nor how to get it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from passerby.adapters.botapi.files import Disguised
from tests.adapters.botapi.bot_api import A, B, Memory, content_call, fleet, photo
from tests.staged import staged

KEY = bytes(range(32))


def kept(body: Callable[[Memory, Disguised], Awaitable[None]]) -> None:
    async def main() -> None:
        memory = Memory()
        await body(memory, Disguised(memory, KEY))

    asyncio.run(main())


@staged(kept)
async def test_a_file_is_known_by_each_bot_until_it_is_forgotten(memory: Memory, files: Disguised, /) -> None:
    await files.remember_file("u", A, "id-a")
    await files.remember_file("u", B, "id-b")
    assert [await files.file_id("u", bot) for bot in (A, B)] == ["id-a", "id-b"]
    await files.remember_file("u", A, None)
    assert [await files.file_id("u", bot) for bot in (A, B)] == [None, "id-b"]
    assert await files.file_id("another", B) is None


@staged(kept)
async def test_stored_data_reveals_neither_the_file_nor_its_id(memory: Memory, files: Disguised, /) -> None:
    await files.remember_file("a well-known picture", A, "id-a")
    await files.remember_file("another", A, "id-a")
    (one, sealed), (other, sealed_too) = memory.ids.items()
    held = f"{memory.ids}"
    assert "picture" not in held
    assert "id-a" not in held
    assert one != other
    assert sealed != sealed_too
    assert await Disguised(memory, bytes(32)).file_id("another", A) is None


@pytest.mark.parametrize("damaged", ["", "x", "Zm9v", "\u00e4"])
@staged(kept)
async def test_a_damaged_entry_counts_as_unknown(memory: Memory, files: Disguised, /, damaged: str) -> None:
    await files.remember_file("u", A, "id-a")
    (place,) = memory.ids
    memory.ids[place] = damaged
    assert await files.file_id("u", A) is None


@staged(kept)
async def test_an_id_of_one_file_is_not_accepted_for_another(memory: Memory, files: Disguised, /) -> None:
    await files.remember_file("u", A, "id-a")
    await files.remember_file("v", A, "id-b")
    first, second = memory.ids
    memory.ids[first] = memory.ids[second]
    assert await files.file_id("u", A) is None


@staged(kept)
async def test_a_name_that_is_not_valid_text_is_stored_too(memory: Memory, files: Disguised, /) -> None:
    await files.remember_file("\ud800", A, "id")
    assert await files.file_id("\ud800", A) == "id"


@staged(kept)
async def test_the_adapter_stores_file_ids_in_disguise(memory: Memory, files: Disguised, /) -> None:
    async with fleet(files) as (api, stub):  # type: ignore[arg-type]
        stub.files["photo-a"] = b"abc"
        await api.send(content_call(photo()))
        await api.send(content_call(photo()))
        assert len(stub.calls("getFile")) == 1
    assert "photo" not in f"{memory.ids}"
