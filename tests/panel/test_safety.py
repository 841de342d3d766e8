"""Cases in the panel: taken, looked at and decided as in the staff bot, with the same rights and the same audit."""

import re
from html import unescape
from pathlib import Path

import msgspec
import sqlalchemy as sa

from passerby.adapters.sql.tables import cases, staff_orders
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.effect import Attach
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Complaint
from passerby.kernel.staff import Role
from passerby.kernel.text import Text
from passerby.panel.pages.safety import ACTIONS, BY_FORM, LEGAL, SECOND
from passerby.ports.facts import ComplaintFiled, Fact
from passerby.runtime.delivery.sealer import Sealer
from passerby.staff.cases import feature
from tests.contract.records_facts import changed, numbered, person
from tests.panel.stage import WORDS, Answered, Browser, Stage, play
from tests.panel.test_pages import token

ACCUSED, CANARY = 5_000_000_066, "canary words of somebody"
PICTURE = Content(Kind.PHOTO, text="", file=File("AgAC-file", "unique"))


async def reported(stage: Stage) -> None:
    """Two people reported a third; one chose a message and a picture."""
    sealer, at = Sealer(b"k" * 32), stage.clock.now() - 3600
    facts: list[Fact] = [changed(person(number), at - 9e6) for number in (ACCUSED, 5_000_000_001, 5_000_000_002)]
    for place, by in enumerate((5_000_000_001, 5_000_000_002)):
        chat = ChatId(f"c{by}")
        facts.append(ComplaintFiled(chat, PersonId(by), PersonId(ACCUSED), Complaint.RUDE, at + 600 * place, 0.5))
        for number, content in enumerate((Content(Kind.TEXT, text=CANARY), PICTURE)[: 2 - place], 1):
            chosen = Attach(chat, PersonId(by), PersonId(ACCUSED), number, BotId(1000001), content)
            facts.append(sealer.keep(chosen, at))
    await stage.records.apply("g", numbered(*facts))


async def press(browser: Browser, page: Answered, label: str, **fields: str) -> Answered:
    """Press the button with this label on a page that was answered."""
    form = next(each for each in page.text.split("<form")[1:] if re.search(f"<button[^>]*>{re.escape(label)}<", each))
    path = form.split('action="')[1].split('"')[0]
    return await browser.post(path, dict(_hidden(form)) | fields)


def _hidden(form: str) -> list[tuple[str, str]]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return [(name, unescape(value)) for name, value in found]


async def orders(stage: Stage) -> list[str]:
    async with stage.records.engine.connect() as connection:
        bodies = (await connection.scalars(sa.select(staff_orders.c.body))).all()
    return [msgspec.json.decode(body)["type"] for body in bodies]


