"""CPU µs of this process and of the server for a relay's use of the live store (one load, one mark).

    python -m benchmarks.live_store [--relays 4000] [--short]

It measures the memory store and a real Valkey. In a hundred chats, the two people write in turn. A relay reads the
sender and their partner, and writes its done mark and one pair of the message map, under the lease of its bot. User and
system time of the whole processes count. The result is the median of five rounds.
"""

import argparse
import asyncio
import json
import resource
import statistics
import tempfile
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from random import Random

import uvloop
from redis import Redis

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.redis import open_redis
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Gender, Participant, Profile
from passerby.ports.leases import Fence, WorkerId, bot_lease
from passerby.ports.live_store import LiveStore
from passerby.ports.message_map import Copied, Mark
from passerby.ports.participants import Commit
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


async def _relay(store: LiveStore, number: int, fence: Fence) -> None:
    pair = 1 + number % CHATS
    sender = PersonId(2 * pair + number // CHATS % 2)
    facts = await store.load(sender)
    assert facts is not None
    here, there = MessageRef(BOT, MessageId(2 * number)), MessageRef(BOT, MessageId(2 * number + 1))
    await store.mark(
        Mark(
            (UpdateRef(BOT, number),),
            chat=ChatId(f"chat-{pair}"),
            pairs=(Copied(here, there, number),),
            speaker=sender,
            fences=(fence,),
        )
    )


async def _cost_us(
    store: LiveStore, relays: int, in_flight: int, numbers: Iterable[int], server_cpu_s: Callable[[], float]
) -> tuple[float, float]:
    """The time of this process, and of the server."""
    numbers = iter(numbers)
    worker, lease = WorkerId(f"worker-{next(numbers)}"), bot_lease(BOT)
    await store.heartbeat(worker, {}, 3600.0, b"")
    epoch = await store.take(worker, lease, 3600.0)
    assert epoch is not None
    fence = Fence(lease, epoch)

    async def some() -> None:
        for _ in range(relays // in_flight):
            await _relay(store, next(numbers), fence)

    ours, theirs = list[float](), list[float]()
    for _ in range(ROUNDS):
        began, server_began = _cpu_s(), server_cpu_s()
        await asyncio.gather(*(some() for _ in range(in_flight)))
        ours.append((_cpu_s() - began) / relays * 1e6)
        theirs.append((server_cpu_s() - server_began) / relays * 1e6)
    await store.leave(worker)
    return statistics.median(ours), statistics.median(theirs)


async def _compare(url: str, folder: Path, relays: int) -> dict[str, dict[str, float]]:
    clock = VirtualClock()
    by_hand = Redis.from_url(url)

    def server_cpu_s() -> float:
        used = by_hand.info("cpu")
        return float(used["used_cpu_user"] + used["used_cpu_sys"])

    redis, _ = await open_redis(url, clock, Random(1), may_lose=True)
    stores: dict[str, tuple[LiveStore, Callable[[], float]]] = {
        "memory": (MemoryStore(FileLog(folder / "live"), clock, Random(1)), lambda: 0.0),
        "redis": (redis, server_cpu_s),
    }
    numbers = count(1)
    found = {}
    print(
        f"{'CPU µs per load and mark':<26}{'1 in flight':>13}{'its server':>13}{'32 in flight':>15}{'its server':>13}"
    )
    for name, (store, server) in stores.items():
        await _fill(store)
        alone = await _cost_us(store, relays, 1, numbers, server)
        together = await _cost_us(store, relays, 32, numbers, server)
        print(f"{name:<26}{alone[0]:>13.1f}{alone[1]:>13.1f}{together[0]:>15.1f}{together[1]:>13.1f}")
        await store.aclose()
        names = ("alone_us", "alone_server_us", "together_us", "together_server_us")
        found[name] = dict(zip(names, (*alone, *together), strict=True))
    by_hand.close()
    return found


def main(arguments: list[str] | None = None) -> dict[str, dict[str, float]]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live_store",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--relays", type=int, default=4000)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    relays = 640 if options.short else options.relays
    with start_valkey("--appendonly", "yes") as server, tempfile.TemporaryDirectory() as folder:
        found = uvloop.run(_compare(server.url, Path(folder), relays))
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
