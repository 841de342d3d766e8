"""A reply becomes a reply to the partner's own copy, with its quote, or a plain message."""

import pytest

from tests.scenario.kinds import SENT, WORDED, essence, expected
from tests.scenario.matrix import HISTORIES, HOMES, over_stores, pass_on
from tests.scenario.stage import PATIENT, Json, Stage, play

WORDLESS = tuple(kind for kind in SENT if kind not in WORDED)


def answers(message: Json) -> int | None:
    number: int | None = message.get("reply_to_message", {}).get("message_id")
    return number


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_each_side_sees_a_reply_to_its_own_copy(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        copy = on.bob.got()[0]["message_id"]
        await on.after(history)
        on.bob.write("to yours", reply_to=copy)
        on.ann.write("to mine", reply_to=original)
        await on.quiet()
        back = await pass_on(on, on.bob, kind, reply_to=copy)
        assert [answers(message) for message in on.ann.got()] == [original, original]
        assert [answers(message) for message in on.bob.got()] == [None, copy]
        assert essence(on.world, on.ann.got()[1]) == expected(on.world, on.bob.messages()[back])
        await on.after(history)
        # The receiver replies to the reply.
        on.ann.write("and on", reply_to=on.ann.got()[1]["message_id"])
        await on.quiet()
        assert answers(on.bob.got()[-1]) == back

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", WORDED)
def test_a_quote_of_relayed_text_stays_a_quote(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        got = on.bob.got()[0]
        words = got.get("text") or got["caption"]
        await on.after(history)
        on.bob.write("yours", reply_to=got["message_id"], quote=words)
        on.ann.write("mine", reply_to=original, quote=words[-4:])
        await on.quiet()
        yours, mine = on.ann.got()[-1], on.bob.got()[-1]
        assert answers(yours) == original
        if kind == "custom emoji":  # the copy lacks the custom emoji, so the quote must lack it too
            assert "quote" not in yours
        else:
            assert yours["quote"]["text"] == words
        assert (answers(mine), mine["quote"]["text"]) == (got["message_id"], words[-4:])
        assert (
            mine["quote"]["position"] == len(words.encode("utf-16-le")) // 2 - len(words[-4:].encode("utf-16-le")) // 2
        )

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_a_quote_of_text_that_was_not_relayed_is_dropped_and_the_reply_kept(
    kind: str, history: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        copy = on.bob.got()[0]
        await on.after(history)
        quote = {"text": "never said", "position": 0, "is_manual": True}
        on.bob.send({"text": "what?", "reply_to_message": {**copy}, "quote": quote})
        await on.quiet()
        (got,) = on.ann.got()
        assert (got["text"], answers(got)) == ("what?", original)
        assert "quote" not in got
        assert on.bob.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("whose", ["notice", "unknown"])
def test_a_reply_to_a_message_that_was_not_relayed_becomes_a_plain_message(whose: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        if whose == "notice":
            to = next(iter(on.ann.messages()))
            on.ann.write("thank you, bot", reply_to=to)
        else:
            message = {**next(iter(on.ann.messages().values())), "message_id": 99_999}
            on.ann.send({"text": "thank you, bot", "reply_to_message": message})
        await on.quiet()
        assert [(message["text"], answers(message)) for message in on.bob.got()] == [("thank you, bot", None)]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_a_reply_to_a_message_the_reader_deleted_becomes_a_plain_message(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, "text")
        on.world.phones.delete(on.bob.id, on.bob.bot, on.bob.got()[0]["message_id"])
        await on.after(history)
        on.ann.write("you know", reply_to=original, quote="noon")
        await on.quiet()
        assert [(message["text"], answers(message)) for message in on.bob.got()] == [("you know", None)]
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("kind", SENT)
def test_a_reply_to_a_message_too_old_for_the_map_becomes_a_plain_message(kind: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        original = await pass_on(on, on.ann, kind)
        copy = on.bob.got()[0]
        await on.elapse(48 * 3600)
        quote = (copy.get("text") or copy.get("caption") or "")[-4:] or None
        on.bob.write("still thinking of this", reply_to=copy["message_id"], quote=quote)
        on.ann.write("me too", reply_to=original)
        await on.quiet()
        for got in (on.ann.got()[-1], on.bob.got()[-1]):
            assert "reply_to_message" not in got
            assert "quote" not in got
        assert on.ann.got()[-1]["text"] == "still thinking of this"
        assert on.bob.got()[-1]["text"] == "me too"
        assert not [key for key in (*on.ann.told(), *on.bob.told()) if "failed" in key]

    play(store, scene, home=home, rules=PATIENT)
