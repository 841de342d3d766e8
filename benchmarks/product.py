"""Runs the product like `passerby run`, in a process that reports what it has used.

Before the start, people are put into the live store through its own port: in chats, or with `--idle` in none.
Nothing in the product is replaced. Budgets are raised out of the way, unless `--shipped` keeps the defaults. All
other settings are the defaults.

Each line of stdin is a command: `usage`, `profile` or `profiled`. Each answer is one line of JSON.
"""

import argparse
import asyncio
import os
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import time
from typing import Any

from pydantic import SecretStr

from benchmarks.load_peer import PLAN, STARS, order_of, people
from benchmarks.sampler import Sampler, threads
from benchmarks.stdin_commands import answer_commands, spent
from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.redis import RedisStore, open_redis
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.serving import Role
from passerby.bootstrap.serving import serve as serve_fleet
from passerby.cli.lean_imports import keep_all
from passerby.cli.serving import run_until_signal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.money import PurchaseId, PurchaseOrder, Wallet
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Profile, State
from passerby.ports.facts import PersonChanged
from passerby.ports.live_store import LiveStore
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit, Committed
from passerby.settings import Settings, open_key
from passerby.telemetry import logs, metrics
from passerby.web.endpoints import endpoint_of

OUT_OF_THE_WAY = 100_000
CHAT_RATE_PER_S, CHAT_BURST = 1_000, 20_000
"""The same ratio as the defaults, so that a block granted to a worker for a chat lasts as long."""
AT_A_TIME = 50
"""People in each commit. A script over all of them would block Redis."""

sql = Counter[str]()
store_calls = Counter[str]()


ORDER_S = 86_400.0


def prepare(settings: Settings, pairs: int) -> None:
    """Put `pairs` open chats into a new live store."""
    opened_at = time() - 60
    everybody = people(pairs, list(settings.tokens))
    states = [
        Chatting(ChatId(f"chat{index // 2:016x}"), PersonId(everybody[index ^ 1][0]), opened_at)
        for index in range(len(everybody))
    ]
    asyncio.run(_fill(settings, everybody, states))


def prepare_strangers(settings: Settings, pairs: int) -> None:
    """Put as many people into a new live store. They are known, but in no chat."""
    everybody = people(pairs, list(settings.tokens))
    asyncio.run(_fill(settings, everybody, [Idle()] * len(everybody)))


async def _fill(settings: Settings, everybody: list[tuple[int, int]], states: Sequence[State]) -> None:
    now = time()
    profile = Profile(consented_at=now, age=25, age_given_at=now, gender=Gender.UNSAID, language="en")

    def put_of(person: int, bot: int, state: State) -> Participant:
        wallet = None
        if settings.vip_plans:
            plan = settings.vip_plans[0]
            number, ends_at = PurchaseId(order_of(person)), now + ORDER_S
            wallet = Wallet((PurchaseOrder(number, plan.name, plan.days, STARS, BotId(bot), now, ends_at),))
        return Participant(
            PersonId(person),
            1,
            bot=BotId(bot),
            bots=(BotId(bot),),
            profile=profile,
            state=state,
            seen_at=now,
            wallet=wallet,
        )

    puts = tuple(put_of(person, bot, state) for (person, bot), state in zip(everybody, states, strict=True))
    store: LiveStore
    if settings.is_shared:
        store = (await open_redis(settings.redis_url.get_secret_value(), SystemClock(), Random(1), may_lose=True)).store
    else:
        open_key(settings)  # the first start makes the key file
        store = MemoryStore(FileLog(settings.live_path), SystemClock(), Random(1))
    for first in range(0, len(puts), AT_A_TIME):
        some = puts[first : first + AT_A_TIME]
        # With the facts for the records. Without these, the two stores differ, and the product ends every chat.
        facts = tuple(PersonChanged(put, put.seen_at) for put in some)
        assert await store.commit(Commit(some, facts=facts)) is Committed.YES
    for put in puts:
        if isinstance(put.state, Chatting) and put.bot is not None:
            # "Partner found" arrived long ago.
            told = Anchor(put.state.chat, put.person, MessageRef(put.bot, MessageId(1)))
            await store.mark(Mark(anchor=told))
    await store.aclose()


