"""Telegram's webhooks: an update is taken when it comes, and answered with 200 only when its work is done or parked.

Until then Telegram keeps it, and brings the next one of the same chat only after the 200, so order is kept by whoever
keeps it best. What is not answered in time, or comes while the stores are away, is answered with 503: Telegram brings
it again. One that is still in hand then is not taken twice; its second bringer waits for the same end. One that was
done by another process is recognised by its done mark, further in.

The answer never has a body: a method call in it would be one that nobody sees fail.

What is refused, in this order, so that nobody learns that there is something here without knowing the secret:

    404  another path, or a wrong secret        415  no JSON
    405  not POST                               413  more than MOST_BODY
    503  this process takes nothing now         408  a body that does not come
                                                400  no update
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
"""Updates are rarely larger than 20 kB; the largest possible are rich messages, of some 100 kB."""

BODY_WITHIN_S = 10.0
ANSWER_WITHIN_S = 50.0
"""Telegram gives up after 60 s, and so does nginx unless told otherwise. Relays are parked long before."""

SOON = ((b"retry-after", b"2"), (b"connection", b"close"))
"""Telegram keeps to the time; without it, its back-off grows to a minute or two. The next connection may lead to a
process that is better off."""


class Receiver(Protocol):
    async def receive(self, arrival: Arrival) -> None:
        """Return once the update is done, durably parked, or known to be done already.

        Raises: LiveStoreLost, if it should come again. May be cancelled: then it comes again.
        """
        ...


class Webhooks:
    """`decode` makes an arrival of a body, and raises ValueError where it is no update."""

    def __init__(self, endpoints: Iterable[Endpoint], decode: Callable[[bytes, BotId], Arrival]) -> None:
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}
        self._decode = decode
        self._receiver: Receiver | None = None
        self._taking = False
        self._in_hand: dict[UpdateRef, asyncio.Future[bool]] = {}
        self._faults = logs.Faults()

    @property
    def in_hand(self) -> int:
        """How many updates are being worked on."""
        return len(self._in_hand)

    def open(self, receiver: Receiver) -> None:
        """Take updates, and hand them to `receiver`."""
        self.abandon()
        self._receiver = receiver
        self._taking = True

    def close(self) -> None:
        """Take nothing new; what is in hand is still answered when it is done."""
        self._taking = False

    def abandon(self) -> None:
        """Take nothing new, and let Telegram bring again what is in hand."""
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
        # Whatever precedes the last part is how the proxy in front finds us.
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
        # `wait` leaves the work alone when time is up or whoever asked has gone.
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
