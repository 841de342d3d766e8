"""What Telegram's refusals mean: ONE table from the text of an answer to the family that the port promises.

The text is matched first, without regard to case, because the server turns codes into each other (a 403 in capitals
arrives as 400, unknown codes as 400); only what no row knows is judged by its code. Sources: Bot API server and TDLib,
as collected from `fail_query_with_error` and `process_send_message_fail_error`; the capital codes from MTProto's error
list.

No `detail` quotes an answer: Telegram's texts repeat what we sent ("unsupported start tag ..."). It is the row that
matched, or the answer when that is nothing but a code in capitals.
"""

import re
from enum import Enum, auto

import msgspec
from pyreqwest.exceptions import ClientClosedError, DetailedPyreqwestError, PoolTimeoutError, RequestTimeoutError

from passerby.adapters.botapi.wire import Failure
from passerby.kernel.event import Refusal
from passerby.ports.telegram import Conflict, FloodWait, Refused, TelegramError, TokenRefused, Unavailable


class Meaning(Enum):
    """What an answer means to the code that made the call."""

    FINAL = auto()
    """Nothing to be done about it here."""
    REPLY_GONE = auto()
    """The message replied to is gone; without the reply it will do."""
    QUOTE_INVALID = auto()
    """The quote is not in the message replied to; without the quote it will do."""
    FILE_UNKNOWN = auto()
    """This bot does not know the file by that id; with another one it will do."""
    ALREADY_SO = auto()
    """An edit that changes nothing, a callback query that nobody waits for any more."""
    TOKEN = auto()
    CONFLICT = auto()
    SERVER = auto()
    """Telegram's own trouble; it may have done what was asked nevertheless."""


class Rejected(Refused):
    """A `Refused` that tells the adapter what it could do about it. To the runtime it is just `Refused`."""

    def __init__(self, refusal: Refusal, detail: str, meaning: Meaning) -> None:
        super().__init__(refusal, detail)
        self.meaning = meaning