def count_sql() -> None:
    """Count every statement of every engine in this process."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "before_cursor_execute")
    def before(_: Any, __: Any, statement: str, *___: Any) -> None:
        sql[statement.split(maxsplit=1)[0].upper()] += 1


def count_store_calls() -> None:
    """Count the calls to the live store. This costs time, so it is for runs that only count."""
    names = (
        "load",
        "counterpart",
        "commit",
        "mark",
        "done",
        "open_chats",
        "reserve",
        "preceded",
        "journal",
        "heartbeat",
    )
    for name in (*names, "file_id", "remember_file"):
        for store in (MemoryStore, RedisStore):
            method = getattr(store, name, None)
            if method is not None:
                setattr(store, name, _counted(name, method))


def _counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        store_calls[name] += 1
        return method(*arguments, **named)

    return counted


def usage() -> dict[str, Any]:
    """`trips`: round trips to the live store, if it is a server. `calls`: the calls in them."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return spent() | {
        "rss_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "threads": threads(),
        "sql": sql.total(),
        "store": dict(store_calls),
        "calls": metrics.STORE_CALLS.total(),
        "trips": sum(metrics.STORE_TRIPS.counts()),
        "bots": metrics.LEASES.value("bot"),
        "connections": metrics.CONNECTIONS.total(),
    }


def endpoints(settings: Settings) -> dict[str, Any]:
    """Where Telegram sends updates, in the form that the other side reads."""
    found = (endpoint_of(bot, open_key(settings)) for bot in settings.tokens)
    return {
        "url": settings.webhook_url,
        "endpoints": ",".join(f"{endpoint.bot}:{endpoint.path}:{endpoint.secret}" for endpoint in found),
    }


def settings_of(options: argparse.Namespace) -> Settings:
    stores: dict[str, Any] = {"sqlite_db_path": options.directory / "passerby.db"}
    if options.redis_url:
        urls = {"redis_url": SecretStr(options.redis_url), "postgres_uri": SecretStr(options.postgres_uri)}
        # Several processes share a small server.
        stores = urls | {"secret_key": SecretStr(b64encode(bytes(32)).decode()), "db_pool_max": 20}
    if options.web:
        where = f"127.0.0.1:{options.web}"
        stores |= {"update_mode": "webhook", "webhook_url": f"http://{where}/bench", "webhook_listen": where}
    if options.sells:
        stores |= {"vip_plans": PLAN}
    budgets = {"bot_rate_per_s": OUT_OF_THE_WAY, "chat_rate_per_s": CHAT_RATE_PER_S, "chat_burst": CHAT_BURST}
    budgets |= {"person_rate_per_s": OUT_OF_THE_WAY, "person_at_once": 10_000}
    return Settings(
        bot_tokens=tuple(map(SecretStr, options.tokens.split(","))),
        bot_api_url=options.url,
        run_dir=options.directory,
        # A rolling reload is measured with the time that a stop really has.
        **({} if options.sells else {"shutdown_timeout_s": 1}),
        **stores,
        **({} if options.shipped else budgets),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--name", default="worker-0")
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--idle", action="store_true", help="they are in no chat")
    parser.add_argument("--sells", action="store_true", help="a plan is on sale, and everybody has an invoice")
    parser.add_argument("--shipped", action="store_true", help="the budgets of bots and chats as they are by default")
    parser.add_argument("--web", type=int, help="the port to take webhooks on, instead of polling")
    parser.add_argument("--core", type=int)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--redis-url", help="with --postgres-uri: these instead of files")
    parser.add_argument("--postgres-uri")
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    settings = settings_of(options)
    logs.set_up("warning", "console")
    if options.pairs:
        (prepare_strangers if options.idle else prepare)(settings, options.pairs)
    count_sql()
    if options.count:
        count_store_calls()
    sampler = Sampler()

    def profile() -> dict[str, Any]:
        sampler.start()
        return {}

    def profiled() -> dict[str, Any]:
        sampler.stop()
        return sampler.report()

    def ready() -> None:
        keep_all()
        answer_commands(
            {"usage": usage, "profile": profile, "profiled": profiled, "endpoints": lambda: endpoints(settings)}
        )

    # A plain worker receives no webhooks.
    role: Role = "worker" if settings.is_shared and not options.web else "all"
    run_until_signal(lambda stop: serve_fleet(settings, role=role, name=options.name, on_ready=ready, stop=stop))


if __name__ == "__main__":
    main()
