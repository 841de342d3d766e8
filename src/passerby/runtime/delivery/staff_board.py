"""Sends the messages of the staff bot, and posts to all staff who want to hear something.

They take no part in the courier's queues: staff are few, and each call waits for its answer. So a caller learns where
each message is, and can change it later.
"""

import asyncio
from collections.abc import Callable, Iterable
from random import Random

import msgspec

from passerby.domain.money.cases import as_one
from passerby.domain.team import may
from passerby.kernel.content import Content, Entity
from passerby.kernel.effect import Answer, Menu, Priority, Revise, Say
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.staff import Permission, ShowExhibit, StaffMember
from passerby.kernel.text import Text, text
from passerby.ports.clock import Clock
from passerby.ports.outbox import Notice
from passerby.ports.records import RecordsLost
from passerby.ports.staff import StaffRecords
from passerby.ports.telegram import FloodWait, OutgoingCall, Refused, SendContent, Telegram, TelegramError, TokenRefused
from passerby.runtime.backoff import Backoff
from passerby.runtime.delivery.wording import Wording
from passerby.runtime.membership.heartbeat import Assurance
from passerby.runtime.membership.tokens import Tokens
from passerby.telemetry import logs

WITHIN_S = 120.0
"""How long a message is tried. The update that it answers waits so long at most."""

BACKOFF = Backoff(0.5, 20.0)


class Unreached(Exception):
    """Telegram or the staff bot does not work now. The text is the reason."""


class Posted(msgspec.Struct, frozen=True):
    """Where a post is: a message in a staff member's chat with the staff bot. It may be stored as JSON."""

    person: PersonId
    message: MessageId
    language: str = ""