def test_a_case_is_taken_its_evidence_opened_and_a_sanction_ordered(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(await stage.hire(Role.MODERATOR, 601))
        await reported(stage)
        shown = await press(browser, await browser.get("/safety"), "Take the next case")
        assert "Case 1" in shown.text
        assert "Reports: 2" in shown.text
        assert "Go on with case 1" in shown.text
        assert CANARY not in shown.text, "evidence is opened by a press of its own"
        opened = await press(browser, shown, "👁 Evidence (3)")
        assert f"<p>{CANARY}</p>" in opened.text
        assert 'class="veiled"' in opened.text
        assert "The photo is in your chat with the staff bot, blurred." in opened.text
        sent = stage.telegram.said[-1]
        assert (sent.person, sent.source_bot, sent.contents[0].spoiler) == (601, 1000001, True)
        assert (await stage.actions())[-4:] == ["case.taken", *["evidence.opened"] * 3]
        for number in (ACCUSED, 5_000_000_001):
            assert str(number) not in opened.text, "nobody is named"
        wish = {"kind": "suspended", "reason": "rude", "hours": "24"}
        done = await press(browser, opened, "Restrict", **wish)
        assert "Done. The person is told why" in done.text
        assert await orders(stage) == ["sanction", "thank", "thank"]
        late = await press(browser, opened, "✖️ Dismiss")
        assert late.status == 409
        assert await orders(stage) == ["sanction", "thank", "thank"]

    play(tmp_path, scene)


def test_a_ban_waits_for_a_second_member_who_has_just_proved_who_they_are(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        owner = await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(await stage.hire(Role.MODERATOR, 601))
        await reported(stage)
        shown = await press(browser, await browser.get("/safety"), "Take the next case")
        soft = {"kind": "suspended", "reason": "rude", "hours": "0"}
        assert (await press(browser, shown, "Restrict", **soft)).status == 400
        proposed = await press(browser, shown, "Restrict", **soft | {"kind": "banned"})
        assert "A second member must confirm the ban" in proposed.text
        waiting = (await browser.get("/approvals")).text
        assert "a ban for good is proposed, because of" in waiting
        assert "Nothing waits" not in waiting
        assert "waits for a second member" in (await browser.get("/safety")).text
        again = await press(browser, await browser.get("/safety"), "Take the next case")
        assert "There&#39;s no case for you now" in again.text
        second = await stage.signed_in(owner)
        card = await press(second, await second.get("/safety"), "Take the next case")
        assert "⛔️ Confirm the ban" in card.text
        forged = {"csrf": await token(browser), "action": "case_confirm", "token": "1.3"}
        assert (await browser.post("/safety/second", forged)).status == 403
        assert (await browser.post("/safety/press", forged)).status == 303
        stage.clock.at += 301
        assert (await press(second, card, "⛔️ Confirm the ban")).header("location").startswith("/login")
        assert await orders(stage) == ["sanction"], "only the suspension until then"
        stage.clock.at -= 301
        assert "Done." in (await press(second, card, "⛔️ Confirm the ban")).text
        assert await orders(stage) == ["sanction", "sanction", "thank", "thank"]

    play(tmp_path, scene)


def test_a_browser_that_the_command_line_let_in_confirms_no_ban(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        owner = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        await reported(stage)
        shown = await press(owner, await owner.get("/safety"), "Take the next case")
        await press(owner, shown, "Restrict", kind="banned", reason="rude", hours="0")
        before = await orders(stage)
        other = await stage.signed_in()
        given = await press(other, await other.get("/safety"), "Take the next case")
        assert "Confirm the ban" not in given.text
        for version in range(5):
            forged = {"csrf": await token(other), "action": "case_confirm", "token": f"1.{version}"}
            assert "Done." not in (await other.post("/safety/second", forged)).text
        assert await orders(stage) == before

    play(tmp_path, scene)


def test_nobody_sees_the_evidence_of_a_case_that_they_did_not_take(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        moderator = await stage.hire(Role.MODERATOR, 601)
        browser = await stage.signed_in(moderator)
        await reported(stage)
        await browser.get("/safety")
        given, before = await token(browser), len(await stage.actions())
        wish = {"csrf": given, "kind": "suspended", "reason": "rude", "hours": "24"}
        for version in range(4):
            about = f"1.{version}"
            for action in ("case_see", "case_dismiss"):
                seen = await browser.post("/safety/press", {"csrf": given, "action": action, "token": about})
                assert (seen.status, CANARY in seen.text) == (409, False)
            assert "Done." not in (await browser.post("/safety/restrict", wish | {"token": about})).text
            assert (await stage.press(601, "case_see", about)).refused
        assert (await stage.actions())[before:] == []
        assert not await orders(stage)

    play(tmp_path, scene)


def test_only_buttons_of_cases_can_be_pressed_and_junk_does_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        await reported(stage)
        given = await token(browser)
        before = len(await stage.actions())
        for action, about in (("people_ban", "x"), ("panel_confirm", "1"), ("", ""), ("case_confirm", "1.1")):
            answer = await browser.post("/safety/press", {"csrf": given, "action": action, "token": about})
            assert answer.status == 303, action
        for about in ("1.9", "1", "x.y", "99999999999999999999.1", "1.9.banned.rude.0", "\0"):
            for action in ("case_dismiss", "case_do", "case_uphold"):
                answer = await browser.post("/safety/press", {"csrf": given, "action": action, "token": about})
                assert answer.status == 409, (action, about)
        assert (await stage.actions())[before:] == []
        async with stage.records.engine.connect() as connection:
            assert (await connection.scalars(sa.select(cases.c.state))).all() == ["open"]

    play(tmp_path, scene)


def test_every_button_of_cases_has_its_way_in_the_panel() -> None:
    assert {*feature.presses} == ACTIONS | SECOND | LEGAL | BY_FORM


def test_learning_who_somebody_is_needs_an_owner_and_a_fresh_proof(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        owner = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        await stage.hire(Role.OWNER, 602)
        admin = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        await reported(stage)
        shown = await press(owner, await owner.get("/safety"), "Take the next case")
        label = WORDS.plain(Text("cases.unmask"), "en")
        forged = {"csrf": await token(admin), "action": "case_unmask", "token": "1.2"}
        assert (await admin.post("/safety/legal", forged)).status == 403
        assert (await admin.post("/safety/press", forged)).status == 303
        stage.clock.at += 301
        assert (await press(owner, shown, label)).header("location").startswith("/login")
        stage.clock.at -= 301
        before = len(await stage.actions())
        asked = await press(owner, shown, label)
        assert asked.status == 200, asked.text
        assert str(ACCUSED) not in asked.text
        assert (await stage.actions())[before:] == ["approval.asked"]

    play(tmp_path, scene)
