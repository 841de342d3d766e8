"""Makes the pictures of the panel that the documentation shows, of the demo's invented life.

    python -m tests.browser.panel_pictures

Writes docs/how-to/pictures/panel-*.png. Needs chromium. Takes about half a minute.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

import passerby
from tests.browser.conftest import DESKTOP, QUIET
from tests.browser.demo_process import Demo
from tests.browser.panel_door import PHONE, link_of, signed_in
from tests.ports import free_port

PICTURES = Path(passerby.__file__).parents[2] / "docs/how-to/pictures"
TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "panel-now": ("/", {"viewport": DESKTOP}),
    "panel-growth": ("/growth", {"viewport": DESKTOP, "color_scheme": "dark"}),
    "panel-phone": ("/chats", {"viewport": PHONE, "color_scheme": "dark"}),
}
"""File name -> the page, and how the browser is."""


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
            for name, (path, options) in TAKEN.items():
                context = browser.new_context(storage_state=state, **options)
                page = context.new_page()
                page.goto(link.partition("/enter/")[0] + path)
                page.screenshot(path=PICTURES / f"{name}.png")
                context.close()
            browser.close()
        finally:
            demo.end()
    print(f"wrote {', '.join(TAKEN)} in {PICTURES.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
