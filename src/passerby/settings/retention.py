"""The settings of backups, and of how long old rows are kept. `Settings` inherits them."""

import re
import shlex
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from passerby.settings import addresses
from passerby.settings.described import write
from passerby.settings.forms import decode_key, expanded
from passerby.settings.section import Section
from passerby.settings.wrong import WrongSetting


class RetentionSettings(Section):
    """Settings of backups, and of how long old rows are kept."""

    backup_dir: Path | None = Field(
        default=None,
        description=(
            "The directory for backups. With it, a backup is made every day at BACKUP_AT, and restored for a test "
            "every week. Use another disk than the database's. Workers on several machines need the same directory "
            "(a network mount). It keeps the newest backup of each of 7 days, 4 weeks and 6 months."
        ),
        examples=["/var/backups/passerby"],
    )
    backup_at: str = Field(
        default="03:30", description="When the daily backup begins: hours and minutes, UTC.", examples=["03:30"]
    )
    backup_key: SecretStr | None = Field(
        default=None,
        description=(
            "32 random bytes in base64, which encrypt the backups. It must differ from SECRET_KEY. Without this "
            "setting, a key file is created next to the database. Keep a copy of the key elsewhere: without it, no "
            "backup can be opened."
        ),
        examples=["<the output of: openssl rand -base64 32>"],
    )
    backup_key_file: Path | None = Field(
        default=None,
        description="A file with BACKUP_KEY, if you do not want it in the environment.",
        examples=["/run/secrets/backup_key"],
    )
    backup_postgres_uri: SecretStr | None = Field(
        default=None,
        description=(
            "The server's own address, if POSTGRES_URI leads to a pooler, or another user for backups. This user "
            "needs the right to create databases (CREATEDB), because a restore test makes one and drops it. Default: "
            "POSTGRES_URI."
        ),
        examples=["postgresql://backup:<password>@localhost/passerby"],
    )
    backup_upload_command: str | None = Field(
        default=None,
        description=(
            "A command that copies a new backup to another place. `{file}` stands for its path. No shell reads it. "
            "If it fails, it is repeated with the next backup."
        ),
        examples=["rclone copy {file} offsite:passerby"],
    )

    chats_kept_days: float = Field(
        default=90,
        ge=0,
        le=36_500,
        description=(
            "For how many days it is kept who chatted with whom. A day after its end, a chat is stored in few bytes. "
            "Blocks that were lifted are deleted after the same time. Daily figures stay. 0 means for ever."
        ),
        examples=["90"],
    )
    complaints_kept_days: float = Field(
        default=365,
        ge=0,
        le=36_500,
        description="For how many days complaints are kept. 0 means for ever.",
        examples=["365"],
    )
    people_kept_days: float = Field(
        default=730,
        ge=0,
        le=36_500,
        description=(
            "After how many days without a visit a person is deleted. People who are banned, have VIP, or are part of "
            "a block stay. 0 means never."
        ),
        examples=["730"],
    )

    @field_validator("backup_dir", check_fields=False)
    @classmethod
    def _backup_dir_can_be_made(cls, value: Path | None) -> Path | None:
        path = expanded(value) if value is not None else None
        if path is not None and path.exists() and not path.is_dir():
            raise WrongSetting("BACKUP_DIR", "is not a directory", write(cls, "backup_dir"))
        return path

    @field_validator("backup_at", check_fields=False)
    @classmethod
    def _backup_at_is_a_time(cls, value: str) -> str:
        if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value) is None:
            raise WrongSetting("BACKUP_AT", "is not a time from 00:00 to 23:59", write(cls, "backup_at"))
        return value

    @field_validator("backup_key", check_fields=False)
    @classmethod
    def _backup_key_is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and decode_key(value.get_secret_value()) is None:
            raise WrongSetting("BACKUP_KEY", "is not 32 bytes in base64", "write what `openssl rand -base64 32` prints")
        return value

    @field_validator("backup_postgres_uri", check_fields=False)
    @classmethod
    def _backup_postgres_uri_is_valid(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not addresses.is_postgres(value.get_secret_value()):
            problem = "is not the address of a PostgreSQL database"
            raise WrongSetting("BACKUP_POSTGRES_URI", problem, write(cls, "backup_postgres_uri"))
        return value

    @field_validator("backup_upload_command", check_fields=False)
    @classmethod
    def _upload_command_names_the_file(cls, value: str | None) -> str | None:
        if value is not None and "{file}" not in value:
            problem = "does not say where the backup's path goes"
            raise WrongSetting("BACKUP_UPLOAD_COMMAND", problem, write(cls, "backup_upload_command"))
        try:
            shlex.split(value or "")
        except ValueError:
            problem = "has a quote that is not closed, or a backslash at its end"
            raise WrongSetting("BACKUP_UPLOAD_COMMAND", problem, write(cls, "backup_upload_command")) from None
        return value
