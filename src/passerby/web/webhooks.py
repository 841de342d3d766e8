"""Receives updates from Telegram's webhooks. The answer is 200 only when the update's work is done or parked.

Until then Telegram keeps the update. It sends the next update of the same chat only after the 200, so Telegram itself
keeps the order. If the work takes too long, or the stores are away, the answer is 503, and Telegram sends the update
again. If the first request is still being worked on then, the second waits for the same result. If another process has
done the update, the runtime recognises it by its done mark.

The answer never has a body. Telegram would run a method call in it, but would not report its failure.

Requests are refused in this order, so that nobody without the secret learns what is here:

    404  another path, or a wrong secret        415  not JSON
    405  not POST                               413  more than MOST_BODY
    503  this process takes no updates now      408  the body does not arrive
                                                400  not an update
"""

import asyncio
import hmac
from collections.abc import Callable, Iterable
from typing import Protocol

from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import Arrival
from passerby.telemetry import logs
from passerby.web.endpoints import Endpoint
from passerby.web.exchange import Gone, Headers, Receive, Scope, Send, TooLarge, answer, header, read

MOST_BODY = 1024 * 1024
"""In bytes. Updates are rarely larger than 20 kB. The largest are rich messages, of about 100 kB."""

BODY_WITHIN_S = 10.0
ANSWER_WITHIN_S = 50.0
"""Telegram gives up after 60 s, and so does nginx by default. Relays are parked long before."""

SOON = ((b"retry-after", b"2"), (b"connection", b"close"))
"""Telegram respects the time. Without it, its pause grows to a minute or two. The connection is closed because the next
one may reach a process that can take updates."""


class Receiver(Protocol):
    async def receive(self, arrival: Arrival) -> None:
        """Return when the update is done, durably parked, or known to be done already.

        Raises: LiveStoreLost, if Telegram should send it again. It may be cancelled; then Telegram sends it again, too.
        """
        ...


class Webhooks:
    """`decode` makes an arrival from a body. It raises ValueError if the body is not an update."""

    def __init__(self, endpoints: Iterable[Endpoint], decode: Callable[[bytes, BotId], Arrival]) -> None:
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}
        self._decode = decode
        self._receiver: Receiver | None = None
        self._taking = False
        self._in_hand: dict[UpdateRef, asyncio.Future[bool]] = {}
        self._faults = logs.Faults()

    def know(self, endpoints: Iterable[Endpoint]) -> None:
        """Also accept updates at these endpoints."""
        self._endpoints |= {endpoint.path: endpoint for endpoint in endpoints}

    @property
    def in_hand(self) -> int:
        """How many updates are being worked on."""
        return len(self._in_hand)

    def open(self, receiver: Receiver) -> None:
        """Accept updates, and pass them to `receiver`."""
        self.abandon()
        self._receiver = receiver
        self._taking = True

    def close(self) -> None:
        """Accept no new updates. Current ones are answered when they are done."""
        self._taking = False

    def abandon(self) -> None:
        """Accept no new updates, and let Telegram send the current ones again."""
        self._taking = False
        self._receiver = None
        for under_way in self._in_hand.values():
            under_way.cancel()
        self._in_hand = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, headers = await self._answer(scope, receive)
        except Gone:
            return
        await answer(send, status, headers=headers)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, Headers]:
        # The proxy in front of us may use the rest of the path.
        endpoint = self._endpoints.get(scope["path"].rpartition("/")[2])
        secret = header(scope, b"x-telegram-bot-api-secret-token")
        if endpoint is None or not hmac.compare_digest(secret, endpoint.secret.encode()):
            return 404, ()
        if scope["method"] != "POST":
            return 405, ((b"allow", b"POST"),)
        if header(scope, b"content-type").partition(b";")[0].strip().lower() != b"application/json":
            return 415, ()
        length = header(scope, b"content-length")
        if length.isdigit() and int(length) > MOST_BODY:
            return 413, ()
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await read(receive, MOST_BODY)
        except TooLarge:
            return 413, ()
        except TimeoutError:
            return 408, ()
        try:
            arrival = self._decode(body, endpoint.bot)
        except ValueError:
            return 400, ()
        return (200, ()) if await self._through(arrival) else (503, SOON)

    async def _through(self, arrival: Arrival) -> bool:
        """Whether the update is done, or parked."""
        under_way = self._in_hand.get(arrival.ref)
        if under_way is None:
            if self._receiver is None or not self._taking:
                return False
            under_way = asyncio.ensure_future(self._work(self._receiver, arrival))
            self._in_hand[arrival.ref] = under_way
            under_way.add_done_callback(lambda ended: self._let_go(arrival.ref, ended))
        # `wait` does not cancel the work if time is up or the client has gone.
        await asyncio.wait((under_way,), timeout=ANSWER_WITHIN_S)
        return under_way.done() and not under_way.cancelled() and under_way.result()

    async def _work(self, receiver: Receiver, arrival: Arrival) -> bool:
        try:
            await receiver.receive(arrival)
        except LiveStoreLost as error:
            self._faults.began("store", "webhook.store_lost", error=logs.name_of(error))
            return False
        except Exception as error:  # noqa: BLE001  # the supervised place: a bug ends one delivery, and it comes again
            logs.failed("webhook.broken", error, bot=arrival.ref.bot)
            return False
        self._faults.over("store", "webhook.recovered")
        return True

    def _let_go(self, ref: UpdateRef, ended: asyncio.Future[bool]) -> None:
        if self._in_hand.get(ref) is ended:
            del self._in_hand[ref]
