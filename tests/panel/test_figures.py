"""Every figure of the panel is counted again here, from raw rows and in plain Python."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql import SqlRecords, panel_counter
from passerby.adapters.sql.funnel import NAMED_DAYS, funnel, rows_of
from passerby.adapters.sql.packing import lasted_s, pack
from passerby.adapters.sql.panel_counter import BACK, CHATS, DAYS, GROWTH, STEPS, Growth, PanelCounter
from passerby.adapters.sql.panel_reader import PanelReader, reading_engine
from passerby.adapters.sql.rows import Details
from passerby.adapters.sql.tables import blocks, chats, complaints, daily_figures, metadata, past_chats, users
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.journey import Journey, Step
from passerby.kernel.staff import Role
from passerby.panel.pages.growth import read_sources
from passerby.panel.samples import between, delivered, per_minute, sample_of, state_of
from passerby.runtime.membership.report import Report
from passerby.telemetry.figures import LATENCY_S, Snapshot
from tests.contract.records_places import PostgresServer, make_tables
from tests.contract.servers import postgres_uri
from tests.panel.stage import START, Stage, play

DAY_S = 86_400.0
NOW = START + 7 * 3600
TODAY = int(NOW // DAY_S)
SOURCES = ("", "spring", "spring", "spring", "invite")


def people(rng: Random, number: int) -> list[dict[str, Any]]:
    rows = []
    for each in range(number):
        created = NOW - rng.choice((0.2, 3, 20, 80, 100)) * DAY_S * rng.random()
        if each == 0:
            created = (TODAY - 1) * DAY_S  # the first moment of a day
        # One source brought few people, on several days.
        source = "flyer" if each % 20 == 7 else SOURCES[each % len(SOURCES)]
        nickname = ((PersonId(1), '"journey":["forged"]'),)
        came_by = Details(journey=Journey(source, BotId(1000002), "en", created), block_names=nickname)
        rows.append(
            {
                "id": 5_000_000_000 + each,
                "version": 1,
                "bot_id": rng.choice((1000001, 1000002, None)),
                "details": rng.choice(("{}", '{"journey":["Ann, 0123 456', msgspec.json.encode(came_by).decode())),
                "bots": "[]",
                "has_started": rng.random() < 0.8,
                "consented_at": rng.choice((None, created + 1)),
                "age": rng.choice((None, 20)),
                "age_given_at": 0.0,
                "gender": rng.choice((None, "male")),
                "language": rng.choice(("en", "de", "")),
                "state": "idle",
                "last_chat": rng.choice((None, "c")),
                "last_active_date": min(NOW, created + rng.choice((0, 1, 7, 8, 31)) * DAY_S),
                "created_at": created,
            }
        )
    return rows


def talks(rng: Random, number: int) -> list[dict[str, Any]]:
    rows = []
    for each in range(number):
        opened = NOW - rng.random() * rng.choice((0.5, 5, 95)) * DAY_S
        lasted = rng.choice((5, 59, 60, 299, 300, 1799, 1800, 40_000))
        active = opened > NOW - DAY_S and rng.random() < 0.3
        rows.append(
            {
                "id": f"chat-{each}",
                "user1": 5_000_000_000,
                "user2": 5_000_000_001,
                "bot1": 1000001,
                "bot2": 1000002,
                "active": active,
                "opened_at": opened,
                "closed_at": None if active else opened + lasted,
                "closed_by": None if active else rng.choice((None, 5_000_000_000, 5_000_000_001)),
                "reason": None if active else rng.choice(("next", "stop", "idle", "block")),
                "rating1": rng.choice((None, "good", "bad")),
                "rating2": rng.choice((None, "good")),
            }
        )
    return rows


async def fill(engine: AsyncEngine, rng: Random) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    everybody, talked = people(rng, 400), talks(rng, 600)
    old = [row for row in talked if not row["active"] and row["opened_at"] < NOW - 2 * DAY_S]
    blocked = [
        {"user_id": 1, "blocked_id": 100 + each, "blocked_at": NOW - rng.random() * 50 * DAY_S, "lifted_at": None}
        for each in range(60)
    ]
    filed = [
        {
            "chat_id": f"r{each}",
            "user_id": 1,
            "accused_id": 2,
            "reason": "spam",
            "filed_at": NOW - rng.random() * 50 * DAY_S,
        }
        for each in range(30)
    ]
    gone = {"day": TODAY - 4, "chats": 0, "chatted_s": 0, "rated_good": 0, "rated_bad": 0}
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            await connection.execute(sa.insert(users), everybody)
            await connection.execute(sa.insert(past_chats), list(map(pack, old)))
            await connection.execute(sa.insert(chats), [row for row in talked if row not in old])
            await connection.execute(sa.insert(blocks), blocked)
            await connection.execute(sa.insert(complaints), filed)
            await connection.execute(sa.insert(daily_figures), gone | {"complaints": 3, "blocks": 2, "people": 5})
    return everybody, talked, blocked, filed


def growth_of(rows: list[Any]) -> Counter[str]:
    steps: Counter[str] = Counter(dict.fromkeys(STEPS, 0))
    for row in rows:
        stayed = row["last_active_date"] - row["created_at"]
        steps["people"] += 1
        steps["consented"] += row["consented_at"] is not None
        steps["profile"] += row["consented_at"] is not None and row["age"] is not None and row["gender"] is not None
        steps["chatted"] += row["last_chat"] is not None
        steps["alive"] += row["has_started"]
        for days in BACK:
            steps[f"back{days}"] += stayed >= days * DAY_S
    return steps


def bot_of(row: Any) -> int:
    """The bot that a person counts for: the one by which they came, if none reaches them any more."""
    return row["bot_id"] or (1000002 if "1000002" in row["details"] else 0)


def sources_of(rows: list[Any], number: int) -> dict[int, str]:
    """The source that each person of a day counts for."""
    found = {}
    for row in rows:
        try:
            journey = msgspec.json.decode(row["details"], type=Details).journey
        except msgspec.DecodeError:
            journey = None
        found[row["id"]] = journey.source if journey is not None else ""
    brought = Counter(found.values())
    is_old = number < TODAY - NAMED_DAYS
    return {who: "other" if is_old and source and brought[source] < 5 else source for who, source in found.items()}


def chats_of(rows: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts["chats"] += 1
        if row["active"]:
            counts.update({"open": 1, "ended open": 1, "nobody left": 1})
            continue
        lasted = lasted_s(row)
        name = "seconds" if lasted < 60 else "minutes" if lasted < 300 else "longer" if lasted < 1800 else "long"
        counts.update({name: 1, f"ended {row['reason']}": 1, "left" if row["closed_by"] else "nobody left": 1})
        if row["opened_at"] < NOW - 2 * DAY_S:
            ratings = (row["rating1"], row["rating2"])
            counts.update(good=ratings.count("good"), bad=ratings.count("bad"))
    return counts


def day_of(at: float) -> int:
    return int(at // DAY_S)


async def check(database: str | Path) -> None:
    records, reading = SqlRecords.at(database), PanelReader(reading_engine(database))
    try:
        everybody, talked, blocked, filed = await fill(records.engine, Random(3))
        counting = PanelCounter(records.engine)
        await counting.count(NOW)
        await counting.count(NOW + 1)
        first = TODAY - DAYS + 1
        growth = {
            number: msgspec.json.decode(body, type=Growth)
            for number, body, _ in await reading.figures(GROWTH, first, TODAY)
        }
        assert sorted(growth) == list(range(first, TODAY + 1))
        sources = await read_sources(reading, first, TODAY)
        for number, counted in growth.items():
            mine = [row for row in everybody if day_of(row["created_at"]) == number]
            expected = growth_of(mine)
            if number == TODAY - 4:
                expected.update(people=5, deleted=5)
            assert counted.all == expected, number
            for name in counted.bots:
                assert counted.bots[name] == growth_of([r for r in mine if str(bot_of(r)) == name])
            for name in counted.languages:
                assert counted.languages[name] == growth_of([r for r in mine if (r["language"] or "?") == name])
            assert sum(steps["people"] for steps in counted.bots.values()) == len(mine)
            source = sources_of(mine, number)
            for name in sources[number]:
                assert sources[number][name] == growth_of([r for r in mine if source[r["id"]] == name]), name
            assert sum(steps["people"] for steps in sources[number].values()) == len(mine)
        assert {name for each in sources.values() for name in each} == {"", "spring", "invite", "other", "flyer"}
        for number, body, _ in await reading.figures(CHATS, first, TODAY):
            found = msgspec.json.decode(body, type=dict[str, int])
            known = chats_of([row for row in talked if day_of(row["opened_at"]) == number])
            known["blocks"] += sum(day_of(row["blocked_at"]) == number for row in blocked) + 2 * (number == TODAY - 4)
            known["complaints"] += sum(day_of(row["filed_at"]) == number for row in filed) + 3 * (number == TODAY - 4)
            assert +Counter(found) == +known, number
    finally:
        await reading.aclose()
        await records.aclose()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts even of a small table."""
    monkeypatch.setattr(panel_counter, "ROWS_A_PART", 7)
    monkeypatch.setattr(panel_counter, "PAGES_A_PART", 1)


