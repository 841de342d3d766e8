"""A message that waits for its sender's confirmation goes as the sender sees it when they press the button."""

import pytest

from tests.scenario.matrix import HISTORIES, HOMES, over_stores
from tests.scenario.stage import Stage, play

ASKED = "my insta: ann_99"


def words(messages: list[dict[str, object]]) -> list[object]:
    return [message["text"] for message in messages]


@over_stores
@HOMES
@HISTORIES
def test_a_held_message_edited_to_be_harmless_is_sent_once_at_once(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        sent = on.ann.write(ASKED)
        await on.quiet()
        assert on.bob.got() == []
        await on.after(history)
        on.ann.edit(sent, text="hello")
        await on.quiet()
        on.ann.press("show")
        await on.quiet()
        assert words(on.bob.got()) == ["hello"]
        on.ann.edit(sent, text="hello you")
        await on.quiet()
        assert words(on.bob.got()) == ["hello you"]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("edited", ["my insta: ann_98", "hi there, insta: ann_99"])
def test_an_edited_held_message_is_sent_as_it_is_now(edited: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        sent = on.ann.write(ASKED)
        await on.quiet()
        on.ann.edit(sent, text=edited)
        await on.quiet()
        await on.after(history)
        on.ann.press("show")
        await on.quiet()
        if history != "fresh":  # a process that has not seen the edit asks once more
            assert on.bob.got() == []
            assert on.ann.told()[-1] == "chat.confirm_edited"
            on.ann.press("show")
            await on.quiet()
        assert words(on.bob.got()) == [edited]

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_held_message_edited_to_reveal_more_is_asked_about_again(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        sent = on.ann.write(ASKED)
        await on.quiet()
        on.ann.edit(sent, text=f"{ASKED}, or ann@example.org")
        await on.quiet()
        on.ann.press("show")
        await on.quiet()
        assert on.bob.got() == []
        assert on.ann.told()[-1] == "chat.confirm_email"
        on.ann.press("show")
        await on.quiet()
        assert words(on.bob.got()) == [f"{ASKED}, or ann@example.org"]

    play(store, scene, home=home)


@over_stores
@HOMES
def test_editing_a_withheld_message_does_not_send_it(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        sent = on.ann.write(ASKED)
        await on.quiet()
        on.ann.press("hide")
        await on.quiet()
        on.ann.edit(sent, text="hello")
        await on.quiet()
        assert on.bob.got() == []

    play(store, scene, home=home)
