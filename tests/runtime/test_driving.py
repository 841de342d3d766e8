"""Coroutines without a task: what is at hand is done at once, and everything else still works."""

import asyncio

import pytest

from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.soon import Soon, own_task
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.tasks import Background
from tests.staged import in_a_loop

REFS = (UpdateRef(BotId(1), 2),)


@pytest.fixture
def raised() -> list[BaseException]:
    return []


@in_a_loop
async def test_work_whose_facts_are_at_hand_is_done_in_the_same_turn_without_a_task() -> None:
    background = Background(print)
    tasks = asyncio.all_tasks()

    async def sum_up() -> int:
        return await Soon.of(2) + await Soon.of(3)

    end = background.begin(sum_up())
    assert (end.is_done, end.result()) == (True, 5)
    assert asyncio.all_tasks() == tasks


@in_a_loop
async def test_work_that_waits_for_an_answer_goes_on_in_its_callback() -> None:
    background, answer, seen = Background(print), Soon[str](), list[str]()
    tasks = asyncio.all_tasks()

    async def ask() -> None:
        seen.append("asked")
        seen.append(await answer)

    end = background.begin(ask())
    assert (seen, end.is_done) == (["asked"], False)
    answer.settle("told")
    assert (seen, end.is_done) == (["asked", "told"], True)
    assert asyncio.all_tasks() == tasks


@in_a_loop
async def test_a_lost_answer_is_raised_where_it_was_awaited() -> None:
    background, answer = Background(print), Soon[str]()

    async def ask() -> str:
        try:
            return await answer
        except ConnectionError:
            return "lost"

    end = background.begin(ask())
    answer.fail(ConnectionError())
    assert end.result() == "lost"


@in_a_loop
async def test_a_bug_is_the_result_and_harms_nobody_else() -> None:
    async def break_down() -> None:
        raise ZeroDivisionError

    end = Background(print).begin(break_down())
    assert end.is_done
    with pytest.raises(ZeroDivisionError):
        end.result()


@in_a_loop
async def test_code_that_waits_for_anything_else_gets_a_task_and_does_not_notice() -> None:
    background, gate, answer = Background(print), asyncio.Event(), Soon[int]()

    async def wait() -> int:
        before = await Soon.of(1)
        await gate.wait()
        async with asyncio.timeout(60):
            return before + await answer

    end = background.begin(wait())
    assert not end.is_done
    gate.set()
    answer.settle(2)
    assert await end == 3


@in_a_loop
async def test_a_time_out_that_forgets_to_ask_for_a_task_never_cancels_its_caller() -> None:
    background = Background(print)

    async def forget() -> None:
        async with asyncio.timeout(0):
            pass

    async def ask() -> None:
        await own_task()
        async with asyncio.timeout(60):
            pass

    ourselves = asyncio.current_task()
    end = background.begin(forget())
    with pytest.raises(RuntimeError):
        end.result()
    assert asyncio.current_task() is ourselves
    await background.begin(ask())


@in_a_loop
async def test_at_the_end_whoever_waits_for_an_answer_is_cancelled_and_the_late_answer_is_ignored() -> None:
    background, answer, seen = Background(print), Soon[str](), list[str]()

    async def ask() -> None:
        try:
            seen.append(await answer)
        finally:
            seen.append("over")

    end = background.begin(ask())
    await background.aclose()
    answer.settle("late")
    assert (seen, end.is_done) == (["over"], False)


@in_a_loop
async def test_the_page_names_an_update_only_while_code_runs_for_it() -> None:
    recorder, answer, gate, seen = FlightRecorder(), Soon[None](), asyncio.Event(), list[bool]()
    background = Background(print, recorder)

    async def work() -> None:
        seen.append(bool(recorder.current))
        await answer
        seen.append(bool(recorder.current))
        await gate.wait()
        seen.append(bool(recorder.current))

    end = background.begin(work(), REFS)
    seen.append(bool(recorder.current))
    answer.settle(None)
    seen.append(bool(recorder.current))
    gate.set()
    await end
    assert seen == [True, False, True, False, True]
    assert not recorder.current
