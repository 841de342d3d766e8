"""A reaction reaches the partner's copy, changes and disappears, in both directions."""

import pytest

from tests.scenario.kinds import SENT
from tests.scenario.matrix import HISTORIES, HOMES, over_stores, pass_on
from tests.scenario.stage import PATIENT, Stage, play


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_a_reaction_is_added_changed_and_removed_on_both_sides(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        copy = on.bob.got()[0]["message_id"]
        for emoji in ("👍", "🔥", None):
            await on.after(history)
            on.bob.react(copy, emoji)
            on.ann.react(original, emoji)
            await on.quiet()
            assert on.ann.reaction(original) == emoji
            assert on.bob.reaction(copy) == emoji
        assert [*on.ann.complaints(), *on.bob.complaints()] == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("item", [0, 1, 2])
def test_a_reaction_to_an_album_item_appears_where_its_reader_sees_it(
    item: int, history: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        originals = on.ann.album({"photo": {}}, {"video": {"duration": 2}}, {"photo": {}})
        await on.quiet()
        copies = [message["message_id"] for message in on.bob.got()]
        for emoji in ("👍", "🔥", None):
            await on.after(history)
            on.bob.react(copies[item], emoji)
            await on.quiet()
            # Telegram shows an album's reactions on its first item.
            assert [on.ann.reaction(original) for original in originals] == [emoji, None, None]
            on.ann.react(originals[item], emoji)
            await on.quiet()
            assert [on.bob.reaction(copy) for copy in copies] == [emoji, None, None]

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_reaction_to_a_notice_or_a_deleted_message_does_no_harm(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, "text")
        copy = on.bob.got()[0]["message_id"]
        on.world.phones.delete(on.ann.id, on.ann.bot, original)
        on.bob.react(copy, "👍")
        on.bob.react(next(iter(on.bob.messages())), "👍")
        await on.quiet()
        assert (on.ann.complaints(), on.bob.complaints()) == ([], [])

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("kind", SENT)
def test_a_reaction_to_a_message_too_old_for_the_map_is_ignored(kind: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        copy = on.bob.got()[0]["message_id"]
        await on.elapse(48 * 3600)
        on.bob.react(copy, "👍")
        await on.quiet()
        assert on.ann.reaction(original) is None
        assert on.bob.complaints() == []

    play(store, scene, home=home, rules=PATIENT)
