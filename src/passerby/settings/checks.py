"""Checks the form of each setting, and writes the message if one is wrong."""

import os
import re
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationInfo, field_validator, model_validator

from passerby.kernel.rules import Brand
from passerby.settings import addresses
from passerby.settings.described import write
from passerby.settings.forms import KEY_BYTES, LOST, decode_key, expanded, parse_pools, parse_tokens, read_tokens_file
from passerby.settings.section import Section
from passerby.settings.wrong import WrongSetting

# Source: Bot API, setWebhook.
WEBHOOK_PORTS = frozenset({443, 80, 88, 8443})

_TAKEN: Final = re.compile(
    r"(?:\.(?:key|live|backup-key|lock|flight|crashes|new|damaged-[0-9]+)|-(?:wal|shm|journal)|^\.env)$"
)
"""The endings of the names of our other files, and of SQLite's."""


class Checks(Section):
    """The validators for single fields. `Settings` inherits them and has the fields."""

    @field_validator("bot_tokens", mode="before", check_fields=False)
    @classmethod
    def _tokens_are_wellformed(cls, value: Any) -> tuple[SecretStr, ...]:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if not isinstance(value, str):
            value = "\n".join(part.get_secret_value() if isinstance(part, SecretStr) else str(part) for part in value)
        return parse_tokens("BOT_TOKENS", value)

    @field_validator("staff_bot_token", mode="before", check_fields=False)
    @classmethod
    def _staff_token_is_wellformed(cls, value: Any) -> SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")
        tokens = parse_tokens("STAFF_BOT_TOKEN", text)
        if len(tokens) > 1:
            raise WrongSetting("STAFF_BOT_TOKEN", "has more than one token", write(cls, "staff_bot_token"))
        return tokens[0] if tokens else None

    @field_validator("pools", mode="before", check_fields=False)
    @classmethod
    def _pools_are_wellformed(cls, value: Any) -> tuple[Brand, ...]:
        if not isinstance(value, str):
            return tuple(value)
        return parse_pools(value, write(cls, "pools"))

    @field_validator("sqlite_db_path", check_fields=False)
    @classmethod
    def _database_can_be_written(cls, value: Path) -> Path:
        path = expanded(value)
        remedy = "write the path of a file in a directory that exists and can be written to"
        taken = _TAKEN.search(path.name)
        if taken is not None:
            raise WrongSetting("SQLITE_DB_PATH", f"ends in {taken[0]}, which is taken", "write a name in .db")
        if path.is_dir():
            raise WrongSetting("SQLITE_DB_PATH", "is a directory", "write the path of a file in it")
        if not path.parent.is_dir():
            raise WrongSetting("SQLITE_DB_PATH", "its directory does not exist", remedy)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise WrongSetting("SQLITE_DB_PATH", "its directory cannot be written to", remedy)
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            remedy = "give this user the right to, or name another file"
            raise WrongSetting("SQLITE_DB_PATH", f"{path.name} cannot be read and written", remedy)
        return path

    @field_validator("postgres_uri", check_fields=False)
    @classmethod
    def _postgres_uri_is_valid(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not addresses.is_postgres(value.get_secret_value()):
            raise WrongSetting(
                "POSTGRES_URI", "is not the address of a PostgreSQL database", write(cls, "postgres_uri")
            )
        return value

    @field_validator("redis_url", check_fields=False)
    @classmethod
    def _redis_url_is_valid(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text == "memory://":
            return value
        fault = addresses.redis_fault(text)
        if fault:
            raise WrongSetting("REDIS_URL", fault, write(cls, "redis_url"))
        return value

    @field_validator("redis_name", check_fields=False)
    @classmethod
    def _redis_name_is_valid(cls, value: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value) is None:
            raise WrongSetting(
                "REDIS_NAME", "is not 1 to 64 letters, digits, dots, hyphens and underscores", write(cls, "redis_name")
            )
        return value

    @field_validator("webhook_url", check_fields=False)
    @classmethod
    def _webhook_url_is_valid(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = addresses.split(value)
        if url is None or url.scheme not in {"https", "http"} or not url.hostname or url.query or url.fragment:
            raise WrongSetting("WEBHOOK_URL", "is not the address of an https server", write(cls, "webhook_url"))
        if url.username or url.password:
            raise WrongSetting("WEBHOOK_URL", "has a user or a password in it", write(cls, "webhook_url"))
        # The sandbox on the same machine needs neither a certificate nor Telegram's ports.
        if not addresses.is_loopback(url.hostname):
            if url.scheme != "https":
                raise WrongSetting("WEBHOOK_URL", "is not https, which Telegram insists on", write(cls, "webhook_url"))
            if url.port not in {None, *WEBHOOK_PORTS}:
                problem = "has a port other than 443, 80, 88 or 8443"
                raise WrongSetting("WEBHOOK_URL", problem, write(cls, "webhook_url"))
        return value.rstrip("/")

    @field_validator("webhook_listen", "metrics_listen", check_fields=False)
    @classmethod
    def _listens_on_an_address_and_a_port(cls, value: str | None, info: ValidationInfo) -> str | None:
        name = str(info.field_name)
        if value is not None:
            address = addresses.host_port(value)
            if not address.host or not 1 <= address.port <= 65535:
                raise WrongSetting(name.upper(), "is not an address and a port", write(cls, name))
        return value

    @field_validator("run_dir", check_fields=False)
    @classmethod
    def _run_dir_can_be_made(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        path = expanded(value)
        if path.is_symlink() and not path.exists():
            raise WrongSetting("RUN_DIR", "is a link that leads nowhere", "remove it, or let it lead to a directory")
        if path.exists() and not path.is_dir():
            raise WrongSetting("RUN_DIR", "is not a directory", write(cls, "run_dir"))
        if not path.exists() and not path.parent.is_dir():
            raise WrongSetting("RUN_DIR", "its parent directory does not exist", write(cls, "run_dir"))
        if not os.access(path if path.exists() else path.parent, os.W_OK | os.X_OK):
            raise WrongSetting("RUN_DIR", "cannot be written to", "name a directory that can be")
        return path

    @field_validator("bot_api_url", check_fields=False)
    @classmethod
    def _bot_api_url_is_valid(cls, value: str) -> str:
        url = addresses.split(value)
        if url is None or url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
            raise WrongSetting("BOT_API_URL", "is not the address of an http(s) server", write(cls, "bot_api_url"))
        if "/bot" in url.path:
            raise WrongSetting("BOT_API_URL", "contains the path of a bot", write(cls, "bot_api_url"))
        return value.rstrip("/")

    @field_validator("log_level", "log_format", "update_mode", mode="before", check_fields=False)
    @classmethod
    def _case_does_not_matter(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("secret_key", check_fields=False)
    @classmethod
    def _secret_key_is_valid(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and decode_key(value.get_secret_value()) is None:
            raise WrongSetting("SECRET_KEY", f"is not {KEY_BYTES} bytes in base64", write(cls, "secret_key"))
        return value

    @field_validator("secret_key_previous", mode="before", check_fields=False)
    @classmethod
    def _old_keys_are_valid(cls, value: Any) -> tuple[SecretStr, ...]:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        keys = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
        found = tuple(each if isinstance(each, SecretStr) else SecretStr(str(each)) for each in keys if each)
        if any(each.get_secret_value() != LOST and decode_key(each.get_secret_value()) is None for each in found):
            problem = f"has one that is not {KEY_BYTES} bytes in base64"
            raise WrongSetting("SECRET_KEY_PREVIOUS", problem, write(cls, "secret_key_previous"))
        return found

    @model_validator(mode="before")
    @classmethod
    def _tokens_come_from_one_place(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and data.get("bot_tokens_file"):
            if data.get("bot_tokens"):
                raise WrongSetting("BOT_TOKENS_FILE", "BOT_TOKENS is set too", "keep one of them")
            path = Path(data["bot_tokens_file"])
            tokens = (info.context or {}).get(path)
            data = {**data, "bot_tokens": read_tokens_file(expanded(path)) if tokens is None else tokens}
        return data
