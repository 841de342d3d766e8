"""The gates of the panel. docs/explanation/panel-security.md names these tests beside what they prove."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from passerby.domain.panel import FRESH_S, IDLE_S, LOGIN_S, ROTATE_S, SESSION_S
from passerby.kernel.staff import Role
from passerby.kernel.staff_requests import RevocationAsked, RoleAsked
from passerby.panel.kept import KEEP_S
from tests.panel.stage import URL, Answered, Browser, Stage, hidden, play


def csrf_in(page: Answered) -> str:
    return hidden(page.text)["csrf"]


async def code_shown(browser: Browser) -> str:
    """Ask for a code, and read it from the page."""
    asked = await browser.press("/login", "/login")
    assert asked.status == 303
    waiting = await browser.get(asked.header("location"))
    found = re.search(r"/panel (\w{4}-\w{4})", waiting.text)
    assert found is not None
    return found[1]


def test_a_code_confirmed_in_the_staff_bot_lets_in_the_browser_that_shows_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 501, "Ann")
        browser, other = Browser(stage.app), Browser(stage.app)
        code = await code_shown(browser)
        early = await browser.post(
            "/login/enter", {"csrf": csrf_in(await browser.get("/login")), "code": code.replace("-", "")}
        )
        assert early.status == 403, "nobody has confirmed it"
        assert not (await stage.write(501, f"/panel {code}")).refused
        assert not (await stage.press(501, "panel_yes", code.replace("-", ""))).refused
        theirs = await other.post(
            "/login/enter", {"csrf": csrf_in(await other.get("/login")), "code": code.replace("-", "")}
        )
        assert theirs.status == 403, "another browser knows the code, and stays outside"
        done = await browser.press("/login/wait", "/login/enter")
        assert done.status == 303
        assert "#1 Ann" in (await browser.get("/")).text
        again = await browser.post("/login/enter", {"csrf": csrf_in(await browser.get("/sessions")), "code": code})
        assert again.status == 403, "a login works once"
        assert (await stage.actions())[-2:] == ["panel.confirmed", "panel.signed_in"]
        assert len(stage.telegram.said) == 1, "the member is told"

    play(tmp_path, scene)


def test_opening_a_link_changes_nothing_and_only_the_browser_that_asked_can_use_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 501)
        browser, preview = Browser(stage.app), Browser(stage.app, "TelegramBot (like TwitterBot)")
        code = (await code_shown(browser)).replace("-", "")
        done = await stage.press(501, "panel_link", code)
        found = re.search(rf"{URL}(/enter/\w+)", str(done.effects))
        assert found is not None
        for _ in range(2):
            assert (await preview.get(found[1])).status == 200
        assert (await preview.press(found[1], "/enter")).status == 403
        assert (await browser.press(found[1], "/enter")).status == 303
        assert (await browser.press(found[1], "/enter")).status == 403

    play(tmp_path, scene)


def test_a_login_ends_after_five_minutes(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 501)
        browser = Browser(stage.app)
        code = await code_shown(browser)
        stage.clock.at += LOGIN_S
        assert (await stage.write(501, f"/panel {code}")).refused
        assert (await browser.get("/login/wait")).header("location") == "/login"

    play(tmp_path, scene)


def test_without_a_session_every_page_leads_to_the_login_and_says_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stranger = Browser(stage.app)
        for method, path in stage.app.addresses:
            answer = await (stranger.get(path) if method == "GET" else stranger.post(path, {}))
            assert answer.status in ((303,) if method == "GET" else (403,)), path
            if method == "GET":
                assert answer.header("location").startswith("/login?next=/"), path
                assert answer.body == b""

    play(tmp_path, scene)


@pytest.mark.parametrize("passed", [IDLE_S, SESSION_S])
def test_a_session_ends_by_itself(tmp_path: Path, passed: float) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        step = IDLE_S / 2
        for _ in range(int(passed // step) - 1 if passed > IDLE_S else 0):
            stage.clock.at += step
            assert (await browser.get("/")).status == 200
        stage.clock.at += step if passed > IDLE_S else passed
        assert (await browser.get("/")).status == 303

    play(tmp_path, scene)


def test_a_page_that_refreshes_itself_keeps_no_session_alive(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for _ in range(6):
            stage.clock.at += IDLE_S / 6
            last = await browser.get("/", hx_request="true")
        assert last.status == 401

    play(tmp_path, scene)


def test_the_secret_of_a_session_changes_and_the_old_one_stops_working(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        before = dict(browser.cookies)
        stage.clock.at += ROTATE_S
        assert (await browser.get("/")).status == 200
        assert browser.cookies["panel-session"] != before["panel-session"]
        assert len(browser.cookies["panel-session"]) == 64, "256 bits"
        thief = Browser(stage.app)
        thief.cookies = before
        stage.clock.at += 30
        assert (await thief.get("/")).status == 200, "requests that were under way"
        stage.clock.at += 31
        assert (await thief.get("/")).status == 303
        assert (await browser.get("/")).status == 200

    play(tmp_path, scene)


def test_signing_out_ends_the_session_on_the_server(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        kept = dict(browser.cookies)
        assert (await browser.press("/", "/logout")).status == 303
        assert "panel-session" not in browser.cookies
        browser.cookies = kept
        assert (await browser.get("/")).status == 303
        assert (await stage.actions())[-1] == "panel.signed_out"

    play(tmp_path, scene)


def test_a_member_ends_another_browser_and_an_analyst_sees_only_their_own(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        number = await stage.hire(Role.ANALYST, 502, "Bo")
        analyst, owner = await stage.signed_in(number), await stage.signed_in()
        shown = (await analyst.get("/sessions")).text
        assert shown.count("/sessions/end") == 1
        token = csrf_in(await analyst.get("/sessions"))
        assert (await analyst.post("/sessions/end", {"csrf": token, "session": "2"})).status == 403
        token = csrf_in(await owner.get("/sessions"))
        assert (await owner.post("/sessions/end", {"csrf": token, "session": "1"})).status == 303
        assert (await analyst.get("/")).status == 303

    play(tmp_path, scene)


def test_a_role_that_changes_and_a_member_who_leaves_count_at_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 500)
        number = await stage.hire(Role.MODERATOR, 502)
        browser = await stage.signed_in(number)
        assert (await browser.get("/")).status == 200
        await stage.decisions.on_request(RoleAsked(number, Role.ANALYST))
        assert "Sign out" in (await browser.get("/")).text
        await stage.decisions.on_request(RevocationAsked(number))
        assert (await browser.get("/")).status == 303

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": ""},
    ],
    ids=str,
)
def test_a_form_of_another_page_does_nothing_even_with_the_token(tmp_path: Path, headers: dict[str, str]) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        token = csrf_in(await browser.get("/"))
        assert (await browser.post("/logout", {"csrf": token}, headers)).status == 403
        assert (await browser.get("/")).status == 200

    play(tmp_path, scene)


def test_a_form_needs_the_token_of_its_own_session(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        one, other = await stage.signed_in(), await stage.signed_in()
        foreign = csrf_in(await other.get("/"))
        for token in ("", "nonsense", foreign):
            assert (await one.post("/logout", {"csrf": token})).status == 403
        assert (await one.get("/")).status == 200

    play(tmp_path, scene)


def test_a_get_changes_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for path in ("/logout", "/sessions/end", "/enter"):
            assert (await browser.get(path)).status == 404
        assert (await browser.ask("PUT", "/")).status == 405
        assert (await browser.get("/")).status == 200

    play(tmp_path, scene)


def test_another_host_name_is_not_served(tmp_path: Path) -> None:
    """Otherwise a foreign page could reach a panel on loopback under a name of its own (DNS rebinding)."""

    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for host in ("evil.example", "127.0.0.1", "localhost:8090", ""):
            assert (await browser.get("/", host=host)).status == 421

    play(tmp_path, scene)


def test_every_answer_has_the_headers_that_keep_foreign_pages_and_scripts_out(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for path in ("/", "/sessions", "/login", "/nowhere"):
            answer = await browser.get(path)
            policy = answer.header("content-security-policy")
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.header("x-content-type-options") == "nosniff"
            assert answer.header("x-frame-options") == "DENY", "for browsers that do not know the policy"
            assert answer.header("cache-control") == "no-store"
            assert answer.header("referrer-policy") == "same-origin"
            assert not re.search(r"<script(?! src=\"/static/)|\son\w+=|style=", answer.text), (
                "no inline script or style"
            )
            words = answer.text.replace("http://www.w3.org/", "").replace(f"PANEL_URL={URL} ", "")
            assert "http://" not in words, "nothing comes from elsewhere"

    play(tmp_path, scene)


def test_with_https_cookies_are_bound_to_the_host_and_browsers_stay_with_https(tmp_path: Path) -> None:
    from passerby.panel.http import Answer, Sender

    async def scene(stage: Stage) -> None:
        sent: list[dict[str, object]] = []

        async def send(message: object) -> None:
            sent.append(message)  # type: ignore[arg-type]

        await Sender(secure=True).send(send, Answer(cookies={"panel-session": "x"}), head=False)
        headers = dict(sent[0]["headers"])  # type: ignore[call-overload]
        assert headers[b"set-cookie"] == b"__Host-panel-session=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        assert headers[b"strict-transport-security"] == b"max-age=31536000"
        login = await Browser(stage.app).get("/login")
        assert login.header("set-cookie").endswith("; Path=/; HttpOnly; SameSite=Lax")

    play(tmp_path, scene)


def test_logins_and_acts_have_limits_in_the_database(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        codes = [await Browser(stage.app).press("/login", "/login") for _ in range(31)]
        assert [each.status for each in codes].count(429) == 1
        tries = [await Browser(stage.app).press("/enter/0123", "/enter") for _ in range(31)]
        assert [each.status for each in tries].count(429) == 1
        stage.clock.at += 61
        assert (await Browser(stage.app).press("/login", "/login")).status == 303
        browser = await stage.signed_in()
        token = csrf_in(await browser.get("/sessions"))
        acts = [await browser.post("/sessions/end", {"csrf": token, "session": "99"}) for _ in range(61)]
        assert [each.status for each in acts] == [403] * 60 + [429]

    play(tmp_path, scene)


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = Browser(stage.app)
        for onward in ("//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb"):
            done = await browser.press(await stage.link(), "/enter", next=onward)
            assert done.header("location") == "/"

    play(tmp_path, scene)


def test_the_panels_connection_cannot_write(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.reading._engine.connect() as connection:
            with pytest.raises(DBAPIError):
                await connection.execute(sa.text("DELETE FROM panel_limits"))

    play(tmp_path, scene)


def test_a_fresh_proof_replaces_the_session(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        stage.clock.at += FRESH_S
        await browser.press(await stage.link(), "/enter")
        (left,) = await stage.access.sessions(stage.clock.now())
        assert left.number == 2
        assert left.proved_at == stage.clock.now()

    play(tmp_path, scene)


def test_a_form_that_needs_a_fresh_proof_waits_for_it_and_is_sent_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 501)
        member = await stage.hire(Role.ANALYST, 601)
        browser, other = await stage.signed_in(), await stage.signed_in()
        assert (await browser.get("/again")).header("location") == "/", "nothing waits"
        stage.clock.at += FRESH_S
        wish = {"csrf": csrf_in(await browser.get("/sessions")), "member": str(member), "role": "support"}
        asked = await browser.post("/team/role", wish)
        assert asked.header("location") == "/login?next=/again"
        done = await browser.press(await stage.link(), "/enter")
        assert done.header("location") == "/again"
        shown = await browser.get("/again")
        assert '<dd dir="auto">support</dd>' in shown.text
        assert wish["csrf"] not in shown.text
        assert (await other.get("/again")).header("location") == "/", "it belongs to the browser that sent it"
        given = hidden(shown.text)
        assert (await browser.post("/again", given)).header("location") == "/team"
        assert {each.role for each in await stage.staff.team()} == {Role.OWNER, Role.SUPPORT}
        acts = await stage.actions()
        assert (await browser.post("/again", given)).header("location") == "/"
        assert await stage.actions() == acts, "it is done once"

    play(tmp_path, scene)


def test_a_form_that_waits_for_a_proof_is_sent_by_nobody_else_and_not_late(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        owner = await stage.hire(Role.OWNER, 501)
        browser = await stage.signed_in()
        for late in (0.0, KEEP_S):
            stage.clock.at += FRESH_S
            wish = {"csrf": csrf_in(await browser.get("/sessions")), "member": str(owner)}
            assert (await browser.post("/team/revoke", wish)).status == 303
            stage.clock.at += late
            done = await browser.press(await stage.link(0 if late else owner), "/enter")
            assert done.header("location") == "/"
            assert (await browser.get("/again")).header("location") == "/"
            await browser.press(await stage.link(), "/enter")

    play(tmp_path, scene)
