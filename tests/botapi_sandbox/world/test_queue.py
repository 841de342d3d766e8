"""getUpdates: offsets, conflicts, too frequent calls, expiry, limits."""

import random

import pytest

from botapi_sandbox import Answer, Waiting
from botapi_sandbox.world import queue
from botapi_sandbox.world.state import Queue, Queued
from tests.botapi_sandbox.small_world import SmallWorld, small_world


def texts(answer: Answer | Waiting) -> list[str]:
    assert isinstance(answer, Answer)
    return [update["message"]["text"] for update in answer.json()["result"]]


@pytest.fixture
def three() -> tuple[SmallWorld, list[int]]:
    """A world with three queued messages, and their update ids."""
    made = small_world()
    for text in ("one", "two", "three"):
        made.write(text)
    return made, [item.update_id for item in made.bot.queue.items]


def test_update_ids_start_anywhere_and_grow_by_one(three: tuple[SmallWorld, list[int]]) -> None:
    _, ids = three
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    assert 2_000_001 <= ids[0] <= 2**30


def test_unconfirmed_updates_are_returned_again(three: tuple[SmallWorld, list[int]]) -> None:
    made, _ = three
    for _ in range(2):
        made.clock.pass_by(4)
        assert texts(made.poll()) == ["one", "two", "three"]


def test_an_offset_confirms_all_updates_below_it(three: tuple[SmallWorld, list[int]]) -> None:
    made, ids = three
    assert texts(made.poll(offset=ids[2])) == ["three"]
    made.clock.pass_by(4)
    assert texts(made.poll(offset=ids[0])) == ["three"]


def test_an_answer_has_at_most_limit_updates(three: tuple[SmallWorld, list[int]]) -> None:
    made, _ = three
    assert texts(made.poll(limit=2)) == ["one", "two"]


def test_a_negative_offset_keeps_only_the_tail(three: tuple[SmallWorld, list[int]]) -> None:
    made, _ = three
    assert texts(made.poll(offset=-1)) == ["three"]
    made.clock.pass_by(4)
    assert texts(made.poll()) == ["three"]


def test_an_offset_just_beyond_the_tail_confirms_everything(three: tuple[SmallWorld, list[int]]) -> None:
    made, ids = three
    assert isinstance(made.poll(offset=ids[2] + 11, timeout=5), Waiting)
    assert made.bot.queue.items == []


def test_an_offset_far_beyond_the_tail_is_ignored(three: tuple[SmallWorld, list[int]]) -> None:
    made, ids = three
    assert texts(made.poll(offset=ids[2] + 12)) == ["one", "two", "three"]


def test_an_immediate_call_with_the_same_offset_gets_one_update(three: tuple[SmallWorld, list[int]]) -> None:
    made, ids = three
    assert len(texts(made.poll(offset=ids[0]))) == 3
    made.clock.pass_by(0.4)
    assert texts(made.poll(offset=ids[0])) == ["one"]
    made.clock.pass_by(0.6)
    assert len(texts(made.poll(offset=ids[0]))) == 3


def test_a_quick_call_with_the_same_offset_waits_three_seconds() -> None:
    made = small_world()
    assert texts(made.poll(offset=made.offset, timeout=0)) == []
    waiting = made.poll(offset=made.offset, timeout=0)
    assert isinstance(waiting, Waiting)
    assert waiting.deadline == made.clock.now + 3


def test_a_long_poll_ends_when_an_update_arrives() -> None:
    made = small_world()
    waiting = made.poll(offset=made.offset, timeout=30)
    assert isinstance(waiting, Waiting)
    woken = []
    waiting.wake = lambda: woken.append(True)
    assert made.world.resume(waiting) is waiting
    made.write("there")
    assert woken == [True]
    assert texts(made.world.resume(waiting)) == ["there"]


