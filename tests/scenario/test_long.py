"""Captions longer than a bot may write: the file goes first, its text follows, and both stay one message to both
people."""

import asyncio

import pytest

from botapi_sandbox.world.faults import Fault
from tests.scenario.kinds import CAPTIONED, SENT, Json, essence
from tests.scenario.kinds import expected as as_it_arrives
from tests.scenario.matrix import HISTORIES, HOMES, over_stores
from tests.scenario.stage import Stage, play
from tests.staged import staged

LONG = "The harbour. " * 150  # 1,950 characters
OTHER = "The lighthouse. " * 240  # 3,840
BOLD = [{"type": "bold", "offset": 1300, "length": 7}]


def premium(on: Stage) -> None:
    on.world.state.people[on.ann.id].premium = True


def words_of(got: list[Json]) -> list[str]:
    return [each.get("text") or each.get("caption") or "" for each in got]


def read(on: Stage, *words: str) -> None:
    """Check that Bob sees these messages in this order, and that Ann got no error notice."""
    assert words_of(on.bob.got()) == [each.strip() for each in words]
    assert on.ann.complaints() == []


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", CAPTIONED)
def test_a_long_caption_follows_its_file_as_a_reply(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        premium(on)
        await on.after(history)
        sent = on.ann.send({**SENT[kind], "caption": LONG, "caption_entities": BOLD})
        on.ann.write("after")
        await on.quiet()
        file, words, after = on.bob.got()
        bare = {**on.ann.messages()[sent], "caption": None, "caption_entities": None, "show_caption_above_media": None}
        assert essence(on.world, file) == as_it_arrives(on.world, bare)
        assert (words["text"], words["entities"]) == (LONG.strip(), BOLD)
        assert words["reply_to_message"]["message_id"] == file["message_id"]
        assert after["text"] == "after"
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_a_caption_can_be_edited_from_long_to_short_and_back(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        premium(on)
        sent = on.ann.send({"photo": {}, "caption": LONG})
        await on.quiet()
        for caption, expected in (
            (OTHER, ("", OTHER)),
            ("short", ("short",)),
            ("shorter", ("shorter",)),
            (LONG, ("", LONG)),
            ("", ("",)),
        ):
            await on.after(history)
            on.ann.edit(sent, caption=caption)
            await on.quiet()
            read(on, *expected)

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_deleting_a_file_with_a_long_caption_deletes_both_pieces(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        premium(on)
        sent = on.ann.send({"photo": {}, "caption": LONG})
        on.ann.write("stays")
        await on.quiet()
        await on.after(history)
        on.ann.write("/delete", reply_to=sent)
        await on.quiet()
        read(on, "stays")

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_replies_and_reactions_to_either_piece_reach_the_original(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        premium(on)
        sent = on.ann.send({"photo": {}, "caption": LONG})
        await on.quiet()
        await on.after(history)
        for piece in on.bob.got():
            on.bob.write("I know", reply_to=piece["message_id"])
            await on.quiet()
            on.bob.react(piece["message_id"], "👍")
            await on.quiet()
            assert on.ann.reaction(sent) == "👍"
            on.bob.react(piece["message_id"], None)
            await on.quiet()
        on.bob.write("here", reply_to=on.bob.got()[1]["message_id"], quote="harbour")
        await on.quiet()
        answers = on.ann.got()
        assert [each["reply_to_message"]["message_id"] for each in answers] == [sent] * 3
        assert answers[-1]["quote"]["text"] == "harbour"
        on.ann.write("indeed", reply_to=sent)
        await on.quiet()
        assert on.bob.got()[-1]["reply_to_message"]["message_id"] == on.bob.got()[0]["message_id"]

    play(store, scene, home=home)


@over_stores
@HOMES
def test_long_captions_of_an_album_follow_it_as_replies_to_their_items(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        premium(on)
        sent = on.ann.album(
            {"photo": {}, "caption": LONG}, {"photo": {}, "caption": "b"}, {"photo": {}, "caption": OTHER}
        )
        await on.quiet()
        read(on, "", "b", "", LONG, OTHER)
        a, b, c, first, third = on.bob.got()
        assert a["media_group_id"] == b["media_group_id"] == c["media_group_id"]
        assert first["reply_to_message"]["message_id"] == a["message_id"]
        assert third["reply_to_message"]["message_id"] == c["message_id"]
        on.ann.edit(sent[2], caption="c")
        await on.quiet()
        read(on, "", "b", "c", LONG)

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("kind", ["429", "500", "stall", "reset_before"])
def test_trouble_between_the_pieces_duplicates_and_loses_nothing(kind: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        premium(on)
        on.world.faults = [Fault(kind=kind, chat=on.bob.id, skip=1, count=1, retry_after=3)]  # type: ignore[arg-type]
        on.ann.send({"photo": {}, "caption": LONG})
        on.ann.write("after")
        await on.quiet()
        read(on, "", LONG, "after")

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_process_that_dies_between_the_pieces_sends_no_piece_twice(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        premium(on)
        on.world.faults = [Fault(kind="429", chat=on.bob.id, skip=1, count=1, retry_after=20)]
        on.ann.send({"photo": {}, "caption": LONG})
        while not on.bob.got():
            await asyncio.sleep(0.1)
        await asyncio.sleep(3.0)
        await on.kill_and_start()
        await on.quiet()
        read(on, "", LONG)

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_caption_that_telegram_finds_too_long_follows_its_file(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(kind="400", description="message caption is too long", having="caption=The")]
        sent = on.ann.send({"photo": {}, "caption": "The harbour"})
        await on.quiet()
        read(on, "", "The harbour")
        on.world.faults = [Fault(kind="400", description="MEDIA_CAPTION_TOO_LONG", having="caption=")]
        on.ann.edit(sent, caption="Another")
        await on.quiet()
        read(on, "", "Another")

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_text_that_telegram_finds_too_long_arrives_in_pieces(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        text = "One word more. " * 260
        on.world.faults = [Fault(kind="400", description="message is too long", having=text[:3000])]
        sent = on.ann.write(text.strip())
        await on.quiet()
        got = on.bob.got()
        assert len(got) > 1
        assert " ".join(each["text"] for each in got) == text.strip()
        on.world.faults = []
        on.ann.edit(sent, text="short")
        await on.quiet()
        read(on, "short")

    play(store, scene, home=home)


@over_stores
@staged(play, "store", home=True)
async def test_the_sender_is_told_when_telegram_finds_even_the_pieces_too_long(on: Stage, /) -> None:
    on.world.faults = [Fault(kind="400", description="message is too long", chat=on.bob.id)]
    on.ann.write("One word more. " * 100)
    await on.quiet()
    assert on.bob.got() == []
    assert on.ann.complaints() == ["chat.failed_too_long"]
