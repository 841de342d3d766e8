"""One conversation between a bot, written with any of the libraries, and two people on their phones."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest

from botapi_sandbox import World
from botapi_sandbox.world.answers import Json
from tests.botapi_sandbox.foreign.clients import Client
from tests.botapi_sandbox.samples import GIF, MP4, OGG, PNG, WEBP

ALL_UPDATES = [
    "message",
    "edited_message",
    "callback_query",
    "message_reaction",
    "pre_checkout_query",
    "my_chat_member",
    "poll",
]


@dataclass
class Talk:
    """The bot, its world, and the offset of its next update."""

    client: Client
    world: World
    bot: int
    ann: int
    offset: int = 0
    seen: list[Any] = field(default_factory=list)

    async def updates(self, count: int) -> list[Any]:
        """The next `count` updates, read with a growing offset."""
        found: list[Any] = []
        while len(found) < count:
            batch = await self.client.call(
                "get_updates", offset=self.offset, timeout=5, limit=100, allowed_updates=ALL_UPDATES
            )
            assert batch, "the updates did not come"
            found += batch
            self.offset = batch[-1].update_id + 1
        assert len(found) == count, found
        return found

    async def send(self, method: str, **arguments: Any) -> Any:
        return await self.client.call(method, chat_id=self.ann, **arguments)

    def phone(self, message_id: int) -> Json:
        """A message as Ann's phone shows it."""
        chat, _ = self.world.phones.view(self.ann, self.bot)
        return chat.messages[message_id].message

    async def refused(self, code: int, asked: Awaitable[Any]) -> Exception:
        """The library's own exception for this code."""
        with pytest.raises(self.client.errors[code]) as refusal:
            await asked
        assert self.client.code(refusal.value) == code
        return refusal.value


async def begin(talk: Talk) -> None:
    me = await talk.client.call("get_me")
    assert (me.id, me.is_bot, me.username) == (talk.bot, True, "sandbox_1_bot")
    await talk.refused(400, talk.send("send_message", text="too early"))
    talk.world.phones.start(talk.ann, talk.bot, "hello")
    member, started = await talk.updates(2)
    assert member.my_chat_member.new_chat_member.status == "member"
    assert started.message.text == "/start hello"
    assert started.message.chat.id == talk.ann


async def say(talk: Talk) -> None:
    types = talk.client.types
    sent = await talk.send("send_message", text="<b>Hi</b> 👋 <i>you</i>", parse_mode="HTML")
    assert sent.text == "Hi 👋 you"
    assert [(e.type, e.offset, e.length) for e in sent.entities] == [("bold", 0, 2), ("italic", 6, 3)]
    plain = await talk.send("send_message", text="x" * 4096)
    assert len(plain.text) == 4096
    error = await talk.refused(400, talk.send("send_message", text="x" * 4097))
    assert "message is too long" in str(error).lower()
    written = talk.world.phones.write(talk.ann, talk.bot, "one\ntwo", reply_to=sent.message_id)
    (update,) = await talk.updates(1)
    assert update.message.reply_to_message.message_id == sent.message_id
    answer = await talk.send(
        "send_message",
        text="so",
        reply_parameters=types.ReplyParameters(message_id=written["message_id"], quote="two"),
        link_preview_options=types.LinkPreviewOptions(is_disabled=True),
    )
    assert answer.quote.text == "two"
    copy = await talk.send("copy_message", from_chat_id=talk.ann, message_id=written["message_id"])
    assert talk.phone(copy.message_id)["text"] == "one\ntwo"
    forwarded = await talk.send("forward_message", from_chat_id=talk.ann, message_id=written["message_id"])
    assert forwarded.forward_origin.sender_user.id == talk.ann
    copies = await talk.send(
        "copy_messages", from_chat_id=talk.ann, message_ids=[sent.message_id, written["message_id"]]
    )
    assert len(copies) == 2