def _veiled(content: Content) -> Content:
    """The evidence with its picture and its caption under Telegram's blur."""
    caption = Entity("spoiler", 0, len(content.text.encode("utf-16-le")) // 2)
    links = tuple(each for each in content.entities if each.type == "text_link")
    entities = (caption, *links) if content.text else ()
    return msgspec.structs.replace(content, spoiler=True, entities=entities, protected=True, group=None, effect=None)


def _wants(member: StaffMember, needs: Permission) -> bool:
    return member.alerts and member.revoked_at is None and may(member, needs)


class StaffBoard:
    """Everybody who is staff gets their own language."""

    def __init__(
        self,
        bot: BotId,
        telegram: Telegram,
        wording: Wording,
        records: StaffRecords,
        tokens: Tokens,
        assurance: Assurance,
        clock: Clock,
        rng: Random,
        open_exhibit: Callable[[bytes, int], str | tuple[BotId, Content] | None] = lambda sealed, place: None,
    ) -> None:
        """`open_exhibit` opens what a reporter chose, or their comment (place 0)."""
        self.bot = bot
        self._open_exhibit = open_exhibit
        self._telegram = telegram
        self._wording = wording
        self._records = records
        self._tokens = tokens
        self._assurance = assurance
        self._clock = clock
        self._rng = rng
        self._everybody: tuple[StaffMember, ...] = ()

    async def everybody(self) -> tuple[StaffMember, ...]:
        """All staff members there ever were, as of now, or as they were read last if the records are away."""
        try:
            self._everybody = await self._records.everybody()
        except RecordsLost as error:
            logs.record("staff.unread", "warning", reason=str(error))
        return self._everybody

    async def post(
        self,
        said: Text,
        menu: Menu | None = None,
        *,
        needs: Permission = Permission.ALERTS,
        must_arrive: bool = False,
    ) -> tuple[Posted, ...]:
        """Tell all staff who want alerts and have this permission. Returns where each post is.

        Those whom Telegram does not let us reach within two minutes are left out. Raises: Unreached, with
        `must_arrive`, if nobody was reached, and somebody may be later.
        """
        wanting = [each for each in await self.everybody() if _wants(each, needs)]
        says = ((Say(each.person, said, menu, priority=Priority.SYSTEM), each.language) for each in wanting)
        tried = await asyncio.gather(*(self._tried(self._call(*each)) for each in says))
        sent = [each if isinstance(each, int) else None for each in tried]
        reasons = [each for each in tried if isinstance(each, str)]
        if must_arrive and reasons and not any(sent):
            raise Unreached(reasons[0])
        return tuple(
            Posted(each.person, message, each.language)
            for each, message in zip(wanting, sent, strict=True)
            if message is not None
        )

    async def revise(self, posts: Iterable[Posted], said: Text, menu: Menu | None = None) -> None:
        """Change posts in place, with other buttons, or none."""
        await asyncio.gather(
            *(self.send(Revise(each.person, each.message, said, menu), each.language) for each in posts)
        )

    async def send(self, effect: Say | Revise | Answer | ShowExhibit, language: str) -> MessageId | None:
        """Carry out one effect. Returns the message, or None if there is none or it could not be sent."""
        if isinstance(effect, ShowExhibit):
            return await self._show(effect, language)
        return await self._sent(self._call(effect, language))

    async def _show(self, effect: ShowExhibit, language: str) -> MessageId | None:
        """Open and send one exhibit. Everything that Telegram can blur is blurred."""
        opened: str | tuple[BotId, Content] | None
        try:
            if effect.case:
                asked = await self._records.question(effect.case)
                opened = as_one((part.at, self._open_words(part.sealed)) for part in asked)
            else:
                sealed = await self._records.exhibit(effect.chat, effect.by, effect.place)
                opened = self._open_exhibit(sealed, effect.place) if sealed is not None else None
        except RecordsLost as error:
            logs.record("staff.unread", "warning", reason=str(error))
            return await self._told(effect, "cases.away", language)
        match opened:
            case None:
                return await self._told(effect, "cases.erased", language)
            case str() as words:
                return await self._told(effect, "cases.comment", language, words)
            case (source_bot, Content() as content) if content.file is not None:
                await self._told(effect, "cases.exhibit_media", language, place=effect.place)
                return await self._sent(
                    SendContent(self.bot, effect.to, source_bot, effect.by, (), (_veiled(content),))
                )
            case (_, Content() as content):
                words = content.text or f"({content.kind})"
                return await self._told(effect, "cases.exhibit_text", language, words, effect.place)

    def _open_words(self, sealed: bytes) -> str | None:
        opened = self._open_exhibit(sealed, 0)
        return opened if isinstance(opened, str) else None

    async def _told(
        self, effect: ShowExhibit, key: str, language: str, words: str = "", place: int = 0
    ) -> MessageId | None:
        args: dict[str, str | int | Text] = {"who": effect.of}
        if words:
            args["words"] = words
        if place:
            args["place"] = place
        return await self._sent(self._call(Say(effect.to, text(key, **args)), language))

    async def _sent(self, call: OutgoingCall) -> MessageId | None:
        tried = await self._tried(call)
        return None if isinstance(tried, str) else tried

    async def _tried(self, call: OutgoingCall) -> MessageId | str | None:
        """Return the message; None, if it will never be sent; or the reason why it was not sent now."""
        try:
            async with asyncio.timeout(WITHIN_S):
                sent = await self._persistently(call)
        except (TelegramError, TimeoutError) as error:
            reason = error.reason if isinstance(error, TelegramError) else "it took too long"
            logs.record("staff.unsent", "warning", bot=self.bot, error=logs.name_of(error), reason=reason)
            return None if isinstance(error, Refused) else reason
        return sent[0] if sent else None

    def _call(self, effect: Say | Revise | Answer, language: str) -> OutgoingCall:
        match effect:
            case Answer():
                return self._wording.answer(effect, self.bot, language)
            case Revise():
                notice = Notice("", effect.to, self.bot, effect.text, Priority.COMMAND, 0.0, effect.keyboard)
                return self._wording.notice(msgspec.structs.replace(notice, revises=effect.message), language)
            case Say():
                notice = Notice("", effect.to, self.bot, effect.text, effect.priority, 0.0, effect.keyboard)
                return self._wording.notice(notice, language)

    async def _persistently(self, call: OutgoingCall) -> tuple[MessageId, ...]:
        """Repeat a call until it is answered. Raises: TelegramError, if it will never work."""
        failures = 0
        while True:
            await self._assurance.assured()
            await self._tokens.worked(self.bot)
            try:
                return await self._telegram.send(call)
            except Refused:
                raise
            except FloodWait as error:
                await self._clock.sleep(error.retry_after_s)
            except TelegramError as error:
                if isinstance(error, TokenRefused):
                    self._tokens.refused(self.bot)
                failures += 1
                await self._clock.sleep(BACKOFF.pause_s(failures, self._rng))
