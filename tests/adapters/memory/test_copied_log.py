"""A copy of the live store's files is not taken for the original: nobody knows what happened since it was made."""

import shutil
from pathlib import Path
from random import Random

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.bootstrap.clock import SystemClock
from passerby.kernel.participant import Chatting
from passerby.ports.doubts import Doubts
from passerby.ports.participants import Commit
from tests.contract.live_values import ANN, couple
from tests.staged import in_a_loop


async def opened(path: Path) -> MemoryStore:
    log = FileLog(path / "passerby.live")
    store = MemoryStore(log, SystemClock(), Random(1))
    log.note_alone()
    if store.newborn:
        await store.adopt((), whole=True)
        await store.commit(Commit(couple()))
    return store


@in_a_loop
async def test_a_copy_of_the_files_puts_everybody_in_doubt_until_that_is_resolved(tmp_path: Path) -> None:
    """Even if the process dies before that. Afterwards, it is an installation of its own."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    store = await opened(first)
    shutil.copytree(first, second)
    await store.aclose()
    killed = await opened(second)
    assert killed.doubts.everybody
    killed._log.close()
    copy = await opened(second)
    assert copy.doubts.everybody
    assert copy.marks_since is None, "nobody knows which updates the original has taken"
    held = await copy.stored((ANN,))
    assert isinstance(held[ANN].participant.state, Chatting)
    await copy.adopt((), whole=True)
    await copy.aclose()
    again = await opened(second)
    assert again.doubts == Doubts()
    await again.aclose()


@in_a_loop
async def test_files_that_are_moved_or_whose_lock_file_is_deleted_are_no_copy(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    await (await opened(first)).aclose()
    first.rename(second)
    store = await opened(second)
    assert store.doubts == Doubts()
    await store.aclose()
    (second / "passerby.live.lock").unlink()
    for _ in range(2):
        store = await opened(second)
        assert store.doubts == Doubts()
        await store.aclose()


@in_a_loop
async def test_a_command_that_rewrites_the_log_of_a_copy_does_not_make_it_an_original(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    await (await opened(first)).aclose()
    shutil.copytree(first, second)
    store = MemoryStore(FileLog(second / "passerby.live"), SystemClock(), Random(1))
    await store.adopt((), whole=True)
    await store.aclose()
    log = FileLog(second / "passerby.live")
    assert log.is_copy
    log.close()