def test_a_long_poll_ends_empty_at_its_deadline_of_at_most_fifty_seconds() -> None:
    made = small_world()
    waiting = made.poll(offset=made.offset, timeout=500)
    assert isinstance(waiting, Waiting)
    assert waiting.deadline == made.clock.now + 50
    made.clock.pass_by(50)
    assert texts(made.world.resume(waiting)) == []


def test_the_older_of_two_pollers_is_refused() -> None:
    made = small_world()
    older = made.poll(offset=made.offset, timeout=30)
    assert isinstance(older, Waiting)
    newer = made.poll(offset=made.offset, timeout=30)
    assert isinstance(newer, Waiting)
    ended = made.world.resume(older)
    assert isinstance(ended, Answer)
    assert (ended.status, ended.json()["description"]) == (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
    made.write("for the newer")
    assert texts(made.world.resume(newer)) == ["for the newer"]


def test_two_pollers_both_get_updates_if_there_are_any() -> None:
    made = small_world()
    made.write("again and again")
    assert texts(made.poll()) == texts(made.poll()) == ["again and again"]


def test_repeated_conflicts_are_answered_late() -> None:
    made = small_world()
    ended = []
    for _ in range(3):
        waiting = made.poll(offset=made.offset, timeout=30)
        assert isinstance(waiting, Waiting)
        ended.append(waiting)
    assert [waiting.answer.delay_s for waiting in ended if waiting.answer] == [0.0, 3.0]


@pytest.mark.parametrize(("life_s", "verb"), [(150, "press"), (86400, "write")])
def test_each_kind_of_update_expires_after_its_own_time(life_s: int, verb: str) -> None:
    made = small_world()
    if verb == "press":
        made.world.phones.press_data(made.ann, made.bot.id, 1, "x")
    else:
        made.write()
    made.clock.pass_by(life_s - 1)
    assert len(made.updates(offset=0)) == 1
    made.clock.pass_by(1)
    assert made.updates(offset=0) == []
    assert made.world.journal.after(0)[-1]["reason"] == "expired"


def test_a_full_queue_drops_new_updates_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_UPDATES", 2)
    made = small_world()
    for text in ("one", "two", "three"):
        made.write(text)
    assert [update["message"]["text"] for update in made.updates()] == ["one", "two"]


def test_the_next_update_id_is_random_after_a_week_without_updates() -> None:
    line = Queue(next_id=5, last_at=1.0)
    assert queue.next_id(line, 1.0 + 7 * 86400, random.Random(1)) == 5
    assert queue.next_id(line, 2.0 + 7 * 86400, random.Random(1)) != 5


def test_a_queue_has_a_limit_in_bytes() -> None:
    line = Queue(next_id=1)
    item = Queued(1, "message", "", 1e12, b"x" * queue.MOST_BYTES)
    assert queue.append(line, item, 0.0)
    assert not queue.append(line, Queued(2, "message", "", 1e12, b"x"), 0.0)


def test_allowed_updates_are_kept_until_they_are_changed() -> None:
    made = small_world()
    made.updates(allowed_updates=["callback_query"])
    made.write("unheard")
    assert made.updates() == []
    made.updates(allowed_updates=[])
    made.write("heard")
    made.world.phones.react(made.ann, made.bot.id, 1, "👍")
    assert [update["message"]["text"] for update in made.updates()] == ["heard"]


def test_a_list_without_a_known_name_means_the_default() -> None:
    made = small_world()
    made.updates(allowed_updates=["nonsense"])
    made.write("heard")
    assert len(made.updates()) == 1


def test_the_journal_lists_confirmed_updates() -> None:
    made = small_world()
    made.write("one")
    (update,) = made.updates()
    made.updates()
    kinds = [
        (entry["kind"], entry.get("update_ids") or [entry.get("update_id")]) for entry in made.world.journal.after(0)
    ]
    mine = [kind for kind, ids in kinds if ids == [update["update_id"]]]
    assert mine == ["queued", "delivered", "confirmed"]
