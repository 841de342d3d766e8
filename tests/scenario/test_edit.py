"""An edit reaches the partner's copy if it changes anything that was relayed, whatever happened to the app in
between."""

import pytest

from tests.scenario.kinds import ASKED_FIRST, CAPTIONED, EXCHANGED, SENT, SHOWN, essence, expected, kind_of
from tests.scenario.matrix import HISTORIES, HOMES, over_stores, pass_on
from tests.scenario.stage import PATIENT, Stage, play

EDITS = (
    "editMessageText",
    "editMessageCaption",
    "editMessageMedia",
    "editMessageLiveLocation",
    "stopMessageLiveLocation",
)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", ["text", "text with effect", "protected text", "custom emoji", "rich text"])
def test_an_edited_text_changes_for_the_partner(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        for words in ("It lifts at one", "At two, perhaps"):
            await on.after(history)
            if kind == "rich text":
                on.ann.edit(original, content={"rich_message": {"blocks": [{"type": "paragraph", "text": words}]}})
            else:
                on.ann.edit(original, text=words, entities=[{"type": "italic", "offset": 0, "length": 2}])
            await on.quiet()
            (got,) = on.bob.got()
            assert essence(on.world, got) == expected(on.world, on.ann.messages()[original])
            assert words in str(got)
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", CAPTIONED)
def test_captions_can_be_added_changed_and_removed(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        for words in ("The old harbour", "", "The harbour again"):
            await on.after(history)
            on.ann.edit(original, caption=words)
            await on.quiet()
            (got,) = on.bob.got()
            assert got.get("caption", "") == words
            sent = on.ann.messages()[original]
            assert essence(on.world, got)["bytes"] == essence(on.world, sent)["bytes"]
            assert got.get("has_protected_content") == sent.get("has_protected_content")
            assert bool(got.get("has_media_spoiler")) is (kind_of(got) in SHOWN), "an edit keeps the blur"
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize(("kind", "by"), [(kind, by) for kind, others in EXCHANGED.items() for by in others])
def test_replaced_media_are_replaced_for_the_partner(kind: str, by: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        await on.after(history)
        held = on.world.state.bots[on.ann.bot].chats[on.ann.id].messages[original]
        former = ("photo", "video", "animation", "audio", "document")
        described = (
            {"file_name": "Canary2.pdf", "mime_type": "application/pdf"} if by == "document" else {"duration": 7}
        )
        kept = {name: value for name, value in held.message.items() if name not in former}
        held.message = {**kept, **on.ann.file(by, **described)}
        on.ann.edit(original, caption="Another")
        await on.quiet()
        (got,) = on.bob.got()
        assert essence(on.world, got) == expected(on.world, on.ann.messages()[original])
        assert "anary" not in str(got)
        # Then back to text alone.
        await on.after(history)
        on.ann.edit(original, caption="Just words")
        await on.quiet()
        assert on.bob.got()[0]["caption"] == "Just words"
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_an_edit_that_changes_nothing_changes_nothing(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        before = dict(on.bob.messages())
        await on.after(history)
        on.ann.edit(original)
        await on.quiet()
        assert on.bob.messages() == before
        # Only an answered question has been edited, nothing else.
        assert len(on.requests(*EDITS)) == (kind in ASKED_FIRST)
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_a_live_location_moves_and_stops(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, "live location")
        for latitude in (1.6, 1.7):
            await on.after(history)
            moved = {"latitude": latitude, "longitude": 2.5, "live_period": 900, "heading": 90}
            on.ann.edit(original, content={"location": moved})
            await on.quiet()
            (got,) = on.bob.got()
            assert got["location"] == moved
        await on.after(history)
        on.ann.edit(original, content={"location": {"latitude": 1.7, "longitude": 2.5}})
        await on.quiet()
        (got,) = on.bob.got()
        assert "live_period" not in got["location"]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("kind", SENT)
def test_an_edit_of_a_message_too_old_for_the_map_changes_nothing_and_reports_no_error(
    kind: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        await on.elapse(48 * 3600)
        before = dict(on.bob.messages())
        words = "text" if "text" in SENT[kind] else "caption" if "caption" in SENT[kind] else None
        on.ann.edit(original, **({words: "Much later"} if words else {}))
        await on.quiet()
        assert on.bob.messages() == before
        assert on.ann.complaints() == []

    play(store, scene, home=home, rules=PATIENT)