# Fragments of answers in lower case; the first that occurs wins, so the more specific stand above.
TABLE: tuple[tuple[str, Meaning, Refusal], ...] = (
    # the recipient cannot be written to by this bot
    ("bot was blocked by the user", Meaning.FINAL, Refusal.UNREACHABLE),
    ("user_is_blocked", Meaning.FINAL, Refusal.UNREACHABLE),
    ("user is deactivated", Meaning.FINAL, Refusal.UNREACHABLE),
    ("user_deactivated", Meaning.FINAL, Refusal.UNREACHABLE),
    ("input_user_deactivated", Meaning.FINAL, Refusal.UNREACHABLE),
    ("bot can't initiate conversation", Meaning.FINAL, Refusal.UNREACHABLE),
    ("chat not found", Meaning.FINAL, Refusal.UNREACHABLE),
    ("peer_id_invalid", Meaning.FINAL, Refusal.UNREACHABLE),
    ("can't send messages to the bot", Meaning.FINAL, Refusal.UNREACHABLE),
    ("can't send messages to bots", Meaning.FINAL, Refusal.UNREACHABLE),
    ("user_is_bot", Meaning.FINAL, Refusal.UNREACHABLE),
    ("bot was kicked", Meaning.FINAL, Refusal.UNREACHABLE),
    ("bot is not a member", Meaning.FINAL, Refusal.UNREACHABLE),
    ("chat was deleted", Meaning.FINAL, Refusal.UNREACHABLE),
    ("group chat was upgraded", Meaning.FINAL, Refusal.UNREACHABLE),
    # the recipient refuses this kind
    ("voice_messages_forbidden", Meaning.FINAL, Refusal.KIND_REFUSED),
    ("chat_send_", Meaning.FINAL, Refusal.KIND_REFUSED),
    ("user_privacy_restricted", Meaning.FINAL, Refusal.KIND_REFUSED),
    ("privacy_premium_required", Meaning.FINAL, Refusal.KIND_REFUSED),
    ("not enough rights to send", Meaning.FINAL, Refusal.KIND_REFUSED),
    ("have no write access to the chat", Meaning.FINAL, Refusal.KIND_REFUSED),
    ("chat_write_forbidden", Meaning.FINAL, Refusal.KIND_REFUSED),
    # what was replied to is gone
    ("message to be replied not found", Meaning.REPLY_GONE, Refusal.BROKEN),
    ("replied message not found", Meaning.REPLY_GONE, Refusal.BROKEN),
    ("reply message not found", Meaning.REPLY_GONE, Refusal.BROKEN),
    ("message to reply not found", Meaning.REPLY_GONE, Refusal.BROKEN),
    ("message thread not found", Meaning.REPLY_GONE, Refusal.BROKEN),
    ("reply_message_id_invalid", Meaning.REPLY_GONE, Refusal.BROKEN),
    ("quote_text_invalid", Meaning.QUOTE_INVALID, Refusal.BROKEN),
    # the source is gone or may not be passed on
    ("message to copy not found", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("message to forward not found", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("message can't be copied", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("messages can't be copied", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("message has protected content", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("message_id_invalid", Meaning.FINAL, Refusal.CANNOT_COPY),
    # edits and callback queries
    ("message is not modified", Meaning.ALREADY_SO, Refusal.BROKEN),
    ("message_not_modified", Meaning.ALREADY_SO, Refusal.BROKEN),
    ("query is too old", Meaning.ALREADY_SO, Refusal.BROKEN),
    ("query id is invalid", Meaning.ALREADY_SO, Refusal.BROKEN),
    ("query_id_invalid", Meaning.ALREADY_SO, Refusal.BROKEN),
    ("message to edit not found", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("message can't be edited", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("there is no text in the message to edit", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("there is no caption in the message to edit", Meaning.FINAL, Refusal.CANNOT_COPY),
    # reactions and deletions: what cannot be shown is not worth a word, what is gone is gone
    ("reaction_invalid", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    ("reactions_too_many", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    ("message to react not found", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    ("message to delete not found", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    ("message can't be deleted", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("message_delete_forbidden", Meaning.FINAL, Refusal.CANNOT_COPY),
    # files
    ("file is too big", Meaning.FINAL, Refusal.TOO_LARGE),
    ("request entity too large", Meaning.FINAL, Refusal.TOO_LARGE),
    # people with Premium write longer captions than a bot may
    ("message caption is too long", Meaning.FINAL, Refusal.TOO_LARGE),
    ("media_caption_too_long", Meaning.FINAL, Refusal.TOO_LARGE),
    ("photo_invalid_dimensions", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("image_process_failed", Meaning.FINAL, Refusal.CANNOT_COPY),
    ("wrong file identifier", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    ("wrong remote file identifier", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    ("invalid file_id", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    ("wrong file_id or the file is temporarily unavailable", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    ("file_reference_", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    ("file_id_invalid", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    ("media_empty", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    ("stickerset_invalid", Meaning.FINAL, Refusal.CANNOT_COPY),
    # our own bugs
    ("message text is empty", Meaning.FINAL, Refusal.BROKEN),
    ("message is too long", Meaning.FINAL, Refusal.BROKEN),
    ("can't parse entities", Meaning.FINAL, Refusal.BROKEN),
    ("can't parse", Meaning.FINAL, Refusal.BROKEN),
    ("text must be non-empty", Meaning.FINAL, Refusal.BROKEN),
    ("entities_too_long", Meaning.FINAL, Refusal.BROKEN),
    ("button_data_invalid", Meaning.FINAL, Refusal.BROKEN),
    ("reply markup is too long", Meaning.FINAL, Refusal.BROKEN),
    ("method not found", Meaning.FINAL, Refusal.BROKEN),
    # the bot itself
    ("unauthorized", Meaning.TOKEN, Refusal.BOT_LOST),
    ("invalid token specified", Meaning.TOKEN, Refusal.BOT_LOST),
    ("unallowed token specified", Meaning.TOKEN, Refusal.BOT_LOST),
    ("logged out", Meaning.TOKEN, Refusal.BOT_LOST),
    ("terminated by other getupdates", Meaning.CONFLICT, Refusal.BROKEN),
    ("webhook is active", Meaning.CONFLICT, Refusal.BROKEN),
    ("terminated by setwebhook", Meaning.CONFLICT, Refusal.BROKEN),
    # Telegram's trouble
    ("internal server error", Meaning.SERVER, Refusal.UNCERTAIN),
    ("sent message was immediately deleted", Meaning.SERVER, Refusal.UNCERTAIN),
)

_BY_CODE: dict[int, tuple[Meaning, Refusal]] = {
    401: (Meaning.TOKEN, Refusal.BOT_LOST),
    403: (Meaning.FINAL, Refusal.UNREACHABLE),
    409: (Meaning.CONFLICT, Refusal.BROKEN),
    413: (Meaning.FINAL, Refusal.TOO_LARGE),
    421: (Meaning.TOKEN, Refusal.BOT_LOST),
}

# A server that knows no bot of this token answers even these with 404; for other methods it may be a version gap.
_SURELY_THERE = frozenset({"getMe", "getUpdates"})
_CODE_ALONE = re.compile(r"(?:[A-Za-z ]+: )?([A-Z][A-Z0-9_]{3,63})")
_FLOOD_WITHOUT_A_TIME_S = 5.0
_failures = msgspec.json.Decoder(Failure)


def failure(status: int, body: bytes, retry_after: str | None, *, method: str, sends: bool) -> TelegramError:
    """Say what an answer means that is not `ok: true`.

    `retry_after` is the header; `sends`, whether the recipient could see an effect of the call.
    """
    try:
        answer = _failures.decode(body)
    except (ValueError, RecursionError):
        # Not the Bot API server but something in front of it: proxies answer in HTML.
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
    for fragment, meaning, refusal in TABLE:
        if fragment in text:
            return _error(meaning, refusal, fragment, answer.description, sends=sends)
    if code >= 500:
        return Unavailable(f"HTTP {code}", uncertain=sends)
    alone = _CODE_ALONE.fullmatch(answer.description)
    detail = f"{code} {alone[1]}" if alone else str(code)
    meaning, refusal = _BY_CODE.get(code, (Meaning.FINAL, Refusal.BROKEN))
    return _error(meaning, refusal, detail, answer.description, sends=sends)


def _error(meaning: Meaning, refusal: Refusal, detail: str, description: str, *, sends: bool) -> TelegramError:
    match meaning:
        case Meaning.TOKEN:
            return TokenRefused(detail)
        case Meaning.CONFLICT:
            # These come from a fixed set of the server's own sentences.
            return Conflict(description[:200])
        case Meaning.SERVER:
            return Unavailable(detail, uncertain=sends)
        case _:
            return Rejected(refusal, detail, meaning)


def _wait_s(answer: Failure, header: str | None) -> float:
    told = answer.parameters.retry_after if answer.parameters else None
    if told is None and header is not None:
        try:
            told = float(header)
        except ValueError:
            told = None
    if told is None:
        return _FLOOD_WITHOUT_A_TIME_S
    return max(told, 0.0)


def lost(error: DetailedPyreqwestError, *, sends: bool) -> Unavailable:
    """Say what a call that got no answer means: did the request leave?

    pyreqwest raises `ConnectError` also for a reset after the request was written; only its cause
    "client error (Connect)" tells that there never was a connection. Its texts quote the URL, which holds the token,
    so nothing of them is passed on.
    """
    if isinstance(error, ClientClosedError):
        return Unavailable("the client was closed", uncertain=sends)
    causes = error.details.get("causes") or ()
    never_left = isinstance(error, PoolTimeoutError) or any("(Connect)" in cause["message"] for cause in causes)
    what = "time-out" if isinstance(error, RequestTimeoutError) else type(error).__name__
    if never_left:
        return Unavailable(f"no connection ({what})", uncertain=False)
    return Unavailable(what, uncertain=sends)
