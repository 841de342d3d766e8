"""What an operator may set, where it is read from, and what is said when it is wrong.

Settings come from the environment and from a file `.env` in the working directory; the environment wins. Empty means
unset, so a copied `.env.example` changes nothing. Nothing here connects or creates anything, `open_key` excepted.

A wrong setting is a `WrongSetting`: one line that names the setting, the fault and what to write instead. It never
quotes a value, because a value may be a secret that was put under the wrong name.
"""

import base64
import binascii
import difflib
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, Self

from dotenv.parser import parse_stream
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
)

from passerby.kernel.decision import Brand, Filter
from passerby.kernel.ids import BotId
from passerby.settings import addresses, spelling

KEY_BYTES = 32

# A bot's number, a colon, its secret. Telegram's secrets have 35 characters today; the range leaves them room to change
# and still notices one that was cut off. The sandbox's own begin with `sandbox-`.
_TOKEN = re.compile(r"([1-9]\d{4,18}):(?:[A-Za-z0-9_-]{30,64}|sandbox-[A-Za-z0-9_-]+)")

# Source: Bot API, setWebhook.
WEBHOOK_PORTS = frozenset({443, 80, 88, 8443})

# A name shorter than this is too common to be called a misspelling of ours.
_TELLING_LENGTH = 8

# A pool's name, then languages (IETF tags without a region) and numbers of bots.
_POOL = re.compile(r"([a-z0-9][a-z0-9-]{0,23})=((?:[a-z]{2,3}|[1-9]\d{4,18})(?:\+(?:[a-z]{2,3}|[1-9]\d{4,18}))*)")

# Names that are a setting of ours under another project's or an older spelling.
_ALSO_KNOWN_AS = {
    "BOT_TOKEN": "BOT_TOKENS",
    "TELEGRAM_TOKEN": "BOT_TOKENS",
    "TELEGRAM_BOT_TOKEN": "BOT_TOKENS",
    "SQLITE_PATH": "SQLITE_DB_PATH",
    "SQLITE_DB": "SQLITE_DB_PATH",
    "POSTGRES_URL": "POSTGRES_URI",
    "REDIS_URI": "REDIS_URL",
    "REDIS_PREFIX": "REDIS_NAME",
    "RUNTIME_DIR": "RUN_DIR",
    "WEBHOOK_BASE_URL": "WEBHOOK_URL",
    "WEBHOOK_ADDRESS": "WEBHOOK_LISTEN",
    "API_URL": "BOT_API_URL",
}


class WrongSetting(Exception):
    """A setting that nothing can be started with. `str()` is the one line for the operator."""

    def __init__(self, setting: str, problem: str, remedy: str) -> None:
        super().__init__(setting, problem, remedy)
        self.setting = setting
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.setting}: {self.problem}; {self.remedy}"


class Described(NamedTuple):
    """A setting as the reference and `.env.example` show it. `default` is empty where there is none."""

    name: str
    default: str
    limits: str
    description: str
    example: str


