"""Reads the settings from the environment and from `.env`, and finds misspelt names."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NoReturn

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import ValidationError

from passerby.settings import spelling
from passerby.settings.described import limits, write
from passerby.settings.forms import text_of
from passerby.settings.model import Settings
from passerby.settings.wrong import WrongSetting

# A shorter name is too common: another program may use a similar one.
_TELLING_LENGTH = 8

# Names that other projects, and people, use for our settings.
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


def read() -> Settings:
    """Read the settings from the environment and from `.env` in the working directory.

    Raises: WrongSetting.
    """
    text = _text_of_file(Path(".env"))
    _check_file(text)
    _check_environment(os.environ)
    found = _given(dotenv_values(stream=StringIO(text))) if text else {}
    try:
        given = found | _given(os.environ)
        return Settings(**given)  # type: ignore[arg-type]  # Settings reads them from texts
    except ValidationError as error:
        explain(error)


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    """The settings among the values. An empty value means that the setting is not set."""
    names = Settings.model_fields.keys()
    return {name.lower(): value for name, value in values.items() if value and name.lower() in names}


def _text_of_file(path: Path) -> str:
    """The text of `.env`. Empty if there is none."""
    try:
        return text_of(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        problem = f"exists but cannot be read ({error.strerror})"
        raise WrongSetting(".env", problem, "let this user read it, or remove it") from None
    except UnicodeDecodeError:
        raise WrongSetting(".env", "is not a text file", "write lines of the form NAME=value") from None


def _check_file(text: str) -> None:
    """Refuse lines of `.env` that are not settings. Otherwise a typo would simply have no effect."""
    first: dict[str, tuple[str | None, str]] = {}
    for line in parse_stream(StringIO(text)):
        text = line.original.string
        # For the parser, blank lines before a setting are part of it.
        where = f"line {line.original.line + text[: len(text) - len(text.lstrip())].count(chr(10))}"
        if line.error or (line.key is not None and (line.value is None or not _is_name(line.key))):
            # The name is not quoted: it may be a token on a line of its own.
            raise WrongSetting(
                ".env", f"{where} is not NAME=value", "write one setting per line, and # before a comment"
            )
        if line.key is not None and line.key.upper() not in _names():
            hint = _nearest(line.key, alike=0.6) or "one of the names in .env.example"
            raise WrongSetting(line.key, f"is not a setting (.env, {where})", f"write {hint}")
        if line.key is not None:
            before, there = first.setdefault(line.key.upper(), (line.value, where))
            if before != line.value:
                # Only the last one would count, and nobody would notice.
                raise WrongSetting(
                    line.key.upper(), f"has two values (.env, {there} and {where})", "keep one of these lines"
                )


def _check_environment(environment: Iterable[str]) -> None:
    """Refuse variables that look like one of our settings, misspelt. All others belong to other programs.

    If the right name is set too, the other spelling is ignored: some platforms set several spellings.
    """
    given = {name.upper() for name in environment}
    for name in sorted(given - _names()):
        meant = _nearest(name)
        if meant is not None and len(meant) < _TELLING_LENGTH and name not in _ALSO_KNOWN_AS:
            continue  # RUNDIR may belong to another program
        if meant is not None and meant not in given:
            raise WrongSetting(name, "is not a setting (environment)", f"write {meant}")


def doubts() -> list[tuple[str, str]]:
    """Variables of the environment that may be misspelt settings, each with the setting that may be meant.

    `read` refuses names that are closer to a setting. These may belong to another program, so they are only reported.
    """
    given = {name.upper() for name in os.environ}
    pairs = ((name, spelling.meant(name, _names())) for name in sorted(given - _names()))
    return [(name, meant) for name, meant in pairs if meant is not None and meant not in given]


def _nearest(name: str, alike: float = 0.87) -> str | None:
    """The setting that was probably meant. `alike` is difflib's ratio: high if the name may be another program's."""
    name = name.upper()
    if name in _ALSO_KNOWN_AS:
        return _ALSO_KNOWN_AS[name]
    bare, squeezed = name.replace("_", ""), _squeezed()
    letters = set(bare)
    # Comparing is slow, and every start compares everything in the environment with every setting. The ratio counts the
    # letters that both have, so this many can be alike at most.
    likely = [
        other
        for other, (_, theirs) in squeezed.items()
        if 2 * min(len(bare) - len(letters - theirs), len(other) - len(theirs - letters))
        >= alike * (len(bare) + len(other))
    ]
    close = difflib.get_close_matches(bare, likely, n=1, cutoff=alike)
    return squeezed[close[0]][0] if close else None


@cache
def _squeezed() -> dict[str, tuple[str, set[str]]]:
    """The names of the settings by themselves without underscores, with the letters of these."""
    bare = {name.replace("_", ""): name for name in _names()}
    return {squeezed: (name, set(squeezed)) for squeezed, name in bare.items()}


@cache
def _names() -> frozenset[str]:
    return frozenset(name.upper() for name in Settings.model_fields)


def _is_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,39}", text) is not None


def explain(error: ValidationError) -> NoReturn:
    """Turn pydantic's first error into one line. Only limits get here: all other checks raise `WrongSetting`."""
    name = str(error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
    accepted = limits(Settings, name) or "of the right form"
    raise WrongSetting(name.upper(), f"is not {accepted}", write(Settings, name)) from None
