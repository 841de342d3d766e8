"""A broadcast starts from its newest question only: not by an old answer, a foreign page or another role."""

import re
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from markupsafe import escape
from msgspec.structs import replace

from passerby.adapters.sql import SqlBroadcasts
from passerby.adapters.sql.broadcast_rows import store_broadcasts
from passerby.adapters.sql.tables import broadcast_targets, users
from passerby.kernel.broadcast import Audience, Broadcast, BroadcastState, Variant
from passerby.kernel.content import Content, Kind
from passerby.kernel.staff import Role
from tests.panel.stage import Answered, Browser, Stage, hidden, play
from tests.panel.test_figures import people

CHANGED = "It was changed after you looked at it."


async def with_readers(stage: Stage) -> None:
    rows = [row | {"has_started": True, "bot_id": 1000001, "consented_at": 1.0} for row in people(Random(1), 3)]
    async with stage.records.engine.begin() as connection:
        await connection.execute(sa.insert(users), rows)


async def draft(browser: Browser, number: int) -> dict[str, str]:
    """Write the draft with this number. Returns the form of its question."""
    await browser.press("/broadcasts", "/broadcasts")
    assert (await browser.press(f"/broadcasts/{number}", "/broadcasts/keep", text="Hello")).status == 200
    return await question(browser, number)


async def question(browser: Browser, number: int) -> dict[str, str]:
    asked = await browser.get(f"/broadcasts/{number}/start")
    assert asked.status == 200, asked.text
    form = hidden(asked.text.partition('action="/broadcasts/act"')[2].partition("</form>")[0])
    assert form["broadcast"] == str(number)
    return form


async def starts(stage: Stage) -> int:
    return (await stage.actions()).count("broadcast.start")


