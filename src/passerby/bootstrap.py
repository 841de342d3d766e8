"""The one place where adapters are constructed and handed to the runtime."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom

from passerby import logs
from passerby.adapters.botapi import BotApi
from passerby.adapters.botapi.hooks import BotApiHooks
from passerby.adapters.memory import FileLog, LogInUse, MemoryStore
from passerby.adapters.sql import DatabaseUnusable, SchemaState, SqlRecords
from passerby.adapters.sql import init_schema as sql_init_schema
from passerby.adapters.sql import schema_state as sql_schema_state
from passerby.catalogue import Catalogue
from passerby.domain.budgets import Budget
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.decision import ContactPolicy, Rules
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.runtime.app import App, NoBotWorks
from passerby.settings import Settings, WrongSetting, open_key
from passerby.web.hooking import Hooking
from passerby.web.paths import door_of


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()  # noqa: TID251  # where time comes from

    def monotonic(self) -> float:
        return time.monotonic()  # noqa: TID251  # where time comes from

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


async def serve(settings: Settings, *, on_ready: Callable[[], None] | None = None, stop: asyncio.Event) -> None:
    """Run the fleet until `stop` is set, then finish what is in hand and return.

    Raises: WrongSetting, for what only shows on opening: a database in use, tokens that all are refused.
    """
    if not settings.tokens:
        raise WrongSetting("BOT_TOKENS", "there is none", "give at least one token, or try `passerby demo` without")
    clock, rng = SystemClock(), SystemRandom()
    key = open_key(settings)
    log = _open_log(settings)
    try:
        await init_schema(settings)
        records = SqlRecords.at(_database(settings))
    except BaseException:
        log.close()
        raise
    store = MemoryStore(log, clock, rng)
    telegram = BotApi(
        {bot: token.get_secret_value() for bot, token in settings.tokens.items()},
        store,
        base_url=settings.bot_api_url,
        unlimited_files=settings.bot_api_local,
    )
    app = App(
        telegram=telegram,
        store=store,
        records=records,
        features=ALL,
        introduce=introduce,
        words=Catalogue.load(Path(__file__).parent),
        clock=clock,
        rng=rng,
        rules=Rules(
            minimum_age=settings.minimum_age,
            contact_policy=ContactPolicy(settings.contact_policy),
            just_met_s=settings.contact_policy_min * 60,
        ),
        key=key,
        bot_budget=Budget(settings.bot_rate_per_s, max(1, round(settings.bot_rate_per_s))),
        chat_budget=Budget(settings.chat_rate_per_s, settings.chat_burst),
    )
    try:
        await app.start()
        logs.record("runtime.ready", bots=len(telegram.bots))
        if on_ready is not None:
            on_ready()
        await stop.wait()
        logs.record("runtime.stopping")
        whole = await app.stop(settings.shutdown_timeout_s)
        logs.record("runtime.stopped", reason="all done" if whole else "the rest is done by the next start")
    except NoBotWorks:
        raise WrongSetting("BOT_TOKENS", "Telegram refuses every one", "ask @BotFather for the bots' tokens") from None
    finally:
        await telegram.aclose()
        await records.aclose()
        try:
            await store.aclose()
        except LiveStoreLost as error:
            logs.failed("store.lost", error)


def _open_log(settings: Settings) -> FileLog:
    path = live_path(settings)
    try:
        return FileLog(path)
    except LogInUse:
        raise WrongSetting(
            "SQLITE_DB_PATH", f"another Passerby uses {path.name} now", "stop it, or give this one another path"
        ) from None
    except OSError as error:
        raise WrongSetting(
            "SQLITE_DB_PATH", f"{path.name} cannot be opened ({error.strerror})", "name a directory that can be written"
        ) from None


def live_path(settings: Settings) -> Path:
    """Where the live store of one process keeps its log: beside the database."""
    return settings.sqlite_db_path.with_suffix(".live")


def _database(settings: Settings) -> str | Path:
    return settings.postgres_uri.get_secret_value() if settings.postgres_uri else settings.sqlite_db_path


def hooking(settings: Settings) -> Hooking:
    """What `passerby webhook` works with. Close it. Raises: WrongSetting."""
    key = open_key(settings)
    tokens = {bot: token.get_secret_value() for bot, token in settings.tokens.items()}
    doors = {bot: door_of(bot, key) for bot in tokens}
    return Hooking(BotApiHooks(tokens, settings.bot_api_url), doors, settings.webhook_url, SystemClock())


async def init_schema(settings: Settings) -> SchemaState:
    """Bring the database's tables up to date; return what they were at. Raises: WrongSetting."""
    try:
        return await sql_init_schema(_database(settings))
    except DatabaseUnusable as error:
        raise _unusable(settings, error) from None
    except RecordsLost as error:
        raise _away(settings, error) from None


async def schema_state(settings: Settings) -> SchemaState:
    """What the database's tables are at, changing nothing. Raises: WrongSetting."""
    try:
        return await sql_schema_state(_database(settings))
    except DatabaseUnusable as error:
        raise _unusable(settings, error) from None
    except RecordsLost as error:
        raise _away(settings, error) from None


def _away(settings: Settings, error: RecordsLost) -> WrongSetting:
    setting = "POSTGRES_URI" if settings.postgres_uri else "SQLITE_DB_PATH"
    return WrongSetting(setting, f"the database does not answer ({logs.name_of(error)})", "start it, or try again")


def _unusable(settings: Settings, error: DatabaseUnusable) -> WrongSetting:
    if settings.postgres_uri:
        return WrongSetting("POSTGRES_URI", str(error), "start the server, or correct the address")
    return WrongSetting("SQLITE_DB_PATH", str(error), "name a file that can be written")
