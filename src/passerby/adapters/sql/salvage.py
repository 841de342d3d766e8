"""A row of `users` as a participant, whatever is in its columns.

`rows.participant` takes a row that is sound. Here a column that cannot be read gets a default, and is noted (see
`unreadable`). Some columns decide what follows:

state, ticket, chat   the person counts as idle, one version back. So a live store that knows better is newer, and the
                      two stores are brought together for this person and their partner alone.
version               counts as 0, for the same reason. The next value of the person replaces the row.
details               what can be read of it counts. Sanctions and blocks that are lost are read from their own tables.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql import rows
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.tables import blocks, sanctions
from passerby.adapters.sql.unreadable import ERRORS, MOST_NUMBER, MOST_TIME, notes, readable
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Participant, Searching
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind

Values = Sequence[Any]

_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_MOST_AGE: Final = 200
_PLACE: Final = {column.name: place for place, column in enumerate(READ)}
_LAST: Final = tuple(_PLACE[name] for name in ("last_partner", "last_closed_at", "last_reason", "last_left"))


def person_of(values: Values) -> Participant:
    """`values` are those of `READ`, in its order."""
    return _person_of(values)[0]


async def people_of(connection: AsyncConnection, found: Iterable[Values]) -> list[Participant]:
    """The people of these rows. Sanctions and blocks that a row has lost are read from their own tables."""
    people, lacking = list[Participant](), dict[int, set[str]]()
    for values in found:
        person, lost = _person_of(values)
        if lost:
            lacking[len(people)] = lost
        people.append(person)
    for place, lost in lacking.items():
        people[place] = await _completed(connection, people[place], lost)
    return people


def _person_of(values: Values) -> tuple[Participant, set[str]]:
    """The person, and the names of the details that are lost."""
    if _is_sound(values):
        try:
            person = rows.participant(values)
        except ERRORS:
            return _salvaged(values)
        if not isinstance(person.state, Searching) or person.state.ticket.person == person.person:
            return person, set()
    return _salvaged(values)


def _kinds(column: sa.Column[Any]) -> frozenset[type]:
    """The types that a sound value of this column has."""
    kinds: set[type] = {type(None)} if column.nullable else set()
    match column.type:
        case sa.Integer():
            kinds |= {int}
        case sa.Double():
            kinds |= {float, int}
        case sa.Boolean():
            kinds |= {bool}
        case _:
            kinds |= {str}
    return frozenset(kinds)


def _bounds(column: sa.Column[Any]) -> tuple[float, float] | None:
    """The least and the most that a number may be. None: anything."""
    if column.name == "version":
        return 0, MOST_NUMBER
    if column.name in ("age", "vip_age_min", "vip_age_max"):
        return 0, _MOST_AGE
    return (-MOST_TIME, MOST_TIME) if isinstance(column.type, sa.Double) else None


_KINDS: Final = tuple(map(_kinds, READ))
_BOUNDS: Final = tuple((place, *bounds) for place, column in enumerate(READ) if (bounds := _bounds(column)))
_SOUND: Final[set[tuple[type, ...]]] = set()
"""The types of rows that were sound. There are few, so most rows need one look only."""


def _is_sound(values: Values) -> bool:
    """Whether every value has a type of its column, and every number is within its bounds."""
    types = tuple(map(type, values))
    if types not in _SOUND:
        if any(kind not in kinds for kind, kinds in zip(types, _KINDS, strict=True)):
            return False
        _SOUND.add(types)
    for place, least, most in _BOUNDS:
        value = values[place]
        if value is not None and not least <= value <= most:
            return False
    return not any(_inconsistencies(values))


def _inconsistencies(values: Values) -> Iterator[tuple[str, str]]:
    """(column, why) of columns that do not fit others."""
    of = _PLACE
    match values[of["state"]]:
        case "idle":
            pass
        case "searching":
            if values[of["ticket"]] is None:
                yield "state", "searching without a ticket"
        case "chatting":
            with_whom = values[of["partner"]]
            if None in (values[of["chat"]], with_whom, values[of["chatting_since"]]) or with_whom == values[0]:
                yield "state", "chatting with nobody"
        case _:
            yield "state", "none of ours"
    if values[of["last_chat"]] is not None and None in map(values.__getitem__, _LAST):
        yield "last_chat", "with nobody"
    if values[of["support_code"]] is not None and values[of["support_until"]] is None:
        yield "support_code", "without an end"


def _genders(text: str) -> object:
    return [Gender(each) for each in text.split(",")] if text else None


_DECODERS: Final[dict[str, Callable[[Any], object]]] = {
    "bots": rows.bots_in,
    "languages": rows.strings_in,
    "interests": rows.strings_in,
    "gender": Gender,
    "vip_gender": _genders,
    "details": rows.details_in,
}
_DEFAULTS: Final[dict[str, object]] = {
    "version": 0,
    "bots": "[]",
    "age_given_at": 0.0,
    "language": "",
    "languages": "[]",
    "interests": "[]",
    "vip_until": 0.0,
    "karma": 0.0,
    "karma_at": 0.0,
    "details": "{}",
    "state": "idle",
    "last_active_date": 0.0,
}
"""Of the columns that always have a value."""


def _salvaged(values: Values) -> tuple[Participant, set[str]]:
    person, whole, lost = PersonId(values[0]), list(values), set[str]()
    for place, column in enumerate(READ):
        why = _flaw(place, column.name, values[place])
        if why:
            notes.person(person, column.name, why)
            whole[place] = _DEFAULTS.get(column.name)
            if column.name == "details":
                whole[place], lost = _details_left(values[place])
            if column.name == "version" and type(values[place]) is float and 0 <= values[place] <= MOST_NUMBER:
                whole[place] = ceil(values[place])
    state = _PLACE["state"]
    if whole[state] == "searching" and not _is_ticket_of(whole[_PLACE["ticket"]], person):
        whole[_PLACE["ticket"]] = None
    for flawed, why in list(_inconsistencies(whole)):
        notes.person(person, flawed, why)
        whole[_PLACE[flawed]] = _DEFAULTS.get(flawed)
    if whole[state] != values[state]:
        whole[_PLACE["version"]] = max(0, whole[_PLACE["version"]] - 1)
    return rows.participant(whole), lost


def _is_ticket_of(text: str | None, person: PersonId) -> bool:
    try:
        return text is not None and rows.ticket_in(text).person == person
    except ERRORS:
        return False


def _details_left(text: object) -> tuple[str, set[str]]:
    """Those details that can be read, and the names of the others."""
    left, lost = dict[str, msgspec.Raw](), set[str]()
    try:
        found = _raw(text)  # type: ignore[arg-type]
    except ERRORS:
        return "{}", set(rows.Details.__struct_fields__)
    for name, raw in found.items():
        try:
            rows.details_in(msgspec.json.encode({name: raw}))
        except ERRORS:
            lost.add(name)
        else:
            left[name] = raw
    return msgspec.json.encode(left).decode(), lost


def _flaw(place: int, name: str, value: object) -> str:
    """Return the problem with the value of a column, looked at alone. Empty if there is none."""
    if type(value) not in _KINDS[place]:
        return "missing" if value is None else "not of its type"
    for bounded, least, most in _BOUNDS:
        if bounded == place and value is not None and not least <= value <= most:  # type: ignore[operator]
            return "out of bounds"
    if name in _DECODERS and value is not None:
        try:
            _DECODERS[name](value)
        except ERRORS:
            return "cannot be decoded"
    return ""


async def _completed(connection: AsyncConnection, person: Participant, lost: set[str]) -> Participant:
    who = {"who": person.person}
    if "sanctions" in lost:
        found = (await connection.execute(_SANCTIONS, who)).mappings()
        bound = readable("sanctions", found, sanction_of, lambda row: row["id"])
        person = msgspec.structs.replace(person, sanctions=tuple(bound))
    if "blocked" in lost:
        whom = [PersonId(each) for each in await connection.scalars(_BLOCKED, who)]
        person = msgspec.structs.replace(person, blocked=tuple(whom), blocked_at=())
    return person


def sanction_of(row: Any) -> Sanction:
    """A row of `sanctions`, by the names of its columns."""
    return Sanction(
        row["id"],
        SanctionKind(row["kind"]),
        Reason(row["reason"]),
        row["since"],
        row["until"],
        row["by_staff"],
        row["rule"],
        row["evidence"],
        Appeal(row["appeal"]),
        row["appealed_at"],
    )


_SANCTIONS: Final = sa.select(sanctions).where(
    sanctions.c.user_id == sa.bindparam("who", type_=sa.BigInteger), sanctions.c.lifted_at.is_(None)
)
_BLOCKED: Final = sa.select(blocks.c.blocked_id).where(
    blocks.c.user_id == sa.bindparam("who", type_=sa.BigInteger), blocks.c.lifted_at.is_(None)
)
