"""The names of everything that may be logged, and the one function that logs it.

An event has a constant name and fields from a closed list. So no content, name, text, token, or id of a person or a
file can get into a log. A person appears as a `Pseudonym`. It changes every day, and nobody can find the person without
the installation's key. An exception of a library is logged by its type and by our own frames, because its text may
quote a token or a message. Log messages of libraries come in here too, and lose their arguments.
"""

import asyncio
import hashlib
import hmac
import logging
import re
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from traceback import walk_tb
from types import CodeType, TracebackType
from typing import Any, Literal, TextIO, TypedDict, Unpack

import structlog

from passerby.kernel.ids import BotId, PersonId
from passerby.telemetry import faults

Level = Literal["debug", "info", "warning", "error"]


class Pseudonym(str):
    """How a person appears in logs. Only `Pseudonyms` makes it, so that nobody logs a plain id by mistake."""

    __slots__ = ()


class Fields(TypedDict, total=False):
    """All fields that a log line may have. If you add one, make sure that it cannot contain anything private."""

    address: str
    """The address of a server, ours or the Bot API's. It never has a path."""
    attempt: int
    bot: BotId
    bots: int
    count: int
    delay_s: float
    duration_s: float
    error: str
    feature: str
    frames: tuple[str, ...]
    kind: str
    library: str
    method: str
    """A Bot API method."""
    oldest_s: float
    pending: int
    person: Pseudonym
    reason: str
    """In our words or Telegram's, never a person's."""
    refusal: str
    retry_after_s: float
    revision: str
    setting: str
    signal: str
    status: int
    template: str
    """A library's message without its arguments."""
    timeout_s: float
    username: str
    """The username of a bot."""
    version: str


_EVENT = re.compile(r"\A[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+")
_ANY_TOKEN = re.compile(r"(?<!\d)\d{5,}+:[A-Za-z0-9_-]{8,}")
_TEXT_LIMIT = 200
_CHAIN_LIMIT = 5
FRAME_LIMIT = 8
_OURS = Path(__file__).parents[1]

_strict = True


def set_up(
    level: Level, style: Literal["console", "json"], *, strict: bool = False, stream: TextIO | None = None
) -> None:
    """Send all logs, ours and those of libraries, to `stream` (default: stderr), in one form.

    `strict`: a field or a name that may not be logged raises AssertionError; otherwise it is left out. Before the first
    call, logs are strict. From here on, uncaught exceptions are logged in the same way.
    """
    global _strict  # noqa: PLW0603  # logging is one per process, as in the standard library
    _strict = strict
    stream = stream or sys.stderr
    last: structlog.typing.Processor
    if style == "json":
        stamp, last = structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()
    else:
        stamp = structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False)
        last = structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=28
        )
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromLibraries()]
    root.setLevel(logging.WARNING)
    sys.excepthook = _uncaught


def is_set_up() -> bool:
    return structlog.is_configured()


def record(event: str, /, level: Level = "info", **fields: Unpack[Fields]) -> None:
    """Log `event`, a constant such as `"intake.recovered"`."""
    if _EVENT.fullmatch(event) is None:
        assert not _strict, "an event's name is a constant like intake.recovered"
        event = "log.misnamed"
    allowed = {name: _clean(value) for name, value in fields.items() if _may_be_logged(event, name, value)}
    structlog.get_logger().log(logging.getLevelName(level.upper()), event, **allowed)


def failed(event: str, error: BaseException, /, level: Level = "error", **fields: Unpack[Fields]) -> None:
    """Log `event` with the parts of `error` that may be shown: the types in its chain, and our own frames."""
    fields["error"] = name_of(error)
    if frames := frames_of(error):
        fields["frames"] = frames
    if level == "error":
        faults.note(event, fields["error"], frames)
    record(event, level, **fields)


def name_of(error: BaseException) -> str:
    """The type of the exception and of its causes: `Unavailable < ConnectionResetError`. Never its text."""
    return " < ".join(_type_name(one) for one in _chain(error))


def fields_of(error: BaseException) -> Fields:
    """The field `error`. If the exception is ours and has a text for the operator, also the field `reason`."""
    words = str(error)
    return {"error": name_of(error), "reason": words} if " " in words else {"error": name_of(error)}


def frames_of(error: BaseException) -> tuple[str, ...]:
    """The frames of the exception in our code, the innermost last: `runtime/delivery/courier.py:120 deliver`."""
    frames = [frame for one in _chain(error) for frame in _own_frames(one.__traceback__)]
    return tuple(dict.fromkeys(frames))[-FRAME_LIMIT:]


