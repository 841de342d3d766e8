"""The meaning of each of Telegram's answers. The texts are literal, because the table matches on them."""

import json

import pytest

from passerby.adapters.botapi.answers import TABLE, Meaning, Part, Row
from passerby.adapters.botapi.errors import Rejected, failure
from passerby.kernel.event import Refusal
from passerby.ports.telegram import Conflict, FloodWait, Refused, TelegramError, TokenRefused, Unavailable


def judged(
    code: int, description: str, *, method: str = "sendMessage", sends: bool = True, status: int | None = None
) -> TelegramError:
    body = json.dumps({"ok": False, "error_code": code, "description": description}).encode()
    return failure(status or code, body, None, method=method, sends=sends)


@pytest.mark.parametrize(
    ("code", "description", "refusal"),
    [
        (403, "Forbidden: bot was blocked by the user", Refusal.UNREACHABLE),
        (403, "Forbidden: user is deactivated", Refusal.UNREACHABLE),
        (403, "Forbidden: bot can't initiate conversation with a user", Refusal.UNREACHABLE),
        (403, "Forbidden: bot can't send messages to bots", Refusal.UNREACHABLE),
        (403, "Forbidden: the bot can't send messages to the bot", Refusal.UNREACHABLE),
        (400, "Bad Request: chat not found", Refusal.UNREACHABLE),
        (400, "Bad Request: private chat not found", Refusal.UNREACHABLE),
        (400, "Bad Request: PEER_ID_INVALID", Refusal.UNREACHABLE),
        (400, "USER_IS_BLOCKED", Refusal.UNREACHABLE),
        (403, "Forbidden: something that nobody has seen yet", Refusal.UNREACHABLE),
        (400, "Bad Request: VOICE_MESSAGES_FORBIDDEN", Refusal.KIND_REFUSED),
        (400, "Bad Request: CHAT_SEND_STICKERS_FORBIDDEN", Refusal.KIND_REFUSED),
        (400, "Bad Request: USER_PRIVACY_RESTRICTED", Refusal.KIND_REFUSED),
        (400, "Bad Request: not enough rights to send photos to the chat", Refusal.KIND_REFUSED),
        (400, "Bad Request: message to copy not found", Refusal.CANNOT_COPY),
        (400, "Bad Request: the message can't be copied", Refusal.CANNOT_COPY),
        (400, "Bad Request: message has protected content and can't be forwarded", Refusal.CANNOT_COPY),
        (400, "Bad Request: file is too big", Refusal.TOO_LARGE),
        (413, "Request Entity Too Large", Refusal.TOO_LARGE),
        (400, "Bad Request: message caption is too long", Refusal.TOO_LONG),
        (400, "Bad Request: MEDIA_CAPTION_TOO_LONG", Refusal.TOO_LONG),
        (400, "Bad Request: message is too long", Refusal.TOO_LONG),
        (400, "Bad Request: message text is empty", Refusal.BROKEN),
        (404, "Not Found: method not found", Refusal.BROKEN),
        (406, "FROZEN_METHOD_INVALID", Refusal.BROKEN),
    ],
)
def test_each_final_answer_is_its_kind_of_refusal(code: int, description: str, refusal: Refusal) -> None:
    error = judged(code, description)
    assert isinstance(error, Rejected)
    assert (error.refusal, error.meaning) == (refusal, Meaning.FINAL)


@pytest.mark.parametrize(
    ("description", "meaning"),
    [
        ("Bad Request: never heard of", Meaning.UNKNOWN),
        ("Bad Request: PHOTO_SOMETHING_NEW", Meaning.FILE_UNKNOWN),
        ("Bad Request: the file is not to our taste", Meaning.FILE_UNKNOWN),
        ("Bad Request: wrong file identifier/HTTP URL specified", Meaning.FILE_UNKNOWN),
        ("Bad Request: wrong remote file identifier specified: Wrong padding", Meaning.FILE_UNKNOWN),
        ("Bad Request: wrong file_id or the file is temporarily unavailable", Meaning.FILE_UNKNOWN),
        (
            'Bad Request: failed to send message #2 with the error message "Wrong file identifier/http url specified"',
            Meaning.FILE_UNKNOWN,
        ),
        ("Bad Request: message is not modified: specified new message content is the same", Meaning.ALREADY_SO),
        (
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
            Meaning.ALREADY_SO,
        ),
    ],
)
def test_refusals_that_the_adapter_can_work_around_are_recognised(description: str, meaning: Meaning) -> None:
    error = judged(400, description)
    assert isinstance(error, Rejected)
    assert error.meaning is meaning


