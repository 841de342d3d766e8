"""The chat is over, or a person has switched to another bot. Actions on a message reach the bot with its copy, or
nobody."""

import asyncio

import pytest

from tests.scenario.kinds import SENT
from tests.scenario.matrix import HISTORIES, HOMES, over_stores, pass_on
from tests.scenario.stage import Phone, Stage, play


async def met_anew(on: Stage) -> Phone:
    """Ann leaves and meets Cid, who is on Bob's bot."""
    cid = on.join(on.bots[0 if on.home else 1])
    on.ann.write("/next")
    await on.quiet()
    cid.write("/search")
    await on.quiet()
    await asyncio.sleep(0.2)
    await on.quiet()
    assert cid.told()[-1] == on.ann.told()[-1] == "search.found"
    return cid


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_actions_on_a_former_chat_reach_neither_the_new_partner_nor_the_old(
    kind: str, history: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        copy = on.bob.got()[0]["message_id"]
        back = await pass_on(on, on.bob, "text")
        back_copy = on.ann.got()[0]["message_id"]
        cid = await met_anew(on)
        await on.after(history)
        at_bobs, at_cids = dict(on.bob.messages()), dict(cid.messages())
        if "text" in SENT[kind]:
            on.ann.edit(original, text="Changed")
        elif "caption" in SENT[kind]:
            on.ann.edit(original, caption="Changed")
        elif kind == "live location":
            moved = {"latitude": 9.5, "longitude": 2.5, "live_period": 900}
            on.ann.edit(original, content={"location": moved})
        on.ann.react(original, "🔥")
        on.ann.react(back_copy, "🔥")
        on.ann.write("/delete", reply_to=original)
        on.bob.edit(back, text="Changed, too")
        on.bob.react(copy, "👍")
        on.bob.write("/delete", reply_to=back)
        await on.quiet()
        assert cid.messages() == at_cids
        assert {number: each for number, each in on.bob.messages().items() if number in at_bobs and number != back} == {
            number: each for number, each in at_bobs.items() if number != back
        }
        assert on.bob.reaction(copy) is None
        assert on.bob.reaction(back) is None
        assert on.ann.reaction(original) is None
        assert on.ann.messages()[back_copy]["text"] == SENT["text"]["text"]
        # A reply to a message of the former chat goes to the new partner as a plain message.
        on.ann.write("as I said", reply_to=original)
        await on.quiet()
        (got,) = cid.got()
        assert got["text"] == "as I said"
        assert "reply_to_message" not in got

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", ["text", "photo", "live location"])
def test_edits_and_replies_go_to_the_bot_that_holds_the_copy(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        back = await pass_on(on, on.bob, "text")
        before = on.bob.bot
        copy = on.bob.got()[0]["message_id"]
        # Bob continues with the other bot in the middle of the chat.
        on.bob.bot = next(bot for bot in on.bots if bot != before)
        on.world.chat(on.world.state.bots[on.bob.bot], on.bob.id).started = True
        on.bob.write("over here now")
        await on.quiet()
        await on.after(history)
        assert on.ann.got()[-1]["text"] == "over here now"
        if kind == "live location":
            moved = {"latitude": 9.5, "longitude": 2.5, "live_period": 900}
            on.ann.edit(original, content={"location": moved})
        else:
            on.ann.edit(original, **{kind if kind == "text" else "caption": "Changed"})
        on.ann.react(original, "🔥")
        await on.quiet()
        shown = on.bob.messages(before)[copy]
        assert (shown.get("text") or shown.get("caption") or shown["location"]["latitude"]) in ("Changed", 9.5)
        assert on.bob.reaction(copy, before) == "🔥"
        assert on.bob.got() == []
        # A reply cannot point to another chat. So it becomes a plain message on Bob's current bot.
        on.ann.write("an answer", reply_to=original)
        on.ann.write("another", reply_to=on.ann.got()[-1]["message_id"])
        await on.quiet()
        plain, joined = on.bob.got()
        assert (plain["text"], "reply_to_message" in plain) == ("an answer", False)
        assert on.bob.messages()[joined["reply_to_message"]["message_id"]]["text"] == "over here now"
        # Back at the first bot, Bob's reply there is a reply again on Ann's side.
        on.bob.bot = before
        on.bob.write("remember?", reply_to=copy)
        await on.quiet()
        assert on.ann.got()[-1]["reply_to_message"]["message_id"] == original
        on.ann.write("/delete", reply_to=original)
        await on.quiet()
        assert copy not in on.bob.messages(before)
        assert back in on.bob.messages(before)
        assert on.ann.complaints() == on.bob.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("leaver", ["ann", "bob"])
def test_a_message_on_its_way_when_the_chat_ended_reaches_nobody_else(
    leaver: str, after_s: float, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        cid = on.join(on.bots[0 if home else 1])
        cid.write("/search")
        await on.quiet()
        original = on.ann.write("for Bob")
        on.ann.edit(original, text="for Bob alone")
        on.ann.album({"photo": {}, "caption": "for Bob"}, {"photo": {}, "caption": "for Bob"})
        await asyncio.sleep(after_s)
        (on.ann if leaver == "ann" else on.bob).write("/next")
        await on.quiet()
        await asyncio.sleep(1.0)
        await on.quiet()
        assert cid.told()[-1] == "search.found"
        assert cid.got() == []
        assert all("for Bob" in (each.get("text") or each["caption"]) for each in on.bob.got())

    play(store, scene, home=home)
