"""Reads the values of single settings: tokens, pools, keys. It does not know which file or variable they come from."""

import base64
import binascii
import errno
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from pydantic import SecretStr

from passerby.kernel.ids import BotId
from passerby.kernel.rules import Brand
from passerby.settings.wrong import WrongSetting

KEY_BYTES = 32
_MOST = 1 << 20
MOST_TIME = 253_402_300_799.0
"""The end of the year 9999: no later time can be shown as a day."""
LOST = "lost"
"""In SECRET_KEY_PREVIOUS: the former key is lost."""

# A bot's number, a colon, its secret. Telegram's secrets have 35 characters today. The range allows for other lengths,
# and still finds a token that was cut off. The sandbox's secrets begin with `sandbox-`.
_TOKEN = re.compile(r"([1-9]\d{4,18}):(?:[A-Za-z0-9_-]{30,64}|sandbox-[A-Za-z0-9_-]+)")

# A pool's name, then languages (IETF tags without a region) and numbers of bots.
_POOL = re.compile(r"([a-z0-9][a-z0-9-]{0,23})=((?:[a-z]{2,3}|[1-9]\d{4,18})(?:\+(?:[a-z]{2,3}|[1-9]\d{4,18}))*)")


def expanded(path: Path) -> Path:
    """With the home directory for a ~ at the start. The name of an unknown user stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # that one raises RuntimeError


def must_be_possible(path: Path) -> None:
    """Raises: OSError, if no file can ever have this name."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
    except ValueError:
        raise OSError(errno.EINVAL, "it contains a zero byte", str(path)) from None


def bytes_of(path: Path) -> bytes:
    """The content of a small file. Refuses whatever reading may never end: a pipe, a device. Raises: OSError."""
    if stat.S_ISFIFO(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is a pipe", str(path))
    with path.open("rb") as file:
        content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise OSError(errno.EFBIG, "it is larger than 1 MiB", str(path))
    return content


def text_of(path: Path) -> str:
    """The text of a small file. Raises: OSError, UnicodeDecodeError."""
    return bytes_of(path).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def read_tokens_file(path: Path) -> tuple[SecretStr, ...]:
    """The tokens in a file. Text after a # is a comment. Raises: WrongSetting."""
    try:
        lines = text_of(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise WrongSetting(
            "BOT_TOKENS_FILE", f"cannot be read ({why})", "write the path of a text file with the tokens"
        ) from None
    tokens = parse_tokens("BOT_TOKENS_FILE", "\n".join(line.partition("#")[0] for line in lines))
    if not tokens:
        raise WrongSetting("BOT_TOKENS_FILE", "has no token in it", "put the tokens in it, one a line")
    return tokens


def by_bot(tokens: Iterable[SecretStr]) -> dict[BotId, SecretStr]:
    """The tokens by bot, in the same order."""
    return {BotId(int(token.get_secret_value().partition(":")[0])): token for token in tokens}


def parse_tokens(setting: str, text: str) -> tuple[SecretStr, ...]:
    """Tokens separated by commas, spaces or new lines. `setting` is named in faults. Raises: WrongSetting."""
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


def parse_pools(text: str, remedy: str) -> tuple[Brand, ...]:
    """Pools written as `name=language+bot, name=language`. Raises: WrongSetting."""
    brands: dict[str, Brand] = {}
    for position, entry in enumerate(filter(None, re.split(r"[\s,]+", text)), start=1):
        found = _POOL.fullmatch(entry)
        if found is None:
            raise WrongSetting("POOLS", f"pool {position} is not name=language+language or name=bot+bot", remedy)
        if found[1] in brands:
            raise WrongSetting("POOLS", f"pool {position} has the name of one before it", "name each pool once")
        parts = found[2].split("+")
        bots = tuple(BotId(int(part)) for part in parts if part.isdecimal())
        brands[found[1]] = Brand(found[1], bots, tuple(part for part in parts if not part.isdecimal()))
    return tuple(brands.values())


def decode_key(text: str) -> bytes | None:
    """A key of KEY_BYTES from base64. None if the text is not such a key."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
