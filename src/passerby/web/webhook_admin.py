"""Tells Telegram to send updates, or to keep them for polling, and shows which of the two it does.

A bot's webhook is one of these:

    ours       updates come to this installation, at a path from this key or a former key
    another's  updates go to another address, or to a path from another key
    none       updates wait for polling
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.telegram import FloodWait, Refused, TelegramError, TokenRefused, Unavailable
from passerby.ports.webhook_api import WebhookApi, WebhookState
from passerby.telemetry import logs
from passerby.web.endpoints import Endpoint

T = TypeVar("T")

Whose = Literal["ours", "another's", "none", "?"]

_AT_ONCE = 8
_TRIES = 4
_LONGEST_WAIT_S = 15.0
"""Telegram lets a bot set its webhook once a second. If it demands a longer wait than this, the caller is told."""

_PAUSE_S = 0.25
_FIRST_LOOK_S = 5.0
_LONGEST_LOOK_S = 600.0
_STALE_ERROR_S = 600.0


class Seen(msgspec.Struct, frozen=True):
    """One bot's webhook. `fault`: why it could not be read or changed. `remark`: what to change. `error`: the last
    failure that Telegram met when it sent an update."""

    bot: BotId
    username: str = ""
    whose: Whose = "?"
    waiting: int = 0
    connections: int = 0
    remark: str = ""
    error: str = ""
    fault: str = ""
    again_s: float = 0.0
    """With a fault: how long Telegram wants us to wait."""


NO_ENDPOINTS: Mapping[BotId, Sequence[Endpoint]] = {}


class WebhookAdmin:
    """`base_url` is WEBHOOK_URL. Without it, nothing can be set and no webhook is ours. `former` are the endpoints of
    former keys. They are still open.
    """

    def __init__(
        self,
        webhook_api: WebhookApi,
        endpoints: Mapping[BotId, Endpoint],
        base_url: str | None,
        clock: Clock,
        former: Mapping[BotId, Sequence[Endpoint]] = NO_ENDPOINTS,
    ) -> None:
        self._webhook_api = webhook_api
        self._endpoints = endpoints
        self._former = former
        self._base_url = base_url
        self._clock = clock

    async def set(self, bots: Iterable[BotId], max_connections: int) -> list[Seen]:
        """Tell Telegram to send updates here. Returns the state after that."""

        async def change(bot: BotId) -> None:
            await self._webhook_api.set(bot, self._url(bot), self._endpoints[bot].secret, max_connections)

        return await self._each(bots, change)

    async def delete(self, bots: Iterable[BotId]) -> list[Seen]:
        """Tell Telegram to keep updates for polling. Returns the state after that."""
        return await self._each(bots, self._webhook_api.delete)

    async def read(self, bots: Iterable[BotId]) -> list[Seen]:
        async def nothing(_: BotId) -> None:
            return

        return await self._each(bots, nothing)

    async def complain(self, bots: Iterable[BotId]) -> None:
        """Log which bots' updates do not come here, although they should.

        If a bot's webhook cannot be read now, try again with growing pauses. Returns when all have been read.
        """
        unseen, told = list(bots), set[BotId]()
        pause_s = _FIRST_LOOK_S
        while unseen:
            seen = await self.read(unseen)
            for each in seen:
                if each.bot not in told and (each.fault or each.whose != "ours" or each.remark):
                    reason = each.fault or each.remark or "no webhook is set: run `passerby webhook set`"
                    logs.record("webhook.amiss", "warning", bot=each.bot, reason=reason)
                    told.add(each.bot)
            unseen = [each.bot for each in seen if each.fault]
            if unseen:
                await self._clock.sleep(max([pause_s, *(each.again_s for each in seen)]))
                pause_s = min(_LONGEST_LOOK_S, pause_s * 2)

    async def aclose(self) -> None:
        await self._webhook_api.aclose()

    def _url(self, bot: BotId) -> str:
        assert self._base_url is not None, "the settings see to it"
        return f"{self._base_url}/{self._endpoints[bot].path}"

    def _former_urls(self, bot: BotId) -> list[str]:
        return [f"{self._base_url}/{endpoint.path}" for endpoint in self._former.get(bot, ())]

    async def _each(self, bots: Iterable[BotId], change: Callable[[BotId], Awaitable[None]]) -> list[Seen]:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(bot: BotId) -> Seen:
            async with room:
                try:
                    # First, because only getMe distinguishes a refused token from other faults.
                    username = await self._patiently(lambda: self._webhook_api.username(bot))
                    await self._patiently(lambda: change(bot))
                    return self._judged(bot, username, await self._patiently(lambda: self._webhook_api.state(bot)))
                except TelegramError as error:
                    again_s = error.retry_after_s if isinstance(error, FloodWait) else 0.0
                    return Seen(bot, fault=_in_words(error), again_s=again_s)

        return list(await asyncio.gather(*(one(bot) for bot in bots)))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call. If it is refused and the refusal may be temporary, repeat it."""
        for attempt in range(_TRIES - 1):
            try:
                return await call()
            except FloodWait as flood:
                if flood.retry_after_s > _LONGEST_WAIT_S:
                    raise
                await self._clock.sleep(flood.retry_after_s)
            except (Unavailable, TokenRefused):
                await self._clock.sleep(_PAUSE_S * 2**attempt)
        return await call()

    def _judged(self, bot: BotId, username: str, state: WebhookState) -> Seen:
        whose: Whose = "none"
        remark = ""
        if state.url:
            whose = "ours" if self._base_url is not None and state.url == self._url(bot) else "another's"
        if self._base_url is not None and state.url in self._former_urls(bot):
            whose, remark = "ours", "goes to a path of SECRET_KEY_PREVIOUS: set it again"
        elif whose == "another's":
            remark = f"goes to {urlsplit(state.url).hostname or 'an address of its own'}"
            if self._base_url is not None and state.url.startswith(f"{self._base_url}/"):
                remark = "goes to WEBHOOK_URL, but to a path of another SECRET_KEY"
        elif whose == "ours" and set(state.allowed_updates) != set(self._webhook_api.wanted_updates):
            remark = "does not bring every kind of update: set it again"
        ago_s = self._clock.now() - state.last_error_date
        error = ""
        if whose == "ours" and state.last_error_message and ago_s < _STALE_ERROR_S:
            error = f"{ago_s:.0f} s ago: {state.last_error_message}"
        return Seen(bot, username, whose, state.pending_update_count, state.max_connections, remark, error)


def _in_words(error: TelegramError) -> str:
    match error:
        case TokenRefused():
            return "Telegram refuses its token"
        case FloodWait(retry_after_s=wait_s):
            return f"Telegram says to try again in {wait_s:.0f} s"
        case Refused(detail=detail):
            return f"Telegram refuses it ({detail})"
    return "Telegram does not answer"