def test_the_days_are_counted_in_parts_as_the_raw_rows_say_sqlite(tmp_path: Path) -> None:
    asyncio.run(make_tables(tmp_path / "counted.db"))
    asyncio.run(check(tmp_path / "counted.db"))


@pytest.fixture
def postgres() -> Iterator[str]:
    with postgres_uri() as uri, PostgresServer(uri).migrated() as database:
        yield database


@pytest.mark.services
def test_the_days_are_counted_in_parts_as_the_raw_rows_say_postgres(postgres: str) -> None:
    asyncio.run(check(postgres))

    async def read_only() -> None:
        engine = reading_engine(postgres)
        async with engine.connect() as connection:
            with pytest.raises(sa.exc.DBAPIError, match="read-only"):
                await connection.execute(sa.text("DELETE FROM panel_limits"))
        await engine.dispose()

    asyncio.run(read_only())
    assert metadata.tables["panel_figures"] is not None


def numbers_in(page: str) -> dict[str, str]:
    """The cards of a page: label -> value."""
    found = re.findall(r'<div class="label">(.*?)</div>\s*<div class="value">(.*?)</div>', page)
    return dict(found)


def row_of(page: str, name: str) -> list[str]:
    """The cells of a table's row."""
    (row,) = re.findall(rf'<tr><th scope="row">{name}</th>(.*?)</tr>', page)
    return re.findall(r">([^<]*)</td>", row)