REFUSED_PARTS = [
    ("EFFECT_ID_INVALID", Part.EFFECT),
    ("MESSAGE_EFFECT_NOT_AVAILABLE", Part.EFFECT),
    ("wrong message effect identifier specified", Part.EFFECT),
    ("DOCUMENT_INVALID", Part.CUSTOM_EMOJI),
    ("custom emoji identifier is invalid", Part.CUSTOM_EMOJI),
    ("invalid custom emoji identifier specified", Part.CUSTOM_EMOJI),
    ("PREMIUM_ACCOUNT_REQUIRED", Part.CUSTOM_EMOJI),
    ('can\'t parse entities: unsupported start tag "x"', Part.CUSTOM_EMOJI),
    ("can't parse MessageEntity: Unsupported type specified", Part.CUSTOM_EMOJI),
    ("ENTITIES_TOO_LONG", Part.CUSTOM_EMOJI),
    ("ENTITY_BOUNDS_INVALID", Part.CUSTOM_EMOJI),
    ("ENTITY_MENTION_USER_INVALID", Part.CUSTOM_EMOJI),
    ("ENTITY_TEXTURL_INVALID", Part.CUSTOM_EMOJI),
    ("QUOTE_TEXT_INVALID", Part.QUOTE),
    ("the quote was not found in the message", Part.QUOTE),
    ("message to be replied not found", Part.REPLY),
    ("REPLY_MESSAGE_ID_INVALID", Part.REPLY),
    ("REPLY_TO_INVALID", Part.REPLY),
    ("replied message not found", Part.REPLY),
    ("WEBPAGE_CURL_FAILED", Part.PREVIEW),
    ("WEBPAGE_NOT_FOUND", Part.PREVIEW),
    ("can't use the link preview options", Part.PREVIEW),
    ("BUTTON_DATA_INVALID", Part.LOOK),
    ("BUTTON_TYPE_INVALID", Part.LOOK),
    ("BUTTON_USER_PRIVACY_RESTRICTED", Part.LOOK),
    ("can't parse inline keyboard button: wrong style", Part.LOOK),
    ("REPLY_MARKUP_INVALID", Part.LOOK),
    ("reply markup is too long", Part.LOOK),
    ("message thread not found", Part.THREAD),
    ("TOPIC_CLOSED", Part.THREAD),
    ("TOPIC_DELETED", Part.THREAD),
    ("topic is closed", Part.THREAD),
    ("the chat is not a forum", Part.THREAD),
]


@pytest.mark.parametrize(("description", "part"), REFUSED_PARTS)
def test_the_refused_part_is_named_first(description: str, part: Part) -> None:
    error = judged(400, f"Bad Request: {description}")
    assert isinstance(error, Rejected)
    assert error.parts[0] is part


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.fragment)
def test_every_row_matches_in_upper_and_lower_case(row: Row) -> None:
    fragment, meaning, refusal, parts = row
    for description in (f"Bad Request: {fragment}", fragment.upper()):
        error = judged(400, description)
        if isinstance(error, Rejected):
            assert (error.meaning, error.refusal, error.parts) == (meaning, refusal, parts)
        else:
            assert isinstance(error, TokenRefused | Conflict | Unavailable)
            assert meaning in (Meaning.TOKEN, Meaning.CONFLICT, Meaning.SERVER)


@pytest.mark.parametrize(
    ("code", "description", "method"),
    [
        (401, "Unauthorized", "sendMessage"),
        (401, "Unauthorized: invalid token specified", "getMe"),
        (400, "Bad Request: Logged out", "sendMessage"),
        (404, "Not Found", "getMe"),
        (404, "Not Found", "getUpdates"),
        (421, "Misdirected Request: unallowed token specified", "getMe"),
    ],
)
def test_a_token_that_does_not_work_is_recognised(code: int, description: str, method: str) -> None:
    assert isinstance(judged(code, description, method=method), TokenRefused)


