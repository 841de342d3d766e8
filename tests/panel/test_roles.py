"""Every role, every address, every method: a role may do what the table says, and everything else is refused."""

from pathlib import Path
from typing import Final

import pytest

from passerby.domain.panel import FRESH_S, IDLE_S
from passerby.kernel.staff import Role, StaffId
from passerby.kernel.staff_requests import RevocationAsked
from tests.panel.stage import Answered, Browser, Stage, hidden, play
from tests.panel.test_broadcast_start import draft, with_readers
from tests.size import in_full

LETTERS: Final = {
    Role.OWNER: "o", Role.ADMIN: "a", Role.MODERATOR: "m", Role.SUPPORT: "s", Role.ANALYST: "n",
}  # fmt: skip

PAGES: Final = {
    "/": "oamsn", "/growth": "oamsn", "/chats": "oamsn", "/bots": "oamsn", "/exports": "oamsn",
    "/exports/growth.csv": "oamsn", "/exports/audit.csv": "oa", "/alerts": "oams", "/people": "oams", "/safety": "oam",
    "/money": "oas", "/audit": "oa", "/broadcasts": "oa", "/broadcasts/1": "oa",
    "/broadcasts/1/start": "oa", "/errors": "oa", "/stores": "oa",
    "/settings": "oa", "/settings/PATIENCE": "oa", "/texts": "oa", "/texts/search.begun": "oa", "/team": "oa",
    "/approvals": "oamsn", "/sessions": "oamsn", "/passkey": "oamsn", "/passkeys": "oamsn", "/again": "oamsn",
}  # fmt: skip
"""The roles that see each page."""

FORMS: Final = {
    "/bots/drain": "oa!", "/bots/open": "oa!", "/bots/add": "oa!", "/bots/retire": "oa!",
    "/alerts": "oams",
    "/safety/press": "oam", "/safety/restrict": "oam", "/safety/second": "oa!", "/safety/legal": "o!",
    "/approvals/agree": "oamsn!", "/approvals/decline": "oamsn",
    "/money/refund": "oas!", "/money/case": "oas", "/money/answer": "oas",
    "/texts/review": "oa", "/texts/change": "oa!", "/settings/review": "oa", "/settings/change": "oa!",
    "/people": "oams", "/people/sanction": "oam", "/people/lift": "oam",
    "/errors": "oa",
    "/broadcasts": "oa", "/broadcasts/keep": "oa", "/broadcasts/act": "oa!",
    "/team/role": "oa!", "/team/revoke": "oa!", "/team/passkeys": "oa!",
    "/passkeys/add": "oamsn!", "/passkeys/remove": "oamsn!", "/passkey": "oamsn",
    "/again": "oamsn", "/sessions/end": "oamsn", "/logout": "oamsn",
}  # fmt: skip
"""The roles that may send each form. "!": it needs a proof of the last five minutes. /logout is last: it ends the
session."""

ROLE_SAID: Final = "Your role does not allow this."
FORM_SAID: Final = "This form is too old, or it is not ours."


async def token(browser: Browser) -> str:
    return hidden((await browser.get("/sessions")).text)["csrf"]


def is_for_login(answer: Answered) -> bool:
    return answer.status == 303 and answer.header("location").startswith("/login?next=")


