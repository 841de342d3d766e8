"""People come from files and from another program's database."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from passerby.adapters.memory import FileLog
from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.engine import postgres_url
from passerby.adapters.sql.tables import blocks, sanctions, staff_orders
from passerby.bootstrap.clock import SystemClock
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Gender, Participant, Preferences
from passerby.ops.people_import.import_run import ImportFailed, Outcome, WrongSource, bring
from passerby.ops.people_import.incoming import FOREVER, LIFETIME, NotReadable, incoming, time_of
from passerby.ops.slow.sqlite import insight
from passerby.ops.standstill import FleetRuns
from passerby.settings import Settings
from tests.contract.records_facts import changed, person
from tests.contract.records_places import PostgresServer, make_tables
from tests.contract.servers import postgres_uri

TOKENS = "111111111:" + "x" * 35 + " 222222222:" + "y" * 35
CSV = """\
Telegram id,bot,gender,age,language,VIP until,banned until,blocked ids
1001,111111111,male,30,pt-BR,2030-01-01,,1002 1003
1002,222222222,Female,25,,,2031-05-01T00:00:00Z,
1003,333333333,,,ru,,,
1004,111111111,male,16,en,,,
1005,111111111,female,15,en,,forever,
abc,,,,,,,
1006,,,,,soon,,
1001,222222222,male,31,,,,1004
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(bot_tokens=TOKENS, sqlite_db_path=tmp_path / "passerby.db")


def brought(settings: Settings, source: str | Path, **options: Any) -> tuple[Outcome, list[tuple[str, str]]]:
    refusals: list[tuple[str, str]] = []
    options = {"dry_run": False, "refused": lambda *each: refusals.append(each), **options}
    return asyncio.run(bring(settings, str(source), SystemClock(), **options)), refusals


def people(settings: Settings) -> dict[int, Participant]:
    async def read() -> dict[PersonId, Participant]:
        records = SqlRecords.at(settings.sqlite_db_path)
        found = await records.people([PersonId(number) for number in range(1, 2000)])
        await records.aclose()
        return found

    return {int(number): value for number, value in asyncio.run(read()).items()}


