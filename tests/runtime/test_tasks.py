"""Background tasks: none is lost, and none of their errors."""

import asyncio

from passerby.runtime.tasks import Background
from tests.staged import in_virtual_time


async def fail(error: BaseException) -> None:
    await asyncio.sleep(1)
    raise error


@in_virtual_time
async def test_an_error_of_a_background_task_is_reported() -> None:
    heard: list[BaseException] = []
    background = Background(heard.append)
    error = ZeroDivisionError()
    background.spawn(fail(error))
    await asyncio.sleep(2)
    assert heard == [error]


@in_virtual_time
async def test_a_cancelled_task_is_not_an_error() -> None:
    heard: list[BaseException] = []
    task = Background(heard.append).spawn(fail(ZeroDivisionError()))
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.sleep(1)
    assert heard == []


@in_virtual_time
async def test_closing_cancels_running_tasks_and_waits_for_them() -> None:
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
