"""The relay effects in hand, by chat: which ones belong together, and which ones a newer one makes needless."""

from collections.abc import Collection, Iterable

from passerby.domain.delivery.phases import Custody
from passerby.domain.newest import supersedes, with_edit
from passerby.kernel.effect import React, Relay, RelayDelete, RelayEdit, RelayEffect
from passerby.kernel.ids import BotId, ChatId, UpdateRef
from passerby.ports.leases import Fence
from passerby.runtime.delivery.deliveries import Delivery
from passerby.telemetry import metrics

ENDED_KEPT_S = 60.0
"""For this long after the end of a chat, we remember it: relay effects that were decided on before may still come."""

KINDS: dict[type[RelayEffect], str] = {Relay: "relay", RelayEdit: "edit", React: "react", RelayDelete: "delete"}
NOTICE = "notice"
"""The kind of a passing notice, beside those."""


class RelayEffectsByChat:
    def __init__(self) -> None:
        self.chats: dict[ChatId, dict[str, Delivery]] = {}
        """The relay effects in hand."""
        self.ended: dict[ChatId, float] = {}
        """The chats that ended lately, and when, in monotonic seconds."""

    def of(self, chat: ChatId) -> Iterable[Delivery]:
        """The relay effects of a chat, oldest first."""
        return tuple(self.chats.get(chat, {}).values())

    def forget(self, delivery: Delivery, chat: ChatId) -> None:
        in_chat = self.chats.get(chat)
        if in_chat is None or in_chat.get(delivery.id) is not delivery:
            return
        if len(in_chat) == 1:
            del self.chats[chat]
        else:
            del in_chat[delivery.id]

    def end(self, chat: ChatId, now: float) -> None:
        """Note that a chat has ended."""
        self.ended[chat] = now

    def forget_ended(self, now: float) -> None:
        while self.ended and now - self.ended[oldest := next(iter(self.ended))] > ENDED_KEPT_S:
            del self.ended[oldest]

    def takes_in(
        self, relay_effect: RelayEffect, id_: str, refs: tuple[UpdateRef, ...], fences: tuple[Fence, ...]
    ) -> bool:
        """Whether this is in hand already, or was merged into a message that waits. Its updates are done with that.

        A parked message stays as it was sealed; its edit follows it like any other edit.
        """
        in_chat = self.chats.get(relay_effect.chat)
        if in_chat is None:
            return False
        same = in_chat.get(id_)
        if same is not None and not same.parked and not same.is_over:
            _join(same, refs, fences)
            return True
        if not isinstance(relay_effect, RelayEdit):
            return False
        for delivery in in_chat.values():
            relay = delivery.relay_effect
            if isinstance(relay, Relay) and delivery.is_untouched and delivery.custody is Custody.TELEGRAM:
                edited = with_edit(relay, relay_effect)
                if edited is not None:
                    delivery.relay_effect = edited
                    _join(delivery, refs, fences)
                    metrics.SUPERSEDED.add(KINDS[RelayEdit])
                    return True
        return False

    def bot_behind(self, relay_effect: RelayEffect) -> BotId | None:
        """Return the bot that a message still waits for. An effect about that message then waits in the same queue."""
        in_chat = self.chats.get(relay_effect.chat)
        if in_chat is None or isinstance(relay_effect, Relay):
            return None
        source = relay_effect.source
        for delivery in in_chat.values():
            relay = delivery.relay_effect
            if isinstance(relay, Relay) and relay.source_bot == source.bot and source.message in relay.sources:
                return delivery.bot
        return None

    def bot_before(self, relay_effect: RelayEffect, bots: Collection[BotId]) -> BotId | None:
        """Return the one of these bots that another message to the same reader still waits for, if there is one."""
        in_chat = self.chats.get(relay_effect.chat, {}).values()
        return next((each.bot for each in in_chat if each.person == relay_effect.to and each.bot in bots), None)

    def superseded_by(self, delivery: Delivery) -> Iterable[Delivery]:
        """The older deliveries that nobody needs to see any more because of this one."""
        newer = delivery.relay_effect
        if newer is None or isinstance(newer, Relay):
            return ()
        return [
            older
            for older in self.of(newer.chat)
            if older is not delivery
            and older.is_untouched
            and older.relay_effect is not None
            and supersedes(newer, older.relay_effect)
        ]


def _join(delivery: Delivery, refs: tuple[UpdateRef, ...], fences: tuple[Fence, ...]) -> None:
    delivery.refs += refs
    delivery.fences = tuple(dict.fromkeys(delivery.fences + fences))