def on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`. asyncio's own handler would print the text of the exception."""
    error = context.get("exception")
    if error is None:
        record("loop.complained", "error", reason=str(context.get("message", "")))
    else:
        failed("loop.complained", error, reason=str(context.get("message", "")))


class Pseudonyms:
    """Hides people in logs. A person has one pseudonym for a day (UTC) and another for the next."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, person: PersonId, now: float) -> Pseudonym:
        """`now` is in Unix seconds."""
        day = b"passerby log pseudonyms %d" % (now // 86_400)
        daily = hmac.digest(self._key, day, hashlib.sha256)
        return Pseudonym("p-" + hmac.digest(daily, str(person).encode(), hashlib.sha256)[:5].hex())


CALM_S = 10.0
AGAIN_S = 300.0


class Faults:
    """Logs once that a fault began and once that it is over, no matter how often it occurs in between.

    With `monotonic`, a fault that comes and goes counts as one. It is over when it has not occurred for CALM_S. While
    it lasts, it is logged again every AGAIN_S.
    """

    def __init__(self, monotonic: Callable[[], float] | None = None) -> None:
        self._monotonic = monotonic
        self._told: dict[Hashable, float] = {}
        self.known: Mapping[Hashable, object] = self._told
        """The faults that have begun and are not over."""
        self._met: dict[Hashable, float] = {}

    def began(self, key: Hashable, event: str, /, level: Level = "warning", **fields: Unpack[Fields]) -> bool:
        """Log `event`, unless the fault `key` is already known. Returns whether it was logged."""
        now = self._now()
        self._met[key] = now
        if key in self._told and now - self._told[key] < AGAIN_S:
            return False
        self._told[key] = now
        record(event, level, **fields)
        return True

    def over(self, key: Hashable, event: str, /, level: Level = "info", **fields: Unpack[Fields]) -> bool:
        """Log `event` if the fault `key` was known and is over. Returns whether it was logged."""
        if key not in self._told or (self._monotonic is not None and self._now() - self._met[key] < CALM_S):
            return False
        del self._told[key], self._met[key]
        record(event, level, **fields)
        return True

    def _now(self) -> float:
        return self._monotonic() if self._monotonic is not None else 0.0


class _FromLibraries(logging.Handler):
    """Logs the messages of libraries that use the standard `logging`: the first line, without its arguments."""

    def emit(self, record_: logging.LogRecord) -> None:
        level: Level = "error" if record_.levelno >= logging.ERROR else "warning"
        lines = str(record_.msg).splitlines() or [""]
        error = record_.exc_info[1] if record_.exc_info else None
        if error is None:
            record("library.said", level, library=record_.name, template=lines[0])
        else:
            failed("library.said", error, level, library=record_.name, template=lines[0])


def _may_be_logged(event: str, name: str, value: object) -> bool:
    fine = (
        name in Fields.__annotations__
        and isinstance(value, str | int | float | tuple)
        and (name != "person" or isinstance(value, Pseudonym))
    )
    assert fine or not _strict, f"{event} may not log {name} as {type(value).__name__}"
    return fine


def _clean(value: object) -> object:
    """A second protection: removes tokens that got into a text in spite of the first."""
    if not isinstance(value, str):
        return value
    return _ANY_TOKEN.sub("<token>", " ".join(value.split()))[:_TEXT_LIMIT]


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while len(chain) < _CHAIN_LIMIT:
        behind = chain[-1].__cause__ or (None if chain[-1].__suppress_context__ else chain[-1].__context__)
        if behind is None or behind in chain:
            break
        chain.append(behind)
    return chain


def _type_name(error: BaseException) -> str:
    name = type(error).__qualname__
    if isinstance(error, BaseExceptionGroup):
        return f"{name}({', '.join(sorted({_type_name(inner) for inner in error.exceptions}))})"
    module = type(error).__module__.partition(".")[0]
    return name if module in {"builtins", "passerby"} else f"{module}.{name}"


def _own_frames(traceback: TracebackType | None) -> Iterator[str]:
    for frame, line in walk_tb(traceback):
        if (name := name_of_frame(frame.f_code, line)) is not None:
            yield name


def name_of_frame(code: CodeType, line: int) -> str | None:
    """A place in our own code. None for other code."""

    path = Path(code.co_filename)
    return f"{path.relative_to(_OURS).as_posix()}:{line} {code.co_name}" if path.is_relative_to(_OURS) else None


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        failed("process.crashed", error.with_traceback(traceback))
