"""Members of each role in the panel of the demo: they join through its staff bot, and sign in with a code."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from passerby.cli.demo import STAFF_BOT
from tests.browser.axe import findings
from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.browser.demo_process import Demo
from tests.browser.panel_door import PAGES, PHONE, link_of
from tests.browser.phone import Phone
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(900)]
WIDE = "document.documentElement.scrollWidth > window.innerWidth"
LOOKS = ({"viewport": DESKTOP}, {"viewport": PHONE, "color_scheme": "dark"})
MENUS = {
    "owner": 17,
    "admin": 17,
    "moderator": 9,
    "support": 9,
    "analyst": 6,
}
"""How many pages a role has in its menu. `tests/panel/test_roles.py` says which."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"), free_port())
    demo.start()
    yield demo
    demo.end()


def invited(demo: Demo, role: str) -> str:
    """The message that makes somebody a member."""
    data = demo.folder / "data"
    *tokens, staff_token = json.loads((data / "bots.json").read_text())
    env = os.environ | {
        "SQLITE_DB_PATH": str(data / "passerby.db"),
        "BOT_TOKENS": ",".join(tokens),
        "STAFF_BOT_TOKEN": staff_token,
        "BOT_API_URL": demo.url,
    }
    command = [Path(sys.executable).parent / "passerby", "staff", "invite", "--role", role, "--name", role.title()]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    return "/start " + re.findall(r"start[= ](\w+)", said)[-1]


def joined(browser: Browser, demo: Demo, role: str) -> Phone:
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(demo.url)
    phone = Phone(page, 1)
    phone.switch_to(STAFF_BOT[0])
    phone.start()
    phone.say(invited(demo, role))
    return phone


def signed_in(browser: Browser, demo: Demo, phone: Phone, **options: object) -> Page:
    """With the code that the page shows, which the member confirms in the staff bot."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(link_of(demo).partition("/enter/")[0])
    page.get_by_role("button", name="Show me a code").click()
    phone.say(page.locator(".code code").inner_text())
    phone.press("Yes")
    page.get_by_role("button", name="Go in").click()
    page.get_by_role("heading", name="Now").wait_for()
    return page


@pytest.mark.parametrize("role", MENUS)
def test_a_role_sees_its_pages_whole_on_a_desktop_and_a_phone_and_is_refused_all_others(
    browser: Browser, demo: Demo, role: str
) -> None:
    phone = joined(browser, demo, role)
    for look in LOOKS:
        page = signed_in(browser, demo, phone, **look)
        said: list[str] = []
        page.on("pageerror", lambda error, said=said: said.append(str(error)))  # type: ignore[misc]
        base = page.url.rstrip("/")
        is_phone = look["viewport"] == PHONE
        if is_phone:
            page.locator(".on-phone summary").click()
        menu = page.get_by_role("navigation", name="Pages")
        mine = [link.get_attribute("href") or "" for link in menu.get_by_role("link").all()]
        assert len(mine) == MENUS[role]
        for path in mine:
            page.goto(base + path)
            assert findings(page) == [], path
            assert not page.evaluate(WIDE), f"{path} is wider than the window"
        for path in PAGES:
            section = "/" + path.split("/")[1].partition("?")[0]
            if section not in (*mine, "/sessions", "/passkeys", "/passkey", "/again"):
                answer = page.goto(base + path)
                assert answer is not None
                assert answer.status == 403, path
                expect(page.get_by_text("Your role does not allow this.")).to_be_visible()
        assert said == []
        page.context.close()
    phone.page.context.close()


def test_a_moderator_decides_a_case_and_the_second_member_agrees_to_a_ban(browser: Browser, demo: Demo) -> None:
    moderator = joined(browser, demo, "moderator")
    page = signed_in(browser, demo, moderator, **LOOKS[1])
    base = page.url.rstrip("/")
    page.goto(base + "/safety")
    page.get_by_role("button", name="Take the next case").click()
    page.get_by_role("button", name="Evidence").click()
    words = page.locator("blockquote").first
    assert page.evaluate("each => getComputedStyle(each).filter", words.element_handle()) != "none", "it is blurred"
    page.get_by_label("Show it").first.check()
    assert page.evaluate("each => getComputedStyle(each).filter", words.element_handle()) == "none"
    assert findings(page) == []
    page.get_by_role("button", name="Go on with case").click()
    page.get_by_label("What").select_option("media_off")
    page.get_by_role("button", name="Restrict", exact=True).click()
    expect(page.get_by_role("button", name="Restrict", exact=True)).to_be_hidden()
    page.goto(base + "/approvals")
    assert page.get_by_role("button", name="Agree").count() == 0, "a moderator agrees to no ban without an end"
    page.context.close()
    moderator.page.context.close()

    owner = joined(browser, demo, "owner")
    page = signed_in(browser, demo, owner, **LOOKS[0])
    page.goto(base + "/approvals")
    page.get_by_role("button", name="Agree").first.click()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    assert findings(page) == []
    page.goto(base + "/audit")
    expect(page.get_by_text("The chain holds")).to_be_visible()
    page.context.close()
    owner.page.context.close()
