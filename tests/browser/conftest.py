"""A real chromium, a sandbox in its own process, and scripted bots."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.phone import Phone
from tests.browser.sandbox_process import Sandbox
from tests.browser.scripted_bot import ScriptedBot

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: ViewportSize = {"width": 1400, "height": 900}
# Generous, because the machine may be busy and these tests do not measure time.
PATIENCE_MS = 60_000

expect.set_options(timeout=PATIENCE_MS)


# One browser for each module, not for the session: Playwright keeps an event loop running, and other tests start
# their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("REQUIRE_SERVICES=1, and there is no chromium")
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests. Every page has a new profile and new people, so tests do not affect each other."""
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def own_sandbox() -> Iterator[Sandbox]:
    """A sandbox without bots for one test. The test may stop it."""
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session")
def running_bots(sandbox: Sandbox) -> Iterator[list[ScriptedBot]]:
    made = [
        sandbox.post("bots", {"first_name": name, "username": f"{name.lower()}_bot"}) for name in ("First", "Second")
    ]
    running = [ScriptedBot(sandbox.url, bot["token"]) for bot in made]
    yield running
    for bot in running:
        bot.stop()


@pytest.fixture
def bots(running_bots: list[ScriptedBot]) -> Iterator[list[ScriptedBot]]:
    """Two scripted bots, "First" and "Second"."""
    yield running_bots
    for bot in running_bots:
        bot.check()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens the playground in a new profile. An error on the page fails the test. The last screenshot is kept."""
    contexts = []
    errors: list[str] = []

    def open_(sandbox: Sandbox, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "accept_downloads": True, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(sandbox.url)
        return page

    yield open_
    for index, context in enumerate(contexts):
        for page in context.pages:
            page.screenshot(path=tmp_path / f"last-{index}.png")
        context.close()
    assert errors == []


@pytest.fixture
def page(bots: list[ScriptedBot], sandbox: Sandbox, open_page: Callable[..., Page]) -> Page:
    """The page with two phones, on two bots."""
    return open_page(sandbox)


@pytest.fixture
def first(page: Page) -> Phone:
    """The first phone, after Start and the bot's welcome."""
    phone = Phone(page, 1)
    phone.start()
    phone.hears("Welcome, Mira")
    return phone


@pytest.fixture
def phones(page: Page, first: Phone) -> tuple[Phone, Phone]:
    """Both phones, after Start and the bots' welcomes."""
    second = Phone(page, 2)
    second.start()
    second.hears("Welcome, Jonas")
    return first, second
