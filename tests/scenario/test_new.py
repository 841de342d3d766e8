"""A message arrives unchanged: each kind, on one bot and across two, whatever happened to the app before."""

import json

import msgspec
import pytest

from passerby.adapters.botapi.files import Disguised
from passerby.domain.popularity import ENOUGH, bits
from passerby.kernel.ids import PersonId
from tests.scenario.kinds import ASKED_FIRST, REFUSED, SENT, essence, expected
from tests.scenario.matrix import HISTORIES, HOMES, over_stores, pass_on
from tests.scenario.stage import Stage, play
from tests.staged import staged


@over_stores
@HOMES
@HISTORIES
@pytest.mark.parametrize("kind", SENT)
def test_every_kind_of_message_arrives_as_its_sender_saw_it(kind: str, history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await on.after(history)
        sent = await pass_on(on, on.ann, kind)
        (got,) = on.bob.got()
        assert essence(on.world, got) == expected(on.world, on.ann.messages()[sent])
        assert "anary" not in json.dumps(got)
        assert str(on.ann.id) not in json.dumps(got)
        assert on.ann.complaints() == []
        assert ("chat.shown" in on.ann.told()) == (kind in ASKED_FIRST)
        if "poll" in got:
            assert got["poll"]["is_anonymous"]
        if "text" in got:
            assert got["link_preview_options"] == {"is_disabled": True}

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_a_custom_emoji_that_many_people_use_arrives_as_itself(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        (emoji,) = SENT["custom emoji"]["entities"]
        for person in range(1, 4 * ENOUGH):
            await on.store.sight(bits(b"", emoji["custom_emoji_id"], PersonId(person)))
        await on.after(history)
        await pass_on(on, on.ann, "custom emoji")
        (got,) = on.bob.got()
        assert got["entities"] == [emoji]

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("kind", REFUSED)
def test_a_kind_that_cannot_be_relayed_is_refused_with_a_sentence(kind: str, home: bool, store: str) -> None:
    content, sentence = REFUSED[kind]

    async def scene(on: Stage) -> None:
        on.ann.send(content)
        await on.quiet()
        assert on.bob.got() == []
        assert on.ann.complaints() == [sentence]

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_a_file_sent_again_needs_no_transfer(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        first = on.ann.send(SENT["voice"])
        await on.quiet()
        await on.after(history)
        before = len(on.requests("getFile"))
        on.ann.send({"voice": {"file_unique_id": on.ann.messages()[first]["voice"]["file_unique_id"]}})
        await on.quiet()
        assert len(on.bob.got()) == 2
        assert len(on.requests("getFile")) == before

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_file_that_telegram_forgot_for_the_other_bot_is_uploaded_again(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        first = on.ann.send(SENT["voice"])
        await on.quiet()
        unique = on.ann.messages()[first]["voice"]["file_unique_id"]
        files = Disguised(on.store, b"")
        await files.remember_file(unique, on.bots[1], on.ann.messages()[first]["voice"]["file_id"])
        on.ann.send({"voice": {"file_unique_id": unique}})
        await on.quiet()
        assert [("voice" in message) for message in on.bob.got()] == [True, True]

    play(store, scene, home=home)


@over_stores
@staged(play, "store", home=False)
async def test_a_file_above_20_mb_does_not_cross_bots_and_its_sender_is_told(on: Stage, /) -> None:
    on.ann.send({"document": {"file_size": 21 * 2**20, "file_name": "a.zip", "mime_type": "application/zip"}})
    await on.quiet()
    assert on.bob.got() == []
    assert on.ann.complaints() == ["chat.failed_too_large"]
    assert on.requests("sendDocument") == []


@over_stores
@HOMES
def test_the_sender_of_an_unreadable_message_is_told_and_can_go_on(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        bot = on.world.state.bots[on.ann.bot]
        on.ann.send({"sticker": {}})
        update = msgspec.json.decode(bot.queue.items[-1].body)
        update["message"]["sticker"]["file_id"] = {"of": "tomorrow"}
        bot.queue.items[-1].body = msgspec.json.encode(update)
        on.ann.write("do you see it?")
        await on.quiet()
        assert [message["text"] for message in on.bob.got()] == ["do you see it?"]
        assert on.ann.complaints() == ["chat.refused_unknown"]

    play(store, scene, home=home)
