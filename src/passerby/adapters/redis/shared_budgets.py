"""Budgets shared by all processes, in Redis. The promise is in `ports.shared_budgets`; see reserve.lua."""

from passerby.adapters.redis import scripts
from passerby.adapters.redis.generation import GenerationClient
from passerby.adapters.redis.holds import Holds, hold_message
from passerby.adapters.redis.pubsub import PubSub
from passerby.ports.shared_budgets import Account, Grant


class RedisSharedBudgets(GenerationClient):
    _holds: Holds
    _pubsub: PubSub

    async def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int) -> Grant:
        if wanted <= 0:
            return Grant(0, 0.0)
        self._pubsub.listen()
        where = (self._keys.store, self._keys.budget(account))
        count, wait_ms = await self._ask(scripts.RESERVE, where, wanted, 1000 / rate_per_s, burst)
        return Grant(count, float(wait_ms) / 1000)

    async def hold(self, account: Account, wait_s: float) -> None:
        self._holds.add(account, wait_s)
        where = (self._keys.store, self._keys.budget(account))
        await self._ask(scripts.RESERVE, where, 0, 1000 * wait_s, self._keys.pubsub, hold_message(account, wait_s))

    def is_held(self, account: Account) -> bool:
        return account in self._holds