def test_a_method_missing_on_an_older_server_does_not_disable_the_bot() -> None:
    assert isinstance(judged(404, "Not Found", method="sendRichMessage"), Refused)


def test_a_second_poller_is_a_conflict() -> None:
    text = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    error = judged(409, text, method="getUpdates", sends=False)
    assert isinstance(error, Conflict)
    assert error.reason == text


@pytest.mark.parametrize(
    ("body", "header", "wait_s"),
    [
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":7}}', None, 7.0),
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":0.25,"adaptive_retry":1}}', "9", 0.25),
        (b'{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5"}', "9", 9.0),
        (b'{"ok":false,"error_code":420,"parameters":{"retry_after":3}}', None, 3.0),
        (b"<html>slow down</html>", "2.5", 2.5),
        (b"<html>slow down</html>", "soon", 5.0),
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":-4}}', None, 5.0),
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":0}}', None, 5.0),
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":"7"}}', None, 7.0),
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":"soon"}}', None, 5.0),
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":1e300}}', None, 3600.0),
        (b'{"ok":false,"error_code":429,"parameters":[]}', None, 5.0),
        (b"<html>slow down</html>", "inf", 3600.0),
        (b"<html>slow down</html>", "nan", 5.0),
    ],
)
def test_a_flood_wait_says_how_long(body: bytes, header: str | None, wait_s: float) -> None:
    error = failure(429, body, header, method="sendMessage", sends=True)
    assert isinstance(error, FloodWait)
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize("sends", [True, False])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html><h1>502 Bad Gateway</h1></html>"),
        (504, b""),
        (200, b"<html>captive portal</html>"),
        (400, b'{"message":"a proxy that speaks JSON"}'),
        (403, b'{"ok":"no","description":3}'),
        (403, b"[1]"),
        (500, b'{"ok":false,"error_code":500,"description":"Internal Server Error: restart"}'),
        (500, b'{"ok":false,"error_code":500,"description":"something new"}'),
        (302, b"moved"),
    ],
)
def test_after_a_server_fault_a_send_may_have_arrived(status: int, body: bytes, sends: bool) -> None:
    error = failure(status, body, None, method="sendMessage", sends=sends)
    assert isinstance(error, Unavailable)
    assert error.uncertain is sends


def test_an_html_413_is_too_large() -> None:
    error = failure(413, b"<html>413</html>", None, method="sendVideo", sends=True)
    assert isinstance(error, Refused)
    assert error.refusal is Refusal.TOO_LARGE


@pytest.mark.parametrize(
    "description",
    [
        'Bad Request: can\'t parse entities: unsupported start tag "my secret words" at byte offset 3',
        "Bad Request: my secret words",
        "my secret words",
    ],
)
def test_no_error_quotes_what_was_sent(description: str) -> None:
    assert "secret" not in repr(judged(400, description)) + str(judged(400, description))


def test_an_unknown_code_in_capitals_is_kept_in_the_error() -> None:
    error = judged(400, "Bad Request: SOMETHING_NEW_INVALID")
    assert isinstance(error, Refused)
    assert error.detail == "400 SOMETHING_NEW_INVALID"


@pytest.mark.parametrize("rest", [b"}", b',"result":true}', b',"result":{"message_id":"x"}}', b',"resul'])
def test_a_completed_send_is_not_repeated_after_a_garbled_answer(rest: bytes) -> None:
    error = failure(200, b' { "ok" : true' + rest, None, method="sendMessage", sends=True)
    assert isinstance(error, Refused)
    assert error.refusal is Refusal.UNCERTAIN
    assert isinstance(failure(200, b'{"ok":true' + rest, None, method="getMe", sends=False), Unavailable)


@pytest.mark.parametrize(
    "odd",
    [
        b'"error_code":"403","description":"Forbidden: bot was blocked by the user"',
        b'"error_code":403,"description":"Forbidden: bot was blocked by the user","parameters":[7]',
        b'"error_code":403,"description":null',
        b'"error_code":[],"description":"Forbidden: bot was blocked by the user"',
    ],
)
def test_a_refusal_is_understood_even_if_a_member_has_the_wrong_type(odd: bytes) -> None:
    error = failure(403, b'{"ok":false,' + odd + b"}", None, method="sendMessage", sends=True)
    assert isinstance(error, Refused)
    assert error.refusal is Refusal.UNREACHABLE
