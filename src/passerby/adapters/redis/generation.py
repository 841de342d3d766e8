"""Asks scripts, each on the life of the store that is meant, and follows the store from one life to the next.

Every script checks the generation. Another life begins on a server that has been wiped, and on one that may have lost
its newest writes (rebirth.lua). From then on everything is refused (`RedisWiped`) until the records have been adopted,
or compared, by this store or by another process; only what compares and repairs is let through. Who is opened on a new
life takes part in it from the start, as the port says.

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
from passerby.adapters.redis.batcher import Command, Pipe, Word
from passerby.adapters.redis.errors import RedisWiped
from passerby.adapters.redis.handshake import greeted
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.scripts import Script
from passerby.ports.clock import Clock
from passerby.ports.live_store import Doubts

_NO_DOUBTS: Final = Doubts()


class Life(NamedTuple):
    """`latest`: see `keys`."""

    generation: str
    newborn: bool
    doubts: Doubts = _NO_DOUBTS
    latest: int = 0


def begin_words(clock: Clock, rng: Random, *, again: bool = False, latest: int = 0) -> tuple[str, int, int, int]:
    """What begin.lua takes. Changes are counted on from the time, so that a reader of an earlier life is behind.

    `again`: who begins was there in an earlier life, and others may have held something in it.
    """
    return *_new_life(clock, rng), int(again), latest


def greet_words(clock: Clock, rng: Random, *, latest: int = 0, loose: bool = False) -> tuple[str, int, int, int]:
    """What greet.lua takes. `loose`: a server that starts again may have lost what it acknowledged."""
    return *_new_life(clock, rng), latest, int(loose)


def _new_life(clock: Clock, rng: Random) -> tuple[str, int]:
    return f"{rng.getrandbits(64):016x}", int(clock.now() * 10_000)


def life_of(answer: Any) -> Life:
    generation, adopted, doubt, latest = answer
    doubts = Doubts(is_unsure=True, is_older=doubt > 1) if doubt else _NO_DOUBTS
    return Life(generation.decode(), not (adopted or doubt), doubts, int(latest))


class Lives:
    """`life` is what begin.lua said. `replicas` as for the pipe; `loose` as for greet.lua."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        keys: Keys,
        clock: Clock,
        rng: Random,
        life: Life,
        *,
        replicas: int = 0,
        loose: bool = False,
    ) -> None:
        def words() -> Sequence[Word]:
            return greet_words(clock, rng, latest=self._latest, loose=loose)

        self._pipe = Pipe(greeted(connect, keys, words), scripts.LIFE, keys.life, replicas=replicas)
        self._keys = keys
        self._clock = clock
        self._rng = rng
        self._life = life
        self._latest = life.latest
        self._expelled = bool(life.doubts)
        self._name = f"{rng.getrandbits(64):016x}"
        self._calls = count()

    @property
    def generation(self) -> str:
        return self._life.generation

    @property
    def newborn(self) -> bool:
        return self._life.newborn

    @property
    def doubts(self) -> Doubts:
        return self._life.doubts

    @property
    def busy(self) -> bool:
        """Whether an answer of the server is awaited."""
        return self._pipe.busy

    def _call_name(self) -> str:
        """Names one call among those of all processes."""
        return f"{self._name}:{next(self._calls)}"

    async def _read(self, *commands: Command, repairs: bool = False) -> list[Any]:
        """What each of these commands found, in the life that is meant. Others may have written in between.

        `repairs`: it serves to resolve the doubts about this life.
        """
        if self._expelled:
            await self._rejoin(repairs)
        generation = self._life.generation
        *found, life = await self._pipe.read(*commands)
        if life != generation.encode():
            raise await self._expel(generation)
        return found

    async def _ask(self, script: Script, keys: Sequence[bytes], *args: Word, repairs: bool = False) -> Any:
        """`repairs` as for `_read`."""
        if self._expelled:
            await self._rejoin(repairs)
        return await self._ask_of(self._life.generation, script, keys, args)

    async def _ask_of(self, generation: str, script: Script, keys: Sequence[bytes], args: Iterable[Word]) -> Any:
        if script.writes:
            keys = (*keys, self._keys.never)
        try:
            return await self._pipe.call(script, keys, (generation, *args))
        except RedisWiped as wiped:
            raise await self._expel(generation) from wiped

    async def _expel(self, generation: str) -> RedisWiped:
        """A life is over; begin another, unless somebody here has. Returns what callers are told."""
        if generation == self._life.generation:
            self._expelled = True
            await self._begin()
        return RedisWiped()

    async def _rejoin(self, repairs: bool = False) -> None:
        """Go on in the new life, if its records have been adopted, or for repairs. Raises RedisWiped."""
        if repairs and self._life.doubts:
            return
        await self._refresh()
        if self._expelled:
            raise RedisWiped

    async def _refresh(self) -> None:
        """Hear how the life stands now."""
        await self._begin()
        self._expelled = self._life.newborn or bool(self._life.doubts)

    async def _begin(self) -> None:
        keys = self._keys
        words = begin_words(self._clock, self._rng, again=True, latest=self._latest)
        self._life = life_of(await self._pipe.call(scripts.BEGIN, (keys.life, keys.workers, keys.leases), words))
        self._see(self._life.latest)

    def _see(self, latest: int) -> None:
        self._latest = max(self._latest, latest)

    def _adopted(self) -> None:
        """Somebody has taken in the records, or compared them."""
        if self._life.newborn or self._life.doubts:
            self._life = Life(self._life.generation, newborn=False)
