"""VIP plans in a TOML file: the same as VIP_PLANS, and the words that sell them, in each language.

[[plan]]
name = "week"
days = 7
stars = 75
title.en = "A week of VIP"
about.en = "Seven days of filters and priority, in all our bots."

[[plan]]
name = "monthly"
days = 30
stars = 200
renews = true
bots = [123456789]
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from passerby.kernel.money import Plan
from passerby.settings.forms import text_of
from passerby.settings.wrong import WrongSetting

SETTING: Final = "VIP_PLANS_FILE"
TITLE_CHARACTERS: Final = 32
ABOUT_CHARACTERS: Final = 255
"""Source: Bot API, sendInvoice."""
_KNOWN: Final = {"name": str, "days": int, "stars": int, "renews": bool, "bots": list, "title": dict, "about": dict}

_EXAMPLES: Final = {
    "name": 'name = "week"',
    "days": "days = 7",
    "stars": "stars = 75",
    "renews": "renews = true",
    "bots": "bots = [1000001]",
    "title": 'title.en = "VIP for a week"',
    "about": 'about.en = "Filters for a week."',
}


def read_plans_file(path: Path) -> tuple[str, dict[str, Plan]]:
    """The plans as VIP_PLANS writes them, and by name with their words. Raises: WrongSetting."""
    try:
        found = tomllib.loads(text_of(path))
    except OSError as error:
        raise _wrong(f"cannot be read ({error.strerror})", "name a file that exists") from None
    except UnicodeDecodeError:
        raise _wrong("is not UTF-8", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _wrong(f"is not TOML: {error}", "correct that line") from None
    except RecursionError:
        raise _wrong("has brackets within brackets, too many", "write it as in docs/how-to/sell-vip.md") from None
    if set(found) - {"plan"}:
        raise _wrong("has something besides [[plan]]", "begin each plan with [[plan]]")
    tables = found.get("plan", [])
    if not isinstance(tables, list) or not tables:
        raise _wrong("has no plan", "begin each plan with [[plan]]")
    written, words = [], {}
    for position, table in enumerate(tables, start=1):
        _check(table, position)
        bots = "+".join(map(str, table.get("bots", ())))
        renews = ":renews" if table.get("renews", False) else ""
        written.append(f"{table['name']}={table['days']}d:{table['stars']}{renews}{'@' * bool(bots)}{bots}")
        titles, abouts = (tuple(sorted(table.get(part, {}).items())) for part in ("title", "about"))
        words[table["name"]] = Plan(table["name"], table["days"], table["stars"], titles=titles, abouts=abouts)
    return ", ".join(written), words


def with_words(plans: tuple[Plan, ...], words: Mapping[str, Plan]) -> tuple[Plan, ...]:
    """The plans, with the words of those that have some."""
    return tuple(
        msgspec.structs.replace(each, titles=words[each.name].titles, abouts=words[each.name].abouts)
        if each.name in words
        else each
        for each in plans
    )


def _check(table: Any, position: int) -> None:
    if not isinstance(table, dict):
        raise _wrong(f"plan {position} is no table", "begin each plan with [[plan]]")
    for name, value in table.items():
        kind = _KNOWN.get(name)
        if kind is None:
            raise _wrong(f"plan {position} has something unknown", f"use only {', '.join(_KNOWN)}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _wrong(f"plan {position} has something wrong as its {name}", f"write it like {_EXAMPLES[name]}")
    for name in ("name", "days", "stars"):
        if name not in table:
            raise _wrong(f"plan {position} has no {name}", f"write its {name}")
    for part, most in (("title", TITLE_CHARACTERS), ("about", ABOUT_CHARACTERS)):
        for language, said in table.get(part, {}).items():
            if not (language.isascii() and language.islower() and len(language) == 2):
                raise _wrong(
                    f"the {part} of plan {position} is in no known language", "name languages as in Telegram: en"
                )
            if not isinstance(said, str) or not 0 < len(said.strip()) <= most:
                remedy = f"write 1 to {most} characters"
                raise _wrong(f"the {part} of plan {position} does not fit into an invoice", remedy)


def _wrong(problem: str, remedy: str) -> WrongSetting:
    return WrongSetting(SETTING, problem, remedy)