def rows(settings: Settings, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(f"sqlite:///{settings.sqlite_db_path}")
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    return found


BANS = sa.select(sanctions.c.user_id, sanctions.c.until).order_by(sanctions.c.user_id)
ORDERS = sa.select(staff_orders.c.body).order_by(staff_orders.c.number)


def test_people_come_from_a_csv_with_everything_that_is_known_about_them(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    outcome, refusals = brought(settings, file)
    assert refusals == [
        ("line 7", "telegram_id is not a whole number"),
        ("line 8", "vip_until is neither a date nor a Unix time"),
        ("line 5", "their age is under 18"),
        ("line 6", "their age is under 18, only their ban is kept"),
    ]
    assert (outcome.rows, outcome.taken, outcome.refused, outcome.banned, outcome.unreachable) == (8, 3, 4, 2, 1)
    assert dict(outcome.asked) == {"consent": 3, "age": 1, "gender": 1}
    found = people(settings)
    assert sorted(found) == [1001, 1002, 1003, 1005]
    first = found[1001]
    assert (first.bot, first.bots) == (111111111, (111111111, 222222222))
    assert (first.profile.age, first.profile.gender, first.profile.language) == (30, Gender.MALE, "pt")
    assert first.profile.consented_at is None
    assert first.vip_until == 1893456000.0
    assert first.blocked == (1002, 1003, 1004)
    assert found[1005].profile.age is None
    assert rows(settings, BANS) == [(1002, 1935360000.0), (1005, None)]
    assert len(rows(settings, sa.select(blocks.c.user_id))) == 3


def test_a_dry_run_says_the_same_and_writes_nothing(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    dry, dry_refusals = brought(settings, file, dry_run=True)
    assert not settings.sqlite_db_path.exists()
    real, refusals = brought(settings, file)
    assert (dry, dry_refusals) == (real, refusals)


def test_importing_again_changes_nothing_but_adds_new_bans(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    brought(settings, file)
    before = people(settings)
    file.write_text(CSV.replace("1003,333333333,,,ru,,,", "1003,333333333,male,40,de,2040-01-01,2032-01-01,"))
    outcome, _ = brought(settings, file)
    assert (outcome.taken, outcome.known) == (0, 4)
    assert people(settings) == before
    assert [who for who, _ in rows(settings, BANS)] == [1002, 1005]
    ordered = [msgspec.json.decode(body) for (body,) in rows(settings, ORDERS)]
    assert [order["person"] for order in ordered] == [1002, 1003, 1005], "the fleet carries them out"
    known = {each.sanctions[0].id for each in before.values() if each.sanctions}
    assert {order["sanction"]["id"] for order in ordered if order["person"] != 1003} == known, "and these are no news"


def test_people_who_are_here_already_stay_as_they_are(settings: Settings, tmp_path: Path) -> None:
    async def fill() -> None:
        await make_tables(settings.sqlite_db_path)
        records = SqlRecords.at(settings.sqlite_db_path)
        await records.apply("g", [(1, changed(person(1001, 7)))])
        await records.aclose()

    asyncio.run(fill())
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    brought(settings, file)
    assert people(settings)[1001] == person(1001, 7)


def test_json_lines_say_the_same_as_csv(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text(
        '{"telegramId": 1001, "bot": [111111111, 222222222], "gender": "male", "age": 30, "vip_until": 1893456000}\n'
        "\n"
        '{"telegram_id": "1002", "banned_until": true, "blocked_ids": [1001, 1002]}\n'
        "[1]\n"
        '{"telegram_id": 1003, "nickname": "x"}\n'
    )
    outcome, refusals = brought(settings, file)
    assert refusals == [("line 4", "it is not a JSON object"), ("line 5", "the name nickname is unknown")]
    assert outcome.taken == 2
    found = people(settings)
    assert found[1001].bots == (111111111, 222222222)
    assert found[1002].blocked == (1001,)
    assert rows(settings, BANS) == [(1002, None)]


@pytest.mark.parametrize("head", ["name,age\n", "telegram_id,shoe size\n", ""])
def test_a_file_with_other_columns_is_refused_as_a_whole(settings: Settings, tmp_path: Path, head: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(head + "1,2\n")
    with pytest.raises(ImportFailed, match="the columns are telegram_id, bot, gender"):
        brought(settings, file)


def test_nobody_is_taken_in_while_a_process_runs(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    log = FileLog(settings.live_path)
    with pytest.raises(FleetRuns):
        brought(settings, file)
    brought(settings, file, dry_run=True)
    log.close()


NEWER = """
CREATE TABLE "Users" ("userId" BIGINT PRIMARY KEY, "telegramId" BIGINT, "botId" VARCHAR(50), "gender" VARCHAR(9),
  "vipGender" VARCHAR(9), "vipAgeMin" INTEGER, "vipAgeMax" INTEGER, "hasStarted" BOOLEAN, "age" INTEGER,
  "banned" BOOLEAN, "lastActiveDate" DATE, "totalChats" INTEGER);
CREATE TABLE "VipSubscriptions" ("userId" BIGINT PRIMARY KEY, "expiresAt" TIMESTAMP, "source" VARCHAR(9));
CREATE TABLE "Bans" ("id" INTEGER PRIMARY KEY, "userId" BIGINT, "reason" TEXT);
CREATE TABLE "Chats" ("id" INTEGER PRIMARY KEY, "user1" BIGINT, "user2" BIGINT, "active" BOOLEAN);
INSERT INTO "Users" VALUES (1, 1001, 'bot_1', 'Male', 'Female', 20, 40, TRUE, 30, FALSE, '2026-05-01', 9);
INSERT INTO "Users" VALUES (2, 1002, 'bot_0', 'Other', 'Any', NULL, NULL, FALSE, NULL, TRUE, NULL, 0);
INSERT INTO "Users" VALUES (3, 1003, 'default', 'Female', 'Any', NULL, NULL, TRUE, 17, FALSE, NULL, 0);
INSERT INTO "Users" VALUES (4, 1004, 'bot_9', 'Female', 'Any', NULL, NULL, TRUE, 22, FALSE, NULL, 0);
INSERT INTO "VipSubscriptions" VALUES (1, '2030-01-01 00:00:00', 'stars');
INSERT INTO "Bans" VALUES (1, 4, 'spam');
INSERT INTO "Chats" VALUES (1, 1, 2, TRUE);
"""
OLDER = """
CREATE TABLE User (userId BIGINT PRIMARY KEY, telegramId BIGINT, gender TEXT, age INTEGER, banned TINYINT);
CREATE TABLE VipSubscriptions (userId BIGINT PRIMARY KEY, expiresAt TEXT);
INSERT INTO User VALUES (1001, 1001, 'Male', 30, 0), (1002, 1002, NULL, NULL, 1);
INSERT INTO VipSubscriptions VALUES (1001, '2030-01-01 00:00:00.000 +00:00');
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_uri() as uri:
        yield PostgresServer(uri)


@pytest.fixture
def newer_in_postgres(postgres: PostgresServer) -> Iterator[str]:
    async def fill(uri: str) -> None:
        engine = create_async_engine(postgres_url(uri), poolclass=NullPool)
        async with engine.begin() as connection:
            for statement in NEWER.split(";")[:-1]:
                await connection.exec_driver_sql(statement)
        await engine.dispose()

    with postgres.database() as uri:
        asyncio.run(fill(uri))
        yield uri


@pytest.fixture
def newer_in_a_file(tmp_path: Path) -> str:
    return str(sqlite_file(tmp_path / "newer.db", NEWER))


def sqlite_file(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


@pytest.mark.parametrize("source", ["newer_in_a_file", pytest.param("newer_in_postgres", marks=pytest.mark.services)])
def test_people_come_from_the_other_programs_database(
    settings: Settings, source: str, request: pytest.FixtureRequest
) -> None:
    outcome, refusals = brought(settings, request.getfixturevalue(source))
    assert refusals == [("row 3", "their age is under 18")]
    assert (outcome.taken, outcome.banned, outcome.unreachable) == (3, 2, 2)
    assert outcome.left == [("Chats", 1)]
    found = people(settings)
    first = found[1001]
    assert first.bots == (222222222,)
    assert first.preferences == Preferences((Gender.FEMALE,), 20, 40)
    assert (first.vip_until, first.profile.age) == (1893456000.0, 30)
    assert found[1002].bots == (), "they have not started the bot"
    assert rows(settings, BANS) == [(1002, None), (1004, None)]


def test_an_older_version_of_that_database_has_other_names(settings: Settings, tmp_path: Path) -> None:
    file = sqlite_file(tmp_path / "older.db", OLDER)
    outcome, _ = brought(settings, file, bot=111111111)
    assert (outcome.taken, outcome.banned, outcome.unreachable) == (2, 1, 0)
    assert people(settings)[1001].vip_until == 1893456000.0
    assert people(settings)[1001].bot == 111111111


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("latin.csv", "telegram_id,âge\n1,2\n".encode("latin-1"), "latin.csv is not text in UTF-8; save it as CSV"),
        ("late.csv", b"telegram_id\n" + b"1\n" * 9000 + b"\xe9\n", "late.csv is not text in UTF-8"),
        ("excel.csv", "telegram_id\n1\n".encode("utf-16"), "excel.csv is not text in UTF-8"),
        ("twice.csv", b"telegram_id,age,Age\n1,20,30\n", "the columns age and Age are the same one; keep one"),
        ("two_ids.csv", b"id;telegram_id\n1;2\n", "the columns id and telegram_id are the same one"),
        ("quote.csv", b'telegram_id,language\n1,"en\n2,en\n', "quote.csv, line .: unexpected end of data"),
        ("quotes.csv", b'telegram_id,language\n1,"en\n2,en\n3,"en\n', "quotes.csv"),
        (
            "lines.csv",
            b'telegram_id,language\n1,"en\n2,en"\n3,en\n',
            "a field goes over the end of a line before line 3",
        ),
        ("nowhere.csv", None, r"nowhere.csv cannot be read \(No such file or directory\); name a file, or the"),
        (".", None, r"cannot be read \(Is a directory\); name a file, or the postgresql"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(
    settings: Settings, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ImportFailed, match=told):
        brought(settings, tmp_path / name)
    assert not settings.sqlite_db_path.exists()


def test_a_json_line_with_brackets_thousands_deep_is_refused_alone(settings: Settings, tmp_path: Path) -> None:
    lines = ['{"telegram_id":1001,"age":30}', '{"telegram_id":' + "[" * 100_000 + "]" * 100_000 + "}"]
    (tmp_path / "deep.jsonl").write_text("\n".join(lines), encoding="utf-8-sig")
    outcome, refusals = brought(settings, tmp_path / "deep.jsonl")
    assert refusals == [("line 2", "it is not a JSON object")]
    assert people(settings).keys() == {1001}, "the mark at the beginning of the file is no part of the first line"
    assert outcome.rows == 2


def test_a_database_of_something_else_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="no table of users"):
        brought(settings, sqlite_file(tmp_path / "x.db", "CREATE TABLE notes (id INTEGER)"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2030-01-01", 1893456000.0),
        ("2030-01-01 00:00:00.000 +00:00", 1893456000.0),
        ("2030-01-01T01:00:00+01:00", 1893456000.0),
        ("1893456000", 1893456000.0),
        (1893456000000, 1893456000.0),
        ("", 0.0),
        (None, 0.0),
        (False, 0.0),
        ("forever", FOREVER),
        ("20300101", 1893456000.0),
        (20300101, 1893456000.0),
        ("20300101000000", 1893456000.0),
        ("253402214400", 253402214400.0),
        (1, FOREVER),
        ("1", FOREVER),
        (0, 0.0),
        ("0", 0.0),
    ],
)
def test_a_time_may_be_written_in_many_ways(value: object, expected: float) -> None:
    assert time_of(value, "vip_until") == expected


@pytest.mark.parametrize("column", ["vipuntil", "banneduntil"])
@pytest.mark.parametrize("value", ["2", "2030", 2030, "20301301", "1400000000", "7300000000", "-1", "99999999999"])
def test_a_number_that_is_no_believable_time_is_refused_and_never_a_day_in_1970(value: object, column: str) -> None:
    with pytest.raises(NotReadable, match="until"):
        incoming("line 1", {"telegramid": 1, column: value}, (BotId(1),))


USERS_ONLY = """
CREATE TABLE Users (userId BIGINT, telegramId BIGINT, age INTEGER);
INSERT INTO Users VALUES (1, 1001, 30), (2, 1002, 30), (3, 1003, 30);
"""


@pytest.mark.parametrize(
    ("script", "banned"),
    [
        (
            "CREATE TABLE Bans (id INTEGER, telegramId BIGINT, reason TEXT); INSERT INTO Bans VALUES (1, 1002, 'x');",
            1002,
        ),
        (
            "CREATE TABLE Bans (id INTEGER, telegramId BIGINT, reason TEXT); INSERT INTO Bans VALUES (1, 1009, 'x');",
            1009,
        ),
        ("CREATE TABLE banned_users (telegram_id TEXT); INSERT INTO banned_users VALUES ('1002');", 1002),
        ("CREATE TABLE b (u INTEGER); INSERT INTO b VALUES (2); CREATE VIEW Bans AS SELECT u AS userId FROM b;", 1002),
    ],
)
def test_no_ban_is_lost_whatever_names_the_person(settings: Settings, tmp_path: Path, script: str, banned: int) -> None:
    _, refusals = brought(settings, sqlite_file(tmp_path / "bans.db", USERS_ONLY + script))
    assert refusals == []
    assert rows(settings, BANS) == [(banned, None)]


def test_an_own_id_is_looked_up_as_id_if_the_users_have_no_other(settings: Settings, tmp_path: Path) -> None:
    script = "CREATE TABLE Bans (userId BIGINT); INSERT INTO Bans VALUES (2), (77);"
    file = sqlite_file(tmp_path / "bans.db", USERS_ONLY.replace("userId", "id") + script)
    _, refusals = brought(settings, file)
    assert rows(settings, BANS) == [(1002, None)]
    assert refusals == [("Bans, row 2", "Users has no such person")]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("CREATE TABLE Bans (id INTEGER, who TEXT); INSERT INTO Bans VALUES (1, 'x');", "table Bans .* id, who"),
        (
            "CREATE TABLE Vip (userId BIGINT, level TEXT); INSERT INTO Vip VALUES (1, 'x');",
            "table Vip .* userId, level",
        ),
    ],
)
def test_a_table_that_matters_and_cannot_be_read_stops_the_import(
    settings: Settings, tmp_path: Path, script: str, told: str
) -> None:
    with pytest.raises(WrongSource, match=told):
        brought(settings, sqlite_file(tmp_path / "odd.db", USERS_ONLY + script), dry_run=True)
    empty = script.partition("INSERT")[0]
    assert brought(settings, sqlite_file(tmp_path / "empty.db", USERS_ONLY + empty), dry_run=True)[0].taken == 3


def test_the_longest_of_several_subscriptions_counts(settings: Settings, tmp_path: Path) -> None:
    script = """CREATE TABLE VipSubscriptions (userId BIGINT, telegramId BIGINT, expiresAt TEXT);
      INSERT INTO VipSubscriptions VALUES (1, NULL, '2030-01-01'), (1, NULL, '2027-01-01'), (NULL, 1001, '2031-05-01'),
      (2, 1002, '1893456000000'), (2, 1002, NULL), (3, 1003, '2030');"""
    _, refusals = brought(settings, sqlite_file(tmp_path / "vips.db", USERS_ONLY + script))
    assert {number: each.vip_until for number, each in people(settings).items()} == {
        1001: 1935360000.0,
        1002: 1893456000.0,
    }
    assert refusals == [("row 3", "vip_until 2030 is neither a date nor a Unix time between 2015 and 2200")]


@pytest.mark.parametrize(
    "value", ["1.5", "-3", "1_0", "+5", "٥", "9" * 5_000, b"5", "1e99", "9" * 30, "x", 2**60, 1.5, [1], {}]
)
def test_no_value_of_an_id_is_ever_taken_for_another(value: object) -> None:
    with pytest.raises(NotReadable):
        incoming("line 1", {"telegramid": value}, (BotId(1),))


def test_vip_for_ever_is_stored_as_long_as_it_can_be_read_again_and_nonsense_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    times = ["forever", "9999-12-31", "9999-12-31T23:59-14:00", "253402300799000", "9" * 23, "1e99"]
    file.write_text("telegram_id,vip_until\n" + "".join(f"{1001 + at},{time}\n" for at, time in enumerate(times)))
    outcome, refusals = brought(settings, file)
    wrong = "is neither a date nor a Unix time"
    assert refusals == [
        ("line 6", f"vip_until {'9' * 23} {wrong} between 2015 and 2200"),
        ("line 7", f"vip_until {wrong}"),
    ]
    assert (outcome.taken, outcome.lifetime) == (4, 4)
    assert {each.vip_until for each in people(settings).values()} == {LIFETIME}


def test_a_ban_in_the_far_future_has_no_end_and_one_that_makes_no_sense_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"telegram_id,banned_until\n1001,9999-12-31T23:59-14:00\n1002,{'9' * 22}\n")
    _, refusals = brought(settings, file)
    wrong = f"banned_until {'9' * 22} is neither a date nor a Unix time between 2015 and 2200"
    assert refusals == [("line 3", wrong)]
    assert rows(settings, BANS) == [(1001, None)]


def test_a_pipe_is_refused_at_once(settings: Settings, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "people.jsonl")
    with pytest.raises(WrongSource, match="is not a regular file"):
        brought(settings, tmp_path / "people.jsonl")


@pytest.mark.parametrize("name", ["a?b.db", "a#b.db", "a%62.db", "a?mode=rwc.db"])
def test_a_database_is_only_read_whatever_its_name_is(settings: Settings, tmp_path: Path, name: str) -> None:
    home = tmp_path / "foreign"
    home.mkdir()
    file = sqlite_file(home / name, OLDER)
    outcome, _ = brought(settings, file, dry_run=True)
    assert outcome.taken == 2
    assert insight(file).figures["journal"] == "delete"
    assert [each.name for each in home.iterdir()] == [name]


ODD = """
CREATE TABLE Users (userId BIGINT, telegramId BIGINT, banned TEXT, hasStarted TEXT, botId TEXT, notes TEXT,
  gender TEXT);
INSERT INTO Users VALUES
  (1, 1001, 'true', 'true', 'bot_0', CAST(x'ff' AS TEXT), CAST(x'ff' AS TEXT)), (2, 1002, '1', 'yes', 'bot_0', '', ''),
  (3, 1003, 't', 't', 'bot_0', '', ''), (4, 1004, 'YES', '1', 'bot_0', '', ''),
  (5, 1005, 'false', 'false', 'bot_0', '', ''), (6, 1006, 'no', 'true', 'bot_0', '', ''),
  (7, 1007, 'perhaps', 'true', 'bot_0', '', ''), (8, 1008, 'no', 'perhaps', 'bot_0', '', '');
"""


def test_no_ban_of_a_foreign_database_is_lost_because_of_how_it_writes_yes(settings: Settings, tmp_path: Path) -> None:
    outcome, refusals = brought(settings, sqlite_file(tmp_path / "odd.db", ODD))
    assert refusals == [("row 7", "banned is neither yes nor no"), ("row 8", "hasStarted is neither yes nor no")]
    assert (outcome.banned, outcome.unreachable) == (4, 1)
    assert [who for who, _ in rows(settings, BANS)] == [1001, 1002, 1003, 1004]


@pytest.mark.services
def test_times_of_postgresql_that_python_cannot_hold_stop_nothing(settings: Settings, postgres: PostgresServer) -> None:
    async def fill(uri: str) -> None:
        engine = create_async_engine(postgres_url(uri), poolclass=NullPool)
        async with engine.begin() as connection:
            for statement in NEWER.split(";")[:-1]:
                await connection.exec_driver_sql(statement)
            await connection.exec_driver_sql("""INSERT INTO "VipSubscriptions" VALUES (2, 'infinity', 'x')""")
            await connection.exec_driver_sql("""INSERT INTO "VipSubscriptions" VALUES (4, '4000-01-01 BC', 'x')""")
        await engine.dispose()

    with postgres.database() as uri:
        asyncio.run(fill(uri))
        outcome, refusals = brought(settings, uri)
    assert refusals == [("row 4", "vip_until is neither a date nor a Unix time"), ("row 3", "their age is under 18")]
    assert (outcome.taken, outcome.lifetime) == (2, 1)


def test_a_source_that_cannot_be_read_is_a_wrong_argument(settings: Settings, tmp_path: Path) -> None:
    torn = sqlite_file(tmp_path / "torn.db", OLDER)
    torn.write_bytes(torn.read_bytes()[:1500])
    for source in (torn, "mysql://localhost/x", "http://x", "postgresql://localhost:99999/x", "postgresql://h:port/x"):
        with pytest.raises(WrongSource) as wrong:
            brought(settings, source, dry_run=True)
        assert "backup" not in str(wrong.value)


def test_a_refusal_shows_no_more_of_a_name_than_a_line_can_hold(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "people.jsonl").write_text(
        msgspec.json.encode({"\x1b[2J" + "x" * 9_000: 1}).decode() + '\n{"telegram_id":1001}'
    )
    _, ((_, told),) = brought(settings, tmp_path / "people.jsonl")
    assert told.isprintable()
    assert len(told) < 120


@pytest.mark.parametrize("content", [b"", b"\n\n", b"root:x:0:0:root:/root:/bin/bash\n" * 3, bytes(range(256)) * 9])
def test_a_file_without_people_is_a_wrong_argument(settings: Settings, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "people").write_bytes(content)
    with pytest.raises(WrongSource, match="people cannot be imported: "):
        brought(settings, tmp_path / "people")
    assert not settings.sqlite_db_path.exists()


def test_a_line_that_is_too_long_is_refused_without_reading_it_whole(settings: Settings, tmp_path: Path) -> None:
    long = b"x" * (3 << 20)
    (tmp_path / "people.jsonl").write_bytes(b'{"telegram_id":1001}\n' + long + b'\n{"telegram_id":1002}\n')
    _, refusals = brought(settings, tmp_path / "people.jsonl")
    assert refusals == [("line 2", "it is longer than 1 MiB")]
    assert people(settings).keys() == {1001, 1002}
    (tmp_path / "people.csv").write_bytes(b"telegram_id\n1001\n" + long)
    with pytest.raises(WrongSource, match=r"people\.csv, line 3: it is longer than 1 MiB"):
        brought(settings, tmp_path / "people.csv")
