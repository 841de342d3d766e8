"""The product, as `passerby run` runs it, in a process that can be asked what it has spent.

Before it starts, the live store's log is written with people who are in chats already, through the store's own port:
nothing of the product is replaced. Budgets are raised out of the way; everything else is as shipped.

Commands on stdin, one a line: `usage`, `profile`, `profiled`. Answers are JSON, one a line.
"""

import argparse
import asyncio
import json
import os
import resource
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import time
from typing import Any

from pydantic import SecretStr

from benchmarks.opposite import people
from benchmarks.sampler import Sampler, threads
from passerby import logs
from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.redis import RedisStore, open_redis
from passerby.bootstrap import SystemClock, live_path
from passerby.bootstrap import serve as serve_fleet
from passerby.cli.serving import run_until_signal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Profile, State
from passerby.ports.live_store import Anchor, Commit, Committed, LiveStore, Mark
from passerby.settings import Settings

OUT_OF_THE_WAY = 100_000
AT_A_TIME = 50
"""People a commit: a script over all of them would hold up Redis."""

sql = Counter[str]()
store_calls = Counter[str]()


def prepare(settings: Settings, pairs: int) -> None:
    """Put `pairs` open chats into a new live store."""
    opened_at = time() - 60
    everybody = people(pairs, list(settings.tokens))
    states = [
        Chatting(ChatId(f"chat{index // 2:016x}"), PersonId(everybody[index ^ 1][0]), opened_at)
        for index in range(len(everybody))
    ]
    asyncio.run(_fill(settings, everybody, states))


async def prepare_idle(settings: Settings, everybody: list[tuple[int, int]]) -> None:
    """Put people who do nothing, but are known, into a new live store."""
    await _fill(settings, everybody, [Idle()] * len(everybody))


async def _fill(settings: Settings, everybody: list[tuple[int, int]], states: Sequence[State]) -> None:
    now = time()
    profile = Profile(consented_at=now, age=25, age_given_at=now, gender=Gender.UNSAID, language="en")
    puts = tuple(
        Participant(PersonId(person), 1, bot=BotId(bot), bots=(BotId(bot),), profile=profile, state=state, seen_at=now)
        for (person, bot), state in zip(everybody, states, strict=True)
    )
    store: LiveStore
    if settings.is_shared:
        store = (await open_redis(settings.redis_url.get_secret_value(), SystemClock(), Random(1))).store
    else:
        store = MemoryStore(FileLog(live_path(settings)), SystemClock(), Random(1))
    for first in range(0, len(puts), AT_A_TIME):
        assert await store.commit(Commit(puts[first : first + AT_A_TIME])) is Committed.YES
    for put in puts:
        if isinstance(put.state, Chatting) and put.bot is not None:
            # "Partner found" has arrived, long ago.
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
    """Count what is asked of the live store. Costs time: for runs that only count."""
    for name in ("load", "commit", "mark", "done", "open_chats", "mapped", "file_id", "remember_file", "journal"):
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
    spent = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "user_s": spent.ru_utime,
        "system_s": spent.ru_stime,
        "switches": spent.ru_nvcsw + spent.ru_nivcsw,
        "rss_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "threads": threads(),
        "sql": sql.total(),
        "store": dict(store_calls),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--core", type=int)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--redis-url", help="with --postgres-uri: these instead of files")
    parser.add_argument("--postgres-uri")
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    stores: dict[str, Any] = {"sqlite_db_path": options.directory / "passerby.db"}
    if options.redis_url:
        urls = {"redis_url": SecretStr(options.redis_url), "postgres_uri": SecretStr(options.postgres_uri)}
        stores = urls | {"secret_key": SecretStr(b64encode(bytes(32)).decode())}
    settings = Settings(
        bot_tokens=tuple(map(SecretStr, options.tokens.split(","))),
        bot_api_url=options.url,
        **stores,
        bot_rate_per_s=OUT_OF_THE_WAY,
        chat_rate_per_s=OUT_OF_THE_WAY,
        chat_burst=OUT_OF_THE_WAY,
        shutdown_timeout_s=1,
    )
    logs.set_up("warning", "console")
    if options.pairs:
        prepare(settings, options.pairs)
    count_sql()
    if options.count:
        count_store_calls()
    sampler = Sampler()

    def asked() -> None:
        for command in os.read(sys.stdin.fileno(), 1024).split():
            answer: dict[str, Any] = {}
            match command:
                case b"usage":
                    answer = usage()
                case b"profile":
                    sampler.start()
                case b"profiled":
                    sampler.stop()
                    answer = sampler.report()
            print(json.dumps(answer), flush=True)

    def ready() -> None:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), asked)
        print(json.dumps({"ready": True}), flush=True)

    run_until_signal(lambda stop: serve_fleet(settings, on_ready=ready, stop=stop))


if __name__ == "__main__":
    main()
