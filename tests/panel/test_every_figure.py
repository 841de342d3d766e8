"""Every card, table and graph of the pages that show figures, counted again from raw rows in plain Python.

Now and the sources have tests of their own in `test_figures.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql.money_tables import charges, refunds, star_calls, star_rows, star_sweeps, subscriptions
from passerby.adapters.sql.panel_counter import BACK
from passerby.adapters.sql.tables import cases
from tests.panel.reading_pages import Figures
from tests.panel.stage import Browser, Stage, play
from tests.panel.test_figures import DAY_S, NOW, TODAY, bot_of, chats_of, day_of, fill, growth_of, sources_of

BOTS = (1000001, 1000002)
GONE = TODAY - 4
"""The day of which `fill` has figures of erased people and chats."""


def few(number: int) -> str:
    return "< 10" if 0 < number < 10 else f"{number:,}"


def part(some: int, whole: int) -> str:
    return "–" if whole < 10 or 0 < some < 10 else f"{some / whole * 100:.1f} %"


def day_name(number: int) -> str:
    return datetime.fromtimestamp(number * DAY_S, UTC).strftime("%Y-%m-%d")


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def graph(page: Figures, title: str, at: int = 1) -> dict[str, str]:
    return {row[0].removesuffix(" so far"): row[at] for row in page.tables[title]}


async def page_of(browser: Browser, path: str) -> Figures:
    answer = await browser.get(path)
    assert answer.status == 200
    return Figures(answer.text)


def grown(everybody: Iterable[Any], first: int, last: int) -> Counter[str]:
    """All steps of those who came on these days, and five whose rows are erased."""
    steps = growth_of([row for row in everybody if first <= day_of(row["created_at"]) <= last])
    steps["people"] += 5 * (first <= GONE <= last)
    return steps


def days_of(everybody: Iterable[Any]) -> set[int]:
    return {day_of(row["created_at"]) for row in everybody}


def returned(everybody: list[Any], key: Callable[[Any], Any], none: str, period: int) -> list[list[str]]:
    """The rows of a table of those who came back."""
    windows = {
        days: [r for r in everybody if TODAY - days - period <= day_of(r["created_at"]) < TODAY - days] for days in BACK
    }
    total = Counter(str(key(row) or "") for rows in windows.values() for row in rows)
    named: dict[str, list[str]] = {name: [] for name in sorted(total, key=lambda each: (-total[each], each))}
    for days, rows in windows.items():
        groups = {name: [row for row in rows if str(key(row) or "") == name] for name in named}
        counts = {name: growth_of(group) for name, group in groups.items()}
        secret: set[str] = set()
        for step in ("people", f"back{days}"):
            small = [name for name in named if 0 < counts[name][step] < 10]
            others = [name for name in named if counts[name][step] >= 10]
            # A single small number could be computed from the others and the whole.
            hidden = [min(others, key=lambda each: counts[each][step])] if len(small) == 1 and others else []
            secret |= {*small, *hidden}
            if step == "people":
                whole = sum(counts[name][step] for name in (*small, *hidden))
                shown = {name: few(counts[name][step]) for name in named}
                shown |= {name: f"{max(10, whole - 9):,}–{whole - 1:,}" for name in hidden}
        for name in named:
            of, back = counts[name]["people"], counts[name][f"back{days}"]
            named[name].append(f"{'–' if name in secret else part(back, of)} of {shown[name]}")
    return [[name or none, *cells] for name, cells in named.items()]


@pytest.mark.parametrize("period", [7, 30, 90])
def test_every_figure_of_growth_and_bots_is_what_the_raw_rows_say(tmp_path: Path, period: int) -> None:
    async def scene(stage: Stage) -> None:
        stage.clock.at = NOW
        everybody, _, _, _ = await fill(stage.records.engine, Random(3))
        await stage.counting.count(NOW)
        browser = await stage.signed_in()
        page = await page_of(browser, f"/growth?days={period}")
        first = TODAY - period + 1
        now, before = grown(everybody, first, TODAY), grown(everybody, first - period, first - 1)
        for label, step in (
            ("New people", "people"),
            ("With a profile", "profile"),
            ("Had a chat", "chatted"),
            ("Can be reached", "alive"),
        ):
            change = f"{(now[step] - before[step]) / max(1, before[step]) * 100:+.0f} % against the period before"
            # Those who are left would tell how few are gone.
            tells = [step == "alive" and 0 < each["people"] - each["alive"] < 10 for each in (now, before)]
            known = min(now[step], before[step]) >= 10 and not any(tells)
            said = f"{change} ({before[step]:,})" if known else f"of those who came in {period} days"
            assert page.cards[label] == ("not shown" if tells[0] and now[step] >= 10 else few(now[step]), said)
        steps = ("people", "consented", "profile", "chatted")
        assert [row[1:3] for row in page.tables["How far new people come"]] == [
            [few(now[step]), part(now[step], now["people"])] for step in steps
        ]
        for row, days in zip(page.tables["Who comes back"], (1, 7, 30), strict=True):
            came = [r for r in everybody if TODAY - days - period <= day_of(r["created_at"]) < TODAY - days]
            back = growth_of(came)[f"back{days}"]
            assert row[1:4] == [few(len(came)), few(back), part(back, len(came))], days
        lately = [row for row in everybody if day_of(row["created_at"]) >= first]
        for table, key, none in (("By bot", bot_of, "unknown"), ("By language", itemgetter("language"), "?")):
            shown = {row[0]: row[1:] for row in page.tables[table]}
            assert {*shown} == {str(key(row) or none) for row in lately}
            for name, cells in shown.items():
                mine = growth_of([row for row in lately if str(key(row) or none) == name])
                assert cells == [
                    few(mine["people"]),
                    part(mine["chatted"], mine["people"]),
                    part(mine["people"] - mine["alive"], mine["people"]),
                ], name
        for title, of_person, none in (("bot", bot_of, "unknown"), ("language", itemgetter("language"), "?")):
            assert page.tables[f"Who comes back, by {title}"] == returned(everybody, of_person, none, period), title
        by_day = {number: [r for r in everybody if day_of(r["created_at"]) == number] for number in days_of(everybody)}
        source = {who: name for number, rows in by_day.items() for who, name in sources_of(rows, number).items()}
        by_source = returned(everybody, lambda row: source[row["id"]], "no tag", period)
        assert page.tables["Who comes back, by source"] == by_source
        for number in range(first, TODAY + 1):
            known = grown(everybody, number, number)
            for title, at, value in (
                ("New people by day", 1, known["people"]),
                ("New people by day", 2, known["chatted"]),
            ):
                assert graph(page, title, at)[day_name(number)] == ("–" if 0 < value < 10 else f"{value}"), number
            share = part(known["chatted"], known["people"]).removesuffix(" %")
            said = graph(page, "New people who had a chat, %")[day_name(number)]
            assert said == (share if share == "–" else f"{float(share):g}"), number

        bots = {row[0].split()[0]: row for row in (await page_of(browser, "/bots")).tables["Bots"]}
        monthly = [row for row in everybody if day_of(row["created_at"]) > TODAY - 30]
        for bot in BOTS:
            of = growth_of([row for row in monthly if bot_of(row) == bot])
            cells = next(row for name, row in bots.items() if name.startswith(str(bot)))
            assert cells[4:6] == [few(of["people"]), few(of["people"] - of["alive"])], bot

    play(tmp_path, scene)


@pytest.mark.parametrize("period", [7, 30])
def test_every_figure_of_chats_is_what_the_raw_rows_say(tmp_path: Path, period: int) -> None:
    async def scene(stage: Stage) -> None:
        stage.clock.at = NOW
        _, talked, blocked, filed = await fill(stage.records.engine, Random(3))
        await stage.counting.count(NOW)
        page = await page_of(await stage.signed_in(), f"/chats?days={period}")
        first = TODAY - period + 1

        def counted(start: int, end: int) -> Counter[str]:
            found = chats_of([row for row in talked if start <= day_of(row["opened_at"]) <= end])
            found["blocks"] = sum(start <= day_of(row["blocked_at"]) <= end for row in blocked)
            found["reports"] = sum(start <= day_of(row["filed_at"]) <= end for row in filed)
            found.update({"blocks": 2, "reports": 3} if start <= GONE <= end else {})
            return found

        whole = counted(first, TODAY)
        ended = whole["chats"] - whole["open"]
        rated = whole["good"] + whole["bad"]
        assert page.cards["Chats"] == (f"{whole['chats']:,}", f"{whole['open']} of them are open")
        assert page.cards["Lasted 5 min or more"][0] == f"{(whole['longer'] + whole['long']) / ended * 100:.1f} %"
        liked = "–" if rated < 10 else f"{whole['good'] / rated * 100:.1f} %"
        assert page.cards["Liked"] == (liked, f"of {rated:,} ratings, a day old")
        assert page.cards["Blocks in 1,000 chats"][0] == f"{whole['blocks'] / whole['chats'] * 1000:.1f}"
        assert page.cards["Reports in 1,000 chats"][0] == f"{whole['reports'] / whole['chats'] * 1000:.1f}"
        assert page.cards["Waiting now"][0] == "nobody"
        names = ("seconds", "minutes", "longer", "long")
        assert [row[1:3] for row in page.tables["How long they last"]] == [
            [few(whole[name]), f"{whole[name] / ended * 100:.1f} %"] for name in names
        ]
        ends = {
            "somebody went on to the next": "ended next",
            "somebody stopped": "ended stop",
            "both fell silent": "ended idle",
            "somebody blocked the other": "ended block",
        }
        shown = {row[0]: row[1:3] for row in page.tables["How they end"]}
        assert shown == {
            said: [few(whole[name]), f"{whole[name] / ended * 100:.1f} %"] for said, name in ends.items() if whole[name]
        }
        for number in range(first, TODAY + 1):
            known, at = counted(number, number), day_name(number)
            over = known["chats"] - known["open"]
            long = known["longer"] + known["long"]
            assert graph(page, "Chats by day")[at] == f"{known['chats']}"
            talk = "–" if over < 10 else f"{round(long / over * 100, 1):g}"
            assert graph(page, "Chats that lasted 5 minutes or more, %")[at] == talk, number
            for place, name in ((1, "blocks"), (2, "reports")):
                hurt = "–" if known["chats"] < 10 else f"{round(known[name] / known['chats'] * 1000, 2):,.6g}"
                assert graph(page, "Blocks and reports in 1,000 chats", place)[at] == hurt, (number, name)

    play(tmp_path, scene)


def sold(rng: Random, number: int) -> list[dict[str, Any]]:
    return [
        {
            "bot_id": rng.choice(BOTS),
            "id": f"charge-{each}",
            "user_id": 5_000_000_000 + each,
            "code": f"CODE{each:04}",
            "order_id": f"order-{each}",
            "plan": rng.choice(("week", "month")),
            "stars": rng.choice((75, 250)),
            "paid_at": NOW - rng.random() * 60 * DAY_S,
            "provider_id": "",
            "renews": False,
            "first_charge": "",
            "found": rng.random() < 0.1,
            "gift_to": None,
            "gift_grant": rng.choice((None, None, "GIFT")),
            "source": None,
        }
        for each in range(number)
    ]


async def put(engine: AsyncEngine, rows: dict[sa.Table, list[dict[str, Any]]]) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            for table, each in rows.items():
                await connection.execute(sa.insert(table), each)


def test_every_figure_of_money_is_what_the_ledger_says(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.clock.at = NOW
        rng = Random(5)
        bought = sold(rng, 120)
        back = [
            {"bot_id": row["bot_id"], "charge_id": row["id"], "stars": row["stars"], "refunded_by": "staff", "at": at}
            for row in bought
            if rng.random() < 0.2 and (at := row["paid_at"] + rng.random() * (NOW - row["paid_at"])) < NOW
        ]
        held = [
            {
                "bot_id": rng.choice(BOTS),
                "first_charge": f"charge-{each}",
                "first_provider": "",
                "user_id": each,
                "order_id": "",
                "plan": "month",
                "stars": 250,
                "paid_until": NOW + rng.choice((-1, 1)) * rng.random() * 30 * DAY_S,
                "state": "active",
            }
            for each in range(40)
        ]
        owed = [
            {
                "bot_id": BOTS[0],
                "charge_id": f"charge-{each}",
                "kind": "refund",
                "user_id": 1,
                "provider_id": "",
                "owed_at": NOW - 7200 - each,
                "done_at": None if each < 3 else NOW,
            }
            for each in range(5)
        ]
        unknown = [
            {column.name: "" if isinstance(column.type, sa.Text) else 0 for column in star_rows.columns}
            | {"bot_id": BOTS[1], "id": f"row-{each}", "incoming": True, "matched_at": None if each < 2 else NOW}
            for each in range(6)
        ]
        swept = [{"bot_id": BOTS[0], "rows_seen": 3, "swept_at": NOW - 60}]
        tables = {charges: bought, refunds: back, subscriptions: held, star_calls: owed, star_rows: unknown}
        await put(stage.records.engine, {**tables, star_sweeps: swept})
        page = await page_of(await stage.signed_in(), "/money")

        first = (TODAY - 29) * DAY_S
        assert page.cards["Sold"][0] == f"{sum(r['stars'] for r in bought if r['paid_at'] >= first):,} ★"
        assert page.cards["Refunded"][0] == f"{sum(r['stars'] for r in back if r['at'] >= first):,} ★"
        assert page.cards["Subscriptions"][0] == f"{sum(r['paid_until'] > NOW for r in held)}"
        assert page.cards["On the way back"] == ("3", "not confirmed by Telegram, the oldest for 2.0 h")
        for number in range(TODAY - 29, TODAY + 1):
            stars = sum(r["stars"] for r in bought if day_of(r["paid_at"]) == number)
            assert graph(page, "Stars sold by day")[day_name(number)] == f"{stars:,}", number
            stars = sum(r["stars"] for r in back if day_of(r["at"]) == number)
            assert graph(page, "Stars refunded by day")[day_name(number)] == f"{stars:,}", number
        young = {r["id"] for r in bought if r["paid_at"] >= NOW - 21 * DAY_S}
        shown = {row[0]: row[1:] for row in page.tables["Exposure by bot"]}
        for bot in BOTS:
            mine = [r for r in bought if r["bot_id"] == bot]
            stake = sum(r["stars"] for r in mine if r["id"] in young)
            stake -= sum(r["stars"] for r in back if r["bot_id"] == bot and r["charge_id"] in young)
            assert shown[str(bot)] == [
                f"{sum(r['stars'] for r in mine):,} ★",
                f"{stake:,} ★",
                f"{sum(r['paid_until'] > NOW for r in held if r['bot_id'] == bot)}",
                moment(NOW - 60) if bot == BOTS[0] else "–",
                "2" if bot == BOTS[1] else "0",
            ]
        refunded = {r["charge_id"]: r["at"] for r in back}
        newest = sorted(bought, key=lambda r: -r["paid_at"])[:50]
        assert page.tables["Newest payments"] + page.tables["Older payments"] == [
            [
                r["code"],
                r["plan"] + ", a gift" * (r["gift_grant"] is not None) + ", no update came" * r["found"],
                f"{r['stars']} ★",
                moment(r["paid_at"]),
                str(r["bot_id"]),
                f"{moment(refunded[r['id']])} by staff" if r["id"] in refunded else "no",
            ]
            for r in newest
        ]

    play(tmp_path, scene)


def test_every_figure_of_safety_is_what_the_cases_say(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.clock.at = NOW
        rng = Random(6)
        filed: list[dict[str, Any]] = []
        for number in range(1, 121):
            decided = NOW - rng.random() * 60 * DAY_S if rng.random() < 0.8 else None
            state = "decided" if decided is not None else rng.choice(("open", "second"))
            filed.append(
                {
                    "number": number,
                    "about": rng.choice(("reports", "appeal")),
                    "accused_id": number,
                    "lane": rng.randrange(3),
                    "state": state,
                    "opened_at": NOW - (61 + rng.randrange(9)) * DAY_S,
                    "version": 1,
                    "salt": "",
                    "outcome": rng.choice(("sanctioned", "dismissed", "noted", "lifted")) if decided else None,
                    "decided_at": decided,
                }
            )
        await put(stage.records.engine, {cases: filed})
        page = await page_of(await stage.signed_in(), "/safety")
        waiting = [row for row in filed if row["decided_at"] is None]
        lately = Counter(r["outcome"] for r in filed if r["decided_at"] and r["decided_at"] >= NOW - 30 * DAY_S)
        whole = sum(lately.values())
        assert page.cards["Open cases"][0] == f"{len(waiting)}"
        oldest = (NOW - min(row["opened_at"] for row in waiting)) / DAY_S
        assert page.cards["The oldest waits"][0] == f"{oldest:.0f} days"
        assert page.cards["Decided"][0] == f"{whole}"
        upheld = whole - lately["dismissed"] - lately["lifted"]
        assert page.cards["Led to something"][0] == f"{upheld / whole * 100:.0f} %"
        lanes = {0: "minors and threats", 1: "appeals", 2: "the rest"}
        said = {"reports": "reports", "appeal": "an appeal", "open": "open", "second": "waits for a second member"}

        def group(row: dict[str, Any]) -> tuple[str, ...]:
            return lanes[row["lane"]], said[row["about"]], said[row["state"]]

        groups = Counter(group(row) for row in waiting)
        shown = {tuple(row[:3]): row[3:] for row in page.tables["Waiting cases"]}
        assert {key: cells[0] for key, cells in shown.items()} == {key: f"{n}" for key, n in groups.items()}
        for (lane, about, state), cells in shown.items():
            mine = [
                r for r in waiting if (lanes[r["lane"]], said[r["about"]], said[r["state"]]) == (lane, about, state)
            ]
            assert cells[1] == f"{(NOW - min(r['opened_at'] for r in mine)) / DAY_S:.0f} days"
        assert {row[0]: row[1] for row in page.tables["Decided cases"]} == {name: few(n) for name, n in lately.items()}

    play(tmp_path, scene)
