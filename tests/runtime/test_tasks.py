"""Tasks that nobody awaits: none is lost, and neither is its error."""

import asyncio

from passerby.runtime.tasks import Background
from tests.staged import in_virtual_time


async def fail(error: BaseException) -> None:
    await asyncio.sleep(1)
    raise error


@in_virtual_time
async def test_an_error_of_a_task_that_nobody_awaits_is_heard() -> None:
    heard: list[BaseException] = []
    background = Background(heard.append)
    error = ZeroDivisionError()
    background.spawn(fail(error))
    await asyncio.sleep(2)
    assert heard == [error]


@in_virtual_time
async def test_a_cancelled_task_is_no_error() -> None:
    heard: list[BaseException] = []
    task = Background(heard.append).spawn(fail(ZeroDivisionError()))
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.sleep(1)
    assert heard == []


@in_virtual_time
async def test_closing_cancels_what_runs_and_waits_for_its_end() -> None:
    ended: list[int] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            ended.append(1)

    background = Background(lambda error: None)
    background.spawn(linger())
    await asyncio.sleep(0)
    await background.aclose()
    assert ended == [1]
    await background.aclose()
