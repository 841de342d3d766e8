"""`/delete` removes a person's own message on both sides, within Telegram's limits, and says when it cannot."""

import asyncio

import pytest

from tests.scenario.kinds import SENT
from tests.scenario.matrix import HISTORIES, HOMES, over_stores, pass_on
from tests.scenario.stage import PATIENT, Stage, play


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_deleting_ones_own_message_removes_it_on_both_sides_with_the_command(
    kind: str, history: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        assert len(on.bob.got()) == 1
        await on.after(history)
        command = on.ann.write("/delete", reply_to=original)
        await on.quiet()
        await asyncio.sleep(1.0)
        assert on.bob.got() == []
        # Telegram lets nobody delete a dice roll within its first day.
        assert (original in on.ann.messages()) == (kind == "dice")
        assert command not in on.ann.messages()
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_the_partners_message_cannot_be_deleted(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        await on.after(history)
        on.bob.write("/delete", reply_to=on.bob.got()[0]["message_id"])
        await on.quiet()
        assert len(on.bob.got()) == 1
        assert original in on.ann.messages()
        assert on.bob.complaints() == ["chat.delete_not_yours"]

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_one_album_item_can_be_deleted_alone(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        originals = on.ann.album(
            {"photo": {}, "caption": "a"}, {"photo": {}, "caption": "b"}, {"photo": {}, "caption": "c"}
        )
        await on.quiet()
        await on.after(history)
        on.ann.write("/delete", reply_to=originals[1])
        await on.quiet()
        assert [message["caption"] for message in on.bob.got()] == ["a", "c"]

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_delete_without_a_reply_explains_how_it_works(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await pass_on(on, on.ann, "text")
        await on.after(history)
        on.ann.write("/delete")
        await on.quiet()
        assert len(on.bob.got()) == 1
        assert on.ann.complaints() == ["chat.delete_how"]

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("kind", SENT)
def test_delete_says_when_it_is_too_late(kind: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        await on.elapse(48 * 3600)
        on.ann.write("/delete", reply_to=original)
        await on.quiet()
        assert len(on.bob.got()) == 1
        assert original in on.ann.messages()
        assert on.ann.told()[-1] == "chat.delete_too_late"

    play(store, scene, home=home, rules=PATIENT)


@over_stores
@HOMES
def test_replying_to_editing_or_deleting_a_deleted_message_does_no_harm(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, "text")
        kept = on.ann.messages()[original]
        copy = on.bob.got()[0]
        on.ann.write("/delete", reply_to=original)
        await on.quiet()
        on.bob.send({"text": "I saw that", "reply_to_message": copy})
        on.ann.send({"text": "/delete", "reply_to_message": kept})
        await on.quiet()
        assert [message["text"] for message in on.ann.got()] == ["I saw that"]
        assert on.bob.got() == []
        assert not [key for key in (*on.ann.told(), *on.bob.told()) if "failed" in key]

    play(store, scene, home=home)
