"""Every page and form, by every role; what a form does is a staff decision with a row of the audit."""

import csv
import io
import re
from pathlib import Path
from random import Random

import msgspec
import pytest
import sqlalchemy as sa

from passerby.adapters.sql.audit import add_to_audit
from passerby.adapters.sql.broadcast_rows import store_broadcasts
from passerby.adapters.sql.money_tables import charges, refunds, star_calls
from passerby.adapters.sql.panel_faults import keep_faults
from passerby.adapters.sql.panel_tables import faults
from passerby.adapters.sql.tables import audit, staff_orders, users
from passerby.domain.alerts.engine import Alert
from passerby.domain.alerts.rules import BOT_HELD
from passerby.domain.panel import FRESH_S
from passerby.domain.spreadsheet import as_csv
from passerby.domain.team import PERMISSIONS
from passerby.kernel.broadcast import Broadcast, BroadcastState
from passerby.kernel.rules import Rules
from passerby.kernel.staff import AuditNote, Permission, Role
from passerby.panel.figures_duty import MINUTE
from passerby.panel.marks import RELEASE, Release
from passerby.panel.samples import Sample
from passerby.runtime.alerting.watch import MEMO, Kept
from passerby.telemetry.faults import SeenFault, fingerprint_of
from passerby.telemetry.figures import Snapshot
from tests.panel.stage import START, Browser, Stage, hidden, play
from tests.panel.test_figures import numbers_in, people
from tests.size import in_full

NEEDS = {
    "/": Permission.FIGURES,
    "/growth": Permission.FIGURES,
    "/chats": Permission.FIGURES,
    "/bots": Permission.FIGURES,
    "/alerts": Permission.ALERTS,
    "/people": Permission.PEOPLE,
    "/audit": Permission.AUDIT,
    "/safety": Permission.SANCTION,
    "/approvals": None,
    "/money": Permission.MONEY,
    "/broadcasts": Permission.BROADCAST,
    "/errors": Permission.SETTINGS,
    "/stores": Permission.SETTINGS,
    "/settings": Permission.SETTINGS,
    "/texts": Permission.SETTINGS,
    "/exports": Permission.FIGURES,
    "/team": Permission.TEAM,
    "/sessions": None,
}
FORMS = {
    "/again": None,
    "/bots/drain": Permission.SETTINGS,
    "/bots/open": Permission.SETTINGS,
    "/bots/add": Permission.SETTINGS,
    "/bots/retire": Permission.SETTINGS,
    "/alerts": Permission.ALERTS,
    "/safety/press": Permission.SANCTION,
    "/safety/restrict": Permission.SANCTION,
    "/safety/second": Permission.BAN,
    "/safety/legal": Permission.LEGAL,
    "/approvals/agree": None,
    "/approvals/decline": None,
    "/money/refund": Permission.MONEY,
    "/money/case": Permission.MONEY,
    "/money/answer": Permission.MONEY,
    "/texts/review": Permission.SETTINGS,
    "/texts/change": Permission.SETTINGS,
    "/settings/review": Permission.SETTINGS,
    "/settings/change": Permission.SETTINGS,
    "/people": Permission.PEOPLE,
    "/people/sanction": Permission.SANCTION,
    "/people/lift": Permission.SANCTION,
    "/errors": Permission.SETTINGS,
    "/broadcasts": Permission.BROADCAST,
    "/broadcasts/keep": Permission.BROADCAST,
    "/broadcasts/act": Permission.BROADCAST,
    "/team/role": Permission.TEAM,
    "/team/revoke": Permission.TEAM,
    "/team/passkeys": Permission.TEAM,
    "/passkey": None,
    "/passkeys/add": None,
    "/passkeys/remove": None,
    "/sessions/end": None,
    "/logout": None,
}


async def token(browser: Browser) -> str:
    return hidden((await browser.get("/sessions")).text)["csrf"]


