"""Albums stay whole and in order, whatever they contain. Items that come too late form an album of their own."""

import asyncio

import pytest

from botapi_sandbox.world.faults import Fault
from tests.scenario.kinds import BOLD, essence, expected
from tests.scenario.matrix import HISTORIES, HOMES, over_stores, pass_on
from tests.scenario.stage import Json, Stage, play
from tests.staged import staged

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
    """Return what Bob got, after checking that it is one album that shows the same as Ann's, item by item."""
    got = on.bob.got()
    assert [essence(on.world, each) for each in got] == [expected(on.world, on.ann.messages()[each]) for each in sent]
    assert len({each["media_group_id"] for each in got}) == 1
    assert "anary" not in str(got)
    return got


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("made_of", ALBUMS)
def test_an_album_arrives_whole_and_in_order(made_of: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await on.after(history)
        sent = on.ann.album(*ALBUMS[made_of])
        await on.quiet()
        got = shown_alike(on, sent)
        assert got[0]["media_group_id"] != on.ann.messages()[sent[0]]["media_group_id"]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_an_album_can_reply_and_each_item_can_be_replied_to(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        asked = await pass_on(on, on.bob, "text")
        copy = on.ann.got()[0]["message_id"]
        group = "1300000000000777"
        sent = [on.ann.send({**item, "media_group_id": group}, reply_to=copy) for item in ALBUMS["mixed"]]
        await on.quiet()
        await on.after(history)
        got = shown_alike(on, sent)
        assert got[0]["reply_to_message"]["message_id"] == asked
        for item in got:
            on.bob.write("nice", reply_to=item["message_id"])
        await on.quiet()
        assert [each["reply_to_message"]["message_id"] for each in on.ann.got()[1:]] == sent

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_a_late_album_item_still_arrives(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        group = "1300000000000778"
        sent = [on.ann.send({"photo": {}, "caption": str(n), "media_group_id": group}) for n in range(2)]
        await asyncio.sleep(0.2)  # while the app still waits for more items
        sent.append(on.ann.send({"photo": {}, "caption": "2", "media_group_id": group}))
        await on.quiet()
        shown_alike(on, sent)
        await on.after(history)
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
@HISTORIES
@pytest.mark.parametrize("item", [0, 1, 2])
def test_an_album_item_can_be_edited_and_replaced(item: int, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        sent = on.ann.album(*ALBUMS["photos"])
        await on.quiet()
        await on.after(history)
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
def test_an_album_arrives_even_if_the_app_is_killed_meanwhile(after_s: float, home: bool, store: str) -> None:
    """It arrives once, or twice if the kill came after its arrival and before the app knew. Never in pieces, never out
    of order."""

    async def scene(on: Stage) -> None:
        sent = on.ann.album(*ALBUMS["photos"])
        await asyncio.sleep(after_s)
        await on.kill_and_start()
        await on.quiet()
        alike = [expected(on.world, on.ann.messages()[each]) for each in sent]
        shown = [essence(on.world, each) for each in on.bob.got()]
        assert shown in (alike, alike + alike)

    play(store, scene, home=home)


def item(kind: str, caption: str = "") -> Json:
    described = {
        "animation": {"duration": 3},
        "video": {"duration": 2},
        "audio": {"duration": 2},
        "voice": {"duration": 2},
    }
    document = {"file_name": "Canary.pdf", "mime_type": "application/pdf"}
    content: Json = {kind: document if kind == "document" else described.get(kind, {})}
    return {**content, "caption": caption} if caption else content


MIXTURES: dict[str, list[list[str]]] = {
    "an animation first": [["animation"], ["photo"]],
    "an animation in the middle": [["photo", "video"], ["animation"], ["photo", "photo"]],
    "a photo and a document": [["photo"], ["document"]],
    "audio and a photo": [["audio"], ["photo"]],
    "everything": [
        ["audio", "audio"], ["voice"], ["document", "document"], ["sticker"], ["photo", "video"], ["video_note"],
    ],
}  # fmt: skip


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("made_of", MIXTURES)
def test_items_that_cannot_share_an_album_arrive_separately_and_in_order(
    made_of: str, history: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        await on.after(history)
        parts = MIXTURES[made_of]
        sent = on.ann.album(*(item(kind) for part in parts for kind in part))
        await on.quiet()
        got = on.bob.got()
        assert [essence(on.world, e) for e in got] == [expected(on.world, on.ann.messages()[e]) for e in sent]
        for part in parts:
            groups = {got.pop(0).get("media_group_id") for _ in part}
            assert len(groups) == 1
            assert (None in groups) == (len(part) == 1)
        assert on.ann.complaints() == []
        on.bob.write("this one", reply_to=on.bob.got()[-1]["message_id"])
        await on.quiet()
        assert on.ann.got()[-1]["reply_to_message"]["message_id"] == sent[-1]

    play(store, scene, home=home)


@over_stores
@HOMES
def test_only_the_first_part_of_an_album_replies(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await pass_on(on, on.bob, "text")
        copy = on.ann.got()[0]["message_id"]
        group = "1300000000000779"
        for kind in ("animation", "photo", "document"):
            on.ann.send({**item(kind), "media_group_id": group}, reply_to=copy)
        await on.quiet()
        assert ["reply_to_message" in each for each in on.bob.got()] == [True, False, False]

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_the_sender_is_told_which_items_cannot_go_and_the_rest_arrive(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await on.after(history)
        game = {"game": {"title": "Chess", "description": "d", "photo": []}}
        sent = on.ann.album(
            item("photo", "a"), game, item("photo", "c"), {"paid_media": {"star_count": 3, "paid_media": []}}
        )
        await on.quiet()
        assert [each["caption"] for each in on.bob.got()] == ["a", "c"]
        assert len({each["media_group_id"] for each in on.bob.got()}) == 1
        assert on.ann.complaints() == ["chat.refused_game", "chat.refused_paid"]
        answered = [each["reply_to_message"]["message_id"] for each in list(on.ann.messages().values())[-2:]]
        assert answered == [sent[1], sent[3]]

    play(store, scene, home=home)


REFUSALS = ("PHOTO_INVALID_DIMENSIONS", "PHOTO_SOMETHING_NEW", "never heard of it")


@over_stores
@HOMES
@pytest.mark.parametrize("bad", [0, 1, 4])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_sender_is_told_which_album_item_telegram_refused_and_the_rest_arrive(
    refusal: str, bad: int, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        having = f"caption': '{bad}"
        number = f'failed to send message #{bad + 1} with the error message "{refusal}"'
        on.world.faults = [
            Fault(kind="400", method="sendMediaGroup", description=number, having=having),
            Fault(kind="400", method="sendPhoto", description=refusal, having=f"caption={bad}"),
        ]
        # Across bots the album is uploaded, and the media of its items are JSON text in the request.
        on.world.faults += [
            Fault(kind="400", method="sendMediaGroup", description=number, having=f'caption":"{bad}"'),
        ]
        sent = on.ann.album(*(item("photo", str(n)) for n in range(5)))
        on.ann.write("after")
        await on.quiet()
        *album, after = on.bob.got()
        assert [each["caption"] for each in album] == [str(n) for n in range(5) if n != bad]
        assert after["text"] == "after"
        (complaint,) = on.ann.complaints()
        assert complaint in ("chat.failed_cannot_copy", "chat.failed_broken")
        assert list(on.ann.messages().values())[-1]["reply_to_message"]["message_id"] == sent[bad]

    play(store, scene, home=home, bugs=())


@over_stores
@staged(play, "store", home=False)
async def test_an_album_file_too_large_for_another_bot_does_not_stop_the_others(on: Stage, /) -> None:
    large: Json = {"video": {"duration": 2, "file_size": 21 * 2**20}, "caption": "large"}
    sent = on.ann.album(item("photo", "a"), large, item("photo", "c"))
    await on.quiet()
    assert [each["caption"] for each in on.bob.got()] == ["a", "c"]
    assert on.ann.complaints() == ["chat.failed_too_large"]
    assert list(on.ann.messages().values())[-1]["reply_to_message"]["message_id"] == sent[1]


@over_stores
@HOMES
def test_an_album_of_one_is_a_message(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.album(item("photo", "alone"))
        await on.quiet()
        (got,) = on.bob.got()
        assert got["caption"] == "alone"
        assert "media_group_id" not in got

    play(store, scene, home=home)
