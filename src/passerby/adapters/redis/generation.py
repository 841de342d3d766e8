"""Asks scripts, each on the generation of the store that is meant, and follows the store from one generation to the
next.

Every script checks the generation. Another generation begins on a server that has been wiped, and on one that may have
lost its newest writes (rebirth.lua). From then on everything is refused (`RedisWiped`) until the records have been
adopted, or compared, by this store or by another process; only what compares and repairs is let through. Who is opened
on a new generation takes part in it from the start, as the port says.

While a cluster moves our slot, key by key, a node runs a script if it has all of the script's keys. But a script may
remove the last entry of a hash, which removes the hash, and then write to it again: to a node that is moving the slot,
that key is elsewhere by now, so it stops the script half way. Therefore every script that writes names one more key
that never exists. Then no node has all of the keys while the slot is moving, and the script is refused before it begins
(TRYAGAIN, ASK): writing waits until the slot has moved.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count
from random import Random
from typing import Any, Final, NamedTuple

from passerby.adapters.redis import scripts
from passerby.adapters.redis.batcher import Batcher, Command, Word
from passerby.adapters.redis.errors import RedisWiped
from passerby.adapters.redis.handshake import with_handshake
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.scripts import Script
from passerby.ports.clock import Clock
from passerby.ports.doubts import Doubts

_NO_DOUBTS: Final = Doubts()


class Generation(NamedTuple):
    """`latest`: see `keys`."""

    name: str
    newborn: bool
    doubts: Doubts = _NO_DOUBTS
    latest: int = 0


def begin_words(clock: Clock, rng: Random, *, again: bool = False, latest: int = 0) -> tuple[str, int, int, int]:
    """What begin.lua takes. Changes are counted on from the time, so that a reader of an earlier generation is behind.

    `again`: who begins was there in an earlier generation, and others may have held something in it.
    """
    return *_new_generation(clock, rng), int(again), latest


def greet_words(clock: Clock, rng: Random, *, latest: int = 0, loose: bool = False) -> tuple[str, int, int, int]:
    """What handshake.lua takes. `loose`: a server that starts again may have lost what it acknowledged."""
    return *_new_generation(clock, rng), latest, int(loose)


def _new_generation(clock: Clock, rng: Random) -> tuple[str, int]:
    return f"{rng.getrandbits(64):016x}", int(clock.now() * 10_000)


def generation_of(answer: Any) -> Generation:
    name, adopted, doubt, latest = answer
    doubts = Doubts(is_unsure=True, is_older=doubt > 1) if doubt else _NO_DOUBTS
    return Generation(name.decode(), not (adopted or doubt), doubts, int(latest))


class GenerationClient:
    """`generation` is what begin.lua said. `replicas` as for the pipe; `loose` as for handshake.lua."""

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
    ) -> None:
        def words() -> Sequence[Word]:
            return greet_words(clock, rng, latest=self._latest, loose=loose)

        self._batcher = Batcher(with_handshake(connect, keys, words), scripts.GENERATION, keys.store, replicas=replicas)
        self._keys = keys
        self._clock = clock
        self._rng = rng
        self._generation = generation
        self._latest = generation.latest
        self._expelled = bool(generation.doubts)
        self._name = f"{rng.getrandbits(64):016x}"
        self._calls = count()

    @property
    def generation(self) -> str:
        return self._generation.name

    @property
    def newborn(self) -> bool:
        return self._generation.newborn

    @property
    def doubts(self) -> Doubts:
        return self._generation.doubts

    @property
    def busy(self) -> bool:
        """Whether an answer of the server is awaited."""
        return self._batcher.busy

    def _call_name(self) -> str:
        """Names one call among those of all processes."""
        return f"{self._name}:{next(self._calls)}"

    async def _read(self, *commands: Command, repairs: bool = False) -> list[Any]:
        """What each of these commands found, in the generation that is meant. Others may have written in between.

        `repairs`: it serves to resolve the doubts about this generation.
        """
        if self._expelled:
            await self._rejoin(repairs)
        generation = self._generation.name
        *found, current = await self._batcher.read(*commands)
        if current != generation.encode():
            raise await self._expel(generation)
        return found

    async def _ask(self, script: Script, keys: Sequence[bytes], *args: Word, repairs: bool = False) -> Any:
        """`repairs` as for `_read`."""
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
        """A generation is over; begin another, unless somebody here has. Returns what callers are told."""
        if generation == self._generation.name:
            self._expelled = True
            await self._begin()
        return RedisWiped()

    async def _rejoin(self, repairs: bool = False) -> None:
        """Go on in the new generation, if its records have been adopted, or for repairs. Raises RedisWiped."""
        if repairs and self._generation.doubts:
            return
        await self._refresh()
        if self._expelled:
            raise RedisWiped

    async def _refresh(self) -> None:
        """Hear how the generation stands now."""
        await self._begin()
        self._expelled = self._generation.newborn or bool(self._generation.doubts)

    async def _begin(self) -> None:
        keys = self._keys
        words = begin_words(self._clock, self._rng, again=True, latest=self._latest)
        self._generation = generation_of(
            await self._batcher.call(scripts.BEGIN, (keys.store, keys.workers, keys.leases), words)
        )
        self._see(self._generation.latest)

    def _see(self, latest: int) -> None:
        self._latest = max(self._latest, latest)

    def _adopted(self) -> None:
        """Somebody has taken in the records, or compared them."""
        if self._generation.newborn or self._generation.doubts:
            self._generation = Generation(self._generation.name, newborn=False)
