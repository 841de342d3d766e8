"""Somebody has edited the database by hand, or another program wrote into it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import pytest

from passerby.adapters.sql import SqlBroadcasts, SqlRecords, SqlStaff
from passerby.adapters.sql.examination import examine
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.unreadable import MOST_NUMBER, notes
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.ports.facts import SanctionChanged
from passerby.telemetry.logs import Pseudonyms
from tests.contract.records_facts import NOW, block, changed, chatting, numbered, opened, person, searching, told
from tests.contract.records_places import make_tables
from tests.size import spread
from tests.staged import in_a_loop

ANN, BEN, EVE, DAN = PersonId(1), PersonId(2), PersonId(3), PersonId(4)
JUNK = (
    "abc",
    "",
    "[",
    "{}",
    '{"saved":3}',
    b"\xff\x00",
    b"\xfe",
    2**63 - 1,
    -(2**63),
    -1,
    1.5,
    1e300,
    float("inf"),
    None,
)

BAN = Sanction("ban", SanctionKind.BANNED, Reason.SPAM, NOW)


@pytest.fixture(autouse=True)
def _nothing_noted_yet() -> Iterator[None]:
    notes.found.clear()
    yield
    notes.found.clear()


async def filled(path: Path) -> SqlRecords:
    """Ann and Ben chat, Eve is searching, and Dan is banned and has blocked Ann."""
    await make_tables(str(path))
    records = SqlRecords.at(path)
    dan = msgspec.structs.replace(person(DAN, 4), sanctions=(BAN,), blocked=(ANN,), blocked_at=(NOW,))
    facts = (opened("c"), told("c", 1), changed(chatting(1, 2, "c", 5)), changed(chatting(2, 1, "c", 5)))
    more = (changed(searching(3, 7)), changed(dan), block(DAN, ANN), SanctionChanged(DAN, BAN, NOW))
    await records.apply("g", numbered(*facts, *more))
    return records


def edit(path: Path, *statements: str, values: Sequence[object] = ()) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement, values)
        connection.commit()


def is_sound(each: Participant) -> bool:
    """Whether everything that works with people can work with this value."""
    return msgspec.json.decode(msgspec.json.encode(each), type=Participant) == each and 0 <= each.version < MOST_NUMBER


@pytest.mark.parametrize("column", spread((column.name for column in READ if column.name != "id"), 4))
@in_a_loop
async def test_whatever_is_in_a_column_everybody_can_still_be_read(tmp_path: Path, column: str) -> None:
    """Only the person with the bad value may lose something, and never gets a chat or a partner that they did not
    have."""
    path = tmp_path / "records.db"
    records = await filled(path)
    sound = await records.people([ANN, BEN, EVE, DAN])
    for who in (ANN, EVE, DAN):
        with closing(sqlite3.connect(path)) as connection:
            (before,) = connection.execute(f"SELECT {column} FROM users WHERE id = ?", (who,)).fetchone()
        for junk in JUNK:
            value = "CAST(? AS TEXT)" if junk == b"\xfe" else "?"
            with suppress(sqlite3.IntegrityError):
                edit(path, f"UPDATE users SET {column} = {value} WHERE id = ?", values=(junk, who))
            active = {each.person: each for each in (await records.active()).people}
            people = await records.people([ANN, BEN, EVE, DAN])
            assert {key: each for key, each in people.items() if key != who} == {
                key: each for key, each in sound.items() if key != who
            }
            assert all(map(is_sound, (*active.values(), *people.values())))
            if column not in ("chat", "partner", "chatting_since"):
                assert people[who].state == sound[who].state or isinstance(people[who].state, Idle), junk
        edit(path, f"UPDATE users SET {column} = ? WHERE id = ?", values=(before, who))
    assert {found.column for found in notes.found} >= {column} - {"chat", "last_left"}
    assert await records.people([ANN, BEN, EVE, DAN]) == sound
    await records.aclose()


@in_a_loop
async def test_a_bad_row_is_named_once_without_its_person_or_its_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "records.db"
    records = await filled(path)
    edit(path, "UPDATE users SET languages = 'milk and bread', version = 'abc' WHERE id = 3")
    for _ in range(3):
        await records.active()
    said = capsys.readouterr()
    words = said.out + said.err
    assert words.count("records.row_unreadable") == 2
    assert "users.languages: cannot be decoded" in words
    assert "users.version: not of its type" in words
    assert "milk" not in words
    assert all(found.key.startswith("p-") for found in notes.found)
    await records.aclose()


@in_a_loop
async def test_a_banned_person_whose_details_are_lost_stays_banned_and_meets_nobody_whom_they_blocked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "records.db"
    records = await filled(path)
    dan = person(DAN)
    for details in ("milk", '{"sanctions":"none","blocked":7,"icebreakers":false}'):
        edit(path, "UPDATE users SET details = ? WHERE id = 4", values=(details,))
        dan = (await records.people([DAN]))[DAN]
        assert dan.sanctions == (BAN,)
        assert dan.blocked == (ANN,)
    assert not dan.preferences.icebreakers, "what can still be read counts"
    await records.aclose()


@pytest.mark.parametrize("version", ["abc", 2**63 - 1, 1.5, -3])
@in_a_loop
async def test_the_next_value_of_a_person_replaces_a_row_with_an_impossible_version(
    tmp_path: Path, version: object
) -> None:
    path = tmp_path / "records.db"
    records = await filled(path)
    edit(path, "UPDATE users SET version = ? WHERE id = 3", values=(version,))
    found = (await records.people([EVE]))[EVE]
    after = msgspec.structs.replace(found, version=found.version + 1, state=Idle())
    await records.apply("g", [(20, changed(after))])
    assert (await records.people([EVE]))[EVE] == after
    await records.aclose()


@pytest.mark.parametrize("position", ["abc", 2**63 - 1, -1, None, b"\xff"])
@in_a_loop
async def test_a_position_that_cannot_be_one_counts_as_nothing_applied(tmp_path: Path, position: object) -> None:
    """Otherwise the journal would be trimmed up to it, with facts that the records lack."""
    path = tmp_path / "records.db"
    records = await filled(path)
    with suppress(sqlite3.IntegrityError):
        edit(path, "UPDATE journal_positions SET applied = ?, touched_at = 'abc'", values=(position,))
        assert await records.applied("g") == 0
        assert await records.changed_at() is None
        await records.apply("g", [(1, changed(person(9, 1)))])
        assert await records.applied("g") == 1
    await records.aclose()


@in_a_loop
async def test_rows_of_other_tables_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    records = await filled(path)
    edit(
        path,
        "UPDATE chats SET told1_bot = 'abc'",
        "INSERT INTO chats SELECT x'ff', 8, 9, 1, 1, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        "INSERT INTO overrides (number, what, name, bot_id, language, value, by, at) VALUES"
        " (1, 'weather', 'x', 0, '', 'x', 0, 1), (2, 'text', 'keys.find', 'abc', '', '[\"a\"]', 0, 1),"
        " (3, 'text', 'keys.find', 0, '', 'no list', 0, 1), (4, 'setting', 'X', 0, '', '1', 0, 1)",
        "INSERT INTO drains VALUES (5, 'abc', 'sister', 1), (6, 7, 'sister', 1)",
        "INSERT INTO staff (number, user_id, role, name, language, joined_at) VALUES"
        " (1, 5, 'emperor', 'A', 'en', 1), (2, 6, 'owner', 'B', 'en', 1)",
        "INSERT INTO staff_orders (number, body, made_at) VALUES (1, 'milk', 1)",
        "INSERT INTO broadcasts (number, is_open, category, is_test, made_at, body) VALUES (1, 1, 'news', 0, 1, 'x')",
    )
    active = await records.active()
    assert (active.told, active.chats) == ([], ["c"])
    overrides = SqlOverrides(records.engine)
    assert [each.number for each in await overrides.current()] == [4]
    assert await overrides.labels() == [("keys.find", "a")]
    staff = SqlStaff(records.engine)
    assert [each.bot for each in await staff.drains()] == [6]
    assert [each.number for each in await staff.team()] == [2]
    assert await staff.orders(10) == []
    assert await SqlBroadcasts(records.engine).open() == []
    tables = {found.table for found in notes.found}
    assert tables == {"chats", "overrides", "drains", "staff", "staff_orders", "broadcasts"}
    await records.aclose()


@in_a_loop
async def test_a_ticket_or_a_chat_that_is_not_theirs_puts_nobody_into_it(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    records = await filled(path)
    edit(path, "UPDATE users SET partner = 1 WHERE id = 1", "UPDATE users SET ticket = replace(ticket, ':3,', ':2,')")
    people = await records.people([ANN, BEN, EVE])
    assert isinstance(people[ANN].state, Idle)
    assert isinstance(people[BEN].state, Chatting)
    assert not isinstance(people[EVE].state, Searching)
    assert people[EVE].version == 6, "one back, so that a live store that knows better is newer"
    await records.aclose()


@in_a_loop
async def test_an_examination_finds_every_such_row_and_says_which(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    records = await filled(path)
    key = b"k" * 32
    assert await examine(path, key, 60.0) == ((), 4, True)
    edit(
        path,
        "UPDATE users SET interests = 'milk' WHERE id = 4",
        "UPDATE journal_positions SET applied = 'abc'",
        "INSERT INTO tombstones VALUES ('0123456789', NULL, 'milk')",
    )
    found = await examine(path, key, 60.0)
    dan = Pseudonyms(key).of(DAN, 0.0)
    assert {str(each) for each in found.unreadable} == {
        f"users.interests of {dan}: cannot be decoded",
        "journal_positions.applied of a generation: no position",
        "tombstones of 01234567: it makes no sense",
    }
    assert notes.tells
    await records.aclose()
