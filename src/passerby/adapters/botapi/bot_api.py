"""`BotApi`: the `Telegram` port over the Bot API, for all bots of the operator."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, assert_never

import msgspec

from passerby.adapters.botapi import decode, errors, outgoing
from passerby.adapters.botapi.client import DONE, TELEGRAM, Answer, Client, encode
from passerby.adapters.botapi.content_sender import ContentSender
from passerby.adapters.botapi.decode import arrivals
from passerby.adapters.botapi.errors import Meaning, Rejected
from passerby.adapters.botapi.files import FileCache
from passerby.adapters.botapi.parts import with_less
from passerby.adapters.botapi.sets import Sets, Sightings
from passerby.adapters.botapi.stars import StarCalls
from passerby.adapters.botapi.wire import ChatMember
from passerby.kernel.content import Content, File
from passerby.kernel.event import Original
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.money import StarRow
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.soon import own_task
from passerby.ports.telegram import (
    AnswerCallback,
    AnswerCheckout,
    Arrival,
    BotIdentity,
    CancelSubscription,
    CommandList,
    DeleteMessages,
    EditContent,
    EditNotice,
    OutgoingCall,
    RefundStars,
    Refused,
    SendContent,
    SendFile,
    SendInvoice,
    SendNotice,
    SetReaction,
    TelegramError,
)

ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "message_reaction",
    "pre_checkout_query",
    "subscription",
)
"""Named in every getUpdates. Telegram remembers the last list, and its default list has no reactions."""

INTRODUCTION = "introduction:"
"""The key, not a file's name, under which the cache keeps the last introduction of a bot. It saves three calls for each
language whenever a bot's lease is taken. Forty bots with ten languages would make 1,200 calls at a restart, and
Telegram does not publish limits for them."""

# Telegram answers a long poll after `timeout` at the latest; later than this, the answer has been lost on the way.
_POLL_GRACE_S = 10


class _Me(msgspec.Struct, gc=False):
    id: int
    first_name: str = ""
    username: str = ""


_ALLOWED: Final = msgspec.Raw(encode(ALLOWED_UPDATES))


class _GetUpdates(msgspec.Struct, omit_defaults=True):
    limit: int
    timeout: int
    allowed_updates: msgspec.Raw
    offset: int | None = None


_ME: msgspec.json.Decoder[Answer[_Me]] = msgspec.json.Decoder(Answer[_Me])
_MEMBER: msgspec.json.Decoder[Answer[ChatMember]] = msgspec.json.Decoder(Answer[ChatMember])


def _introduction(menus: tuple[CommandList, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls that set a bot's menus, descriptions and name."""
    for menu in menus:
        language = {"language_code": menu.language} if menu.language else {}
        commands = [{"command": name, "description": text} for name, text in menu.commands]
        yield "setMyCommands", {"commands": commands} | language
        if menu.description:
            yield "setMyDescription", {"description": menu.description} | language
        if menu.short_description:
            yield "setMyShortDescription", {"short_description": menu.short_description} | language
    # Last, because Telegram allows few changes of a name, and may make us wait for hours.
    for menu in menus:
        if menu.name:
            yield "setMyName", {"name": menu.name} | ({"language_code": menu.language} if menu.language else {})


