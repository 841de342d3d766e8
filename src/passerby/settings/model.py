"""The settings, with their defaults and descriptions, and what follows from them."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from passerby.kernel.ids import BotId
from passerby.settings import addresses
from passerby.settings.alerting import AlertSettings
from passerby.settings.checks import Checks
from passerby.settings.described import Described, describe, plainly, write
from passerby.settings.forms import by_bot, must_be_possible
from passerby.settings.growth import GrowthSettings
from passerby.settings.limits import LimitSettings
from passerby.settings.money import MoneySettings
from passerby.settings.panel import PanelSettings
from passerby.settings.retention import RetentionSettings
from passerby.settings.rules import RuleSettings
from passerby.settings.sponsor import SponsorSettings
from passerby.settings.wrong import WrongSetting


class Settings(
    AlertSettings,
    GrowthSettings,
    RetentionSettings,
    LimitSettings,
    MoneySettings,
    PanelSettings,
    RuleSettings,
    SponsorSettings,
    Checks,
):
    """All settings. Tests build it directly; `read` builds it from what the operator wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=False)

    bot_tokens: tuple[SecretStr, ...] = Field(
        default=(),
        description="The bots' tokens from @BotFather, separated by commas, spaces or new lines.",
        examples=["123456789:<the rest of the token>"],
    )
    bot_tokens_file: Path | None = Field(
        default=None,
        description="A file with the tokens, if you do not want them in the environment.",
        examples=["/run/secrets/bot_tokens"],
    )
    staff_bot_token: SecretStr | None = Field(
        default=None,
        description=(
            "The token of the staff bot: a bot of its own that only your team uses. Invite the first owner with "
            "`passerby staff invite --role owner`."
        ),
        examples=["987654321:<the rest of the token>"],
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
    secret_key_previous: tuple[SecretStr, ...] = Field(
        default=(),
        description=(
            "Old keys, separated by commas or spaces, after you changed SECRET_KEY. They still open messages that "
            "were stored with them, and webhooks at their addresses are still accepted. Remove them after a day. "
            "`lost`: the old key is gone, and what it encrypted stays unreadable."
        ),
        examples=["<what SECRET_KEY was before>"],
    )
    start_timeout_s: float = Field(
        default=20,
        ge=1,
        le=3600,
        description="How many seconds a start waits for Redis and PostgreSQL. Then it ends with a sentence.",
        examples=["20"],
    )
    shutdown_timeout_s: float = Field(
        default=8,
        ge=0,
        le=300,
        description="How many seconds a stop may take to finish current work. `docker stop` kills after 10.",
        examples=["8"],
    )

    _filled_in: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def given(self) -> frozenset[str]:
        """The names of the settings that were written down, without those whose value was read from a file."""
        return frozenset(self.model_fields_set) - self._filled_in

    @property
    def tokens(self) -> dict[BotId, SecretStr]:
        """The tokens by bot, in the operator's order."""
        return by_bot(self.bot_tokens)

    @property
    def staff_bot(self) -> BotId | None:
        """The bot of STAFF_BOT_TOKEN."""
        token = self.staff_bot_token
        return BotId(int(token.get_secret_value().partition(":")[0])) if token is not None else None

    @property
    def key_path(self) -> Path:
        """The path of the key file. It is used if there is no SECRET_KEY."""
        return self.sqlite_db_path.with_suffix(".key")

    @property
    def live_path(self) -> Path:
        """The path of the live store's log, if one process has it in a file. It is next to the database."""
        return self.sqlite_db_path.with_suffix(".live")

    @property
    def backup_key_path(self) -> Path:
        """The path of the backups' key file. It is used if there is no BACKUP_KEY."""
        return self.backup_key_file or self.sqlite_db_path.with_suffix(".backup-key")

    @property
    def run_path(self) -> Path:
        """RUN_DIR, or its default. It need not exist yet."""
        return self.run_dir or self.sqlite_db_path.parent / "run"

    @property
    def is_shared(self) -> bool:
        """Whether several processes can share the current state."""
        return self.redis_url.get_secret_value() != "memory://"

    @property
    def webhook_address(self) -> addresses.HostPort:
        """The address that receives webhooks."""
        return addresses.host_port(self.webhook_listen)

    @property
    def metrics_address(self) -> addresses.HostPort | None:
        """The address of the operators' pages. They are on a socket, too."""
        return addresses.host_port(self.metrics_listen) if self.metrics_listen else None

    def shown(self) -> dict[str, str]:
        """The settings in effect, with secrets hidden."""
        values = {name.upper(): plainly(value) for name, value in self}
        values["BOT_TOKENS"] = f"{len(self.tokens)} hidden (bots {', '.join(map(str, self.tokens))})" * bool(
            self.tokens
        )
        for name in ("ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET", "HEARTBEAT_URL"):
            values[name] = "hidden" if values[name] else ""
        values["STAFF_BOT_TOKEN"] = f"hidden (bot {self.staff_bot})" * bool(self.staff_bot)
        values["SECRET_KEY"] = "hidden" if self.secret_key else ""
        values["SECRET_KEY_PREVIOUS"] = f"{len(self.secret_key_previous)} hidden" * bool(self.secret_key_previous)
        values["BACKUP_KEY"] = "hidden" if self.backup_key else ""
        values["FREE_FILTERS"] = plainly(self.filters_for_all) or "none"
        for name in ("POSTGRES_URI", "BACKUP_POSTGRES_URI", "PANEL_POSTGRES_URI"):
            uri = getattr(self, name.lower())
            values[name] = addresses.without_password(uri.get_secret_value()) if uri else ""
        values["BOT_API_URL"] = addresses.without_password(self.bot_api_url)
        # The query may contain a password, too.
        values["REDIS_URL"] = addresses.without_password(self.redis_url.get_secret_value().partition("?")[0])
        return values

    @classmethod
    def describe(cls) -> list[Described]:
        """All settings, in the order of their declaration. Inherited ones come last."""
        return describe(cls)

    @field_validator("*", mode="wrap")
    @classmethod
    def _names_can_be_used(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """The other checks look at files. For some names the system refuses even that."""
        try:
            found = handler(value)
            if isinstance(found, Path):
                must_be_possible(found)
        except OSError as error:
            name = str(info.field_name)
            raise WrongSetting(name.upper(), f"cannot be used ({error.strerror})", write(cls, name)) from None
        return found

    @model_validator(mode="wrap")
    @classmethod
    def _what_was_given_is_known(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = handler(data)
        if isinstance(data, dict):
            made._filled_in = frozenset(made.model_fields_set - data.keys())  # noqa: SLF001 - its own class
        return made

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        if self.postgres_uri is not None and "sqlite_db_path" in self.model_fields_set:
            raise WrongSetting("POSTGRES_URI", "SQLITE_DB_PATH is set too", "keep one of them: there is one database")
        if self.is_shared and self.postgres_uri is None:
            # Two processes with a file each would split the records, and neither would notice.
            remedy = f"{write(type(self), 'postgres_uri')}, or leave REDIS_URL out"
            raise WrongSetting("REDIS_URL", "is shared, but the records are in a file of one process", remedy)
        if self.staff_bot in self.tokens:
            remedy = "ask @BotFather for another bot, which only your team knows"
            raise WrongSetting("STAFF_BOT_TOKEN", "is the token of a bot that is in BOT_TOKENS too", remedy)
        if self.sponsor_channel and self.staff_bot is None:
            remedy = "set it, and make the staff bot an admin of the channel: it looks who is a member"
            others = {"SPONSOR_CHANNEL": "leave it empty until .env has STAFF_BOT_TOKEN"}
            raise WrongSetting("STAFF_BOT_TOKEN", "is not set, and SPONSOR_CHANNEL is", remedy, others)
        if self.sponsor_channel.startswith("-") and not self.sponsor_link:
            problem = "is not set, and SPONSOR_CHANNEL is a number, which leads nowhere"
            others = {"SPONSOR_CHANNEL": "write the @username of the channel, or set SPONSOR_LINK first"}
            raise WrongSetting("SPONSOR_LINK", problem, write(type(self), "sponsor_link"), others)
        for plan in self.vip_plans:
            if not set(plan.bots) <= set(self.tokens):
                remedy = "name bots of BOT_TOKENS, or leave the part after @ out"
                raise WrongSetting("VIP_PLANS", f"plan {plan.name} is for a bot without a token", remedy)
        if self.db_pool_min > self.db_pool_max:
            others = {"DB_POOL_MAX": f"write {self.db_pool_min} or more"}
            remedy = f"write {self.db_pool_max} or less"
            raise WrongSetting("DB_POOL_MIN", "is more than DB_POOL_MAX", remedy, others)
        if 0 < self.idle_end_min <= self.idle_nudge_min:
            others = {"IDLE_NUDGE_MIN": f"write less than {self.idle_end_min:g}, which is IDLE_END_MIN"}
            remedy = "write more, or 0 for never"
            raise WrongSetting("IDLE_END_MIN", "is not more than IDLE_NUDGE_MIN", remedy, others)
        if self.update_mode == "webhook" and self.webhook_url is None:
            remedy = f"{write(type(self), 'webhook_url')}, or use polling"
            raise WrongSetting("WEBHOOK_URL", "is not set, and UPDATE_MODE is webhook", remedy)
        if self.backup_key is not None and self.backup_key == self.secret_key:
            raise WrongSetting("BACKUP_KEY", "is the same as SECRET_KEY", write(type(self), "backup_key"))
        return self
