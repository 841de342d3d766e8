"""The key of an installation: from SECRET_KEY, or from a key file."""

import base64
import os
import secrets
from pathlib import Path

from passerby.settings.forms import KEY_BYTES, decode_key
from passerby.settings.model import Settings
from passerby.settings.wrong import WrongSetting


def open_key(settings: Settings) -> bytes:
    """Return the 32-byte key of this installation: SECRET_KEY, or the key in the file, which is made on first use.

    Raises: WrongSetting, if the file cannot be used.
    """
    if settings.secret_key is not None:
        return decode_key(settings.secret_key.get_secret_value()) or b""
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
        path.unlink()  # a file with half a key would end every later start
        raise


def _kept_key(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise WrongSetting("SECRET_KEY", f"{path.name} is a directory", "remove it, or set SECRET_KEY")
        if path.stat().st_mode & 0o077:
            raise WrongSetting("SECRET_KEY", f"others may read {path.name}", f"run chmod 600 {path.name}")
        key = decode_key(path.read_text("ascii", "replace"))
    except OSError as error:
        problem = f"{path.name} exists but cannot be read ({error.strerror})"
        raise WrongSetting("SECRET_KEY", problem, "let this user read it, or set SECRET_KEY") from None
    if key is None:
        remedy = f"put the right {path.name} back next to the database, or set SECRET_KEY"
        raise WrongSetting("SECRET_KEY", f"{path.name} contains no key", remedy)
    return key


def former_keys(settings: Settings) -> tuple[bytes, ...]:
    """The keys of SECRET_KEY_PREVIOUS, 32 bytes each."""
    return tuple(decode_key(each.get_secret_value()) or b"" for each in settings.secret_key_previous)
