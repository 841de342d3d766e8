"""Tells alerts: to staff in the staff bot, and to another program by a signed request."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, Protocol

import msgspec

from passerby.domain.alerts.engine import Alert
from passerby.domain.alerts.notification import REPEATED, Due, Told
from passerby.domain.alerts.rules import Rule

SIGNATURE: Final = "X-Passerby-Signature"
SENT_AT: Final = "X-Passerby-Time"


class NotTold(Exception):
    """The channel could not be reached. It is tried again later."""


class News(NamedTuple):
    """A message about one alert. `text` is the whole message."""

    rule: Rule
    alert: Alert
    text: str
    threshold: float
    now: float


class Channel(Protocol):
    name: str

    async def tell(self, news: News, told: Told, due: Due) -> tuple[str, ...]:
        """Send a new message or edit the last one, as `due` says. Returns where the newest message is.

        Raises: NotTold.
        """
        ...


class Board(Protocol):
    """Posts to all staff who want alerts. A post is named by an opaque text."""

    async def post(self, words: str, alert: str) -> tuple[str, ...]:
        """`alert`: the buttons are for this alert. Empty: there are none."""
        ...

    async def revise(self, posts: Iterable[str], words: str, alert: str) -> None: ...


class StaffChannel:
    name = "staff"

    def __init__(self, board: Board) -> None:
        self._board = board

    async def tell(self, news: News, told: Told, due: Due) -> tuple[str, ...]:
        buttons = news.rule.name if news.alert.is_firing else ""
        if due is Due.EDIT:
            await self._board.revise(told.messages, news.text, buttons)
            return told.messages
        posts = await self._board.post(news.text, buttons)
        if told.messages:
            await self._board.revise(told.messages, news.text + REPEATED, "")
        return posts


class WebhookChannel:
    """POSTs each change. `post` gets the body and the headers, and raises NotTold.

    The signature is the HMAC-SHA256 of the time, a dot and the body. So a receiver can refuse old requests, too.
    """

    name = "webhook"

    def __init__(self, post: Callable[[bytes, dict[str, str]], Awaitable[None]], secret: bytes) -> None:
        self._post = post
        self._secret = secret

    async def tell(self, news: News, told: Told, due: Due) -> tuple[str, ...]:
        rule, alert = news.rule, news.alert
        body = msgspec.json.encode(
            {
                "alert": rule.name,
                "status": "firing" if alert.is_firing else "resolved",
                "severity": rule.severity,
                "title": rule.title,
                "text": news.text,
                "subjects": {subject or "fleet": round(value, 3) for subject, value in alert.firing.items()},
                "threshold": news.threshold,
                "since": round(alert.since),
                "acknowledged_by": alert.acknowledged_by,
                "id": f"{rule.name}:{alert.since:.0f}",
                "version": alert.version,
            }
        )
        at = f"{news.now:.0f}"
        await self._post(body, {SENT_AT: at, SIGNATURE: f"sha256={sign(self._secret, at, body)}"})
        return (str(alert.version),)


def sign(secret: bytes, at: str, body: bytes) -> str:
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
