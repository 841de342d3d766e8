"""Every function that gets what people send takes time in proportion to it. So does the whole way of an update."""

import os
from contextlib import suppress
from functools import cache
from random import Random
from typing import Any

import pytest

from passerby.adapters.botapi.decode import arrivals
from passerby.domain.contacts import LOOKED_AT, Trace, find
from passerby.kernel.content import Content
from passerby.kernel.event import MessageReceived
from tests.fuzz.people import BOT, ENVS, decided, facts_for
from tests.linear.contents import SHAPES, answer, update
from tests.linear.found import functions
from tests.linear.inputs import runs, text
from tests.linear.measure import grows
from tests.size import size, spread

STRINGS = functions(str)
CONTENTS = functions(Content)
MORE = int(os.environ.get("LINEAR_INPUTS", size(5, 50)))
"""The number of inputs for each function, besides one for every run."""


@pytest.mark.sized
@pytest.mark.parametrize("place", sorted(STRINGS))
def test_a_function_of_a_string_takes_time_in_proportion_to_it(place: str) -> None:
    for prefix, unit, suffix in list(runs(Random(place), [], MORE))[:: size(20, 1)]:

        def work(length: int, prefix: str = prefix, unit: str = unit, suffix: str = suffix) -> Any:
            words = text(prefix, unit, suffix, length)
            return lambda: attempt(STRINGS[place], words)

        wrong = grows(work)
        assert wrong is None, f"{place}: {wrong}: {prefix!r} + {unit!r} * n + {suffix!r}"


def attempt(function: Any, argument: Any) -> None:
    """Call the function. It may refuse the input; only the time counts here."""
    with suppress(Exception):
        function(argument)


@cache
def content_of(shape: str, length: int) -> Content | None:
    (arrival,) = arrivals(answer(update(1, SHAPES[shape](length))), BOT)
    return arrival.event.contents[0] if isinstance(arrival.event, MessageReceived) else None


@pytest.mark.sized
@pytest.mark.parametrize("place", sorted(CONTENTS))
def test_a_function_of_a_message_takes_time_in_proportion_to_it(place: str) -> None:
    for name in sorted(SHAPES)[:: size(20, 1)]:

        def work(length: int, name: str = name) -> Any:
            content = content_of(name, length)
            return lambda: attempt(CONTENTS[place], content)

        wrong = grows(work)
        assert wrong is None, f"{place}: {wrong}: {name}"


@pytest.mark.parametrize("name", spread(sorted(SHAPES), 6))
def test_an_update_is_decoded_in_proportion_to_its_length(name: str) -> None:
    def work(length: int) -> Any:
        body = answer(update(1, SHAPES[name](length)))
        return lambda: arrivals(body, BOT)

    assert grows(work) is None


@pytest.mark.parametrize("name", spread(sorted(SHAPES), 20))
def test_an_update_is_decided_in_proportion_to_its_length(name: str) -> None:
    """In every state of the sender and under every policy. The result is also encoded for storing."""

    def work(length: int) -> Any:
        (arrival,) = arrivals(answer(update(1, SHAPES[name](length))), BOT)
        everybody = facts_for(arrival.event.person)

        def run() -> None:
            for facts in everybody:
                for env in ENVS:
                    decided(arrival.event, arrival.ref, facts, env)

        return run

    assert grows(work) is None


BROKEN = {
    "no end": lambda n: b'{"ok":true,"result":[{"update_id":1,"message":"' + b'\\"' * n,
    "quotation marks": lambda n: b'{"ok":true,"result":[' + b'"' * n,
    "open brackets": lambda n: b'{"ok":true,"result":[' + b"[" * n,
    "open and shut": lambda n: b'{"ok":true,"result":[' + b"{}," * n + b"{]}",
    "deep": lambda n: b'{"ok":true,"result":[{"update_id":1,"a":' + b"[" * n + b"]" * n + b"}]}",
    "deep objects": lambda n: b'{"ok":true,"result":[{"update_id":1,"a":' + b'{"a":' * n + b"1" + b"}" * n + b"}]}",
    "half characters": lambda n: b'{"ok":true,"result":[{"update_id":1,"message":{"text":"' + b"\\ud83d" * n + b'"}}]}',
    "digits": lambda n: b'{"ok":true,"result":[{"update_id":' + b"1" * n + b"}]}",
    "spaces": lambda n: b'{"ok":true,"result":[{"update_id"' + b" " * n + b':"}]}',
    "many that are bad": lambda n: b'{"ok":true,"result":[' + b'{"update_id":1,"message":7},' * (n // 20) + b"{}]}",
    "names of members": lambda n: (
        b'{"ok":true,"result":[{"update_id":1,"message":{' + b'"update_id":"result",' * (n // 20) + b'"a":7}}]}'
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_an_unreadable_answer_is_rejected_in_proportion_to_its_length(name: str) -> None:
    def work(length: int) -> Any:
        body = BROKEN[name](length)
        return lambda: attempt(lambda of: arrivals(of, BOT), body)

    assert grows(work) is None


def test_every_function_of_these_kinds_is_found() -> None:
    assert {"passerby.domain.contacts.search.find", "passerby.domain.sanitise.opens_profile"} <= STRINGS.keys()
    assert {"passerby.domain.contacts.contents.traces", "passerby.domain.sanitise.sanitise"} <= CONTENTS.keys()


def test_a_text_that_is_too_long_to_search_needs_confirmation() -> None:
    assert find("a" * LOOKED_AT) is None
    assert find("a" * (LOOKED_AT + 1)) is Trace.UNREAD
