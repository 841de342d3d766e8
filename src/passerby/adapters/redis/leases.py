"""Living workers and their leases, in Redis. The promise is in `ports.leases`; see heartbeat.lua and take.lua."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import AbstractConnection

from passerby.adapters.redis import scripts
from passerby.adapters.redis.calls import Word
from passerby.adapters.redis.generation import GenerationClient, handshake_args
from passerby.adapters.redis.keys import Keys
from passerby.ports.leases import LeaseName, Members, WorkerId


class RedisLeases(GenerationClient):
    async def heartbeat(self, worker: WorkerId, held: Mapping[LeaseName, int], ttl_s: float, report: bytes) -> Members:
        keys = self._keys
        where = (keys.store, keys.workers, keys.leases, keys.epochs, keys.evicted)
        generation, changes, latest, _ = handshake_args(self._clock, self._rng, latest=self._latest)
        words: list[Word] = [worker, _ms(ttl_s), report, generation, changes, latest]
        for lease, epoch in held.items():
            words += (lease, epoch)
        *answer, server_us, latest = await self._ask(scripts.HEARTBEAT, where, *words)
        self._time.heard(int(server_us))
        self._see(int(latest))
        return self._members(answer)

    async def members(self) -> Members:
        keys = self._keys
        return self._members(await self._ask(scripts.MEMBERS, (keys.store, keys.workers, keys.leases)))

    def _members(self, answer: Any) -> Members:
        adopted, *rest = answer
        if adopted:
            self._adopted()
        return _listed(*rest)

    async def take(self, worker: WorkerId, lease: LeaseName, ttl_s: float) -> int | None:
        keys = self._keys
        where = (keys.store, keys.workers, keys.leases, keys.epochs)
        epoch: int | None = await self._ask(scripts.TAKE, where, worker, _ms(ttl_s), lease)
        return epoch

    async def give(self, worker: WorkerId, lease: LeaseName, epoch: int) -> None:
        await self._give(worker, lease, epoch)

    async def leave(self, worker: WorkerId) -> None:
        await self._give(worker)

    async def _give(self, worker: WorkerId, *what: Word) -> None:
        keys = self._keys
        await self._ask(scripts.GIVE, (keys.store, keys.workers, keys.leases), worker, *what)


async def watched(connection: AbstractConnection, keys: Keys) -> Members:
    """The living workers and what they hold, without taking part: an empty server stays empty. Raises: RedisError."""
    generation = await _answer(connection, "HGET", keys.store, "generation")
    if generation is None:
        return Members(frozenset(), {}, {})
    where = (keys.store, keys.workers, keys.leases)
    _, *rest = await _answer(connection, "EVAL", scripts.MEMBERS.source, len(where), *where, generation)
    return _listed(*rest)


async def _answer(connection: AbstractConnection, *command: Word) -> Any:
    await connection.send_command(*command, check_health=False)
    return await connection.read_response()


def _listed(kept: list[bytes], workers: list[Any], holders: list[bytes], *journal: bytes) -> Members:
    came = sorted(zip(workers[1::3], workers[::3], workers[2::3], strict=True))
    return Members(
        frozenset(LeaseName(lease.decode()) for lease in kept),
        {WorkerId(worker.decode()): report for _, worker, report in came},
        {
            LeaseName(lease.decode()): WorkerId(worker.decode())
            for lease, worker in zip(holders[::2], holders[1::2], strict=True)
        },
        *map(int, journal),
    )


def _ms(time_s: float) -> int:
    return max(1, round(time_s * 1000))
