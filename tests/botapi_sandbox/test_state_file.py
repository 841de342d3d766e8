"""The state file: a restart continues where the last run stopped."""

import asyncio
import random
from pathlib import Path

import pytest

from botapi_sandbox import Switches, Upload, World
from botapi_sandbox.state_file import SAVE_EVERY_S, StateFile, UnreadableState, load
from tests.botapi_sandbox.small_world import Clock, SmallWorld, small_world
from tests.botapi_sandbox.wire import served


def again(made: SmallWorld, path: Path) -> World:
    """The world as another process loads it."""
    state = load(path)
    assert state is not None
    world = World(clock=made.clock, rng=random.Random(1), switches=Switches(limits=False, check_own=True), state=state)
    StateFile(world, path).load_blobs()
    return world


def test_people_chats_queues_files_and_sticker_sets_survive_a_restart(tmp_path: Path) -> None:
    made = small_world()
    path = tmp_path / "world"
    sent = made.world.phones.upload(made.ann, made.bot.id, "document", Upload(b"paper", "a.txt"))
    made.ask("sendMessage", chat_id=made.ann, text="x", reply_markup={"keyboard": [[{"text": "k"}]]})
    made.world.phones.block(made.bob, made.bot.id)
    made.ask("setMyCommands", commands=[{"command": "a", "description": "d"}])
    StateFile(made.world, path).save()
    world = again(made, path)
    token = made.bot.token
    assert world.state.people == made.world.state.people
    assert world.state.bots == made.world.state.bots
    assert (
        world.call(token, "getUpdates", {"offset": made.offset}).body
        == made.answer("getUpdates", offset=made.offset).body
    )
    assert world.call(token, "sendMessage", {"chat_id": made.bob, "text": "x"}).status == 403
    file_path = world.call(token, "getFile", {"file_id": sent["document"]["file_id"]}).json()["result"]["file_path"]
    assert world.fetch_file(token, file_path) == (b"paper", "text/plain")
    next_id = world.call(token, "sendMessage", {"chat_id": made.ann, "text": "x"}).json()["result"]["message_id"]
    assert next_id == made.bot.next_message_id


def test_random_choices_do_not_repeat_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "world"
    first = World(clock=Clock(), seed=3)
    first.add_bot()
    StateFile(first, path).save()
    values = {first.rng.random()}
    for _ in range(2):
        state = load(path)
        world = World(clock=Clock(), state=state)
        world.changes += 1
        StateFile(world, path).save()
        values.add(world.rng.random())
    assert len(values) == 3


def test_dropped_file_bytes_are_deleted_from_disk(tmp_path: Path) -> None:
    made = small_world(file_bytes_kept=100)
    file = StateFile(made.world, tmp_path / "world")
    for letter in (b"a", b"b"):
        made.world.phones.upload(made.ann, made.bot.id, "document", Upload(letter * 60, "a.txt"))
        file.save()
    kept = [each.read_bytes() for each in (tmp_path / "world.files").iterdir()]
    assert b"b" * 60 in kept
    assert b"a" * 60 not in kept


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    made = small_world()
    path = tmp_path / "world"
    file = StateFile(made.world, path)
    file.save()
    path.unlink()
    file.save()
    assert not path.exists()
    made.write()
    file.save()
    assert path.exists()


def test_a_missing_file_is_no_state_and_an_unreadable_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "world"
    assert load(path) is None
    path.write_bytes(b"something else")
    with pytest.raises(UnreadableState, match="delete it to start afresh"):
        load(path)


def test_a_running_sandbox_saves_regularly_and_when_it_stops(tmp_path: Path) -> None:
    path = tmp_path / "world"

    async def story() -> None:
        async with served(state=path) as here:
            here.made.write("saved while it runs")
            while not path.exists():
                await asyncio.sleep(SAVE_EVERY_S / 10)
            here.made.write("saved at the end")

    asyncio.run(story())
    state = load(path)
    assert state is not None
    (bot,) = state.bots.values()
    last = list(bot.chats[min(bot.chats)].messages.values())[-1]
    assert last.message["text"] == "saved at the end"
