"""Buys, gives and takes back VIP with play money, as two people on two bots.

    python -m tests.browser.selling FOLDER [--languages en,ru,ar] [--sizes desktop,phone]

Takes about a minute for each language. Writes a screenshot of each stage to FOLDER. Exits with 1 if the words of a
button do not fit into it.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, expect, sync_playwright

from passerby.domain.tastes import WRITTEN_IN
from passerby.kernel.text import text
from tests.browser.conftest import PATIENCE_MS, QUIET
from tests.browser.demo_process import Demo
from tests.browser.phone import Phone
from tests.browser.walk import CATALOGUE, SIZES, Walker, opened
from tests.ports import free_port

CUT = """(phone) => [...phone.querySelectorAll('[data-testid="inline-button"], .invoice *')]
    .filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== "inline")
    .map((each) => each.innerText)"""
"""The texts that are wider than their place."""
MARK = "\u2063"
"""Stands for whatever the bot says in this place."""


class Seller(Walker):
    def sell(self) -> None:
        for stage in (self.come, self.shop, self.subscribe, self.take_back, self.ask, self.give, self.fail):
            self.note(f"\n======== {stage.__name__}")
            stage()
        self._log.close()

    def come(self) -> None:
        for phone, age, gender in zip(self.phones, (25, 30), ("female", "male"), strict=True):
            self.face(phone)
            phone.rename(f"P{phone.n}", self.language)
            phone.start()
            self.settle(phone)
            self.choose(phone, "start.agree")
            self.choose(phone, "start.age_button", age=age)
            self.choose(phone, f"start.{gender}")

    def shop(self) -> None:
        one = self.phones[0]
        self.say(one, "/vip")
        self.look(one, "shop")
        self.press(one, self.buttons(one).nth(0))
        one.receives("invoice")
        self.look(one, "invoice")
        self.pay(one)
        self.hears(one, "vip.thanks", "day")
        self.look(one, "bought")
        self.say(one, "/vip")
        self.look(one, "has")

    def subscribe(self) -> None:
        one = self.phones[0]
        self.press(one, self.buttons(one).nth(2))
        self.await_button(one, "vip.subscribe", stars=200)
        self.look(one, "subscription")
        self.button(one, "vip.subscribe", stars=200).click()
        one.node.get_by_test_id("pay").click()
        self.hears(one, "vip.thanks", "day", count=2)
        for act, key in (
            ("renew", "vip.renewed"),
            ("cancel", "vip.sub_canceled"),
            ("resume", "vip.sub_active"),
        ):
            self.stars(one, act)
            self.hears(one, key, "day")
        self.look(one, "subscribed")

    def take_back(self) -> None:
        one = self.phones[0]
        self.say(one, "/paysupport")
        self.look(one, "purchases")
        self.press(one, self.buttons(one).nth(0))
        self.look(one, "sure")
        self.press(one, self.buttons(one).nth(0))
        self.hears(one, "vip.refunded", "n")
        self.look(one, "refunded")
        self.say(one, "/paysupport")

    def ask(self) -> None:
        one = self.phones[0]
        for words, key in (("My days are missing.", "vip.case_opened"), ("It was yesterday.", "vip.case_added")):
            self.say(one, f"/paysupport {words}")
            self.hears(one, key, "code")
        self.look(one, "asked")
        self.say(one, "/promo WRONG-CODE")
        self.look(one, "wrong-code")

    def give(self) -> None:
        one, two = self.phones
        self.meet()
        self.part()
        self.say(one, "/gift")
        self.look(one, "gift-whom")
        self.press(one, self.buttons(one).nth(0))
        self.look(one, "gift-plan")
        self.press(one, self.buttons(one).nth(0))
        one.receives("invoice")
        self.look(one, "gift-invoice")
        self.pay(one)
        self.hears(one, "vip.gift_sent")
        self.hears(two, "vip.gift_got", "day")
        self.look(two, "gift-got")
        # The giver gets the Stars back without the bot, so the receiver loses the days.
        self.stars(one, "refund")
        self.hears(one, "vip.refunded", "n", count=2)

    def fail(self) -> None:
        """An invoice that is paid already, and then too few Stars."""
        one = self.phones[0]
        self.face(one)
        one.log.get_by_test_id("inline-button").filter(has_text="⭐").first.scroll_into_view_if_needed()
        self.invoice(one).first.get_by_test_id("inline-button").click()
        one.node.get_by_test_id("pay").click()
        alert = one.node.get_by_test_id("alert")
        expect(alert).to_contain_text(self.word("vip.refused_paid"))
        self.picture("paid-already")
        alert.get_by_role("button").click()
        self.await_button(one, "vip.get")
        self.look(one, "refused")

    def invoice(self, phone: Phone) -> Locator:
        return phone.log.locator('[data-testid="message"][data-kind="invoice"]')

    def pay(self, phone: Phone) -> None:
        self.face(phone)
        self.invoice(phone).last.get_by_test_id("inline-button").click()
        phone.node.get_by_test_id("pay").click()

    def stars(self, phone: Phone, act: str) -> None:
        """Open the sheet of the person's Stars, do this, and close it."""
        self.face(phone)
        phone.choose("stars")
        sheet = phone.node.get_by_test_id("stars")
        sheet.get_by_test_id(f"stars-{act}").first.click()
        phone.node.get_by_test_id("sheet-close").click()

    def hears(self, phone: Phone, key: str, *names: str, count: int = 1) -> None:
        """Wait for this text of the bot, with whatever it says in the place of these names."""
        said = CATALOGUE.plain(text(key, **{name: 5 if name == "n" else MARK for name in names}), self.language)
        lines = [each.strip() for each in re.split(rf"{MARK}|5|[\n\u2068\u2069]", said)]
        longest = max(lines, key=len)
        self.face(phone)
        found = phone.log.get_by_test_id("message").filter(has_text=longest)
        expect(found).to_have_count(count, timeout=3 * PATIENCE_MS)
        self.note(f"{phone.n} hears {key}\n    " + found.last.inner_text().replace("\n", "\n    "))

    def look(self, phone: Phone, stage: str) -> None:
        """Take a picture. Notes words that do not fit into their button or their invoice."""
        self.face(phone)
        self.settle(phone)
        self.silent += [f"{self._name}, {stage}: cut: {each}" for each in phone.node.evaluate(CUT)]
        self.picture(stage)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.selling", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--languages", default=",".join(sorted(WRITTEN_IN)))
    parser.add_argument("--sizes", default="phone")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    cut: list[str] = []
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        demo = Demo(Path(data), free_port())
        demo.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        try:
            for size in options.sizes.split(","):
                for language in options.languages.split(","):
                    with opened(browser, demo.url, SIZES[size]) as page:
                        seller = Seller(page, language, options.folder, f"{language}-{size}")
                        try:
                            seller.sell()
                        except BaseException:
                            page.screenshot(path=options.folder / f"{language}-{size}-end.png")
                            raise
                        cut += seller.silent
        finally:
            browser.close()
            demo.stop()
    for each in cut:
        print(each)
    return 1 if cut else 0


if __name__ == "__main__":
    sys.exit(main())
