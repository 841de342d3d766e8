"""The page that answers a form has an address of its own, which can be loaded again and passed on."""

from pathlib import Path
from random import Random

import pytest

from passerby.kernel.staff import Role, StaffId
from passerby.panel.answers import KEEP_S, MOST, MOST_BYTES, KeptAnswers
from passerby.panel.http import Answer
from tests.panel.stage import Browser, Stage, play
from tests.panel.test_pages import code_of_somebody, token

CARD = "Person ABCD-EFGH"
FORMS = {
    "/settings/review": ("/settings/PATIENCE", {"name": "PATIENCE", "value": "fast"}),
    "/settings/change": ("/settings/PATIENCE", {"name": "PATIENCE", "value": "odd", "seen": "0"}),
    "/texts/review": (
        "/texts/overrides.done?language=de&bot=0",
        {"key": "overrides.done", "language": "de", "bot": "0", "form0": "Gut."},
    ),
    "/broadcasts/keep": ("/broadcasts/1", {"broadcast": "1", "age": "junk"}),
    "/broadcasts/act": ("/broadcasts/1", {"broadcast": "1", "act": "preview"}),
    "/people": ("/people", {"code": "abcd-efgh"}),
    "/people/sanction": ("/people", {}),
    "/safety/press": ("/safety", {"action": "case_next"}),
    "/safety/restrict": ("/safety", {"kind": "muted", "hours": "good"}),
    "/money/refund": ("/money", {}),
    "/money/case": ("/money", {"case": "ABCD"}),
    "/approvals/decline": ("/approvals", {"approval": "7"}),
    "/bots/add": ("/bots", {"token": "x"}),
    "/bots/drain": ("/bots", {"bot": "1000001", "sister": "1000002"}),
    "/team/role": ("/team", {"member": "x"}),
    "/team/revoke": ("/team", {"member": "1"}),
    "/passkeys/remove": ("/passkeys", {"passkey": "none"}),
    "/sessions/end": ("/sessions", {"session": "99"}),
}


@pytest.mark.parametrize("path", FORMS)
def test_a_form_leads_to_a_page_that_can_be_loaded_again_and_passed_on(path: str, tmp_path: Path) -> None:
    page, fields = FORMS[path]

    async def scene(stage: Stage) -> None:
        await code_of_somebody(stage)
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(1)
        given = {"csrf": await token(browser)}
        await browser.sent("/broadcasts", given)
        done = await browser.sent(path, given | fields)
        assert done.status == 303
        to = done.header("location")
        assert to.startswith(page), to
        assert (rest := to.removeprefix(page)).startswith(("?answer=", "&answer=")), rest
        acts = len(await stage.actions())
        shown = await browser.get(to)
        assert shown.status in (200, 400, 403, 404, 409), shown.status
        assert (await browser.get(to)).text == shown.text, "it is loaded again"
        assert len(await stage.actions()) == acts, "and nothing was done twice"
        colleague = await stage.signed_in()
        plain = await colleague.get(to)
        assert plain.status == 200, "the link opens the page for somebody else"
        assert 'class="said"' not in plain.text
        stage.clock.at += KEEP_S
        later = await browser.get(to)
        assert later.status == 200 or later.header("location").startswith("/login"), "that page needs a fresh proof"
        assert 'class="said"' not in later.text, "later, it is the page itself"

    play(tmp_path, scene)


def test_an_answer_is_shown_to_its_member_in_its_browser_only(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        code = await code_of_somebody(stage)
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(1)
        to = (await browser.sent("/people", {"csrf": await token(browser), "code": code})).header("location")
        assert CARD in (await browser.get(to)).text
        for other in (await stage.signed_in(1), await stage.signed_in(), Browser(stage.app)):
            assert CARD not in (await other.get(to)).text
        assert CARD not in (await browser.get(to.replace("/people", "/money"))).text, "nor on another page"
        await browser.sent("/logout", {"csrf": await token(browser)})
        assert CARD not in (await browser.get(to)).text

    play(tmp_path, scene)


def test_the_answers_that_are_kept_have_bounds() -> None:
    kept, me = KeptAnswers(Random(1)), StaffId(1)

    def names(count: int, size: int, at: float) -> list[str]:
        answer = Answer(b"x" * size, at="/people")
        return [kept.keep(answer, "browser", me, at).partition("answer=")[2] for _ in range(count)]

    def are_there(some: list[str], now: float) -> int:
        return sum(kept.of(name, "browser", me, "/people", now) is not None for name in some)

    assert are_there(names(MOST + 50, 10, 0.0), 1.0) == MOST
    assert are_there(names(100, MOST_BYTES // 10, 2.0), 3.0) == 10
    assert are_there(names(5, 10, 4.0), 4.0 + KEEP_S) == 0
    assert are_there(names(5, 10, 9000.0), 5.0) == 0, "a clock that went back"
