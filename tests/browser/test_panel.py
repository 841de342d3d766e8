"""The operators' panel in a real browser, with the demo behind it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import findings
from tests.browser.demo_process import Demo
from tests.browser.panel_door import PAGES, PHONE, link_of, signed_in, write_broadcast
from tests.ports import free_port
from tests.size import size

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth > window.innerWidth"
CUT = """[...document.querySelectorAll('.scroll')]
  .filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.getAttribute('aria-label'))"""
"""Tables with columns that are seen only by scrolling sideways."""
LOOKS: list[Any] = [
    pytest.param({"viewport": PHONE, "color_scheme": "dark"}, id="phone, dark"),
    pytest.param({}, id="desktop, light", marks=pytest.mark.long),
    pytest.param({"color_scheme": "dark"}, id="desktop, dark", marks=pytest.mark.long),
    pytest.param({"viewport": PHONE}, id="phone, light", marks=pytest.mark.long),
]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path, free_port())
    demo.start()
    yield demo
    demo.end()


@pytest.mark.sized
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_whole_accessible_and_keeps_its_policy(
    browser: Browser, demo: Demo, look: dict[str, Any]
) -> None:
    """A script or style that the policy refuses would be an error on the console."""
    link = link_of(demo)
    page = signed_in(browser, link, **look)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    base = link.partition("/enter/")[0]
    for path in PAGES[:: size(6, 1)]:
        page.goto(base + path)
        assert findings(page) == [], path
        assert not page.evaluate(WIDE), f"{path} is wider than the window"
        assert page.evaluate(CUT) == [], f"tables of {path} are cut"
        page.goto(f"{base}{path}{'&' if '?' in path else '?'}dir=rtl")
        assert not page.evaluate(WIDE), f"{path} is wider than the window, right to left"
    page.goto(base + "/broadcasts")
    write_broadcast(page, "Hello to all of you.")
    draft = page.url.removeprefix(base).partition("?")[0]
    for path in (draft, f"{draft}/start"):
        page.goto(base + path)
        assert findings(page) == [], path
        assert not page.evaluate(WIDE), f"{path} is wider than the window"
        page.goto(f"{base}{path}?dir=rtl")
        assert findings(page) == [], f"{path}, right to left"
        assert not page.evaluate(WIDE), f"{path} is wider than the window, right to left"
    for path in ("/bots", "/money", "/growth"):
        page.goto(base + path)
        assert page.evaluate(CUT) == [], f"tables of {path} are cut"
    page.goto(base + "/bots")
    assert findings(page) == []
    for close in page.get_by_role("button", name="Close").all():
        box = close.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= page.evaluate("window.innerWidth"), "Close is seen without scrolling sideways"
    assert said == []
    # It refreshes itself, and the reader stays where they were.
    page.goto(base)
    page.locator("summary").first.focus()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true") as refreshed:
        pass
    assert refreshed.value.status == 200
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert findings(page) == []
    page.goto(base + "/audit")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(link)
    page.get_by_role("button", name="Go in").click()
    expect(page.get_by_text("too old, was used already")).to_be_visible()
    assert findings(page) == []
    page.context.close()


@pytest.mark.long
def test_the_panel_works_without_javascript(browser: Browser, demo: Demo) -> None:
    page = signed_in(browser, link_of(demo), java_script_enabled=False)
    page.get_by_role("link", name="Growth").click()
    page.get_by_role("link", name="7 days").click()
    page.get_by_text("The same as a table").first.click()
    expect(page.locator("details table").first).to_be_visible()
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_text("The chain holds")).to_be_visible()
    page.get_by_role("link", name="Broadcasts").click()
    write_broadcast(page, "Hello to all of you.")
    expect(page.get_by_text("Hello to all of you.")).to_be_visible()
    page.get_by_label("Age", exact=True).fill("17x")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("I don't understand “age=17x”.")).to_be_visible()
    page.get_by_label("Age", exact=True).fill("18-30")
    page.get_by_role("button", name="Set").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Start it")).to_be_visible()
    page.get_by_role("link", name="Not yet").click()
    expect(page.get_by_role("button", name="Keep")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.close()
