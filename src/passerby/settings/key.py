"""The keys of an installation: from SECRET_KEY and BACKUP_KEY, or from key files."""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from passerby.settings.forms import KEY_BYTES, LOST, decode_key
from passerby.settings.model import Settings
from passerby.settings.wrong import WrongSetting


def open_key(settings: Settings) -> bytes:
    """Return the 32-byte key of this installation: SECRET_KEY, or the key in the file, which is made on first use.

    Raises: WrongSetting, if the file cannot be used.
    """
    if settings.secret_key is not None:
        return decode_key(settings.secret_key.get_secret_value()) or b""
    return _kept_or_made(settings.key_path, "SECRET_KEY")


def open_backup_key(settings: Settings, *, make: bool) -> bytes:
    """Return the 32-byte key of the backups: BACKUP_KEY, or the key in the file. `make`: the file is made if needed.

    Raises: WrongSetting, if there is no key or the file cannot be used.
    """
    if settings.backup_key is not None:
        return decode_key(settings.backup_key.get_secret_value()) or b""
    path = settings.backup_key_path
    if make and settings.backup_key_file is None:
        return _kept_or_made(path, "BACKUP_KEY")
    if not path.exists():
        problem = f"is not set, and there is no {path.name}"
        raise WrongSetting("BACKUP_KEY", problem, "set it to the key that the backups were made with")
    return _kept_key(path, "BACKUP_KEY")


def _kept_or_made(path: Path, setting: str) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    try:
        keep_key(path, key)
    except FileExistsError:
        return _kept_key(path, setting)
    except OSError as error:
        problem = f"is not set, and {path.name} cannot be made in {path.parent.absolute()} ({error.strerror})"
        raise WrongSetting(setting, problem, f"make room, let this user write there, or set {setting}") from None
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


def _kept_key(path: Path, setting: str) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a directory" if path.is_dir() else "not a regular file"
            raise WrongSetting(setting, f"{path.name} is {what}", f"remove it, or set {setting}")
        if path.stat().st_mode & 0o077:
            raise WrongSetting(setting, f"others may read {path.name}", f"run chmod 600 {path.name}")
        key = decode_key(path.read_text("ascii", "replace"))
    except OSError as error:
        if path.is_symlink() and not path.exists():
            problem = f"{path.name} is a link that leads nowhere"
            raise WrongSetting(setting, problem, f"remove it, put the file back, or set {setting}") from None
        problem = f"{path.name} exists but cannot be read ({error.strerror})"
        raise WrongSetting(setting, problem, f"let this user read it, or set {setting}") from None
    if key is None:
        remedy = f"put the right {path.name} back next to the database, or set {setting}"
        raise WrongSetting(setting, f"{path.name} contains no key", remedy)
    return key


def former_keys(settings: Settings) -> tuple[bytes, ...]:
    """The keys of SECRET_KEY_PREVIOUS, 32 bytes each."""
    words = (each.get_secret_value() for each in settings.secret_key_previous)
    return tuple(decode_key(word) or b"" for word in words if word != LOST)


def is_key_lost(settings: Settings) -> bool:
    """Whether the operator says that the former key is lost, and with it all that it encrypted."""
    return any(each.get_secret_value() == LOST for each in settings.secret_key_previous)


def key_marks(key: bytes, former: Iterable[bytes]) -> tuple[bytes, ...]:
    """A mark for each key, to recognise the key that something was stored with. It does not reveal the key."""
    return tuple(hmac.digest(each, b"passerby key mark", hashlib.sha256)[:16] for each in (key, *former))


def other_key(what: str) -> WrongSetting:
    """`what` was used with a key that is not set now."""
    problem = f"is not the key that {what} was used with"
    remedy = "set the old one, or name it in SECRET_KEY_PREVIOUS; if it is lost, set SECRET_KEY_PREVIOUS=lost once"
    return WrongSetting("SECRET_KEY", problem, remedy)
