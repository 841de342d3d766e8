"""CPU µs of this process per relay's share of the live store (one load, one mark), in memory and on a real Valkey.

    python -m benchmarks.live_store [--relays 4000]

A chat of two people; a relay reads the sender and their partner and leaves its update and one pair of the message map.
User and system time of this whole process count, not the server's; the median of five rounds is shown.
"""

import argparse
import asyncio
import resource
import statistics
import tempfile
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from random import Random

import uvloop

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.redis import open_redis
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Gender, Participant, Profile
from passerby.ports.live_store import Commit, Copied, LiveStore, Mark
from tests.contract.servers import start_valkey
from tests.runtime.virtual import VirtualClock

ROUNDS = 5
CHATS = 100
BOT = BotId(1000001)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _somebody(person: int, partner: int, chat: ChatId) -> Participant:
    profile = Profile(1.8e9, 30, 1.8e9, Gender.FEMALE, "en")
    return Participant(PersonId(person), 1, BOT, (BOT,), profile, Chatting(chat, PersonId(partner), 1.8e9))


async def _fill(store: LiveStore) -> None:
    for number in range(1, CHATS + 1):
        chat = ChatId(f"chat-{number}")
        await store.commit(
            Commit((_somebody(2 * number, 2 * number + 1, chat), _somebody(2 * number + 1, 2 * number, chat)))
        )


async def _relay(store: LiveStore, number: int) -> None:
    pair = 1 + number % CHATS
    facts = await store.load(PersonId(2 * pair))
    assert facts is not None
    here, there = MessageRef(BOT, MessageId(2 * number)), MessageRef(BOT, MessageId(2 * number + 1))
    await store.mark(Mark((UpdateRef(BOT, number),), (), ChatId(f"chat-{pair}"), (Copied(here, there, number),)))


async def _cost_us(store: LiveStore, relays: int, in_flight: int, numbers: Iterable[int]) -> float:
    numbers = iter(numbers)

    async def some() -> None:
        for _ in range(relays // in_flight):
            await _relay(store, next(numbers))

    costs = []
    for _ in range(ROUNDS):
        began = _cpu_s()
        await asyncio.gather(*(some() for _ in range(in_flight)))
        costs.append((_cpu_s() - began) / relays * 1e6)
    return statistics.median(costs)


async def _compare(url: str, folder: Path, relays: int) -> None:
    clock = VirtualClock()
    redis, _ = await open_redis(url, clock, Random(1))
    stores: dict[str, LiveStore] = {"memory": MemoryStore(FileLog(folder / "live"), clock, Random(1)), "redis": redis}
    numbers = count(1)
    print("CPU µs per load and mark    1 in flight    32 in flight")
    for name, store in stores.items():
        await _fill(store)
        costs = [await _cost_us(store, relays, in_flight, numbers) for in_flight in (1, 32)]
        print(f"{name:<24}{costs[0]:>15.1f}{costs[1]:>16.1f}")
        await store.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--relays", type=int, default=4000)
    relays = parser.parse_args().relays
    with start_valkey("--appendonly", "yes") as server, tempfile.TemporaryDirectory() as folder:
        uvloop.run(_compare(server.url, Path(folder), relays))


if __name__ == "__main__":
    main()
