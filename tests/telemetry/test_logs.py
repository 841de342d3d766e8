"""The allowed fields of a log line; nothing else gets into one."""

import asyncio
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from passerby.kernel.ids import BotId, PersonId
from passerby.settings import Settings, WrongSetting
from passerby.telemetry import logs

SECRET = "canary-text"


class Lines:
    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert SECRET not in self._stream.getvalue()
        for line in self._stream.getvalue().splitlines():
            entry = json.loads(line)
            del entry["timestamp"]
            yield entry


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The log as production would write it."""
    root, hook = logging.getLogger(), sys.excepthook
    before = list(root.handlers), root.level
    stream = io.StringIO()
    logs.set_up("info", "json", stream=stream)
    yield Lines(stream)
    logs.set_up("info", "json", strict=True)
    structlog.reset_defaults()
    sys.excepthook = hook
    root.handlers[:], root.level = before


def fail_with(text: str) -> Exception:
    """A failure in our code, caused by another one whose text must not be logged."""
    try:
        Settings(redis_url=text)  # type: ignore[arg-type]
    except WrongSetting as inner:
        try:
            raise ConnectionError(text) from inner
        except ConnectionError as outer:
            return outer
    raise AssertionError("accepted")


def test_an_event_has_a_name_and_listed_fields(lines: Lines) -> None:
    logs.record("intake.recovered", bot=BotId(5), delay_s=1.5)
    assert list(lines) == [{"event": "intake.recovered", "level": "info", "bot": 5, "delay_s": 1.5}]


def test_a_field_that_is_not_listed_is_not_logged(lines: Lines) -> None:
    logs.record("intake.recovered", bot=BotId(5), text=SECRET)  # type: ignore[call-arg]
    assert list(lines) == [{"event": "intake.recovered", "level": "info", "bot": 5}]


def test_a_plain_id_of_a_person_is_not_logged(lines: Lines) -> None:
    logs.record("chat.ended", person=SECRET)  # type: ignore[arg-type]
    assert list(lines) == [{"event": "chat.ended", "level": "info"}]


def test_an_event_name_that_is_not_constant_is_not_logged(lines: Lines) -> None:
    logs.record(f"chat with {SECRET}")
    assert list(lines) == [{"event": "log.misnamed", "level": "info"}]


@pytest.mark.parametrize(
    ("event", "fields"), [("chat.ended", {"text": SECRET}), ("chat.ended", {"person": "5"}), ("Ended!", {"bots": 1})]
)
def test_in_tests_a_field_that_may_not_be_logged_is_a_failure(lines: Lines, event: str, fields: dict[str, Any]) -> None:
    logs.set_up("info", "json", strict=True, stream=io.StringIO())
    with pytest.raises(AssertionError):
        logs.record(event, **fields)


def test_a_token_inside_a_text_is_cut_out(lines: Lines) -> None:
    logs.record("intake.failed", reason=f"no route to /bot123456:{SECRET}-and-more/getMe")
    assert list(lines) == [{"event": "intake.failed", "level": "info", "reason": "no route to /bot<token>/getMe"}]


def test_an_exception_is_logged_by_its_types_and_our_frames(lines: Lines) -> None:
    logs.failed("queue.broke", fail_with(SECRET))
    (entry,) = lines
    assert entry["error"] == "ConnectionError < WrongSetting"
    assert [frame.split(":")[0] for frame in entry["frames"]] == [
        *("settings/model.py", "settings/model.py", "settings/checks.py")
    ]
    assert entry["frames"][-1].endswith(" _redis_url_is_valid")


def test_an_exception_group_is_logged_by_the_types_inside_it() -> None:
    group = ExceptionGroup(SECRET, [ValueError(SECRET), ExceptionGroup(SECRET, [TimeoutError()])])
    assert logs.name_of(group) == "ExceptionGroup(ExceptionGroup(TimeoutError), ValueError)"


def test_a_circular_chain_of_exceptions_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert logs.name_of(first) == "ValueError < KeyError"


def test_warnings_of_libraries_are_logged_without_their_arguments(lines: Lines) -> None:
    library = logging.getLogger("some.library")
    library.info("started %s", SECRET)
    library.warning("cannot reach %s\nat all", SECRET)
    library.error("broken", exc_info=fail_with(SECRET))
    first, second = lines
    assert first == {
        "event": "library.said",
        "level": "warning",
        "library": "some.library",
        "template": "cannot reach %s",
    }
    assert (second["level"], second["template"], second["error"]) == (
        "error",
        "broken",
        "ConnectionError < WrongSetting",
    )


def test_uncaught_exceptions_are_logged_the_same_way(lines: Lines) -> None:
    error = fail_with(SECRET)
    sys.excepthook(type(error), error, error.__traceback__)
    assert [entry["event"] for entry in lines] == ["process.crashed"]


def test_complaints_of_the_event_loop_are_logged_the_same_way(lines: Lines) -> None:
    async def lose_a_task() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.on_loop_error)
        loop.call_soon(fail_hard)
        await asyncio.sleep(0)
        loop.call_exception_handler({"message": "odd"})

    def fail_hard() -> None:
        raise fail_with(SECRET)

    asyncio.run(lose_a_task())
    first, second = lines
    assert first["error"] == "ConnectionError < WrongSetting"
    assert second == {"event": "loop.complained", "level": "error", "reason": "odd"}


def test_less_important_events_are_left_out(lines: Lines) -> None:
    logs.record("queue.opened", "debug")
    assert list(lines) == []


def test_a_line_for_people_is_one_line() -> None:
    stream = io.StringIO()
    logs.set_up("info", "console", stream=stream)
    logs.failed("queue.broke", fail_with(SECRET), reason="one\ntwo")
    structlog.reset_defaults()
    assert stream.getvalue().count("\n") == 1
    assert "queue.broke" in stream.getvalue()
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[", stream.getvalue())
    assert SECRET not in stream.getvalue()


def test_a_pseudonym_lasts_a_day_and_needs_the_key() -> None:
    names = logs.Pseudonyms(b"k" * 32)
    morning, evening, next_day = 86_400.0, 86_400.0 * 2 - 1, 86_400.0 * 2
    assert names.of(PersonId(5), morning) == names.of(PersonId(5), evening)
    assert names.of(PersonId(5), morning) != names.of(PersonId(5), next_day)
    assert names.of(PersonId(5), morning) != names.of(PersonId(6), morning)
    assert names.of(PersonId(5), morning) != logs.Pseudonyms(b"l" * 32).of(PersonId(5), morning)
    assert names.of(PersonId(5), morning).removeprefix("p-") != "5"


def test_a_fault_is_announced_once_and_so_is_its_end(lines: Lines) -> None:
    faults = logs.Faults()
    assert faults.over("poll", "poll.recovered") is False
    assert [faults.began("poll", "poll.failed", bot=BotId(1)) for _ in range(3)] == [True, False, False]
    assert faults.began(("poll", 2), "poll.failed", bot=BotId(2)) is True
    assert [faults.over("poll", "poll.recovered", bot=BotId(1)) for _ in range(2)] == [True, False]
    assert faults.began("poll", "poll.failed", bot=BotId(1)) is True
    assert [(entry["event"], entry["bot"]) for entry in lines] == [
        ("poll.failed", 1),
        ("poll.failed", 2),
        ("poll.recovered", 1),
        ("poll.failed", 1),
    ]


def test_a_fault_that_comes_and_goes_is_logged_once_and_then_every_few_minutes(lines: Lines) -> None:
    now = 0.0
    faults = logs.Faults(lambda: now)
    for second in range(400):
        now = float(second)
        faults.began("disk", "store.lost", reason="the disk is full")
        faults.over("disk", "store.back")
    assert [entry["event"] for entry in lines] == ["store.lost", "store.lost"]
    now += logs.CALM_S
    assert faults.over("disk", "store.back") is True
    assert faults.over("disk", "store.back") is False
