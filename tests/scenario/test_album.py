"""Albums stay whole and in order, whatever they are made of; what comes too late comes as an album of its own."""

import asyncio

import pytest

from tests.scenario.kinds import BOLD, essence, expected
from tests.scenario.matrix import HOMES, LIVES, over_stores, pass_on
from tests.scenario.stage import Json, Stage, play

ALBUMS: dict[str, list[Json]] = {
    "photos": [
        {"photo": {}, "caption": "one", "caption_entities": BOLD},
        {"photo": {}},
        {"photo": {}, "caption": "three"},
    ],
    "mixed": [
        {"photo": {}},
        {"video": {"duration": 2}, "caption": "moving"},
        {"photo": {}},
        {"video": {"duration": 9}},
    ],
    "spoilers, caption above": [
        {"photo": {}, "has_media_spoiler": True, "caption": "careful", "show_caption_above_media": True},
        {"video": {"duration": 2}, "has_media_spoiler": True},
    ],
    "documents": [
        {"document": {"file_name": f"Canary{n}.pdf", "mime_type": "application/pdf"}, "caption": f"part {n}"}
        for n in range(3)
    ],
    "audio": [{"audio": {"duration": n, "title": "Canary", "performer": "Canary"}} for n in (1, 2, 3)],
    "ten": [{"photo": {}, "caption": str(n)} for n in range(10)],
}


def shown_alike(on: Stage, sent: list[int]) -> list[Json]:
    """What Bob got, once seen to be one album that shows what Ann's shows, item by item."""
    got = on.bob.got()
    assert [essence(on.world, each) for each in got] == [expected(on.world, on.ann.messages()[each]) for each in sent]
    assert len({each["media_group_id"] for each in got}) == 1
    assert "anary" not in str(got)
    return got


@over_stores
@HOMES
@LIVES
@pytest.mark.parametrize("made_of", ALBUMS)
def test_an_album_arrives_whole_and_in_order(made_of: str, life: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await on.live(life)
        sent = on.ann.album(*ALBUMS[made_of])
        await on.quiet()
        got = shown_alike(on, sent)
        assert got[0]["media_group_id"] != on.ann.messages()[sent[0]]["media_group_id"]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@LIVES
def test_an_album_answers_and_is_answered_item_by_item(life: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        asked = await pass_on(on, on.bob, "text")
        copy = on.ann.got()[0]["message_id"]
        group = "1300000000000777"
        sent = [on.ann.send({**item, "media_group_id": group}, reply_to=copy) for item in ALBUMS["mixed"]]
        await on.quiet()
        await on.live(life)
        got = shown_alike(on, sent)
        assert got[0]["reply_to_message"]["message_id"] == asked
        for item in got:
            on.bob.write("nice", reply_to=item["message_id"])
        await on.quiet()
        assert [each["reply_to_message"]["message_id"] for each in on.ann.got()[1:]] == sent

    play(store, scene, home=home)


@over_stores
@HOMES
@LIVES
def test_an_item_that_comes_late_comes_all_the_same(life: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        group = "1300000000000778"
        sent = [on.ann.send({"photo": {}, "caption": str(n), "media_group_id": group}) for n in range(2)]
        await asyncio.sleep(0.2)  # within the moment that an album is waited for
        sent.append(on.ann.send({"photo": {}, "caption": "2", "media_group_id": group}))
        await on.quiet()
        shown_alike(on, sent)
        await on.live(life)
        for n in (3, 4):
            on.ann.send({"photo": {}, "caption": str(n), "media_group_id": group})
        await on.quiet()
        got = on.bob.got()
        assert [each["caption"] for each in got] == list("01234")
        assert got[3]["media_group_id"] == got[4]["media_group_id"] != got[0]["media_group_id"]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@LIVES
@pytest.mark.parametrize("item", [0, 1, 2])
def test_an_item_can_be_edited_and_exchanged_within_its_album(item: int, life: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        sent = on.ann.album(*ALBUMS["photos"])
        await on.quiet()
        await on.live(life)
        on.ann.edit(sent[item], caption="better words")
        await on.quiet()
        shown_alike(on, sent)
        held = on.world.state.bots[on.ann.bot].chats[on.ann.id].messages[sent[item]]
        held.message = {**held.message, **on.ann.file("photo")}
        on.ann.edit(sent[item])
        await on.quiet()
        shown_alike(on, sent)
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_message_between_two_albums_stays_between_them(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.album({"photo": {}, "caption": "a"}, {"photo": {}, "caption": "b"})
        on.ann.write("c")
        on.ann.album({"photo": {}, "caption": "d"}, {"video": {"duration": 2}, "caption": "e"})
        on.ann.write("f")
        await on.quiet()
        assert [each.get("text") or each["caption"] for each in on.bob.got()] == list("abcdef")

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.1, 0.3, 0.6])
def test_an_album_that_a_kill_catches_on_its_way_arrives(after_s: float, home: bool, store: str) -> None:
    """Once, or twice if the kill came between its arrival and our knowing; never in pieces, never out of order."""

    async def scene(on: Stage) -> None:
        sent = on.ann.album(*ALBUMS["photos"])
        await asyncio.sleep(after_s)
        await on.kill_and_start()
        await on.quiet()
        alike = [expected(on.world, on.ann.messages()[each]) for each in sent]
        shown = [essence(on.world, each) for each in on.bob.got()]
        assert shown in (alike, alike + alike)

    play(store, scene, home=home)
