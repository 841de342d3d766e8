"""The state file: the whole world on disk, so that a restart continues where the last run stopped.

There are two parts: FILE (`world.state.State` as MessagePack) and FILE.files/ (one file for each blob, named by its
hash and written once). Each is written under another name and then renamed, so a kill at any moment leaves a complete
file. A `kill -9` loses the changes of the last half second.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from botapi_sandbox.world import World
from botapi_sandbox.world.state import State

SAVE_EVERY_S = 0.5
VERSION = 1


class _Kept(msgspec.Struct):
    version: int
    state: State


class UnreadableState(Exception):
    """The file exists, but it is not a state file of this version."""


def load(path: Path) -> State | None:
    """The state in the file, or None if there is no file. Raises: UnreadableState, OSError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        kept = msgspec.msgpack.decode(raw, type=_Kept)
    except msgspec.DecodeError as problem:
        raise UnreadableState(
            f"{path} is not a state file of this sandbox ({problem}); delete it to start afresh"
        ) from None
    if kept.version != VERSION:
        raise UnreadableState(f"{path} was written by another version; delete it to start afresh")
    kept.state.loads += 1
    return kept.state


class StateFile:
    """Saves a world after changes. Call `load_blobs` first, then `save` or `run`."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._path = path
        self._folder = path.with_name(path.name + ".files")
        self._saved = -1
        self._on_disk: set[str] = set()

    def load_blobs(self) -> None:
        """Load the bytes of the files, newest last."""
        if not self._folder.is_dir():
            return
        for file in sorted(self._folder.iterdir(), key=lambda each: each.stat().st_mtime):
            if file.suffix != ".part":
                self._world.files.restore(file.name, file.read_bytes())
                self._on_disk.add(file.name)

    def save(self) -> None:
        """Write the changes. Cheap if there are none."""
        if self._saved == self._world.changes:
            return
        changes = self._world.changes
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._save_blobs()
        _write(self._path, msgspec.msgpack.encode(_Kept(VERSION, self._world.state)))
        self._saved = changes

    def _save_blobs(self) -> None:
        held = self._world.files.blobs
        for blob in held.keys() - self._on_disk:
            self._folder.mkdir(exist_ok=True)
            _write(self._folder / blob, held[blob])
            self._on_disk.add(blob)
        for blob in self._on_disk - held.keys():
            (self._folder / blob).unlink(missing_ok=True)
        self._on_disk &= held.keys()

    async def run(self) -> None:
        """Save every half second until cancelled."""
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            self.save()


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