def test_a_broadcast_starts_by_its_newest_question_only(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await with_readers(stage)
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        first, second = await draft(browser, 1), await draft(browser, 2)
        for form in (first | {"seal": second["seal"]}, second | {"seal": first["seal"]}):
            refused = await browser.post("/broadcasts/act", form)
            assert (refused.status, CHANGED in refused.text) == (400, True)
        await browser.press("/broadcasts/1", "/broadcasts/keep", silent="off")
        await browser.press("/broadcasts/2", "/broadcasts/keep", text="Goodbye")
        for form in (first, second):
            refused = await browser.post("/broadcasts/act", form)
            assert (refused.status, CHANGED in refused.text) == (400, True)
        assert await starts(stage) == 0
        newest = await question(browser, 1)
        assert (await browser.post("/broadcasts/act", newest)).status == 200
        again = await browser.post("/broadcasts/act", newest)
        assert again.status == 400, "it started already"
        assert await starts(stage) == 1

    play(tmp_path, scene)


TYPED = {"text": "Hallo <b>", "readers": "de", "buttons": "Go | https://x.example", "language": "de,en", "age": "18-30"}


@pytest.mark.parametrize("button", ["keep", "count", "start", "preview"])
def test_every_button_of_a_draft_keeps_what_stands_in_its_form(button: str, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await with_readers(stage)
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        await browser.press("/broadcasts", "/broadcasts")
        page = (await browser.get("/broadcasts/1")).text
        forms = re.findall(r"<form.*?</form>", page.partition("<main")[2], re.DOTALL)
        assert len(forms) == 1, "a second form would lose what was typed into the first one"
        assert "?count=1" not in forms[0], "a link would lose it, too"
        given = hidden(forms[0])

        async def press(**typed: str) -> Answered:
            if button == "preview":
                return await browser.post("/broadcasts/act", given | {"act": "preview"} | typed)
            return await browser.post("/broadcasts/keep", given | {"then": button} | typed)

        for wrong, why in (
            ({"age": "x"}, "age=x"),
            ({"buttons": "no bar"}, "has no |"),
            ({"text": ""}, "Write the message first."),
            ({"text": "y" * 4097}, "The text is too long: up to 4096 characters fit here."),
        ):
            refused = await press(**TYPED | wrong)
            assert (refused.status, why in refused.text) == (400, True), wrong
            for name, value in (TYPED | wrong).items():
                assert f'name="{name}"' in refused.text
                assert str(escape(value)) in refused.text, (name, "what was typed stays")
            draft = await SqlBroadcasts(stage.records.engine).broadcast(1)
            assert draft is not None
            assert (draft.variants, draft.audience) == ((), Audience()), "all of it is kept, or nothing"
        done = await press(**TYPED)
        assert done.status == (400 if button == "start" else 200), "no reader is 18"
        draft = await SqlBroadcasts(stage.records.engine).broadcast(1)
        assert draft is not None
        assert (draft.audience.languages, draft.audience.age_min, draft.audience.age_max) == (("de", "en"), 18, 30)
        assert [(each.content.text, each.language, each.buttons[0].label) for each in draft.variants] == [
            ("Hallo <b>", "de", "Go")
        ]

    play(tmp_path, scene)


def test_the_page_before_the_start_says_who_gets_it_just_as_the_page_after_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await with_readers(stage)
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        await draft(browser, 1)
        chosen = {"category": "promo", "vip": "off", "at": "2030-12-01T18:00", "weekly": "on", "bot.1000001": "on"}
        asked = await browser.press("/broadcasts/1", "/broadcasts/keep", **chosen, then="start")
        assert (asked.status, "Start broadcast #1?" in asked.text) == (200, True), asked.text
        table = asked.text.partition("<dl")[2].partition("</dl>")[0]
        for label, value in (
            ("Bots", "1000001"),
            ("Languages", "every language"),
            ("Gender", "everybody"),
            ("Age", "every age"),
            ("Here in the last days", "no matter when"),
            ("VIP", "only the others"),
            ("Came first by", "any way"),
            ("Category", "promo"),
            ("Not before (UTC)", "2030-12-01 18:00"),
            ("Every week from then on", "yes"),
        ):
            assert f"<dt>{label}</dt><dd>{value}</dd>" in table, label
        assert "category=promo" not in asked.text, "the staff bot's words are a table here"
        form = hidden(asked.text.partition('action="/broadcasts/act"')[2])
        assert (await browser.post("/broadcasts/act", form)).status == 200
        assert table in (await browser.get("/broadcasts/1")).text

    play(tmp_path, scene)


def test_no_address_a_link_can_have_and_no_foreign_page_starts_a_broadcast(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await with_readers(stage)
        owner = await stage.hire(Role.OWNER, 600)
        browser, other = await stage.signed_in(owner), await stage.signed_in(owner)
        form = await draft(browser, 1)
        words = "&".join(f"{name}={value}" for name, value in form.items())
        for path, status in (("/broadcasts/1/start", 200), ("/broadcasts/act", 404), ("/broadcasts/1/act", 404)):
            for method in ("GET", "HEAD"):
                assert (await browser.ask(method, f"{path}?{words}")).status == status, (method, path)
        for path in ("/broadcasts/1/start", "/broadcasts/1"):
            assert (await browser.post(path, form)).status == 404, path
        for headers in (
            {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "null", "sec-fetch-site": ""},
        ):
            assert (await browser.post("/broadcasts/act", form, headers)).status == 403, headers
        for csrf in ("", "x", (await question(other, 1))["csrf"]):
            assert (await browser.post("/broadcasts/act", form | {"csrf": csrf})).status == 403
        assert await starts(stage) == 0

    play(tmp_path, scene)


def test_another_s_draft_is_started_by_those_whose_role_allows_it_and_in_their_own_name(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await with_readers(stage)
        owner = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        mine, of_owners = await draft(owner, 1), await draft(owner, 2)
        await owner.press("/broadcasts/2", "/broadcasts/keep", category="system")
        of_owners = await question(owner, 2)
        for role in (Role.MODERATOR, Role.SUPPORT, Role.ANALYST):
            browser = await stage.signed_in(await stage.hire(role, 610 + list(Role).index(role)))
            assert (await browser.get("/broadcasts/1/start")).status == 403, role
            csrf = hidden((await browser.get("/sessions")).text)["csrf"]
            assert (await browser.post("/broadcasts/act", mine | {"csrf": csrf})).status == 403, role
        number = await stage.hire(Role.ADMIN, 601)
        admin = await stage.signed_in(number)
        assert (await admin.get("/broadcasts/2/start")).status == 400, "only owners send to everybody"
        csrf = (await question(admin, 1))["csrf"]
        assert (await admin.post("/broadcasts/act", of_owners | {"csrf": csrf})).status == 400
        assert await starts(stage) == 0
        assert (await admin.post("/broadcasts/act", await question(admin, 1))).status == 200
        (row,) = (each for each in await stage.staff.newest_audit(1000) if each.action == "broadcast.start")
        assert (row.actor, row.subject) == (number, "broadcast 1")

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("back", "said"),
    [(40, "Version B against version A: +18.3 to +40.8 in 100 people were here within a day"), (5, "too small to say")],
)
def test_the_page_compares_two_versions_by_an_interval_and_tells_no_small_number(
    tmp_path: Path, back: int, said: str
) -> None:
    async def scene(stage: Stage) -> None:
        now = stage.clock.now()
        hello = Variant(Content(Kind.TEXT, "Hello"))
        ended = BroadcastState.ENDED
        begun = Broadcast(1, ended, 1, now, variants=(hello, replace(hello, arm="B")), started_at=now, sent=200)
        readers = [
            row | {"last_active_date": now - 3600 if place < 10 or 100 <= place < 100 + back else now - 999_999}
            for place, row in enumerate(people(Random(1), 200))
        ]
        copies = [
            {"broadcast": 1, "person_id": row["id"], "bot_id": 1000001, "place": 1, "state": "sent", "at": now - 7200}
            | {"arm": "A" if place < 100 else "B"}
            for place, row in enumerate(readers)
        ]
        async with stage.records.engine.begin() as connection:
            await connection.execute(sa.insert(users), [row | {"bots": "[1000001]"} for row in readers])
            await connection.execute(sa.insert(broadcast_targets), copies)
            await store_broadcasts(connection, (begun,))
        browser = await stage.signed_in()
        assert '<a href="/broadcasts/1?compare=1">' in (await browser.get("/broadcasts/1")).text
        shown = (await browser.get("/broadcasts/1?compare=1")).text
        assert said in shown
        assert "&lt; 10" in shown if back < 10 else ">40<" in shown

    play(tmp_path, scene)


def test_a_broadcast_with_one_version_for_everybody_has_nothing_to_compare(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        now = stage.clock.now()
        sent = Broadcast(1, BroadcastState.ENDED, 1, now, variants=(Variant(Content(Kind.TEXT, "Hi")),), started_at=now)
        async with stage.records.engine.begin() as connection:
            await store_broadcasts(connection, (sent,))
        browser = await stage.signed_in()
        for path in ("/broadcasts/1", "/broadcasts/1?compare=1"):
            assert "compare" not in (await browser.get(path)).text.lower()

    play(tmp_path, scene)
