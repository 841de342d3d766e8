"""Asks scripts, each on the life of the store that is meant, and follows the store from one life to the next.

Every script checks the generation. On a server that has been wiped it refuses (`RedisWiped`), a new life is begun, and
from then on everything is refused until the records have been adopted, by this store or by another process. Who is
opened on a new life takes part in it from the start, as the port says.

While a cluster moves our slot, key by key, a node runs a script if it has all of the script's keys. But a script may
remove the last entry of a hash, which removes the hash, and then write to it again: to a node that is moving the slot,
that key is elsewhere by now, so it stops the script half way. Therefore every script that writes names one more key
that never exists. Then no node has all of the keys while the slot is moving, and the script is refused before it begins
(TRYAGAIN, ASK): writing waits until the slot has moved.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count
from random import Random
from typing import Any, NamedTuple

from passerby.adapters.redis import scripts
from passerby.adapters.redis.errors import RedisWiped
from passerby.adapters.redis.greeting import greeted
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.pipe import Command, Pipe, Word
from passerby.adapters.redis.scripts import Script
from passerby.ports.clock import Clock
from passerby.ports.live_store import Doubts


class Life(NamedTuple):
    generation: str
    newborn: bool


def begin_words(clock: Clock, rng: Random, *, again: bool = False) -> tuple[str, int, int]:
    """What begin.lua takes. Changes are counted on from the time, so that a reader of an earlier life is behind.

    `again`: who begins was there in an earlier life, and others may have held something in it.
    """
    return f"{rng.getrandbits(64):016x}", int(clock.now() * 10_000), int(again)


def life_of(answer: Any) -> Life:
    generation, adopted = answer
    return Life(generation.decode(), not adopted)


class Lives:
    """`life` is what begin.lua said."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        keys: Keys,
        clock: Clock,
        rng: Random,
        life: Life,
        pipe: Pipe | None,
    ) -> None:
        self._pipe = pipe or Pipe(greeted(connect, keys), scripts.LIFE, keys.life)
        self._keys = keys
        self._clock = clock
        self._rng = rng
        self._life = life
        self._expelled = False
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
        return Doubts()

    @property
    def busy(self) -> bool:
        """Whether an answer of the server is awaited."""
        return self._pipe.busy

    def _call_name(self) -> str:
        """Names one call among those of all processes."""
        return f"{self._name}:{next(self._calls)}"

    async def _read(self, *commands: Command) -> list[Any]:
        """What each of these commands found, in the life that is meant. Others may have written in between."""
        if self._expelled:
            await self._rejoin()
        generation = self._life.generation
        *found, life = await self._pipe.read(*commands)
        if life != generation.encode():
            raise await self._expel(generation)
        return found

    async def _ask(self, script: Script, keys: Sequence[bytes], *args: Word) -> Any:
        if self._expelled:
            await self._rejoin()
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
            self._life = await self._begin()
        return RedisWiped()

    async def _rejoin(self) -> None:
        """Go on in the new life, if its records have been adopted. Raises RedisWiped."""
        self._life = await self._begin()
        if self._life.newborn:
            raise RedisWiped
        self._expelled = False

    async def _begin(self) -> Life:
        answer = await self._pipe.call(
            scripts.BEGIN, (self._keys.life,), begin_words(self._clock, self._rng, again=True)
        )
        return life_of(answer)

    def _adopted(self) -> None:
        """Somebody has taken in the records."""
        if self._life.newborn:
            self._life = Life(self._life.generation, newborn=False)
