"""The columns of the exports, in their order, with what they mean. `docs/reference/exports.md` is made from them.

Each row of an export has all columns of its table, so a file of a quiet day has the same header as any other.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from passerby.panel.pages.health import ENDS, LENGTHS

Columns = Mapping[str, str]
"""Name -> meaning."""

GROWTH: Final[Columns] = {
    "day": "the day in UTC on which these people were new, such as `2026-01-31`",
    "part": "`all`: everybody; `bot`, `language` or `source`: those of one bot, language or source",
    "name": "the bot's number, the language, or the tag of the link; `0`, `?` or empty if there is none; "
    "`other`: small sources together; empty for `all`",
    "people": "new people; those whose data were deleted since count in `all` only",
    "consented": "of them, accepted the rules",
    "profile": "of them, also gave their age and gender",
    "chatted": "of them, had a chat",
    "alive": "of them, can be reached: they have not blocked the bot",
    "back1": "of them, were seen one day after they came, or later",
    "back7": "of them, were seen 7 days after they came, or later",
    "back30": "of them, were seen 30 days after they came, or later",
    "deleted": "of them, had their data deleted; empty for one bot, language or source, because this is not stored",
}
CHATS: Final[Columns] = {
    "day": "the day in UTC on which these chats began, such as `2026-01-31`",
    "chats": "chats",
    "open": "of them, not ended yet when they were counted",
    **{name: f"of them, lasted {said}" for name, said in LENGTHS},
    **{name: f"of them, ended because {said}" for name, said in ENDS.items() if name != "ended other"},
    "ended other": "of them, ended for another reason",
    "left": "of them, one of the two ended it",
    "nobody left": "of them, neither of the two ended it, or it is open",
    "good": "ratings with a thumb up; each of the two may give one",
    "bad": "ratings with a thumb down",
    "blocks": "blocks of a partner on this day",
    "complaints": "reports about a partner on this day",
}
AUDIT: Final[Columns] = {
    "number": "the row's place in the audit; the first one is 1",
    "at": "when it was done, in UTC, such as `2026-01-31T23:59:58.123456Z`",
    "actor": "the number of the staff member; 0: the command line; empty: a rule did it",
    "action": "the action, such as `staff.invited`",
    "subject": "whom or what it was done to",
    "details": "a JSON object; in CSV, its text",
    "reason": "the reason, if one was given",
    "hash": "hexadecimal SHA-256 of the row and of the hash before it; `passerby audit verify` checks all of them",
}


class Export(NamedTuple):
    title: str
    columns: Columns


EXPORTS: Final[Mapping[str, Export]] = {
    "growth": Export("New people by day, bot, language and source", GROWTH),
    "chats": Export("Chats by day", CHATS),
    "audit": Export("The newest 10,000 rows of the audit", AUDIT),
}


def in_order(row: Mapping[str, Any], columns: Columns, missing: int | None) -> dict[str, Any]:
    """The row with all columns. A name that is no column comes last, so that nothing is lost."""
    others = (name for name in row if name not in columns)
    return {name: row.get(name, missing) for name in (*columns, *others)}
