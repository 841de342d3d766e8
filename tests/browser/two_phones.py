"""Makes the picture at the top of the README: two strangers on two bots, in a chat.

    python -m tests.browser.two_phones

Writes docs/two-phones.png. Needs chromium. Takes about half a minute.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, ViewportSize, expect, sync_playwright

import passerby
from passerby.kernel.text import text
from tests.browser.conftest import PATIENCE_MS, QUIET
from tests.browser.demo_process import Demo
from tests.browser.phone import Phone
from tests.ports import free_port
from tests.wording import catalogue

ROOT = Path(passerby.__file__).parents[2]
PICTURE = ROOT / "docs/two-phones.png"
SIZE: ViewportSize = {"width": 1400, "height": 830}
MARGIN_PX = 20
CATALOGUE = catalogue()
TALK = (
    (0, "Hi! Where are you right now?"),
    (1, "On a night train to Lisbon. And you?"),
    (0, "At my kitchen table, wide awake 😄"),
    (1, "Then tell me a story 🙂"),
)
"""The index of the phone, and its person's words."""


def word(key: str) -> str:
    """A button's label, as people read it."""
    return CATALOGUE.plain(text(key), "en")


def introduce(phone: Phone, age: str, gender: str) -> None:
    phone.start()
    for label in (word("start.agree"), age, word(f"start.{gender}")):
        expect(phone.log.get_by_test_id("inline-button").filter(has_text=label).last).to_be_visible()
        phone.press(label)
    expect(phone.keyboard).to_contain_text(word("keys.find"))


def talk(phones: tuple[Phone, Phone]) -> None:
    for phone in phones:
        phone.tap(word("keys.find"))
        expect(phone.keyboard).to_contain_text(word("keys.cancel" if phone is phones[0] else "keys.next"))
    expect(phones[0].keyboard).to_contain_text(word("keys.next"))
    for number, words in TALK:
        phones[number].say(words)
        heard = phones[1 - number].hears(words)
    phones[0].react(heard, "❤")


def around(phones: tuple[Phone, Phone]) -> FloatRect:
    """The two phones and a margin."""
    boxes = [box for phone in phones if (box := phone.node.bounding_box()) is not None]
    left, top = (min(box[side] for box in boxes) - MARGIN_PX for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + MARGIN_PX
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN_PX
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


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
            phones = Phone(page, 1), Phone(page, 2)
            introduce(phones[0], "25", "female")
            introduce(phones[1], "28", "male")
            talk(phones)
            page.evaluate("window.scrollTo(0, 0)")
            page.mouse.move(0, 0)
            page.screenshot(path=PICTURE, clip=around(phones))
            browser.close()
        finally:
            demo.end()
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
