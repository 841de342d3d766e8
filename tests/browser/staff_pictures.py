"""Makes the pictures of the staff bot that the documentation shows, of the demo's invented people.

    python -m tests.browser.staff_pictures

Writes docs/how-to/pictures/staff-*.png. Needs chromium. Takes about half a minute.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, expect, sync_playwright

import passerby
from passerby.cli.demo import STAFF_BOT
from tests.browser.conftest import PATIENCE_MS, QUIET
from tests.browser.demo_process import Demo
from tests.browser.phone import Phone
from tests.ports import free_port

PICTURES = Path(passerby.__file__).parents[2] / "docs/how-to/pictures"
SIZE: ViewportSize = {"width": 1000, "height": 900}


def join(phone: Phone, demo: Demo) -> None:
    """Become an owner with the message that the demo printed last."""
    phone.switch_to(STAFF_BOT[0])
    phone.start()
    phone.say(re.findall(r"/start \w+", demo.log.read_text())[-1])


def take(phone: Phone, name: str) -> None:
    phone.page.mouse.move(0, 0)
    phone.node.screenshot(path=PICTURES / f"{name}.png")


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
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.set_default_timeout(PATIENCE_MS)
            page.goto(demo.url)
            phone = Phone(page, 1)
            join(phone, demo)
            phone.say("/cases")
            phone.say("/next")
            restrict = phone.log.get_by_test_id("inline-button").filter(has_text="Restrict").last
            expect(restrict).to_be_visible()
            take(phone, "staff-case")
            phone.press("Evidence")
            phone.hears("Asked me to pay")
            phone.press("Restrict")
            expect(restrict).to_be_hidden()
            take(phone, "staff-restrict")
            browser.close()
        finally:
            demo.end()
    print(f"wrote staff-case, staff-restrict in {PICTURES.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