async def send_files(talk: Talk) -> None:
    file = talk.client.file
    photo = await talk.send("send_photo", photo=file(PNG, "a.png"), caption="look", has_spoiler=True)
    assert (photo.photo[-1].width, photo.caption) == (40, "look")
    video = await talk.send("send_video", video=file(MP4, "a.mp4"), duration=3, width=64, height=48)
    assert (video.video.duration, video.video.width) == (3, 64)
    animation = await talk.send("send_animation", animation=file(GIF, "a.gif"))
    assert animation.animation.file_id == animation.document.file_id
    audio = await talk.send("send_audio", audio=file(b"ID3 sound", "a.mp3"), performer="P", title="T")
    assert (audio.audio.performer, audio.audio.title) == ("P", "T")
    voice = await talk.send("send_voice", voice=file(OGG, "a.ogg"), duration=2)
    assert voice.voice.duration == 2
    note = await talk.send("send_video_note", video_note=file(MP4, "a.mp4"), length=100)
    assert note.video_note.length == 100
    document = await talk.send("send_document", document=file(b"%PDF-1.4 a paper", "paper.pdf"))
    assert (document.document.file_name, document.document.mime_type) == ("paper.pdf", "application/pdf")
    sticker = await talk.send("send_sticker", sticker=file(WEBP, "a.webp"))
    assert sticker.sticker.is_animated is False
    live = await talk.send("send_live_photo", live_photo=file(MP4, "a.mp4"), photo=file(PNG, "a.png"))
    assert live.live_photo.width == 640
    again = await talk.send("send_photo", photo=photo.photo[-1].file_id)
    assert again.photo[-1].file_unique_id == photo.photo[-1].file_unique_id
    named = await talk.client.call("get_file", file_id=document.document.file_id)
    assert await talk.client.download(named.file_path) == b"%PDF-1.4 a paper"
    other = talk.world.add_bot()
    foreign = talk.world.files.file_id(other, talk.world.state.files[next(reversed(talk.world.state.files))])
    error = await talk.refused(400, talk.send("send_photo", photo=foreign))
    assert "wrong file identifier/http url specified" in str(error).lower()
    talk.world.phones.send(talk.ann, talk.bot, {"voice": {"file_size": 20 * 2**20 + 1}})
    (big,) = await talk.updates(1)
    error = await talk.refused(400, talk.client.call("get_file", file_id=big.message.voice.file_id))
    assert "file is too big" in str(error).lower()


async def send_albums(talk: Talk) -> None:
    types, file = talk.client.types, talk.client.file
    album = await talk.send(
        "send_media_group",
        media=[
            types.InputMediaPhoto(media=file(PNG, "a.png", inside=True), caption="first"),
            types.InputMediaVideo(media=file(MP4, "b.mp4", inside=True)),
        ],
    )
    assert len({item.media_group_id for item in album}) == 1
    assert [bool(item.photo) for item in album] == [True, False]
    talk.world.phones.album(talk.ann, talk.bot, [{"photo": {}}, {"photo": {}, "caption": "mine"}])
    first, second = await talk.updates(2)
    assert first.message.media_group_id == second.message.media_group_id is not None


async def send_the_rest(talk: Talk) -> None:
    types = talk.client.types
    place = await talk.send("send_location", latitude=52.5, longitude=13.4, live_period=600)
    moved = await talk.send("edit_message_live_location", message_id=place.message_id, latitude=52.6, longitude=13.4)
    assert moved.location.latitude == 52.6
    venue = await talk.send("send_venue", latitude=52.5, longitude=13.4, title="Bar", address="Street 1")
    assert venue.venue.title == "Bar"
    contact = await talk.send("send_contact", phone_number="+100", first_name="C")
    assert contact.contact.phone_number == "+100"
    dice = await talk.send("send_dice", emoji="🎯")
    assert 1 <= dice.dice.value <= 6
    poll = await talk.send(
        "send_poll", question="Q?", options=[types.InputPollOption(text="a"), types.InputPollOption(text="b")]
    )
    talk.world.phones.vote(talk.ann, talk.bot, poll.message_id, [1])
    (vote,) = await talk.updates(1)
    assert [option.voter_count for option in vote.poll.options] == [0, 1]
    stopped = await talk.send("stop_poll", message_id=poll.message_id)
    assert stopped.is_closed
    assert await talk.send("send_chat_action", action="typing")
    stickers = await talk.client.call("get_sticker_set", name="SandboxStickers")
    assert (await talk.send("send_sticker", sticker=stickers.stickers[0].file_id)).sticker.emoji == "👋"


