"""Passkeys: a second factor, with a security key in software."""

import re
from html import unescape
from pathlib import Path

import pytest

from passerby.adapters.passkeys import NO_NAME, Passkeys
from passerby.domain.panel import FRESH_S, ROTATE_S
from passerby.kernel.staff import Role, StaffId
from tests.panel.stage import Answered, Browser, Stage, hidden, play
from tests.size import in_full

pytest.importorskip("webauthn")

from tests.panel.authenticator import HAS_KEY, PRESENT, Authenticator  # needs webauthn

URL = "http://localhost:8090"


def options_in(page: Answered) -> str:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])


def new_key(name: str = "key-1") -> Authenticator:
    return Authenticator(URL, "localhost", name.encode())


async def add(browser: Browser, key: Authenticator) -> Answered:
    page = await browser.get("/passkeys")
    sent = {"csrf": hidden(page.text)["csrf"], "credential": key.make(options_in(page))}
    return await browser.post("/passkeys/add", sent)


async def show(browser: Browser, key: Authenticator, onward: str = "/") -> Answered:
    page = await browser.get(f"/passkey?next={onward}")
    sent = {"csrf": hidden(page.text)["csrf"], "next": onward, "credential": key.show(options_in(page))}
    return await browser.post("/passkey", sent)


async def owner_with_key(stage: Stage) -> tuple[StaffId, Browser, Authenticator]:
    number = await stage.hire(Role.OWNER, 600, "Ann")
    browser, key = await stage.signed_in(number), new_key()
    done = await add(browser, key)
    assert (done.status, done.header("location")) == (303, "/passkeys"), done.text
    return number, browser, key


