"""Maps an answer of the Bot API server, or a missing one, to the errors that the port promises.

The text is looked up first (`answers`), because the server changes codes: a 403 in capitals arrives as 400, and so do
unknown codes. The code decides only if no row matches.

No `detail` quotes an answer, because Telegram's texts repeat what we sent ("unsupported start tag ..."). It contains
the row that matched, or the answer if that is only a code in capitals.
"""

import re
from contextlib import suppress
from typing import Any

import msgspec
from pyreqwest.exceptions import ClientClosedError, DetailedPyreqwestError, PoolTimeoutError, RequestTimeoutError

from passerby.adapters.botapi.answers import TABLE as TABLE
from passerby.adapters.botapi.answers import Meaning as Meaning
from passerby.adapters.botapi.answers import Part as Part
from passerby.adapters.botapi.answers import Row, unknown
from passerby.adapters.botapi.wire import Failure, Parameters
from passerby.kernel.content import Whole
from passerby.kernel.event import Refusal
from passerby.ports.telegram import Conflict, FloodWait, Refused, TelegramError, TokenRefused, Unavailable


class Rejected(Refused):
    """A `Refused` that tells the adapter what it can do. To the runtime it is just `Refused`."""

    def __init__(self, refusal: Refusal, detail: str, meaning: Meaning, parts: tuple[Part, ...] = ()) -> None:
        super().__init__(refusal, detail)
        self.meaning = meaning
        self.parts = parts


_BY_CODE: dict[int, Row] = {
    401: Row("", Meaning.TOKEN, Refusal.BOT_LOST),
    403: Row("", Meaning.FINAL, Refusal.UNREACHABLE),
    409: Row("", Meaning.CONFLICT, Refusal.BROKEN),
    413: Row("", Meaning.FINAL, Refusal.TOO_LARGE),
    421: Row("", Meaning.TOKEN, Refusal.BOT_LOST),
}

_FINAL = Row("", Meaning.FINAL, Refusal.BROKEN)

# A server that does not know the token answers these with 404, too. For other methods, 404 may mean a version gap.
_SURELY_THERE = frozenset({"getMe", "getUpdates"})
_CODE_ALONE = re.compile(r"\A(?:[A-Za-z ]+: )?([A-Z][A-Z0-9_]{3,63})")
_FLOOD_WITHOUT_A_TIME_S = 5.0
_LONGEST_FLOOD_S = 3600.0
"""We ask again after this long, whatever Telegram says: an odd answer must not silence a bot forever."""
_DONE = re.compile(rb'\s{0,4}\{\s{0,4}"ok"\s{0,4}:\s{0,4}true\b')
_failures = msgspec.json.Decoder(Failure)


def failure(status: int, body: bytes, retry_after: str | None, *, method: str, sends: bool) -> TelegramError:
    """Return what an answer means that is not `ok: true`.

    `retry_after` is the header. `sends`: the recipient may see an effect of the call.
    """
    if sends and status == 200 and _DONE.match(body):
        # It was done, but nobody knows which message it became. A retry would deliver it twice.
        return Rejected(Refusal.UNCERTAIN, "the answer lacks its result", Meaning.FINAL)
    try:
        answer = _failure_in(body)
    except (ValueError, RecursionError):
        # The answer comes from something in front of the Bot API server: proxies answer in HTML.
        answer = Failure(ok=False)
        if status not in (413, 429):
            return Unavailable(f"HTTP {status}, not JSON", uncertain=sends)
    code = answer.error_code or status
    if code in (420, 429):
        return FloodWait(_wait_s(answer, retry_after))
    if answer.ok:
        return Unavailable("the answer lacks its result", uncertain=sends)
    if code == 404 and method in _SURELY_THERE:
        return TokenRefused(f"404 on {method}")
    text = answer.description.lower()
    for row in TABLE:
        if row.fragment in text:
            return _error(row, row.fragment, answer.description, sends=sends)
    if code >= 500:
        return Unavailable(f"HTTP {code}", uncertain=sends)
    alone = _CODE_ALONE.fullmatch(answer.description)
    detail = f"{code} {alone[1]}" if alone else str(code)
    row = unknown(text) if code == 400 else _BY_CODE.get(code, _FINAL)
    return _error(row, detail, answer.description, sends=sends)


def _failure_in(body: bytes) -> Failure:
    """Read the members of a refusal, without those of a wrong type. Raises: ValueError, RecursionError."""
    try:
        return _failures.decode(body)
    except msgspec.ValidationError:
        answer = msgspec.json.decode(body)
    if not isinstance(answer, dict) or answer.get("ok") is not False:
        raise ValueError("not the answer of a Bot API server")
    kept: dict[str, Any] = {"ok": False}
    for name, type_ in (("error_code", Whole), ("description", str), ("parameters", Parameters)):
        with suppress(msgspec.ValidationError):
            kept[name] = msgspec.convert(answer.get(name), type_, strict=False)
    return Failure(**kept)


def _error(row: Row, detail: str, description: str, *, sends: bool) -> TelegramError:
    match row.meaning:
        case Meaning.TOKEN:
            return TokenRefused(detail)
        case Meaning.CONFLICT:
            # These come from a fixed set of the server's own sentences.
            return Conflict(description[:200])
        case Meaning.SERVER:
            return Unavailable(detail, uncertain=sends)
        case _:
            return Rejected(row.refusal, detail, row.meaning, row.parts)


def _wait_s(answer: Failure, header: str | None) -> float:
    wait_s = answer.parameters.retry_after if answer.parameters else None
    if wait_s is None and header is not None:
        try:
            wait_s = float(header)
        except ValueError:
            wait_s = None
    if wait_s is None or wait_s != wait_s or wait_s <= 0:  # not a number, or no time at all
        return _FLOOD_WITHOUT_A_TIME_S
    return min(wait_s, _LONGEST_FLOOD_S)


def lost(error: DetailedPyreqwestError, *, sends: bool) -> Unavailable:
    """Return what a call without an answer means: did the request leave?

    pyreqwest raises `ConnectError` also for a reset after the request was written. Only its cause "client error
    (Connect)" shows that there was no connection. Its texts quote the URL, which contains the token, so they are never
    passed on.
    """
    if isinstance(error, ClientClosedError):
        return Unavailable("the client was closed", uncertain=sends)
    causes = error.details.get("causes") or ()
    never_left = isinstance(error, PoolTimeoutError) or any("(Connect)" in cause["message"] for cause in causes)
    what = "time-out" if isinstance(error, RequestTimeoutError) else type(error).__name__
    if never_left:
        return Unavailable(f"no connection ({what})", uncertain=False)
    return Unavailable(what, uncertain=sends)