async def edit_and_delete(talk: Talk) -> None:
    types = talk.client.types
    sent = await talk.send("send_message", text="before")
    edited = await talk.send("edit_message_text", message_id=sent.message_id, text="after")
    assert edited.text == "after"
    error = await talk.refused(400, talk.send("edit_message_text", message_id=sent.message_id, text="after"))
    assert "message is not modified" in str(error).lower()
    photo = await talk.send("send_photo", photo=talk.client.file(PNG, "a.png"), caption="before")
    captioned = await talk.send("edit_message_caption", message_id=photo.message_id, caption="after")
    assert captioned.caption == "after"
    media = types.InputMediaVideo(media=talk.client.file(MP4, "b.mp4", inside=True))
    swapped = await talk.send("edit_message_media", message_id=photo.message_id, media=media)
    assert swapped.video is not None
    assert not swapped.photo
    assert await talk.send("delete_message", message_id=sent.message_id)
    await talk.refused(400, talk.send("delete_message", message_id=sent.message_id))
    assert await talk.send("delete_messages", message_ids=[photo.message_id])
    written = talk.world.phones.write(talk.ann, talk.bot, "first")
    talk.world.phones.edit(talk.ann, talk.bot, written["message_id"], text="second")
    _, changed = await talk.updates(2)
    assert changed.edited_message.text == "second"


async def react(talk: Talk) -> None:
    written = talk.world.phones.write(talk.ann, talk.bot, "nice?")
    (message,) = await talk.updates(1)
    heart = talk.client.types.ReactionTypeEmoji(emoji="👍")
    assert await talk.send("set_message_reaction", message_id=message.message.message_id, reaction=[heart])
    talk.world.phones.react(talk.ann, talk.bot, written["message_id"], "🔥")
    (update,) = await talk.updates(1)
    assert [reaction.emoji for reaction in update.message_reaction.new_reaction] == ["🔥"]


async def press(talk: Talk) -> None:
    types = talk.client.types
    button = types.InlineKeyboardButton(text="Go", callback_data="go")
    markup = (
        types.InlineKeyboardMarkup(inline_keyboard=[[button]]) if types is not _telebot(talk) else _rows(types, button)
    )
    sent = await talk.send("send_message", text="press", reply_markup=markup)
    pressed = talk.world.phones.press(talk.ann, talk.bot, sent.message_id, 0, 0)
    (update,) = await talk.updates(1)
    query = update.callback_query
    assert (query.id, query.data, query.message.message_id) == (pressed, "go", sent.message_id)
    assert await talk.client.call("answer_callback_query", callback_query_id=query.id, text="gone")
    error = await talk.refused(400, talk.client.call("answer_callback_query", callback_query_id=query.id))
    assert "query is too old" in str(error).lower()
    keyboard = [[types.KeyboardButton(text="Find")]]
    if types is _telebot(talk):
        reply = types.ReplyKeyboardMarkup(resize_keyboard=True)
        reply.row(*keyboard[0])
    else:
        reply = types.ReplyKeyboardMarkup(keyboard=keyboard, resize_keyboard=True)
    await talk.send("send_message", text="keys", reply_markup=reply)
    chat, _ = talk.world.phones.view(talk.ann, talk.bot)
    assert chat.keyboard is not None
    assert chat.keyboard["keyboard"][0][0]["text"] == "Find"
    await talk.send("send_message", text="no keys", reply_markup=types.ReplyKeyboardRemove())
    assert chat.keyboard is None


def _telebot(talk: Talk) -> Any:
    return talk.client.types if talk.client.types.__name__ == "telebot.types" else None