def test_a_member_with_a_passkey_gets_nowhere_without_it_after_any_sign_in(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        elsewhere = await stage.signed_in(await stage.hire(Role.OWNER, 599))
        number, browser, key = await owner_with_key(stage)
        assert (await browser.get("/")).status == 200, "it was shown when it was made"
        assert "Firefox" in (await browser.get("/passkeys")).text
        assert (await elsewhere.get("/")).status == 200, "another member"
        newer = await stage.signed_in(number)
        for path in ("/", "/team", "/sessions", "/passkeys", "/again", "/exports/growth.csv"):
            answer = await newer.get(path)
            assert (answer.status, answer.body) == (303, b""), path
            assert answer.header("location").startswith("/passkey?next=/"), path
        assert (await newer.get("/", hx_request="true")).status == 401
        csrf = hidden((await newer.get("/passkey")).text)["csrf"]
        sent = await newer.post("/team/revoke", {"csrf": csrf, "member": "1", "sure": "yes"})
        assert sent.header("location") == "/passkey?next=/again"
        assert len(await stage.staff.team()) == 2
        shown = await show(newer, key, "/growth")
        assert (shown.status, shown.header("location")) == (303, "/again"), "the form waits for a look"
        assert (await newer.get("/")).status == 200
        assert "passkey.added" in await stage.actions()

    play(tmp_path, scene, panel_url=URL)


def test_a_session_from_before_the_passkey_needs_it_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        number = await stage.hire(Role.OWNER, 600, "Ann")
        older, browser = await stage.signed_in(number), await stage.signed_in(number)
        assert (await add(browser, new_key())).status == 303
        assert (await older.get("/")).header("location") == "/passkey?next=/"
        assert (await older.press("/passkey", "/logout")).status == 303, "and it may sign out"

    play(tmp_path, scene, panel_url=URL)


def test_a_passkey_is_the_fresh_proof_and_the_form_that_waited_is_sent(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        _, browser, key = await owner_with_key(stage)
        stage.clock.at += max(FRESH_S, ROTATE_S)
        page = await browser.get("/sessions")
        wish = {"csrf": hidden(page.text)["csrf"], "name": "PATIENCE", "value": "2", "seen": "0"}
        asked = await browser.post("/settings/change", wish)
        assert asked.header("location") == "/passkey?next=/again"
        before = browser.cookies["panel-session"]
        assert (await show(browser, key, "/again")).header("location") == "/again"
        assert browser.cookies["panel-session"] != before, "the secret is replaced"
        done = await browser.press("/again", "/again")
        assert "Done." in done.text
        assert (await stage.actions())[-1] == "setting.changed"

    play(tmp_path, scene, panel_url=URL)


@pytest.mark.parametrize(
    "wrong",
    in_full(
        ["origin", "host", "another key", "another challenge", "nobody looked", "count", "replay", "junk", "kind"], 2
    ),
)
def test_any_other_passkey_or_session_lets_nobody_in(tmp_path: Path, wrong: str) -> None:
    async def scene(stage: Stage) -> None:
        number, _, key = await owner_with_key(stage)
        browser = await stage.signed_in(number)
        page = await browser.get("/passkey")
        options = options_in(page)
        sent = key.show(options)
        match wrong:
            case "origin":
                key.origin = "http://localhost:9999"
                sent = key.show(options)
            case "host":
                key.host = "evil.example"
                sent = key.show(options)
            case "another key":
                sent = Authenticator(URL, "localhost", b"key-1", 5).show(options)
            case "another challenge":
                sent = key.show(options_in(await (await stage.signed_in(number)).get("/passkey")))
            case "nobody looked":
                key.flags = PRESENT
                sent = key.show(options)
            case "count":
                await show(await stage.signed_in(number), key)
                key.times = 0
                sent = key.show(options)
            case "replay":
                csrf = hidden(page.text)["csrf"]
                assert (await browser.post("/passkey", {"csrf": csrf, "credential": sent})).status == 303
                stage.clock.at += FRESH_S
                again = await browser.get("/passkey")
                replay = await browser.post("/passkey", {"csrf": hidden(again.text)["csrf"], "credential": sent})
                assert replay.status == 403
                return
            case "junk":
                sent = '{"id": "a2V5LTE", "rawId": "a2V5LTE", "type": "public-key", "response": {}}'
            case "kind":
                sent = key.make(options)
        for credential in (sent, "", "[]", "null", '{"id": 1}', "x" * 500):
            tried = await browser.post("/passkey", {"csrf": hidden(page.text)["csrf"], "credential": credential})
            assert tried.status == 403, (wrong, credential)
            assert (await browser.get("/")).status == 303

    play(tmp_path, scene, panel_url=URL)


def test_a_member_removes_only_their_own_and_a_lost_one_is_reset_by_whoever_may_change_the_role(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        number, browser, _ = await owner_with_key(stage)
        admin_number = await stage.hire(Role.ADMIN, 601)
        admin = await stage.signed_in(admin_number)
        other = new_key("key-2")
        assert (await add(admin, other)).status == 303
        csrf = hidden((await admin.get("/passkeys")).text)["csrf"]
        name = (await stage.access.passkeys(number))[0].name
        assert (await admin.post("/passkeys/remove", {"csrf": csrf, "passkey": name})).status == 400
        refused = await admin.post("/team/passkeys", {"csrf": csrf, "member": str(number)})
        assert refused.status == 403, "an admin does not take an owner's second factor away"
        csrf = hidden((await browser.get("/team")).text)["csrf"]
        assert (await browser.post("/team/passkeys", {"csrf": csrf, "member": str(admin_number)})).status == 303
        assert "passkeys.reset" in await stage.actions()
        assert (await (await stage.signed_in(admin_number)).get("/")).status == 200, "Telegram alone again"
        assert len(await stage.access.passkeys(admin_number)) == 0
        # The only owner has lost theirs: the command line of the server lets them in.
        line = await stage.signed_in()
        assert "Passkeys belong to members" in (await line.get("/passkeys")).text
        pressed = await line.press("/team", "/team/passkeys")
        assert pressed.status == 303
        assert (await (await stage.signed_in(number)).get("/")).status == 200

    play(tmp_path, scene, panel_url=URL)


def test_a_passkey_that_was_removed_counts_no_more(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        number, browser, key = await owner_with_key(stage)
        assert (await add(browser, new_key("key-2"))).status == 303
        name = (await stage.access.passkeys(number))[0].name
        csrf = hidden((await browser.get("/passkeys")).text)["csrf"]
        assert (await browser.post("/passkeys/remove", {"csrf": csrf, "passkey": name})).status == 303
        assert (await show(await stage.signed_in(number), key)).status == 403
        told = [each for each in stage.telegram.said if "passkey" in str(each)]
        assert len(told) == 3, "the member hears of each change"

    play(tmp_path, scene, panel_url=URL)


@pytest.mark.parametrize("wrong", in_full(["origin", "host", "nobody looked", "junk"], 2))
def test_a_wrong_answer_makes_no_passkey(tmp_path: Path, wrong: str) -> None:
    async def scene(stage: Stage) -> None:
        number = await stage.hire(Role.OWNER, 600, "Ann")
        browser, key = await stage.signed_in(number), new_key()
        if wrong == "origin":
            key.origin = "https://evil.example"
        elif wrong == "host":
            key.host = "evil.example"
        elif wrong == "nobody looked":
            key.flags = PRESENT | HAS_KEY
        page = await browser.get("/passkeys")
        made = "{}" if wrong == "junk" else key.make(options_in(page))
        refused = await browser.post("/passkeys/add", {"csrf": hidden(page.text)["csrf"], "credential": made})
        assert refused.status == 400
        assert not await stage.access.passkeys(number)

    play(tmp_path, scene, panel_url=URL)


def test_a_panel_without_a_name_says_why_it_has_no_passkeys(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        page = await browser.get("/passkeys")
        assert NO_NAME in page.text
        assert "data-options" not in page.text
        refused = await browser.post("/passkeys/add", {"csrf": hidden(page.text)["csrf"], "credential": "{}"})
        assert refused.status == 400

    play(tmp_path, scene)
    assert [Passkeys(each).why_not for each in ("https://panel.example.org", "http://[::1]:8090")] == ["", NO_NAME]
