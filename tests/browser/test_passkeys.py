"""A passkey in a real browser, with a security key that chromium pretends to have."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect

from passerby.kernel.staff import Role
from passerby.web import listen_on_tcp
from tests.browser.axe import findings
from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.panel.stage import Stage, play
from tests.ports import free_port

pytest.importorskip("webauthn")
pytestmark = pytest.mark.browser

KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@contextmanager
def panel(folder: Path, port: int) -> Iterator[list[str]]:
    """A panel with an owner, in a thread of its own. Yields: two links into it."""
    ready: Queue[list[str]] = Queue()
    stop: Queue[None] = Queue()

    async def scene(stage: Stage) -> None:
        listener = listen_on_tcp(stage.app, "127.0.0.1", port)
        owner = await stage.hire(Role.OWNER, 600, "Ann")
        ready.put([f"{stage.url}{await stage.link(owner)}" for _ in range(2)])
        await asyncio.to_thread(stop.get)
        await listener.aclose()

    thread = Thread(target=play, args=(folder, scene), kwargs={"panel_url": f"http://localhost:{port}"})
    thread.start()
    try:
        yield ready.get(timeout=120)
    finally:
        stop.put(None)
        thread.join(120)


def test_an_owner_adds_a_passkey_and_needs_it_at_the_next_sign_in(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if "Security Policy" in message.text else None)
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    key = device.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})["authenticatorId"]
    with panel(tmp_path, free_port()) as (first, second):
        page.goto(first)
        page.get_by_role("button", name="Go in").click()
        page.get_by_role("link", name="Sessions").click()
        page.get_by_role("link", name="Your passkeys").click()
        assert findings(page) == []
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("row", name="Chrome on Linux")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.goto(second)
        page.get_by_role("button", name="Go in").click()
        expect(page.get_by_role("heading", name="Show your passkey")).to_be_visible()
        assert findings(page) == []
        device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
        page.get_by_role("button", name="Use the passkey").click()
        expect(page.get_by_text("The browser has no passkey for this")).to_be_visible()
        device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
        page.get_by_role("button", name="Use the passkey").click()
        expect(page.get_by_role("heading", name="Now")).to_be_visible()
        assert said == []
        context.close()