def _rows(types: Any, button: Any) -> Any:
    return types.InlineKeyboardMarkup([[button]])


async def sell(talk: Talk) -> None:
    types = talk.client.types
    invoice = await talk.send(
        "send_invoice",
        title="VIP",
        description="A month",
        payload="order 1",
        provider_token="",
        currency="XTR",
        prices=[types.LabeledPrice(label="VIP", amount=50)],
    )
    assert invoice.invoice.total_amount == 50
    charges = []
    for _ in range(2):  # an invoice can be paid twice
        payment = talk.world.phones.pay(talk.ann, talk.bot, invoice.message_id)
        (asked,) = await talk.updates(1)
        query = asked.pre_checkout_query
        assert query.invoice_payload == "order 1"
        assert await talk.client.call("answer_pre_checkout_query", pre_checkout_query_id=query.id, ok=True)
        (paid,) = await talk.updates(1)
        assert payment.status == "paid"
        charges.append(paid.message.successful_payment.telegram_payment_charge_id)
    assert len(set(charges)) == 2
    refund = {"user_id": talk.ann, "telegram_payment_charge_id": charges[0]}
    assert await talk.client.call("refund_star_payment", **refund)
    error = await talk.refused(400, talk.client.call("refund_star_payment", **refund))
    assert "CHARGE_ALREADY_REFUNDED" in str(error).upper()
    ledger = await talk.client.call("get_star_transactions")
    assert [entry.id for entry in ledger.transactions] == [*charges, charges[0]]
    await talk.updates(1)  # the refund is also a message


async def be_refused(talk: Talk) -> None:
    talk.world.phones.block(talk.ann, talk.bot)
    error = await talk.refused(403, talk.send("send_message", text="still there?"))
    assert "bot was blocked by the user" in str(error).lower()
    talk.world.phones.unblock(talk.ann, talk.bot)
    blocked, back = await talk.updates(2)
    assert blocked.my_chat_member.new_chat_member.status == "kicked"
    assert back.my_chat_member.new_chat_member.status == "member"
    talk.world.switch({"limits": True, "chat_burst": 1.0})
    await talk.send("send_message", text="one")
    error = await talk.refused(429, talk.send("send_message", text="two"))
    assert talk.client.retry_after(error) == 1
    talk.world.switch({"limits": False})
    older = asyncio.ensure_future(talk.client.call("get_updates", offset=talk.offset, timeout=20))
    while (poller := talk.world.polls.get(talk.bot)) is None or poller.waiting is None:
        await asyncio.sleep(0.01)
    # The second poller is not the library, because a library keeps one connection for polling.
    newer = talk.world.poll(talk.world.state.bots[talk.bot].token, {"offset": talk.offset, "timeout": 1})
    await talk.refused(409, older)
    talk.world.abandon(newer)  # type: ignore[arg-type]
    assert await talk.client.call("set_webhook", url="https://127.0.0.1:9/hook")
    await talk.refused(409, talk.client.call("get_updates", offset=talk.offset, timeout=0))
    assert (await talk.client.call("get_webhook_info")).url == "https://127.0.0.1:9/hook"
    assert await talk.client.call("delete_webhook")


async def introduce(talk: Talk) -> None:
    types = talk.client.types
    assert await talk.client.call("set_my_commands", commands=[types.BotCommand("next", "Another one")]
                                  if _telebot(talk) or types.__name__ == "telegram"
                                  else [types.BotCommand(command="next", description="Another one")])  # fmt: skip
    assert [command.command for command in await talk.client.call("get_my_commands")] == ["next"]
    assert await talk.client.call("set_my_short_description", short_description="Short")
    assert (await talk.client.call("get_my_short_description")).short_description == "Short"
    assert (await talk.client.call("get_chat", chat_id=talk.ann)).first_name == "Ann"


SCENES = (
    begin,
    introduce,
    say,
    send_files,
    send_albums,
    send_the_rest,
    edit_and_delete,
    react,
    press,
    sell,
    be_refused,
)