async def code_of_somebody(stage: Stage) -> str:
    row = people(Random(1), 2)[1] | {"support_code": "ABCDEFGH", "support_until": stage.clock.now() + 1000}
    async with stage.records.engine.begin() as connection:
        await connection.execute(sa.insert(users), [row])
    return "abcd-efgh"


def test_every_page_is_named_here(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        known = {("GET", path) for path in (*NEEDS, "/again", "/passkey", "/passkeys")} | {
            ("POST", path) for path in FORMS
        }
        assert set(stage.app.addresses) == known

    play(tmp_path, scene)


@pytest.mark.parametrize("role", in_full(list(Role), 2))
def test_a_role_sees_its_pages_and_no_others(tmp_path: Path, role: Role) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(await stage.hire(role, 601))
        menu = (await browser.get("/sessions")).text
        for path, needs in NEEDS.items():
            may = needs is None or needs in PERMISSIONS[role]
            assert (await browser.get(path)).status == (200 if may else 403), path
            if path != "/sessions":
                assert (f'<a href="{path}"' in menu.replace('class="brand" href="/"', "")) is may, path
        given = await token(browser)
        for path, needs in FORMS.items():
            if needs is not None and needs not in PERMISSIONS[role]:
                before = len(await stage.actions())
                assert (await browser.post(path, {"csrf": given})).status == 403, path
                assert len(await stage.actions()) == before

    play(tmp_path, scene)


def test_a_form_without_its_fields_does_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        before = len(await stage.actions())
        given = await token(browser)
        for path in FORMS:
            if path not in ("/logout", "/broadcasts"):  # a new draft needs no field
                stage.clock.at += 3  # a session's limit of acts in a minute
                for junk in ({}, {"member": "x", "role": "king", "bot": "7", "code": "\0", "session": "-1"}):
                    assert (await browser.post(path, {"csrf": given, **junk})).status in (303, 400, 403, 404, 409), path
        assert len(await stage.actions()) == before
        for path in ("/growth?days=x&bot=<b>&language=%00", "/audit?before=99999999999999999999", "/chats?days=-1"):
            answer = await browser.get(path)
            assert answer.status == 200
            assert "<b>" not in answer.text

    play(tmp_path, scene)


def test_a_person_is_shown_by_their_code_and_restricted_by_an_order(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        code = await code_of_somebody(stage)
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(await stage.hire(Role.MODERATOR, 601))
        assert (await browser.press("/people", "/people", code="ZZZZ-ZZZZ")).status == 404
        shown = await browser.press("/people", "/people", code=code)
        assert shown.status == 200
        assert "ABCD-EFGH" in shown.text
        assert "5000000001" not in shown.text, "no id"
        forms = re.findall(r"<form.*?</form>", shown.text, re.DOTALL)
        fields = hidden(next(each for each in forms if "/people/sanction" in each))
        wish = {"kind": "suspended", "reason": "rude", "hours": "24", "note": "three reports"}
        assert (await browser.post("/people/sanction", fields | wish)).status == 200
        lengths = re.findall(
            r"<option value=\"(\d*)\"", shown.text.partition('name="hours"')[2].partition("</select>")[0]
        )
        assert lengths == ["1", "24", "168", "720", "2160"], "the same as on the page Safety"
        assert (await browser.post("/people/sanction", fields | wish | {"hours": "2160"})).status == 200
        forever = await browser.post("/people/sanction", fields | wish | {"hours": ""})
        assert forever.status == 403, "a moderator bans nobody for good"
        assert (await stage.actions())[-2:] == ["person.sanctioned", "person.sanctioned"]
        async with stage.records.engine.connect() as connection:
            assert len((await connection.execute(sa.select(staff_orders.c.body))).all()) == 2

    play(tmp_path, scene)


def test_an_alert_is_shown_and_acknowledged_as_by_the_staff_bots_button(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        firing = Alert(since=stage.clock.now() - 90, firing={"1000001": 12.0}, version=1, fresh=1)
        memo = msgspec.json.encode(Kept(alerts={BOT_HELD.name: firing}))
        await stage.store.keep_memo(MEMO, memo)
        browser = await stage.signed_in()
        for path in ("/", "/alerts"):
            page = (await browser.get(path)).text
            assert BOT_HELD.title in page
            assert "1000001" in page
        assert (await browser.press("/alerts", "/alerts")).status == 303
        assert (await stage.actions())[-1] == "alert.acknowledged"

    play(tmp_path, scene)


def test_the_most_important_acts_need_a_fresh_proof(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 600)
        member = await stage.hire(Role.ANALYST, 601)
        browser = await stage.signed_in()
        given = await token(browser)
        wish = {"csrf": given, "member": str(member), "role": "support"}
        stage.clock.at += FRESH_S
        for path in (
            "/team/role",
            "/team/revoke",
            "/team/passkeys",
            "/passkeys/add",
            "/passkeys/remove",
            "/bots/drain",
            "/bots/open",
            "/broadcasts/act",
            "/settings/change",
            "/approvals/agree",
        ):
            refused = await browser.post(path, wish)
            assert refused.status == 303
            assert refused.header("location").startswith("/login?next="), path
        assert {each.role for each in await stage.staff.team()} == {Role.OWNER, Role.ANALYST}
        await browser.press(await stage.link(), "/enter")
        assert (await browser.post("/team/role", wish | {"csrf": await token(browser)})).status == 303
        assert {each.role for each in await stage.staff.team()} == {Role.OWNER, Role.SUPPORT}
        last = await browser.post("/team/revoke", {"csrf": await token(browser), "member": "1", "sure": "yes"})
        assert last.status == 403, "the last owner stays"
        assert 'action="/team/revoke"' in last.text.partition('role="status"')[2], "it is said in the page of the form"
        leaves = {"csrf": await token(browser), "member": str(member)}
        asked = await browser.post("/team/revoke", leaves)
        assert f"Remove #{member}" in asked.text
        assert 'name="sure" value="yes"' in asked.text
        assert len(await stage.staff.team()) == 2, "one click only asks"
        assert (await browser.post("/team/revoke", leaves | {"sure": "yes"})).header("location") == "/team"
        assert [each.role for each in await stage.staff.team()] == [Role.OWNER]

    play(tmp_path, scene)


def test_the_audit_shows_who_did_what_and_says_if_a_row_was_changed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        for person in range(700, 730):
            await stage.hire(Role.OWNER, person, f"N{person}")
        browser = await stage.signed_in()
        first = (await browser.get("/audit")).text
        assert "The chain holds" in first
        older = re.search(r'href="(/audit\?before=\d+)"', first)
        assert older is not None
        assert "The chain holds" in (await browser.get(older[1])).text
        async with stage.records.engine.begin() as connection:
            await connection.execute(sa.text("DROP TRIGGER IF EXISTS audit_update"))
            names = await connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for name in list(names):
                await connection.execute(sa.text(f"DROP TRIGGER {name}"))
            await connection.execute(sa.update(audit).where(audit.c.number == 3).values(action="nothing"))
        assert "Row 3 was changed later" in (await browser.get(older[1])).text

    play(tmp_path, scene)


def test_the_audit_is_searched_by_member_action_and_support_code(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        member = await stage.hire(Role.ADMIN, 700, "Robin")
        notes = [
            (member, AuditNote("people.sanctioned", "code ABCD-EFGH")),
            (member, AuditNote("case.decided", "case 12")),
            (0, AuditNote("case.decided", "case 13")),
            (None, AuditNote("broadcast.paused", "broadcast 100%")),
        ]
        async with stage.records.engine.begin() as connection:
            await connection.execution_options(writes=True)
            await add_to_audit(connection, [*notes, *[(member, AuditNote("case.taken", "case 9"))] * 60], START)
        browser = await stage.signed_in()

        async def found(query: str) -> list[str]:
            page = (await browser.get(f"/audit?{query}")).text
            assert "The chain holds" not in page
            return re.findall(r'data-label="to what">(.*?)</td>', page)

        assert await found("action=DECIDED") == ["case 13", "case 12"]
        assert await found(f"action=decided&who={member}") == ["case 12"]
        assert await found("action=decided&who=0") == ["case 13"]
        assert await found("who=rule") == ["broadcast 100%"]
        assert await found("about=abcd+efgh") == ["code ABCD-EFGH"], "however it is written"
        assert await found("about=0%25") == ["broadcast 100%"], "a sign of the database is a sign"
        assert await found("about=_ase") == []
        assert await found("about=%00case+12%00") == ["case 12"]
        first = (await browser.get(f"/audit?action=case.taken&who={member}")).text
        assert f'<option value="{member}" selected>#{member} Robin</option>' in first
        older = re.search(r'href="/audit\?(before=.*?)"', first)
        assert older is not None
        assert await found(older[1].replace("&amp;", "&")) == ["case 9"] * 10, "the next page searches for the same"

    play(tmp_path, scene)


def test_a_fault_is_grouped_resolved_and_seen_when_it_comes_back(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        frames = ("passerby/runtime/worker.py:12 in start",)
        name = fingerprint_of("worker.broken", "KeyError", frames)
        assert name == fingerprint_of("worker.broken", "KeyError", ("passerby/runtime/worker.py:99 in start",))
        seen = [SeenFault(name, "worker.broken", "KeyError", frames, 2)]
        for _ in range(2):
            await keep_faults(stage.records.engine, seen, stage.clock.now())
        browser = await stage.signed_in()
        page = (await browser.get("/errors")).text
        assert "KeyError" in page
        assert "4 times" in page
        assert (await browser.press("/errors", "/errors")).status == 303
        assert (await stage.actions())[-1] == "fault.resolved"
        assert ">resolved<" in (await browser.get("/errors")).text
        stage.clock.at += 5
        await keep_faults(stage.records.engine, seen, stage.clock.now())
        assert ">came back<" in (await browser.get("/errors")).text
        async with stage.records.engine.connect() as connection:
            assert await connection.scalar(sa.select(faults.c.count)) == 6

    play(tmp_path, scene)


def test_no_page_shows_a_secret(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for path in NEEDS:
            text = (await browser.get(path)).text
            assert "sandbox-" not in text, path
            assert browser.cookies["panel-session"] not in text, path

    play(tmp_path, scene)


def test_a_saved_table_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    rows = [{"a": "=1+1", "b": "@x", "c": "-2"}, {"a": "fine, really", "d": 7}]
    read = list(csv.reader(io.StringIO(as_csv(rows))))
    assert read == [["a", "b", "c", "d"], ["'=1+1", "'@x", "'-2", ""], ["fine, really", "", "", "7"]]

    async def scene(stage: Stage) -> None:
        await stage.counting.count(stage.clock.now())
        await stage.hire(Role.OWNER, 600)
        analyst = await stage.signed_in(await stage.hire(Role.ANALYST, 601))
        saved = await analyst.get("/exports/chats.csv")
        assert saved.header("content-disposition").startswith('attachment; filename="passerby-chats-')
        assert (await analyst.get("/exports/growth.json")).header("content-type") == "application/json"
        assert (await analyst.get("/exports/audit.csv")).status == 403
        assert (await (await stage.signed_in()).get("/exports/audit.json")).status == 200
        for name in ("nothing.csv", "chats.exe", "../growth.csv"):
            assert (await analyst.get(f"/exports/{name}")).status == 404

    play(tmp_path, scene)


def test_a_database_that_is_away_is_said_and_a_bug_ends_one_request(tmp_path: Path) -> None:
    from passerby.ports.records import RecordsLost

    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()

        async def lost(now: float) -> int:
            raise RecordsLost("switched off")

        async def broken(now: float) -> int:
            raise KeyError("secret of somebody")

        for fails, status in ((lost, 503), (broken, 500)):
            stage.reading.online = fails  # type: ignore[method-assign]
            answer = await browser.get("/")
            assert answer.status == status
            assert "secret" not in answer.text
        assert (await browser.get("/sessions")).status == 200

    play(tmp_path, scene)


def test_a_refused_broadcast_keeps_its_words_in_the_form(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        await browser.press("/broadcasts", "/broadcasts")
        wish = {"text": "Hello <all>\nof you", "buttons": "no pipe", "readers": "de", "arm": "B"}
        refused = await browser.press("/broadcasts/1", "/broadcasts/keep", **wish)
        assert refused.status == 400
        assert "“no pipe” has no | between label and link. Write: label | https://example.org" in refused.text
        assert "Send me" not in refused.text
        assert re.findall(r"<textarea[^>]*>\n([^<]*)</textarea>", refused.text) == [
            "Hello &lt;all&gt;\nof you",
            "no pipe",
        ]
        assert 'name="readers" maxlength="8" value="de"' in refused.text
        assert "<option selected>B</option>" in refused.text
        options = await browser.press("/broadcasts/1", "/broadcasts/keep", age="nonsense")
        assert 'value="nonsense"' in options.text
        kept = await browser.press("/broadcasts/1", "/broadcasts/keep", text="Hello")
        assert re.findall(r"<textarea[^>]*>\n([^<]*)</textarea>", kept.text) == ["", ""]

    play(tmp_path, scene)


def test_a_broadcast_is_written_and_started_from_the_panel_as_in_the_staff_bot(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.records.engine.begin() as connection:
            rows = [
                row | {"has_started": True, "bot_id": 1000001, "consented_at": 1.0} for row in people(Random(1), 30)
            ]
            await connection.execute(sa.insert(users), rows)
        browser = await stage.signed_in()
        made = await browser.press("/broadcasts", "/broadcasts")
        assert made.header("location") == "/broadcasts/1"
        assert (await browser.press("/broadcasts/1", "/broadcasts/keep", text="Hello", readers="en")).status == 200
        assert (await browser.press("/broadcasts/1", "/broadcasts/keep", text="Hello, all")).status == 200
        for wrong, said in (
            ({"language": "german"}, "“german” isn&#39;t a language code."),
            ({"at": "2020-01-01T10:00"}, "2020-01-01T10:00 UTC is over."),
            ({"age": "x"}, "I don&#39;t understand “age=x”."),
            ({"holdout": "99 silent=off"}, "“holdout=99 silent=off”: write a number from 0 to 50."),
        ):
            refused = await browser.press("/broadcasts/1", "/broadcasts/keep", category="promo", **wrong)
            assert refused.status == 400
            assert said in refused.text
            assert f'value="{"".join(next(iter(wrong.values())))}"' in refused.text, "what was typed stays"
        empty = dict.fromkeys(("bot", "language", "age", "active", "idle", "source", "at", "holdout"), "")
        chosen = {"category": "news", "silent": "off", "gender": "any", "vip": "any", "weekly": "off"}
        done = await browser.press("/broadcasts/1", "/broadcasts/keep", **empty, **chosen)
        assert done.status == 200
        assert "Everything is kept." in done.text
        assert "silent=off" not in done.text, "here, the options are a form"
        page = (await browser.get("/broadcasts/1")).text
        assert "Hello, all" in page
        assert "It would go to" not in page, "it is counted when somebody asks for it"
        counted = (await browser.press("/broadcasts/1", "/broadcasts/keep", then="count")).text
        assert "It would go to <strong>30</strong> people now." in counted
        start = {"csrf": await token(browser), "broadcast": "1", "act": "start"}
        for seal in ("", "-", "feedfeedfeed"):
            unasked = await browser.post("/broadcasts/act", start | {"seal": seal})
            assert unasked.status == 400
            assert "It was changed after you looked at it." in unasked.text
        asked = (await browser.get("/broadcasts/1/start")).text
        assert "Start broadcast #1?" in asked
        assert "People who would get it now: 30" in asked
        assert "There are too few people to try it on some of them first" in asked
        started = await browser.press("/broadcasts/1/start", "/broadcasts/act")
        assert started.status == 200, started.text
        assert "Done." in started.text
        assert (await stage.actions())[-1] == "broadcast.start"
        assert "starting" in (await browser.get("/broadcasts")).text
        for other in ("/broadcasts/2", "/broadcasts/x", "/broadcasts/99999999999", "/broadcasts/9/start"):
            assert (await browser.get(other)).status == 404

    play(tmp_path, scene)


def test_the_sums_of_money_are_those_of_the_ledger(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        now = stage.clock.now()
        sold = [
            {
                "bot_id": 1000001 + number % 2,
                "id": f"charge-{number}",
                "user_id": 7,
                "code": f"P{number}",
                "order_id": "o",
                "plan": "week",
                "stars": 100 + number,
                "paid_at": now - number * 86_400.0,
                "provider_id": "",
                "renews": False,
                "found": number == 3,
            }
            for number in range(40)
        ]
        back = {"bot_id": 1000001, "charge_id": "charge-4", "stars": 104, "refunded_by": "buyer", "at": now - 60}
        call = {"bot_id": 1000001, "charge_id": "charge-4", "kind": "refund", "user_id": 7, "provider_id": ""}
        async with stage.records.engine.begin() as connection:
            # Columns that this page does not read may be added.
            whole = [{each.name: each.type.python_type() for each in charges.columns} | row for row in sold]
            await connection.execute(sa.insert(charges), whole)
            await connection.execute(sa.insert(refunds), [back])
            await connection.execute(sa.insert(star_calls), [call | {"owed_at": now - 120, "done_at": None}])
        page = (await (await stage.signed_in()).get("/money")).text
        first = (int(now // 86_400) - 29) * 86_400.0
        shown = numbers_in(page)
        assert shown["Sold"] == f"{sum(row['stars'] for row in sold if row['paid_at'] >= first):,} ★"
        assert shown["Refunded"] == "104 ★"
        assert shown["On the way back"] == "1"
        held = sum(row["stars"] for row in sold if row["bot_id"] == 1000001 and row["paid_at"] >= now - 21 * 86_400)
        assert f"{held - 104:,} ★" in page
        assert "no update came" in page

    play(tmp_path, scene)


def test_releases_and_broadcasts_are_marked_on_every_graph(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        for minutes in (9, 6, 3, 0):
            stage.clock.at = START - minutes * 60
            await stage.duty.sample()
            if minutes == 6:
                row = msgspec.json.encode(Release("9.9.9")).decode()
                await stage.counting.keep(RELEASE, int(stage.clock.at // 60), row, stage.clock.at)
        began = Broadcast(1, BroadcastState.RUNNING, 0, START - 200, started_at=START - 100)
        test = msgspec.structs.replace(began, number=2, is_test=True)
        async with stage.records.engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                await store_broadcasts(connection, (began, test))
        browser = await stage.signed_in()
        for path, graphs in (("/", 3), ("/growth", 2), ("/chats", 3), ("/money", 2)):
            page = (await browser.get(path)).text
            assert page.count("<title>release 9.9.9</title>") == graphs, path
            assert page.count("<title>broadcast 1, news</title>") == graphs, path
            assert "broadcast 2" not in page

    play(tmp_path, scene)


def test_a_refund_is_ordered_from_the_panel_as_in_the_staff_bot(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.records.engine.begin() as connection:
            row = {each.name: each.type.python_type() for each in charges.columns} | {
                "bot_id": 1000001, "id": "charge-1", "user_id": 7, "code": "ABCDEFGHJK", "plan": "week", "stars": 75,
                "paid_at": stage.clock.now() - 60,
            }  # fmt: skip
            await connection.execute(sa.insert(users), [people(Random(1), 1)[0] | {"id": 7}])
            await connection.execute(sa.insert(charges), [row])
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(await stage.hire(Role.SUPPORT, 601))
        wish = {"reason": "mistake", "note": "asked in /paysupport"}
        unknown = await browser.press("/money", "/money/refund", purchase="ZZZZZ-ZZZZZ", **wish)
        assert unknown.status == 409
        assert (await browser.press("/money", "/money/refund", purchase="ABCDE-FGHJK", reason="fun")).status == 400
        asked = await browser.press("/money", "/money/refund", purchase="abcde-fghjk", **wish)
        assert asked.status == 200, asked.text
        for words in (
            "Give ⭐ 75 of purchase ABCDEFGHJK back (bought by mistake)? The VIP from it ends at once.",
            "week · ⭐ 75",
            "Your note: asked in /paysupport",
        ):
            assert words in asked.text
        assert "must agree" not in asked.text
        assert (await stage.actions())[-1] == "purchase.looked_at", "one press only asks"
        stage.overriding.rules = Rules(refund_second_above=74)
        again = await browser.press("/money", "/money/refund", purchase="ABCDEFGHJK", **wish)
        assert "Someone else on the team must agree first." in again.text
        stage.overriding.rules = Rules()
        form = hidden(asked.text.partition('action="/money/refund"')[2].partition("</form>")[0])
        assert form["sure"] == "yes"
        done = await browser.post("/money/refund", form)
        assert done.status == 200, done.text
        assert (await stage.actions())[-1] == "purchase.refunded"
        (audited,) = (each for each in await stage.staff.newest_audit(9) if each.action == "purchase.refunded")
        assert audited.reason == "asked in /paysupport"
        late = await browser.press("/money", "/money/refund", purchase="ABCDEFGHJK", **wish)
        assert (late.status, "refunded already" in late.text) == (409, True), "it is said before the question"
        async with stage.records.engine.connect() as connection:
            orders = (await connection.scalars(sa.select(staff_orders.c.body))).all()
        assert [msgspec.json.decode(body)["type"] for body in orders] == ["refund"]

    play(tmp_path, scene)


def test_beside_the_figures_of_now_stand_those_of_a_day_ago(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        assert "a day ago" not in (await browser.get("/")).text
        minute = int((stage.clock.now() - 86_400) // 60)
        for ago, relays in ((4, 100), (0, 500)):
            counted = Snapshot(at=0.0, relays=relays)
            sample = Sample((minute - ago) * 60.0, waiting=25, chats=3, workers={"w": counted})
            await stage.counting.keep(MINUTE, minute - ago, msgspec.json.encode(sample).decode(), sample.at)
        shown = (await browser.get("/")).text
        for said in ("; 25 a day ago", "; &lt; 10 a day ago", "; 100 a day ago"):
            assert said in shown, said

    play(tmp_path, scene)


def test_the_menu_of_a_phone_has_the_same_pages_in_the_same_order_wherever_one_is(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        orders = set()
        for path, title in (
            ("/", "Now"),
            ("/settings/PATIENCE", "Settings"),
            ("/team", "Team"),
            ("/sessions", "Pages"),
        ):
            shown = (await browser.get(path)).text
            menus = re.findall(r'<nav aria-label="Pages".*?</nav>', shown, re.DOTALL)
            orders |= {tuple(re.findall(r'href="([^"]+)"', menu)) for menu in menus}
            assert len(menus) == 2
            assert f"<summary>{title} " in menus[1], "it says where one is"
            assert menus[1].count('aria-current="page"') == (title != "Pages")
        assert len(orders) == 1

    play(tmp_path, scene)
