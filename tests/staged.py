"""Decorators for tests that are coroutines. The decorator decides what runs the test.

    @in_a_loop
    async def test_in_the_loop_of_asyncio() -> None: ...

    @in_virtual_time
    async def test_in_a_loop_where_no_test_waits() -> None: ...

    @staged(at_post)
    async def test_on_a_stage(post: Post, /, words: str) -> None: ...

Parameters before the slash come from the stage: `at_post` passes them when it calls its argument. Parameters after the
slash are fixtures and parametrized values, as in any test. `@staged(trying, "place")` calls `trying(place, body)` with
the fixture `place`, and `@staged(at_desk, auto=False)` calls `at_desk(body, auto=False)`.
"""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from tests.runtime import virtual

Test = Callable[..., Any]


def in_a_loop(test: Test) -> Test:
    @functools.wraps(test)
    def run_test(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run_test


def in_virtual_time(test: Test) -> Test:
    @functools.wraps(test)
    def run_test(**fixtures: Any) -> None:
        virtual.run(test(**fixtures))

    return run_test


def staged(run: Callable[..., Any], *names: str, **options: Any) -> Callable[[Test], Test]:
    """`names`: fixtures that `run` takes before the body of the test. `options`: keyword arguments for `run`."""

    def decorate(test: Test) -> Test:
        asked = list(inspect.signature(test).parameters.values())
        of_stage = [each for each in asked if each.kind is each.POSITIONAL_ONLY]
        own = [each for each in asked if each not in of_stage]
        extra = [name for name in names if name not in {each.name for each in own}]
        keyword = inspect.Parameter.KEYWORD_ONLY

        @functools.wraps(test)
        def run_test(**fixtures: Any) -> None:
            taken = {each.name: fixtures[each.name] for each in own}

            def body(*stage: Any) -> Awaitable[None]:
                return test(*stage, **taken)  # type: ignore[no-any-return]

            run(*(fixtures[name] for name in names), body, **options)

        run_test.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [each.replace(kind=keyword) for each in own] + [inspect.Parameter(name, keyword) for name in extra]
        )
        return run_test

    return decorate