class BotApi:
    """The fleet's connection to a Bot API server. Satisfies `ports.telegram.Telegram`.

    `base_url` is the server's address, without the `/bot…` part. `unlimited_files` means that it is our own server,
    which lets bots download more than 20 MB. `transfers` limits the uploads at one time. `on_connected` is called for
    each new connection for calls. `sightings` tells which sticker sets many people use; without it, no set is passed
    on. `key`, of up to 64 bytes, hides the data that is stored there. `staff` is the staff bot, which
    passes nothing on.
    """

    def __init__(
        self,
        tokens: Mapping[BotId, str],
        files: FileCache,
        *,
        base_url: str = TELEGRAM,
        unlimited_files: bool = False,
        transfers: int = 4,
        max_connections: int = 4096,
        on_connected: Callable[[], None] = lambda: None,
        sightings: Sightings | None = None,
        key: bytes = b"",
        staff: BotId | None = None,
    ) -> None:
        self._bots = tuple(tokens)
        self._staff = staff
        self._client = Client(tokens, base_url, max_connections=max_connections, on_connected=on_connected)
        self._files = files
        self._stars = StarCalls(self._client)
        self._content_sender = ContentSender(
            self._client,
            files,
            Sets(sightings, key),
            alone=len([bot for bot in tokens if bot != staff]) == 1,
            unlimited_files=unlimited_files,
            transfers=transfers,
        )

    def __repr__(self) -> str:
        return f"<BotApi for {len(self._bots)} bots>"

    @property
    def bots(self) -> tuple[BotId, ...]:
        return self._bots

    def take(self, tokens: Mapping[BotId, str]) -> None:
        """Serve these bots from now on, with these tokens."""
        self._client.take(tokens)
        self._bots = tuple(tokens)
        self._content_sender.take(alone=len([bot for bot in tokens if bot != self._staff]) == 1)

    async def identify(self, bot: BotId) -> BotIdentity:
        me = await self._client.call(bot, "getMe", b"{}", _ME)
        return BotIdentity(bot=BotId(me.id), username=me.username, title=me.first_name)

    async def is_member(self, bot: BotId, channel: str, person: PersonId) -> bool:
        members = {"chat_id": channel, "user_id": person}
        found = await self._client.call(bot, "getChatMember", encode(members), _MEMBER)
        return found.is_in

    async def prepare(self, bot: BotId, menus: tuple[CommandList, ...]) -> None:
        said = sha256(encode(menus)).hexdigest()
        last, _, done = (await self._said_last(bot) or "").partition("+")
        if last == said and not done:
            return
        await self._introduce(bot, menus, said, int(done) if last == said else 0)
        await self._note_said(bot, said)

    async def _said_last(self, bot: BotId) -> str | None:
        try:
            return await self._files.file_id(INTRODUCTION, bot)
        except LiveStoreLost:
            return None

    async def _note_said(self, bot: BotId, said: str) -> None:
        with suppress(LiveStoreLost):  # without the note, the calls are made once more than necessary
            await self._files.remember_file(INTRODUCTION, bot, said)

    async def _introduce(self, bot: BotId, menus: tuple[CommandList, ...], said: str, done: int) -> None:
        """Make the calls in order, without the first `done`.

        After a temporary refusal, the next try continues from there. Otherwise a rate limit below the number of calls
        would never let all of them through. A permanent refusal of one call does not stop the others.
        """
        refused: Refused | None = None
        for number, (method, members) in enumerate(_introduction(menus)):
            if number < done:
                continue
            try:
                await self._client.call(bot, method, encode(members), DONE)
            except Refused as error:
                refused = error
            except TelegramError:
                await self._note_said(bot, f"{said}+{number}")
                raise
        if refused is not None:
            raise refused

    async def updates(self, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        body = encode(_GetUpdates(limit, timeout_s, _ALLOWED, offset))
        answer = await self._client.post(bot, "getUpdates", body, timeout_s=timeout_s + _POLL_GRACE_S)
        try:
            return arrivals(answer, bot)
        except ValueError:
            pass
        raise errors.failure(200, answer, None, method="getUpdates", sends=False)

    def content_of(self, original: Original) -> Content | None:
        return decode.content_of(original)

    async def read_file(self, bot: BotId, file: File, most_bytes: int) -> bytes:
        """Fetch a file into memory (see `ports.looking`)."""
        return await self._content_sender.read(bot, file, most_bytes)

    def send(self, outgoing_call: OutgoingCall) -> Awaitable[tuple[MessageId, ...]]:
        if type(outgoing_call) is SendContent:
            return self._content_sender.send(outgoing_call)
        match outgoing_call:
            case SendContent():
                raise AssertionError("it has no subclass")
            case SendNotice():
                return self._send_notice(outgoing_call)
            case EditNotice():
                return self._edit_notice(outgoing_call)
            case SendFile():
                return self._send_file(outgoing_call)
            case AnswerCallback():
                return self._answer_callback(outgoing_call)
            case EditContent():
                return self._content_sender.edit(outgoing_call)
            case SetReaction():
                return self._react(outgoing_call)
            case DeleteMessages():
                return self._delete(outgoing_call)
            case SendInvoice():
                return self._stars.invoice(outgoing_call)
            case AnswerCheckout():
                return self._stars.answer_checkout(outgoing_call)
            case RefundStars():
                return self._stars.refund(outgoing_call)
            case CancelSubscription():
                return self._stars.cancel(outgoing_call)
            case _:
                assert_never(outgoing_call)

    async def star_rows(self, bot: BotId, offset: int, limit: int) -> list[StarRow]:
        return await self._stars.rows(bot, offset, limit)

    async def aclose(self) -> None:
        await self._client.aclose()

    def _send_notice(self, notice: SendNotice) -> Awaitable[tuple[MessageId, ...]]:
        message = outgoing.SendMessage(
            chat_id=notice.person,
            text=notice.html,
            link_preview_options=outgoing.NO_PREVIEW,
            parse_mode="HTML",
            reply_markup=outgoing.markup(notice.markup),
            reply_parameters=outgoing.reply(notice.reply_to),
            message_thread_id=notice.thread,
        )
        return self._content_sender.texts.begin(notice.bot, message)

    async def _send_file(self, file: SendFile) -> tuple[MessageId, ...]:
        await own_task()
        members = {"chat_id": str(file.person), "caption": file.html, "parse_mode": "HTML"}
        if file.thread is not None:
            members["message_thread_id"] = str(file.thread)
        return (await self._client.send_document(file.bot, members, file.name, file.data),)

    async def _edit_notice(self, notice: EditNotice) -> tuple[MessageId, ...]:
        edit = outgoing.EditMessageText(
            chat_id=notice.person,
            message_id=notice.message,
            text=notice.html,
            link_preview_options=outgoing.NO_PREVIEW,
            parse_mode="HTML",
            reply_markup=outgoing.markup(notice.markup),
        )
        await self._unless_already_so(notice.bot, "editMessageText", edit, sends=True)
        return (notice.message,)

    async def _answer_callback(self, callback: AnswerCallback) -> tuple[MessageId, ...]:
        answer = outgoing.AnswerCallbackQuery(callback.query, callback.plain, callback.alert)
        await self._unless_already_so(callback.bot, "answerCallbackQuery", answer, sends=False)
        return ()

    async def _react(self, reaction: SetReaction) -> tuple[MessageId, ...]:
        shown = [{"type": "emoji", "emoji": reaction.emoji}] if reaction.emoji else []
        members = {"chat_id": reaction.person, "message_id": reaction.message, "reaction": shown}
        await self._unless_already_so(reaction.bot, "setMessageReaction", members, sends=True)
        return ()

    async def _delete(self, delete: DeleteMessages) -> tuple[MessageId, ...]:
        members = {"chat_id": delete.person, "message_ids": delete.messages}
        await self._unless_already_so(delete.bot, "deleteMessages", members, sends=True)
        return ()

    async def _unless_already_so(self, bot: BotId, method: str, members: Any, *, sends: bool) -> None:
        async def attempt(members: Any) -> None:
            await self._client.call(bot, method, encode(members), DONE, sends=sends)

        try:
            await with_less(attempt, members)
        except Rejected as rejected:
            if rejected.meaning is not Meaning.ALREADY_SO:
                raise
