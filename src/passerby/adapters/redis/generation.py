"""Calls scripts on one generation of the store, and follows the store from one generation to the next.

Every script checks the generation. Another generation begins on a server that was wiped, and on a server that may have
lost its newest writes (rebirth.lua). From then on every call is refused (`RedisWiped`) until this process or another
one has adopted the records, or compared them with the store. Only calls that compare and repair pass. A store that is
opened on a new generation takes part in it from the start, as the port says.

While a cluster moves our slot, key by key, a node runs a script if it has all keys of the script. But a script may
remove the last entry of a hash, which removes the hash, and then write to it again. A node that is moving the slot then
takes the key for moved, and stops the script half way. Therefore every script that writes also names a key that never
exists. Then no node has all the keys while the slot is moving, and the script is refused before it begins (TRYAGAIN,
ASK). Writes wait until the slot has moved.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count
from random import Random
from typing import Any, Final, NamedTuple

from passerby.adapters.redis import scripts
from passerby.adapters.redis.batcher import Batcher
from passerby.adapters.redis.calls import Command, Word
from passerby.adapters.redis.errors import RedisNewer, RedisWiped
from passerby.adapters.redis.handshake import with_handshake
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.scripts import Script
from passerby.adapters.redis.server_time import ServerTime
from passerby.ports.clock import Clock
from passerby.ports.doubts import Doubts

_NO_DOUBTS: Final = Doubts()
ANY_RELEASE: Final = 1_000_000
"""Above every release."""


class Generation(NamedTuple):
    """`latest`: see `keys`. `server_us`: the server's time at the answer, in microseconds."""

    name: str
    newborn: bool
    doubts: Doubts = _NO_DOUBTS
    latest: int = 0
    server_us: int | None = None


def begin_args(
    clock: Clock, rng: Random, *, again: bool = False, latest: int = 0, release: int | None = None, looks: bool = False
) -> tuple[str, int, int, int, int, int]:
    """Return the arguments of begin.lua. Numbers of changes start from the time, so earlier readers are behind.

    `again`: this process took part in an earlier generation, so workers may have held leases in it. `looks`: this
    process only looks, while no worker runs. `release`: ours; None: any release's store will do.
    """
    number = ANY_RELEASE if release is None else release
    return *_new_generation(clock, rng), int(again), latest, number, int(looks or release is None)


def handshake_args(clock: Clock, rng: Random, *, latest: int = 0, loose: bool = False) -> tuple[str, int, int, int]:
    """Return the arguments of handshake.lua. `loose`: a restarted server may have lost acknowledged writes."""
    return *_new_generation(clock, rng), latest, int(loose)


def _new_generation(clock: Clock, rng: Random) -> tuple[str, int]:
    return f"{rng.getrandbits(64):016x}", int(clock.now() * 10_000)


def generation_of(answer: Any) -> Generation:
    name, adopted, doubt, latest, server_us = answer
    doubts = Doubts(is_unsure=True, is_older=doubt > 1) if doubt else _NO_DOUBTS
    return Generation(name.decode(), not (adopted or doubt), doubts, int(latest), int(server_us))


class GenerationClient:
    """`generation` comes from begin.lua. `replicas` is the batcher's; `loose` is handshake.lua's. `release`: ours.
    `time`: the server's, if it is not the one that its answers tell."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        keys: Keys,
        clock: Clock,
        rng: Random,
        generation: Generation,
        *,
        replicas: int = 0,
        loose: bool = False,
        release: int | None = None,
        time: ServerTime | None = None,
    ) -> None:
        def words() -> Sequence[Word]:
            return handshake_args(clock, rng, latest=self._latest, loose=loose)

        self._batcher = Batcher(with_handshake(connect, keys, words), scripts.GENERATION, keys.store, replicas=replicas)
        self._keys = keys
        self._clock = clock
        self._rng = rng
        self._release = release
        self.is_superseded = False
        """A newer release uses the store, so no call will succeed any more."""
        self._time = time or ServerTime(clock)
        self._generation = generation
        self._hear(generation)
        self._latest = generation.latest
        self._expelled = bool(generation.doubts)
        self._name = f"{rng.getrandbits(64):016x}"
        self._calls = count()

    @property
    def generation(self) -> str:
        return self._generation.name

    @property
    def marks_since(self) -> str | None:
        return self._generation.name

    @property
    def newborn(self) -> bool:
        return self._generation.newborn

    @property
    def doubts(self) -> Doubts:
        return self._generation.doubts

    @property
    def busy(self) -> bool:
        """Whether a call is waiting for its answer."""
        return self._batcher.busy

    def _call_name(self) -> str:
        """Return a name that no other call of any process has."""
        return f"{self._name}:{next(self._calls)}"

    async def _read(self, *commands: Command, repairs: bool = False) -> list[Any]:
        """Return what each command found in the current generation. Other clients may have written in between.

        `repairs`: this read serves to resolve doubts about the generation.
        """
        if self._expelled:
            await self._rejoin(repairs)
        generation = self._generation.name
        *found, current = await self._batcher.read(*commands)
        if current != generation.encode():
            raise await self._expel(generation)
        return found

    async def _ask(self, script: Script, keys: Sequence[bytes], *args: Word, repairs: bool = False) -> Any:
        """Call a script in the current generation. `repairs` as for `_read`."""
        if self._expelled:
            await self._rejoin(repairs)
        return await self._ask_of(self._generation.name, script, keys, args)

    async def _ask_of(self, generation: str, script: Script, keys: Sequence[bytes], args: Iterable[Word]) -> Any:
        if script.writes:
            keys = (*keys, self._keys.never)
        try:
            return await self._batcher.call(script, keys, (generation, *args))
        except RedisWiped as wiped:
            raise await self._expel(generation) from wiped

    async def _expel(self, generation: str) -> RedisWiped:
        """Note that this generation is over, and join or begin the next one. Return the error for the callers."""
        if generation == self._generation.name:
            self._expelled = True
            await self._begin()
        return RedisWiped()

    async def _rejoin(self, repairs: bool = False) -> None:
        """Continue in the new generation, if its records have been adopted or for repairs. Raises: RedisWiped."""
        if repairs and (self._generation.doubts or self._generation.newborn):
            return
        await self._refresh()
        if self._expelled:
            raise RedisWiped

    async def _refresh(self) -> None:
        """Ask the store which generation it is in, and whether anything is in doubt."""
        await self._begin()
        self._expelled = self._generation.newborn or bool(self._generation.doubts)

    async def _begin(self) -> None:
        keys = self._keys
        words = begin_args(self._clock, self._rng, again=True, latest=self._latest, release=self._release)
        where = (keys.store, keys.workers, keys.leases, keys.journal)
        try:
            self._generation = generation_of(await self._batcher.call(scripts.BEGIN, where, words))
        except RedisNewer:
            self.is_superseded = True
            raise
        self._hear(self._generation)
        self._see(self._generation.latest)

    def _hear(self, generation: Generation) -> None:
        if generation.server_us is not None:
            self._time.heard(generation.server_us)

    def _see(self, latest: int) -> None:
        self._latest = max(self._latest, latest)

    def _adopted(self) -> None:
        """Note that some worker has adopted the records, or compared them."""
        if self._generation.newborn or self._generation.doubts:
            self._generation = Generation(self._generation.name, newborn=False)