def test_the_page_of_growth_shows_how_far_the_people_of_each_source_came(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.clock.at = NOW
        counts = {
            (TODAY, "spring", 7, "de", int(Step.START)): 40,
            (TODAY - 1, "spring", 8, "en", int(Step.START)): 12,
            (TODAY, "spring", 7, "de", int(Step.PAID)): 3,
            (TODAY - 60, "spring", 7, "de", int(Step.START)): 500,
            (TODAY, "", 7, "de", int(Step.START)): 20,
            **{(TODAY, f"invented{n}", 7, "de", int(Step.START)): 1 for n in range(50)},
        }
        async with stage.records.engine.begin() as connection:
            await connection.execute(sa.insert(funnel), rows_of(counts))
        browser = await stage.signed_in()
        page = (await browser.get("/growth?days=30")).text
        assert row_of(page, "spring") == ["50+", "0", "0", "0", "0", "0", "0", "&lt; 10"]
        assert row_of(page, "no tag")[0] == "20+"
        assert row_of(page, "22 more")[0] == "20+"
        assert row_of((await browser.get("/growth?days=30&bot=8")).text, "spring")[0] == "10+"
        assert row_of((await browser.get("/growth?days=30&language=de")).text, "spring")[0] == "40+"

    play(tmp_path, scene)


def test_the_pages_show_what_was_counted_and_hide_small_groups(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.clock.at = NOW
        everybody, talked, _, _ = await fill(stage.records.engine, Random(3))
        await stage.counting.count(NOW)
        browser = await stage.signed_in()
        lately = [row for row in everybody if day_of(row["created_at"]) > TODAY - 30]
        shown = numbers_in((await browser.get("/growth?days=30")).text)
        steps = growth_of(lately)
        assert shown["New people"] == f"{steps['people'] + 5}"
        assert shown["Had a chat"] == f"{steps['chatted']}"
        shown = numbers_in((await browser.get("/chats?days=30")).text)
        counts = chats_of([row for row in talked if day_of(row["opened_at"]) > TODAY - 30])
        ended = counts["chats"] - counts["open"]
        assert shown["Chats"] == f"{counts['chats']}"
        assert shown["Lasted 5 min or more"] == f"{(counts['longer'] + counts['long']) / ended * 100:.1f} %"
        online = sum(row["has_started"] and row["last_active_date"] > NOW - 300 for row in everybody)
        assert numbers_in((await browser.get("/")).text)["Online"] == ("&lt; 10" if 0 < online < 10 else f"{online}")
        week = numbers_in((await browser.get("/growth?days=7&language=de")).text)
        few = growth_of([r for r in everybody if day_of(r["created_at"]) > TODAY - 7 and r["language"] == "de"])
        assert week["With a profile"] == ("&lt; 10" if 0 < few["profile"] < 10 else f"{few['profile']}")
        saved = (await browser.get("/exports/growth.csv")).text
        for line in saved.splitlines()[1:]:
            for cell in line.split(",")[3:]:
                assert cell in ("", "0", "<10", "not shown") or int(cell) >= 10

    play(tmp_path, scene)


def test_a_day_keeps_the_names_of_its_largest_sources_also_if_somebody_invents_many(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        def person(number: int, source: str) -> dict[str, Any]:
            journey = Journey(source, BotId(1000001), "en", NOW)
            details = msgspec.json.encode(Details(journey=journey)).decode()
            seen = {"last_active_date": NOW, "created_at": NOW - 60, "bot_id": 1000001, "details": details}
            return people(Random(1), 1)[0] | seen | {"id": 6_000_000_000 + number}

        invented = [person(number, f"invented{number}") for number in range(70)]
        real = [person(100 + number, "spring") for number in range(12)]
        async with stage.records.engine.begin() as connection:
            await connection.execute(sa.insert(users), [*invented, *real])
        await stage.counting.count(NOW)
        sources = (await read_sources(stage.reading, TODAY, TODAY))[TODAY]
        assert (sources["spring"]["people"], sources["other"]["people"], len(sources)) == (12, 41, 31)

    play(tmp_path, scene)


def test_a_day_that_an_earlier_release_counted_has_no_sources_yet(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.clock.at = NOW
        await stage.counting.keep(GROWTH, TODAY - 5, '{"all": {}, "bots": {}, "languages": {}}', NOW)
        browser = await stage.signed_in()
        assert (await browser.get("/growth")).status == 200
        assert ",source," not in (await browser.get("/exports/growth.csv")).text

    play(tmp_path, scene)


def test_waiting_people_are_counted_by_pool_and_gender(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        rows = people(Random(1), 40)
        for number, row in enumerate(rows):
            gender = "female" if number < 12 else "male" if number < 37 else "other"
            row |= {"state": "searching", "pool": "all.adult", "searching_since": NOW - number - 1, "gender": gender}
        async with stage.records.engine.begin() as connection:
            await connection.execute(sa.insert(users), rows)
        stage.clock.at = NOW
        page = (await (await stage.signed_in()).get("/")).text
        lines = re.findall(
            r"<th scope=\"row\">all.adult</th><td[^>]*>(.*?)</td>" + r"<td class=\"number\"[^>]*>(.*?)</td>" * 3, page
        )
        assert lines == [
            ("women", "12", "7.0 s", "11 s"),
            ("men", "25", "25 s", "35 s"),
            ("others", "&lt; 10", "–", "–"),
        ]

    play(tmp_path, scene)


def test_the_figures_of_a_minute_are_the_difference_of_two_samples() -> None:
    def sample(at: float, **workers: Snapshot) -> Any:
        reports = {name: Report(figures=figures) for name, figures in workers.items()}
        return sample_of(reports, (), at, waiting=1, chats=2, outbox=3, journal=4)

    latency = (0,) * 3 + (4,) + (0,) * (len(LATENCY_S) - 3)
    before = sample(60.0, one=Snapshot(at=60.0, relays=10), two=Snapshot(at=60.0, relays=50))
    after = sample(120.0, one=Snapshot(at=120.0, relays=14, latency=latency), two=Snapshot(at=120.0, relays=3))
    step = between(before, after)
    assert step is not None
    assert step.relays == 4 + 3, "the second worker has started again"
    assert step.quantile_s(0.99) == pytest.approx(0.02, rel=0.05)
    late = sample(600.0, one=Snapshot(at=600.0, relays=99))
    assert [each is None for each in per_minute([before, after, late])] == [False, True]
    assert between(before, sample(120.0)) is None


def test_the_delivery_times_of_a_bot_are_those_of_its_last_minute() -> None:
    def counts(*at: tuple[int, int]) -> tuple[int, ...]:
        return tuple(dict(at).get(place, 0) for place in range(len(LATENCY_S) + 1))

    def report(**latency_of: tuple[int, ...]) -> Report:
        return Report(figures=Snapshot(at=1.0, latency_of={int(bot[1:]): each for bot, each in latency_of.items()}))

    before = {"one": report(b7=counts((3, 90))), "two": report(b7=counts((3, 50)))}
    after = {
        "one": report(b7=counts((3, 91), (9, 1)), b8=counts((0, 4))),
        "two": report(b7=counts((3, 2))),  # it has started again
        "new": Report(),
    }
    found = delivered(before, after)
    assert {*found} == {"7", "8"}
    (median, p99), (fast, _) = found["7"], found["8"]
    assert LATENCY_S[2] < median <= LATENCY_S[3]
    assert LATENCY_S[8] < p99 <= LATENCY_S[9]
    assert fast <= LATENCY_S[0]
    assert delivered(after, after) == {}, "nothing was delivered in between"


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (Report(figures=Snapshot(at=100.0, polled_at={7: 90.0})), "o"),
        (Report(figures=Snapshot(at=100.0, polled_at={7: 90.0}, held_s={7: 3.0})), "h"),
        (Report(figures=Snapshot(at=100.0, polled_at={7: 90.0}), doubted_bots=(7,)), "l"),
        (Report(figures=Snapshot(at=100.0, polled_at={7: 10.0})), "-"),
        (Report(), "-"),
    ],
)
def test_the_state_of_a_bot_is_what_its_workers_report(report: Report, state: str) -> None:
    assert state_of(7, [report], 100.0) == state


def test_the_duty_stores_a_sample_each_minute_and_names_a_release_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(3):
            await stage.duty.sample()
            await stage.duty._note_release()
            stage.clock.at += 60
        rows = await stage.reading.figures("minute", 0, 2**40)
        assert [number for number, _, _ in rows] == [int(START // 60) + each for each in range(3)]
        assert len(await stage.reading.figures("release", 0, 2**40)) == 1
        analyst = await stage.signed_in(await stage.hire(Role.ANALYST, 510))
        assert "release" in (await analyst.get("/growth")).text

    play(tmp_path, scene)