class Settings(BaseModel):
    """Everything that was settled before the start. Build it directly in tests; operators' values come from `read`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bot_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="The bots' tokens from @BotFather, separated by commas, spaces or new lines.",
        examples=["123456789:<the rest of the token>"],
    )
    bot_tokens_file: Path | None = Field(
        default=None,
        description="A file with the tokens, if you do not want them in the environment.",
        examples=["/run/secrets/bot_tokens"],
    )
    sqlite_db_path: Path = Field(
        default=Path("passerby.db"),
        description=("The database file. Other files that must survive a restart are next to it, with the same name."),
        examples=["/var/lib/passerby/passerby.db"],
    )
    postgres_uri: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL database, instead of the file.",
        examples=["postgresql://passerby:<password>@localhost/passerby"],
    )
    db_pool_max: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="The most connections to PostgreSQL that one process opens.",
        examples=["100"],
    )
    db_pool_min: int = Field(
        default=20,
        ge=0,
        le=10_000,
        description="How many of these connections are opened at the start and stay open.",
        examples=["20"],
    )
    db_pool_evict_s: float = Field(
        default=1,
        ge=0.1,
        le=3600,
        description="How often, in seconds, idle connections above DB_POOL_MIN are looked for and closed.",
        examples=["1"],
    )
    redis_url: SecretStr = Field(
        default=SecretStr("memory://"),
        description=(
            "Where the current state is stored. `memory://` is a single process with a file next to the database. "
            "With Redis 7 or Valkey, several processes share the state; POSTGRES_URI is then needed too. Accepted: "
            "`redis://`, `rediss://` (TLS), `unix://`, `redis+cluster://host,host` and "
            "`redis+sentinel://host,host/name`."
        ),
        examples=["redis://localhost:6379/0"],
    )
    redis_name: str = Field(
        default="passerby",
        description=("The start of every key in Redis. Several installations can share a server with different names."),
        examples=["passerby"],
    )
    redis_replicas: int = Field(
        default=0,
        ge=0,
        le=10,
        description=(
            "How many replicas of Redis must have a change before it counts. With 1 or more, a failover loses "
            "nothing. If there are fewer replicas, nothing is accepted."
        ),
        examples=["1"],
    )
    redis_may_lose_seconds: bool = Field(
        default=False,
        description=(
            "Accepts a Redis that may lose its last seconds: one that syncs its file every second or less "
            "(`appendfsync everysec` or `no`) and has no REDIS_REPLICAS. Without this setting such a Redis is refused. "
            "When it starts again, every chat ends, because nobody knows what was lost."
        ),
        examples=["1"],
    )
    update_mode: Literal["polling", "webhook"] = Field(
        default="polling",
        description=(
            "How updates arrive: Passerby asks for them (polling), or Telegram sends them to WEBHOOK_URL (webhook). "
            "Tell Telegram with `passerby webhook set` or `passerby webhook delete`."
        ),
        examples=["webhook"],
    )
    webhook_url: str | None = Field(
        default=None,
        description=(
            "The address where Telegram reaches this server: https, on port 443, 80, 88 or 8443. Each bot has a path "
            "below it that nobody can guess."
        ),
        examples=["https://chat.example.org/telegram"],
    )
    webhook_listen: str = Field(
        default="127.0.0.1:8080",
        description=(
            "The address that receives webhooks, in plain http. nginx or Caddy is in front of it. Several processes "
            "on one machine share it."
        ),
        examples=["127.0.0.1:8080"],
    )
    metrics_listen: str | None = Field(
        default=None,
        description=(
            "The address of /livez, /readyz, /metrics and /status. They are also on a socket in RUN_DIR. Each further "
            "process on the machine takes the next free port. These pages are for operators: do not put them on the "
            "open internet."
        ),
        examples=["127.0.0.1:9464"],
    )
    run_dir: Path | None = Field(
        default=None,
        description=(
            "The directory for sockets, process ids, and notes about what each process is working on. It must survive "
            "a restart of a process. It is created when needed. Each installation needs its own. Default: `run` next "
            "to the database."
        ),
        examples=["/run/passerby"],
    )
    max_memory_mb: int = Field(
        default=2048,
        ge=128,
        le=1_048_576,
        description=(
            "The most memory, in MB, for one process. A worker that uses 80 % of it hands over its bots and starts "
            "again."
        ),
        examples=["2048"],
    )
    bot_api_url: str = Field(
        default="https://api.telegram.org",
        description="The address of the Bot API server.",
        examples=["http://127.0.0.1:8081"],
    )
    bot_api_local: bool = Field(
        default=False,
        description=("The server at BOT_API_URL is your own and runs with `--local`. Then files may have any size."),
        examples=["true"],
    )
    bot_rate_per_s: float = Field(
        default=30, ge=1, le=100_000, description="How many messages one bot may send in a second.", examples=["30"]
    )
    chat_rate_per_s: float = Field(
        default=1,
        ge=0.05,
        le=100_000,
        description="How many messages one person may get in a second, on average.",
        examples=["1"],
    )
    chat_burst: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="How many messages one person may get at once before CHAT_RATE_PER_S applies.",
        examples=["20"],
    )
    token_refused_after_s: float = Field(
        default=120,
        ge=1,
        le=86_400,
        description=(
            "For how many seconds Telegram must refuse a bot's token before the bot counts as lost and its chats end. "
            "Until then, its messages wait. A lost bot is asked again and comes back by itself."
        ),
        examples=["120"],
    )
    person_at_once: int = Field(
        default=150,
        ge=20,
        le=10_000,
        description=(
            "How much of one person's messages may wait to be delivered or answered. 150 is enough for a hundred "
            "messages forwarded at once and a lively chat. Anything more is refused, and the person is told."
        ),
        examples=["150"],
    )
    person_rate_per_s: float = Field(
        default=2,
        ge=0.1,
        le=100_000,
        description="How many messages, commands, taps and edits one person may send in a second, on average.",
        examples=["2"],
    )
    minimum_age: int = Field(
        default=18,
        ge=13,
        le=99,
        description="Younger people are not let in. If it is below 18, minors and adults still never meet.",
        examples=["18"],
    )
    free_filters: Annotated[tuple[Filter, ...], NoDecode] = Field(
        default=tuple(Filter),
        description=(
            "The filters that everybody may use, not only VIPs: gender, age, both, or none. Default: both, because no "
            "VIP plans are on sale yet."
        ),
        examples=["gender"],
    )
    pools: Annotated[tuple[InstanceOf[Brand], ...], NoDecode] = Field(
        default=(),
        description=(
            "Groups of people who meet only each other. Each has a name, and the bots they use or the languages they "
            "prefer. The first group that fits a person counts. All other people are one more group. In each group, "
            "adults and minors are kept apart."
        ),
        examples=["brasil=pt, slavic=ru+uk+be, lantern=123456789"],
    )
    patience: float = Field(
        default=1,
        ge=0,
        le=10,
        description=(
            "How long people wait for a partner who also meets their soft wishes (languages, interests). 1 means up "
            "to 20 seconds, 0 means no wait."
        ),
        examples=["0.5"],
    )
    contact_policy: Literal["off", "warn", "hold"] = Field(
        default="warn",
        description=(
            "How account names, links, e-mail addresses and phone numbers are handled in a chat's first minutes: "
            "they are sent (off), the sender is asked first (warn), or they are held back (hold)."
        ),
        examples=["warn"],
    )
    contact_policy_min: float = Field(
        default=5, ge=0, le=1440, description="For how many minutes of a chat CONTACT_POLICY applies.", examples=["5"]
    )
    idle_nudge_min: float = Field(
        default=10,
        ge=0,
        le=10080,
        description=(
            "After how many quiet minutes in a chat the person whose turn it is gets a reminder. 0 means never."
        ),
        examples=["10"],
    )
    idle_end_min: float = Field(
        default=60,
        ge=0,
        le=10080,
        description="After how many quiet minutes a chat ends for both. 0 means never.",
        examples=["60"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important events that are logged.", examples=["info"]
    )
    log_format: Literal["console", "json"] = Field(
        default="console",
        description="The form of log lines: `console` for people, `json` for one JSON object in each line.",
        examples=["json"],
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description=(
            "32 random bytes in base64. They encrypt stored messages and hide people's ids in logs. Without this "
            "setting, a key file is created next to the database. Processes on several machines need the same "
            "SECRET_KEY."
        ),
        examples=["<the output of: openssl rand -base64 32>"],
    )
    secret_key_previous: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description=(
            "Old keys, separated by commas or spaces, after you changed SECRET_KEY. They still open messages that "
            "were stored with them, and webhooks at their addresses are still accepted. Remove them after a day."
        ),
        examples=["<what SECRET_KEY was before>"],
    )
    shutdown_timeout_s: float = Field(
        default=8,
        ge=0,
        le=300,
        description="How many seconds a stop may take to finish current work. `docker stop` kills after 10.",
        examples=["8"],
    )

    @property
    def tokens(self) -> dict[BotId, SecretStr]:
        """The tokens by bot, in the operator's order."""
        return {BotId(int(token.get_secret_value().partition(":")[0])): token for token in self.bot_tokens}

    @property
    def key_path(self) -> Path:
        """Where the key file is when there is no SECRET_KEY."""
        return self.sqlite_db_path.with_suffix(".key")

    @property
    def run_path(self) -> Path:
        """The directory for what lasts as long as the processes do. It need not exist yet."""
        return self.run_dir or self.sqlite_db_path.parent / "run"

    @property
    def is_shared(self) -> bool:
        """Whether the state of the moment lives where several processes can share it."""
        return self.redis_url.get_secret_value() != "memory://"

    @property
    def webhook_place(self) -> addresses.Place:
        """Where webhooks are taken."""
        return addresses.place(self.webhook_listen)

    @property
    def metrics_place(self) -> addresses.Place | None:
        """Where operators' pages are, besides the socket."""
        return addresses.place(self.metrics_listen) if self.metrics_listen else None

    def shown(self) -> dict[str, str]:
        """The settings in effect, with secrets hidden."""
        values = {name.upper(): _plainly(value) for name, value in self}
        values["BOT_TOKENS"] = f"{len(self.tokens)} hidden (bots {', '.join(map(str, self.tokens))})" * bool(
            self.tokens
        )
        values["SECRET_KEY"] = "hidden" if self.secret_key else ""
        values["SECRET_KEY_PREVIOUS"] = f"{len(self.secret_key_previous)} hidden" * bool(self.secret_key_previous)
        values["POSTGRES_URI"] = (
            addresses.without_password(self.postgres_uri.get_secret_value()) if self.postgres_uri else ""
        )
        values["BOT_API_URL"] = addresses.without_password(self.bot_api_url)
        # A query may hold a password, too.
        values["REDIS_URL"] = addresses.without_password(self.redis_url.get_secret_value().partition("?")[0])
        return values

    @classmethod
    def describe(cls) -> list[Described]:
        """Every setting in the order it is declared in."""
        described = []
        for name, field in cls.model_fields.items():
            default = field.get_default()
            if isinstance(default, SecretStr):  # a default is no secret
                default = default.get_secret_value()
            described.append(
                Described(name.upper(), _plainly(default), _limits(name), str(field.description), _example(name))
            )
        return described

    @field_validator("bot_tokens", mode="before")
    @classmethod
    def _tokens_are_wellformed(cls, value: Any) -> tuple[SecretStr, ...]:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if not isinstance(value, str):
            value = "\n".join(part.get_secret_value() if isinstance(part, SecretStr) else str(part) for part in value)
        return _parse_tokens("BOT_TOKENS", value)

    @field_validator("free_filters", mode="before")
    @classmethod
    def _filters_are_known(cls, value: Any) -> tuple[Filter, ...]:
        words = value.replace(",", " ").lower().split() if isinstance(value, str) else [str(each) for each in value]
        if any(word not in {*Filter, "all", "none"} for word in words):
            raise WrongSetting("FREE_FILTERS", "names something else than gender and age", _write("free_filters"))
        return tuple(each for each in Filter if each in words or "all" in words)

    @field_validator("pools", mode="before")
    @classmethod
    def _pools_are_wellformed(cls, value: Any) -> tuple[Brand, ...]:
        if not isinstance(value, str):
            return tuple(value)
        brands: dict[str, Brand] = {}
        for position, entry in enumerate(filter(None, re.split(r"[\s,]+", value)), start=1):
            found = _POOL.fullmatch(entry)
            if found is None:
                raise WrongSetting(
                    "POOLS", f"pool {position} is not name=language+language or name=bot+bot", _write("pools")
                )
            if found[1] in brands:
                raise WrongSetting("POOLS", f"pool {position} has the name of one before it", "name each pool once")
            parts = found[2].split("+")
            bots = tuple(BotId(int(part)) for part in parts if part.isdecimal())
            brands[found[1]] = Brand(found[1], bots, tuple(part for part in parts if not part.isdecimal()))
        return tuple(brands.values())

    @field_validator("sqlite_db_path")
    @classmethod
    def _database_can_be_written(cls, value: Path) -> Path:
        path = value.expanduser()
        remedy = "write the path of a file in a directory that exists and can be written to"
        if path.suffix in {".key", ".live"}:
            raise WrongSetting("SQLITE_DB_PATH", f"ends in {path.suffix}, which is taken", "write a name in .db")
        if path.is_dir():
            raise WrongSetting("SQLITE_DB_PATH", "is a directory", "write the path of a file in it")
        if not path.parent.is_dir():
            raise WrongSetting("SQLITE_DB_PATH", "its directory does not exist", remedy)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise WrongSetting("SQLITE_DB_PATH", "its directory cannot be written to", remedy)
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise WrongSetting("SQLITE_DB_PATH", "the file cannot be read and written", remedy)
        return path

    @field_validator("postgres_uri")
    @classmethod
    def _postgres_uri_is_one(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            url = addresses.split(value.get_secret_value())
            if url is None or url.scheme not in {"postgres", "postgresql", "postgresql+asyncpg"} or not url.path[1:]:
                raise WrongSetting(
                    "POSTGRES_URI", "is not the address of a PostgreSQL database", _write("postgres_uri")
                )
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_url_is_one(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text == "memory://":
            return value
        fault = addresses.redis_fault(text)
        if fault:
            raise WrongSetting("REDIS_URL", fault, _write("redis_url"))
        return value

    @field_validator("redis_name")
    @classmethod
    def _redis_name_is_one(cls, value: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value) is None:
            raise WrongSetting(
                "REDIS_NAME", "is not 1 to 64 letters, digits, dots, hyphens and underscores", _write("redis_name")
            )
        return value

    @field_validator("webhook_url")
    @classmethod
    def _webhook_url_is_one(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = addresses.split(value)
        if url is None or url.scheme not in {"https", "http"} or not url.hostname or url.query or url.fragment:
            raise WrongSetting("WEBHOOK_URL", "is not the address of an https server", _write("webhook_url"))
        if url.username or url.password:
            raise WrongSetting("WEBHOOK_URL", "has a user or a password in it", _write("webhook_url"))
        # The sandbox on the same machine needs neither a certificate nor Telegram's ports.
        if not addresses.is_loopback(url.hostname):
            if url.scheme != "https":
                raise WrongSetting("WEBHOOK_URL", "is not https, which Telegram insists on", _write("webhook_url"))
            if url.port not in {None, *WEBHOOK_PORTS}:
                raise WrongSetting("WEBHOOK_URL", "has a port other than 443, 80, 88 or 8443", _write("webhook_url"))
        return value.rstrip("/")

    @field_validator("webhook_listen", "metrics_listen")
    @classmethod
    def _place_is_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        name = str(info.field_name)
        if value is not None:
            place = addresses.place(value)
            if not place.host or not 1 <= place.port <= 65535:
                raise WrongSetting(name.upper(), "is not an address and a port", _write(name))
        return value

    @field_validator("run_dir")
    @classmethod
    def _run_dir_can_be_made(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        path = value.expanduser()
        if path.exists() and not path.is_dir():
            raise WrongSetting("RUN_DIR", "is not a directory", _write("run_dir"))
        if not path.exists() and not path.parent.is_dir():
            raise WrongSetting("RUN_DIR", "the directory that it is to be in does not exist", _write("run_dir"))
        if not os.access(path if path.exists() else path.parent, os.W_OK | os.X_OK):
            raise WrongSetting("RUN_DIR", "cannot be written to", "name a directory that can be")
        return path

    @field_validator("bot_api_url")
    @classmethod
    def _bot_api_url_is_one(cls, value: str) -> str:
        url = addresses.split(value)
        if url is None or url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
            raise WrongSetting("BOT_API_URL", "is not the address of an http(s) server", _write("bot_api_url"))
        if "/bot" in url.path:
            raise WrongSetting("BOT_API_URL", "goes on into a bot's path", _write("bot_api_url"))
        return value.rstrip("/")

    @field_validator("log_level", "log_format", "update_mode", mode="before")
    @classmethod
    def _case_does_not_matter(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _secret_key_is_one(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and _decode_key(value.get_secret_value()) is None:
            raise WrongSetting("SECRET_KEY", f"is not {KEY_BYTES} bytes in base64", _write("secret_key"))
        return value

    @field_validator("secret_key_previous", mode="before")
    @classmethod
    def _former_keys_are_some(cls, value: Any) -> tuple[SecretStr, ...]:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        keys = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
        found = tuple(each if isinstance(each, SecretStr) else SecretStr(str(each)) for each in keys if each)
        if any(_decode_key(each.get_secret_value()) is None for each in found):
            raise WrongSetting(
                "SECRET_KEY_PREVIOUS", f"has one that is not {KEY_BYTES} bytes in base64", _write("secret_key_previous")
            )
        return found

    @model_validator(mode="before")
    @classmethod
    def _tokens_come_from_one_place(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("bot_tokens_file"):
            if data.get("bot_tokens"):
                raise WrongSetting("BOT_TOKENS_FILE", "BOT_TOKENS is set too", "keep one of them")
            data = {**data, "bot_tokens": _read_tokens_file(Path(data["bot_tokens_file"]).expanduser())}
        return data

    @model_validator(mode="after")
    def _one_database(self) -> Self:
        if self.postgres_uri is not None and "sqlite_db_path" in self.model_fields_set:
            raise WrongSetting("POSTGRES_URI", "SQLITE_DB_PATH is set too", "keep one of them: there is one database")
        if self.is_shared and self.postgres_uri is None:
            # Two processes with a file each would tear the records apart, and nobody could see it from inside one.
            raise WrongSetting(
                "REDIS_URL",
                "is shared, but the records are in a file of one process",
                f"{_write('postgres_uri')}, or leave REDIS_URL out",
            )
        return self

    @model_validator(mode="after")
    def _pool_is_one(self) -> Self:
        if self.db_pool_min > self.db_pool_max:
            raise WrongSetting("DB_POOL_MIN", "is more than DB_POOL_MAX", f"write {self.db_pool_max} or less")
        return self

    @model_validator(mode="after")
    def _reminders_come_before_the_end(self) -> Self:
        if 0 < self.idle_end_min <= self.idle_nudge_min:
            raise WrongSetting("IDLE_END_MIN", "is not more than IDLE_NUDGE_MIN", "write more, or 0 for never")
        return self

    @model_validator(mode="after")
    def _webhooks_have_an_address(self) -> Self:
        if self.update_mode == "webhook" and self.webhook_url is None:
            raise WrongSetting(
                "WEBHOOK_URL", "is not set, and UPDATE_MODE is webhook", f"{_write('webhook_url')}, or use polling"
            )
        return self


class _Surroundings(Settings, BaseSettings):
    """Where `read` looks, for pydantic-settings; a class of its own so that `Settings(...)` looks nowhere."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_file=".env")


def read() -> Settings:
    """Read the settings from the environment and from `.env` in the working directory.

    Raises: WrongSetting.
    """
    _check_file(Path(".env"))
    _check_environment(os.environ)
    found = DotEnvSettingsSource(_Surroundings)() | EnvSettingsSource(_Surroundings)()
    try:
        return Settings(**found)
    except ValidationError as error:
        _explain(error)


def open_key(settings: Settings) -> bytes:
    """Return the 32-byte key of this installation: SECRET_KEY, or the key file's, made on first use.

    Raises: WrongSetting, if the file is not what it should be.
    """
    if settings.secret_key is not None:
        return _decode_key(settings.secret_key.get_secret_value()) or b""
    path = settings.key_path
    key = secrets.token_bytes(KEY_BYTES)
    try:
        keep_key(path, key)
    except FileExistsError:
        return _kept_key(path)
    except OSError as error:
        problem = f"is not set, and {path.name} cannot be made in {path.parent.absolute()} ({error.strerror})"
        raise WrongSetting("SECRET_KEY", problem, "make room, let this user write there, or set SECRET_KEY") from None
    return key


def keep_key(path: Path, key: bytes) -> None:
    """Write a key file. Raises: FileExistsError if there is one, OSError."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(descriptor)
    except OSError:
        path.unlink()  # half a key is worse than none
        raise


def _kept_key(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise WrongSetting("SECRET_KEY", f"{path.name} is a directory", "remove it, or set SECRET_KEY")
        if path.stat().st_mode & 0o077:
            raise WrongSetting("SECRET_KEY", f"others may read {path.name}", f"run chmod 600 {path.name}")
        key = _decode_key(path.read_text("ascii", "replace"))
    except OSError as error:
        problem = f"{path.name} is there and cannot be read ({error.strerror})"
        raise WrongSetting("SECRET_KEY", problem, "let this user read it, or set SECRET_KEY") from None
    if key is None:
        remedy = f"put the right {path.name} back beside the database, or set SECRET_KEY"
        raise WrongSetting("SECRET_KEY", f"{path.name} holds no key", remedy)
    return key


def former_keys(settings: Settings) -> tuple[bytes, ...]:
    """The keys of SECRET_KEY_PREVIOUS, 32 bytes each."""
    return tuple(_decode_key(each.get_secret_value()) or b"" for each in settings.secret_key_previous)


def _check_file(path: Path) -> None:
    """Refuse lines of `.env` that are no settings: a typo there would otherwise be silence."""
    try:
        with path.open(encoding="utf-8") as stream:
            lines = list(parse_stream(stream))
    except FileNotFoundError:
        return
    except OSError as error:
        problem = f"is there and cannot be read ({error.strerror})"
        raise WrongSetting(".env", problem, "let this user read it, or remove it") from None
    except UnicodeDecodeError:
        raise WrongSetting(".env", "is no text", "write a text file of NAME=value lines") from None
    for line in lines:
        text = line.original.string
        # The parser counts the blank lines before a setting as part of it.
        where = f"line {line.original.line + text[: len(text) - len(text.lstrip())].count(chr(10))}"
        if line.error or (line.key is not None and (line.value is None or not _is_name(line.key))):
            # The key is not quoted: a lone token would be read as one.
            raise WrongSetting(".env", f"{where} is not NAME=value", "write one setting a line, or # before a comment")
        if line.key is not None and line.key.upper() not in _names():
            hint = _nearest(line.key, alike=0.6) or "one of the names in .env.example"
            raise WrongSetting(line.key, f"is not a setting (.env, {where})", f"write {hint}")


def _check_environment(environment: Iterable[str]) -> None:
    """Refuse variables that are a setting of ours misspelt. Every other variable is somebody else's.

    One beside the right name is left alone: platforms set several spellings, and the right one is what counts.
    """
    given = {name.upper() for name in environment}
    for name in sorted(given - _names()):
        meant = _nearest(name)
        if meant is not None and len(meant) < _TELLING_LENGTH and name not in _ALSO_KNOWN_AS:
            continue  # RUNDIR may well be somebody else's
        if meant is not None and meant not in given:
            raise WrongSetting(name, "is not a setting (environment)", f"write {meant}")


def doubts() -> list[tuple[str, str]]:
    """Variables of the environment that may be a setting of ours misspelt, with the setting that may be meant.

    Closer slips are refused by `read`. These may well be another program's, so they are only named.
    """
    given = {name.upper() for name in os.environ}
    pairs = ((name, spelling.meant(name, _names())) for name in sorted(given - _names()))
    return [(name, meant) for name, meant in pairs if meant is not None and meant not in given]


def _nearest(name: str, alike: float = 0.87) -> str | None:
    """The setting that was probably meant. `alike` is difflib's ratio: high where the name may be somebody else's."""
    name = name.upper()
    if name in _ALSO_KNOWN_AS:
        return _ALSO_KNOWN_AS[name]
    squeezed = {candidate.replace("_", ""): candidate for candidate in _names()}
    close = difflib.get_close_matches(name.replace("_", ""), squeezed, n=1, cutoff=alike)
    return squeezed[close[0]] if close else None


def _names() -> set[str]:
    return {name.upper() for name in Settings.model_fields}


def _is_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,39}", text) is not None


def _read_tokens_file(path: Path) -> tuple[SecretStr, ...]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise WrongSetting(
            "BOT_TOKENS_FILE", f"cannot be read ({why})", "write the path of a text file with the tokens"
        ) from None
    tokens = _parse_tokens("BOT_TOKENS_FILE", "\n".join(line.partition("#")[0] for line in lines))
    if not tokens:
        raise WrongSetting("BOT_TOKENS_FILE", "holds no token", "put the tokens in it, one a line")
    return tokens


def _parse_tokens(setting: str, text: str) -> tuple[SecretStr, ...]:
    tokens = [token for token in re.split(r"[\s,]+", text) if token]
    first: dict[str, int] = {}
    for position, token in enumerate(tokens, start=1):
        match = _TOKEN.fullmatch(token)
        which = f"token {position} of {len(tokens)}"
        if match is None:
            raise WrongSetting(
                setting, f"{which} is malformed", "write it as @BotFather gave it: digits, a colon, the rest"
            )
        if match[1] in first:
            raise WrongSetting(setting, f"{which} is for the same bot as token {first[match[1]]}", "name each bot once")
        first[match[1]] = position
    return tuple(SecretStr(token) for token in tokens)


def _decode_key(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _plainly(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(_plainly, value))
    if isinstance(value, Brand):
        return f"{value.name}={'+'.join(map(str, (*value.languages, *value.bots)))}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _example(name: str) -> str:
    return str((Settings.model_fields[name].examples or [""])[0])


def _write(name: str) -> str:
    return f"write {name.upper()}={_example(name)}"


def _limits(name: str) -> str:
    """The values that a setting accepts, in words; empty where only its own validator can say."""
    field = Settings.model_fields[name]
    bounds = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le") if hasattr(rule, key)}
    if bounds:
        kind = "whole number" if field.annotation is int else "number"
        return f"a {kind} from {bounds['ge']} to {bounds['le']}"
    choices = getattr(field.annotation, "__args__", ())
    return " or ".join(choices) if choices and all(isinstance(choice, str) for choice in choices) else ""


def _explain(error: ValidationError) -> NoReturn:
    """Turn pydantic's first complaint into one line. Everything but limits raises `WrongSetting` itself."""
    name = str(error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
    limits = _limits(name) or "of the right form"
    raise WrongSetting(name.upper(), f"is not {limits}", _write(name)) from None
