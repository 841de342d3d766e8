"""Makes the pictures of the panel and of its broadcasts that the documentation shows, of the demo's invented people.

    python -m tests.browser.panel_pictures

Writes docs/how-to/pictures/panel-*.png and broadcast.png. Needs chromium. Takes about half a minute.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import passerby
from tests.browser.conftest import DESKTOP, PATIENCE_MS, QUIET
from tests.browser.demo_process import Demo
from tests.browser.panel_door import PHONE, link_of, signed_in, write_broadcast
from tests.ports import free_port

PICTURES = Path(passerby.__file__).parents[2] / "docs/how-to/pictures"


def _case(page: Page) -> None:
    page.get_by_role("button", name="Take the next case").click()
    page.get_by_role("button", name="Restrict").wait_for()


def _text(page: Page) -> None:
    page.get_by_label("Wording").fill("Talk to strangers, one to one. Nobody learns who you are.")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Change it for everybody").wait_for()


def _setting(page: Page) -> None:
    page.get_by_label("New value").fill("0.5")
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Change it for everybody").wait_for()


def _broadcast(page: Page) -> None:
    write_broadcast(page, "New: pictures from strangers arrive blurred.\nA tap shows them. /settings changes it.")


def _start(page: Page) -> None:
    _broadcast(page)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Start it").wait_for()


TAKEN: dict[str, tuple[str, dict[str, Any], Callable[[Page], None] | None]] = {
    "panel-now": ("/", {"viewport": DESKTOP}, None),
    "panel-growth": ("/growth", {"viewport": DESKTOP, "color_scheme": "dark"}, None),
    "panel-phone": ("/chats", {"viewport": PHONE, "color_scheme": "dark"}, None),
    "panel-case": ("/safety", {"viewport": DESKTOP}, _case),
    "panel-text": ("/texts/intro.short", {"viewport": DESKTOP}, _text),
    "panel-setting": ("/settings/PATIENCE", {"viewport": PHONE, "color_scheme": "dark"}, _setting),
    "broadcast": ("/broadcasts", {"viewport": DESKTOP}, _broadcast),
    "broadcast-start": ("/broadcasts", {"viewport": PHONE}, _start),
}
"""File name -> the page, how the browser is, and what is done there first."""


def main() -> int:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("there is no chromium on this machine", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="passerby-picture-") as folder, sync_playwright() as playwright:
        demo = Demo(Path(folder), free_port())
        demo.start()
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
            link = link_of(demo)
            first = signed_in(browser, link)
            state = first.context.storage_state()
            for name, (path, options, prepare) in TAKEN.items():
                context = browser.new_context(storage_state=state, **options)
                page = context.new_page()
                page.set_default_timeout(PATIENCE_MS)
                page.goto(link.partition("/enter/")[0] + path)
                if prepare is not None:
                    prepare(page)
                page.screenshot(path=PICTURES / f"{name}.png")
                context.close()
            browser.close()
        finally:
            demo.end()
    print(f"wrote {', '.join(TAKEN)} in {PICTURES.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
