"""The settings of alerts: their thresholds, and where they are sent besides the staff bot."""

from typing import Final, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from passerby.settings import addresses
from passerby.settings.described import write
from passerby.settings.section import Section
from passerby.settings.wrong import WrongSetting


class AlertSettings(Section):
    """`Settings` inherits these. The rules are in `domain.alerts.rules`."""

    alert_webhook_url: SecretStr | None = Field(
        default=None,
        description=(
            "Where alerts are also sent, as JSON by POST. Each request is signed with ALERT_WEBHOOK_SECRET: see "
            "docs/how-to/monitoring.md."
        ),
        examples=["https://ops.example.org/passerby"],
    )
    alert_webhook_secret: SecretStr | None = Field(
        default=None,
        description="The secret that signs requests to ALERT_WEBHOOK_URL. The receiver knows it, too.",
        examples=["<the output of: openssl rand -base64 32>"],
    )
    heartbeat_url: SecretStr | None = Field(
        default=None,
        description=(
            "An address that the fleet asks every minute. A service elsewhere should tell you when this stops, "
            "because nobody can report their own death."
        ),
        examples=["https://hc-ping.com/<the id of your check>"],
    )
    alert_store_away: float = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Alert if a store has not answered for more than this many seconds.",
        examples=["60"],
    )
    alert_not_polled: float = Field(
        default=90,
        ge=60,
        le=86_400,
        description="Alert if a bot was not polled for more than this many seconds. One poll may take 50.",
        examples=["90"],
    )
    alert_polling_errors: float = Field(
        default=10, ge=0, le=100_000, description="Alert if more polls than this fail in a minute.", examples=["10"]
    )
    alert_telegram_queue: float = Field(
        default=50_000,
        ge=1,
        le=100_000,
        description="Alert if more updates than this wait at Telegram for a bot. Telegram keeps 100,000.",
        examples=["50000"],
    )
    alert_outbox_age: float = Field(
        default=30,
        ge=1,
        le=86_400,
        description="Alert if a message of our own has waited for more than this many seconds.",
        examples=["30"],
    )
    alert_bot_held: float = Field(
        default=5,
        ge=0,
        le=1440,
        description="Alert if Telegram has held a bot back (429) for more than this many minutes.",
        examples=["5"],
    )
    alert_crashes: float = Field(
        default=2,
        ge=0,
        le=10_000,
        description="Alert if processes crash more often than this in an hour.",
        examples=["2"],
    )
    alert_loop_stuck: float = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Alert if more processes than this ended in an hour because their event loop was stuck.",
        examples=["0"],
    )
    alert_set_aside: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Alert if more updates than this could not be handled in an hour, and were set aside.",
        examples=["0"],
    )
    alert_wait_times: float = Field(
        default=3,
        ge=1,
        le=1000,
        description="Alert if people wait more than this many times as long for a partner as a week ago.",
        examples=["3"],
    )
    alert_postgres_connections: float = Field(
        default=90,
        ge=1,
        le=100,
        description=(
            "Alert if more than this share of connections to PostgreSQL is in use, in percent: of a process's pool "
            "(DB_POOL_MAX), or of the server's max_connections."
        ),
        examples=["90"],
    )
    alert_query_ms: float = Field(
        default=100,
        ge=1,
        le=60_000,
        description="Alert if a statement takes more than this many milliseconds on average, over five minutes.",
        examples=["100"],
    )
    alert_redis_memory: float = Field(
        default=80,
        ge=1,
        le=100,
        description="Alert if Redis uses more than this share of its maxmemory, in percent.",
        examples=["80"],
    )
    alert_disk_free: float = Field(
        default=10,
        ge=0,
        le=99,
        description="Alert if less than this share of the disk with the data or logs is free, in percent.",
        examples=["10"],
    )
    alert_clock_skew: float = Field(
        default=2,
        ge=1,
        le=3600,
        description="Alert if a machine's clock differs by more than this many seconds from the Bot API server's.",
        examples=["2"],
    )
    alert_certificate_days: float = Field(
        default=14,
        ge=0,
        le=365,
        description="Alert if the certificate at WEBHOOK_URL is valid for fewer days than this.",
        examples=["14"],
    )
    alert_backup_hours: float = Field(
        default=26,
        ge=1,
        le=8760,
        description="Alert if the last good backup is older than this many hours.",
        examples=["26"],
    )
    alert_restore_test_days: float = Field(
        default=8,
        ge=1,
        le=365,
        description="Alert if the last backup that was restored as a test is older than this many days.",
        examples=["8"],
    )

    alert_sales_found: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Alert if more payments than this in an hour were only found in the bots' transactions.",
        examples=["0"],
    )
    alert_sweep_minutes: float = Field(
        default=30,
        ge=15,
        le=1440,
        description="Alert if a bot's transactions were not read for more than this many minutes. It is due every 10.",
        examples=["30"],
    )
    alert_owed_hours: float = Field(
        default=24,
        ge=1,
        le=720,
        description="Alert if a refund or a cancellation is not confirmed by Telegram after this many hours.",
        examples=["24"],
    )
    alert_late_checkouts: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Alert if more checkouts than this in ten minutes were answered after more than 5 seconds.",
        examples=["0"],
    )
    alert_case_hours: float = Field(
        default=24,
        ge=0.1,
        le=8760,
        description="Alert if a report or an appeal has waited for staff for more than this many hours.",
        examples=["24"],
    )

    @property
    def thresholds(self) -> dict[str, float]:
        """Setting -> threshold."""
        return {name: float(getattr(self, name)) for name in THRESHOLDS}

    @field_validator("alert_webhook_url", "heartbeat_url")
    @classmethod
    def _address_can_be_asked(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        name = str(info.field_name)
        url = addresses.split(value.get_secret_value())
        if url is None or url.scheme not in {"https", "http"} or not url.hostname:
            raise WrongSetting(name.upper(), "is not the address of an https server", write(cls, name))
        if url.scheme == "http" and not addresses.is_loopback(url.hostname):
            raise WrongSetting(name.upper(), "is not https, so others could read it", write(cls, name))
        return value

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Self:
        if self.alert_webhook_url is not None and self.alert_webhook_secret is None:
            remedy = write(type(self), "alert_webhook_secret")
            raise WrongSetting("ALERT_WEBHOOK_SECRET", "is not set, so nobody could trust an alert", remedy)
        return self


THRESHOLDS: Final = tuple(name for name, field in AlertSettings.model_fields.items() if field.annotation is float)
