"""Gets into the panel of a running demo."""

import re

from playwright.sync_api import Browser, Page

from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.browser.demo_process import Demo

PHONE = {"width": 390, "height": 844}
PAGES = (
    *("/", "/growth", "/chats", "/bots", "/alerts", "/people", "/audit", "/errors", "/stores", "/settings"),
    *("/exports", "/team", "/sessions", "/safety", "/money", "/broadcasts", "/approvals", "/settings/PATIENCE"),
    *("/texts?find=partner", "/texts/intro.short?language=ar", "/passkeys", "/passkey", "/again"),
)


def link_of(demo: Demo) -> str:
    """The link that the demo printed last. It works once."""
    return str(re.findall(r"http://\S+/enter/\w+", demo.log.read_text())[-1])


def signed_in(browser: Browser, link: str, **options: object) -> Page:
    """A page of the panel, in a new profile."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Go in").click()
    page.get_by_role("heading", name="Now").wait_for()
    return page


def write_broadcast(page: Page, words: str) -> None:
    """From the page with all broadcasts to a draft with this text."""
    page.get_by_role("button", name="Write a new one").click()
    page.get_by_label("Message").fill(words)
    page.get_by_role("button", name="Keep").click()
    page.get_by_text("Everything is kept.").wait_for()