def test_the_table_has_every_address_of_the_panel(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        exact = {("GET", path) for path in PAGES if path.count("/") == 1} | {("POST", path) for path in FORMS}
        assert set(stage.app.addresses) == exact
        below = {"/" + path.split("/")[1] for path in PAGES if path.count("/") > 1}
        assert {start for verb, start, route in stage.app._open if not route.open} == {f"{each}/" for each in below}

    play(tmp_path, scene)


@pytest.mark.parametrize("role", in_full(list(Role), 2))
def test_a_role_may_do_what_the_table_says_and_nothing_else(tmp_path: Path, role: Role) -> None:
    async def scene(stage: Stage) -> None:
        owner = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        await with_readers(stage)
        await draft(owner, 1)
        browser = await stage.signed_in(await stage.hire(role, 601))
        for path, who in PAGES.items():
            for method in ("GET", "HEAD"):
                answer = await browser.ask(method, path)
                is_served = answer.status in (200, 303) and not is_for_login(answer)
                assert is_served is (LETTERS[role] in who), (method, path, answer.status)
                assert method == "GET" or not answer.body
        given = await token(browser)
        before = len(await stage.actions())
        for path, who in FORMS.items():
            if LETTERS[role] not in who:
                refused = await browser.post(path, {"csrf": given})
                assert (refused.status, ROLE_SAID in refused.text) == (403, True), path
        assert len(await stage.actions()) == before, "what was refused did nothing"
        for path, who in FORMS.items():
            if LETTERS[role] in who:
                answer = await browser.post(path, {"csrf": given})
                assert ROLE_SAID not in answer.text, path
                assert FORM_SAID not in answer.text, path
                assert answer.status in (200, 303, 400, 403, 404, 409), path

    play(tmp_path, scene)


def test_a_proof_of_five_minutes_ago_is_too_old_for_what_matters_most_and_enough_for_the_rest(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        given = await token(browser)
        stage.clock.at += FRESH_S
        for path, who in FORMS.items():
            if path != "/again":  # it sends the form that waits, so it needs what that form needs
                assert is_for_login(await browser.post(path, {"csrf": given})) is who.endswith("!"), path

    play(tmp_path, scene)


def test_requests_that_are_not_from_our_own_pages_do_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        number = await stage.hire(Role.OWNER, 600)
        browser, other = await stage.signed_in(number), await stage.signed_in(number)
        mine, theirs = await token(browser), await token(other)
        before = len(await stage.actions())
        for path in FORMS:
            for csrf in ("", "x", theirs, mine[:-1]):
                refused = await browser.post(path, {"csrf": csrf})
                assert (refused.status, FORM_SAID in refused.text) == (403, True), path
            for headers in (
                {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
                {"sec-fetch-site": "same-site"},
                {"origin": "null", "sec-fetch-site": ""},
                {"origin": "", "sec-fetch-site": ""},
            ):
                assert (await browser.post(path, {"csrf": mine}, headers)).status == 403, (path, headers)
            elsewhere = await browser.post(path, {"csrf": mine}, {"host": "evil.example"})
            assert elsewhere.status == 421, path
        assert len(await stage.actions()) == before

    play(tmp_path, scene)


def test_other_methods_are_refused_and_each_address_has_its_own(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        given = await token(browser)
        before = len(await stage.actions())
        for path in {*PAGES, *FORMS}:
            for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
                assert (await browser.ask(method, path, b"x=1")).status == 405, (method, path)
            if path not in PAGES and path.rpartition("/")[0] not in ("/broadcasts", "/settings", "/texts"):
                assert (await browser.get(path)).status == 404, path
            if path not in FORMS:
                assert (await browser.post(path, {"csrf": given})).status == 404, path
        assert len(await stage.actions()) == before

    play(tmp_path, scene)


@pytest.mark.parametrize("why", in_full(["nobody", "idle", "ended", "removed", "copied"], 2))
def test_without_a_valid_session_every_page_and_form_leads_to_the_login(tmp_path: Path, why: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        session = await token(browser)
        match why:
            case "nobody":
                browser.cookies.clear()
            case "idle":
                stage.clock.at += IDLE_S
            case "ended":
                await browser.post("/logout", {"csrf": session})
            case "removed":
                await stage.decisions.on_request(RevocationAsked(StaffId(2)))
            case "copied":
                browser.cookies = {"panel-session": "0" * 64}
        given = hidden((await browser.get("/login")).text)["csrf"]
        before = len(await stage.actions())
        for path in PAGES:
            assert is_for_login(await browser.get(path)), path
        for path in FORMS:
            assert is_for_login(await browser.post(path, {"csrf": given})), path
            assert (await browser.post(path, {"csrf": session})).status in (303, 403), path
        assert len(await stage.actions()) == before

    play(tmp_path, scene)
