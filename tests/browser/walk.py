"""Presses every button that people see, as two people on two bots.

    python -m tests.browser.walk FOLDER [--languages en,ru,ar] [--sizes desktop,phone]

Takes a few minutes for each language. Writes a screenshot of each stage to FOLDER, and `LANGUAGE-SIZE.txt` with the
text after each press. Exits with 1 if a press had no visible result.

The tests take no screenshots, and share the buttons of the settings: each is pressed in a fifth of the languages.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from passerby.domain.tastes import LANGUAGES, WRITTEN_IN
from passerby.features.pages import LISTED
from passerby.kernel.participant import Complaint
from passerby.kernel.text import text
from tests.browser.conftest import DESKTOP, PATIENCE_MS, QUIET
from tests.browser.demo_process import Demo
from tests.browser.phone import Phone
from tests.ports import free_port
from tests.wording import catalogue

SIZES: dict[str, ViewportSize] = {"desktop": DESKTOP, "phone": {"width": 390, "height": 844}}
SETTLED_MS = 120
"""The page is settled if nothing changes for this time."""
SETTLE = """async (phone, [n, after, settledMs, mostMs]) => {
    const shown = () => ["messages", "keyboard"].map(
        (each) => phone.querySelector(`[data-testid="${each}-${n}"]`)?.innerText ?? "").join("\\0");
    const isBusy = () => phone.querySelector('[aria-busy="true"]') !== null;
    const isTold = () => phone.querySelector('[data-testid="toast"], [data-testid="alert"]') !== null;
    const until = performance.now() + mostMs;
    let changed = true, content = null;
    const watching = new MutationObserver(() => { changed = true; });
    watching.observe(phone, {subtree: true, childList: true, characterData: true, attributes: true});
    while (performance.now() < until) {
        if (changed || content === null) {
            changed = false;
            content = null;
            await new Promise((done) => setTimeout(done, settledMs));
            if (changed || isBusy()) { changed = true; continue; }
            content = shown();
        }
        if (content !== after || isTold()) break;
        await new Promise((done) => setTimeout(done, settledMs));
    }
    watching.disconnect();
    if (isBusy()) throw new Error("a button is still busy");
    return content ?? shown();
}"""
"""Looks from inside the page, and reads the phone only after a change: to read a long chat takes much time."""
ANSWER_S = 60.0
"""The longest wait for the answer to a press. A person gets at most one notice a second, so quick presses are answered
later."""
SAID_S = 15.0
"""The longest wait for an answer to words."""

CATALOGUE = catalogue()
BACK, LATER = "profile.back", "profile.later"
MOST_PRESSED = 14
"""The number of buttons to press in one section, which is one page. Further pages are only opened."""


class Walker:
    """A walk in one language at one screen size. Texts are named by their keys in the catalogues."""

    def __init__(
        self,
        page: Page,
        language: str,
        folder: Path,
        name: str,
        *,
        pictures: bool = True,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        """`share`: of the buttons of each section of the settings, every how many-th is pressed, from which one on."""
        self.page = page
        self.language = language
        self.phones = (Phone(page, 1), Phone(page, 2))
        self.silent: list[str] = []
        self._folder = folder
        self._name = name
        self._takes_pictures = pictures
        self._first_pressed, self._step = share
        self._pictures = 0
        self._log = (folder / f"{name}.txt").open("w", encoding="utf-8")

    def word(self, key: str, **args: str | int) -> str:
        return CATALOGUE.plain(text(key, **args), self.language)

    def note(self, line: str) -> None:
        self._log.write(line + "\n")
        self._log.flush()

    def picture(self, stage: str) -> None:
        if not self._takes_pictures:
            return
        self._pictures += 1
        if self.page.viewport_size == SIZES["desktop"]:
            self.page.screenshot(path=self._folder / f"{self._name}-{self._pictures:02}-{stage}.png")
            return
        for phone in self.phones:
            self.face(phone)
            self.page.screenshot(path=self._folder / f"{self._name}-{self._pictures:02}-{stage}-{phone.n}.png")

    def face(self, phone: Phone) -> None:
        """Bring this phone to the front, on a small screen."""
        tab = self.page.get_by_test_id(f"tab-{phone.n}")
        if tab.is_visible():
            tab.click()

    def _overlays(self, phone: Phone) -> str:
        said = ""
        for kind in ("toast", "alert"):
            for each in phone.node.get_by_test_id(kind).all():
                said += f" [{kind}: {each.inner_text().strip()}]"
        ok = phone.node.get_by_test_id("alert").get_by_role("button")
        if ok.count():
            ok.first.click()
        return re.sub(r"\s+", " ", said)

    def settle(self, phone: Phone, after: str | None = None) -> str:
        """Wait until the phone's content differs from `after` and is settled, or for ANSWER_S. Returns the content."""
        content: str = phone.node.evaluate(SETTLE, [phone.n, after, SETTLED_MS, 1000 * ANSWER_S])
        return content

    def press(self, phone: Phone, button: Locator, *, twice: bool = False) -> None:
        """Press an inline button, and write the result to the log."""
        self.face(phone)
        label, before = button.inner_text().strip(), self.settle(phone)
        if twice:
            button.dblclick()
        else:
            button.click()
        after = self.settle(phone, before)
        said = self._overlays(phone)
        newest = phone.log.get_by_test_id("message").last.inner_text()
        self.note(f"{phone.n} presses <{label}>{said}\n    " + newest.replace("\n", "\n    "))
        if before == after and not said:
            self.silent.append(f"{self._name}: <{label}> under {newest.splitlines()[0]}")

    def buttons(self, phone: Phone) -> Locator:
        """The buttons of the newest message that has some."""
        return phone.log.get_by_test_id("inline-keyboard").last.get_by_test_id("inline-button")

    def button(self, phone: Phone, key: str, **args: str | int) -> Locator:
        label = re.compile(rf"^\s*{re.escape(self.word(key, **args))}\s*$")
        return phone.log.get_by_test_id("inline-button").filter(has_text=label).last

    def choose(self, phone: Phone, key: str, *, twice: bool = False, **args: str | int) -> None:
        self.press(phone, self.button(phone, key, **args), twice=twice)

    def say(self, phone: Phone, words: str) -> None:
        self.face(phone)
        phone.say(words)
        self._await_answer(phone)
        read = phone.log.get_by_test_id("message").last.inner_text()
        self.note(f"{phone.n} writes {words}\n    " + read.replace("\n", "\n    "))

    def tell(self, phone: Phone, words: str, partner: Phone) -> None:
        """Write to the partner. Words in a chat get no answer."""
        self.face(phone)
        phone.say(words)
        self.face(partner)
        partner.hears(words)
        self.note(f"{phone.n} tells {partner.n}: {words}")

    def tap(self, phone: Phone, key: str) -> None:
        self.face(phone)
        phone.tap(self.word(key))
        self._await_answer(phone)
        read = phone.log.get_by_test_id("message").last.inner_text()
        self.note(f"{phone.n} taps {self.word(key)}\n    " + read.replace("\n", "\n    "))

    def _await_answer(self, phone: Phone) -> None:
        newest, until = phone.log.get_by_test_id("message").last, monotonic() + SAID_S
        while newest.get_attribute("data-outgoing") == "yes" and monotonic() < until:
            self.page.wait_for_timeout(SETTLED_MS)
        self.settle(phone)

    def await_button(self, phone: Phone, key: str, *, patience_s: float = PATIENCE_MS / 1000) -> None:
        self.face(phone)
        expect(self.button(phone, key)).to_be_visible(timeout=1000 * patience_s)

    def walk(self) -> None:
        for stage in (self.arrive, self.read, self.set_everything, self.search, self.after, self.friends, self.report):
            self.note(f"\n======== {stage.__name__}")
            stage()
        self._log.close()

    def arrive(self) -> None:
        for phone, age, gender in zip(self.phones, (25, 30), ("female", "male"), strict=True):
            self.face(phone)
            phone.rename(f"P{phone.n}", self.language)
            phone.start()
            self.settle(phone)
            for command in ("/rules", "/privacy", "/search"):
                self.say(phone, command)
            self.choose(phone, "start.agree")
            self.say(phone, "abc")
            self.choose(phone, "start.age_button", age=age)
            self.choose(phone, f"start.{gender}")
        self.picture("arrived")

    def read(self) -> None:
        one = self.phones[0]
        for command in (*LISTED, "vip", "paysupport", "start", "friends", "blocked", "profile", "report", "block"):
            self.say(one, f"/{command}")
            if command in ("rules", "vip"):
                self.picture(f"pages-{command}")
        for command in ("next", "stop", "delete", "name", "country", "interests"):
            self.say(one, f"/{command}")
        self.say(one, "hello?")
        self.picture("pages")

    def set_everything(self) -> None:
        one = self.phones[0]
        self.say(one, "/language")
        self.picture("language")
        for name in (*self._other_languages(), LANGUAGES[self.language]):
            self.press(one, self.buttons(one).filter(has_text=name))
            if name != LANGUAGES[self.language]:
                self.say(one, "/language")
        self.say(one, "/settings")
        self.picture("settings")
        for section in ("gender", "age", "languages", "interests", "country", "wants"):
            self.choose(one, f"profile.change_{section}")
            self.picture(f"settings-{section}")
            for index in range(self._first_pressed, MOST_PRESSED, self._step):
                labels = [each.strip() for each in self._top(one)]
                if self._is_top(labels):  # the choice has led back
                    self.choose(one, f"profile.change_{section}")
                if index >= self.buttons(one).count():
                    break
                label = self.buttons(one).nth(index).inner_text().strip()
                if label not in (self.word(BACK), self.word(LATER)):
                    self.press(one, self.buttons(one).nth(index))
            if self._is_top(self._top(one)):
                self.choose(one, f"profile.change_{section}")
            while self._in_newest(one, LATER):
                self.choose(one, LATER)
            self.picture(f"settings-{section}-pressed")
            self.choose(one, BACK)
        self.say(one, "/interests chess, long walks, @name, 12")
        self.say(one, "/country xyz")
        self.say(one, "/country PE")
        self.say(one, "/settings")
        self.choose(one, "profile.change_interests")
        self.picture("settings-own-words")
        self.say(one, "/profile")

    def _other_languages(self) -> list[str]:
        """All of them; in a walk that shares the buttons, the next one only. So all walks together try each language
        twice."""
        written = [code for code in LANGUAGES if code in WRITTEN_IN]
        at = written.index(self.language)
        others = [*written[at + 1 :], *written[:at]]
        return [LANGUAGES[code] for code in (others if self._step == 1 else others[:1])]

    def _is_top(self, labels: list[str]) -> bool:
        return self.word("profile.change_interface") in labels

    def _top(self, phone: Phone) -> list[str]:
        return self.buttons(phone).all_inner_texts()

    def _in_newest(self, phone: Phone, key: str) -> bool:
        return self.word(key) in [each.strip() for each in self._top(phone)]

    def search(self) -> None:
        """Search with narrow wishes, wait for long, and use the offers to widen them."""
        one = self.phones[0]
        self.say(one, "/settings")
        self.choose(one, "profile.change_wants")
        for key, args, wanted in (
            ("gender_other", {}, True),
            ("age_range", {"low": 40, "high": 55}, True),
            ("other_languages", {}, False),
        ):
            if self._in_newest_marked(one, f"profile.{key}", **args) is not wanted:
                self.press(one, self.buttons(one).filter(has_text=self.word(f"profile.{key}", **args)))
        self.tap(one, "keys.find")
        self.say(one, "/search")
        self.say(one, "anybody?")
        self.await_button(one, "search.any_gender", patience_s=60)
        self.picture("still-looking")
        for key in ("gender", "age", "language"):
            self.choose(one, f"search.any_{key}")
        self.picture("widened")
        self.tap(one, "keys.cancel")

    def _in_newest_marked(self, phone: Phone, key: str, **args: int) -> bool:
        return any(each.startswith("✅") and self.word(key, **args) in each for each in self._top(phone))

    def meet(self) -> None:
        one, two = self.phones
        self.tap(one, "keys.find")
        self.tap(two, "keys.find")
        for phone in self.phones:
            self.face(phone)
            expect(phone.keyboard).to_contain_text(self.word("keys.next"), timeout=3 * PATIENCE_MS)

    def part(self, key: str = "keys.stop") -> None:
        one, two = self.phones
        self.tap(one, key)
        for phone in (two, one):
            self.face(phone)
            expect(self.button(phone, "after_chat.done")).to_be_visible()

    def after(self) -> None:
        one, two = self.phones
        self.meet()
        self.tell(one, "hello there", two)
        self.tell(two, "hello to you", one)
        self.say(one, "/search")
        self.say(one, "look at https://example.org and write to me@example.org")
        self.picture("in-a-chat")
        contact = self.button(one, "chat.show_it")
        if contact.count():
            self.press(one, contact)
        self.part("keys.next")
        self.picture("parted")
        self.choose(two, "after_chat.good", twice=True)
        self.choose(two, "after_chat.done")
        self.choose(one, "after_chat.bad")
        self.tap(one, "keys.cancel")
        self.choose(one, "after_chat.return")
        self.picture("asked-back")
        self.meet_again_by_return()
        self.part()
        old = self.phones[0].log.get_by_test_id("inline-button").filter(has_text=self.word("after_chat.block")).nth(0)
        self.press(one, old)  # from the chat before: it works, and the two would never be paired again
        self.say(one, "/blocked")
        self.press(one, self.buttons(one).first)
        self.choose(two, "after_chat.done")

    def meet_again_by_return(self) -> None:
        one, two = self.phones
        self.meet()
        self.part()
        self.choose(one, "after_chat.return")
        self.await_button(two, "after_chat.return")
        self.picture("invited-back")
        self.press(two, self.button(two, "after_chat.return"))
        self.face(one)
        expect(one.keyboard).to_contain_text(self.word("keys.next"))
        self.picture("together-again")

    def friends(self) -> None:
        one, two = self.phones
        self.meet()
        self.part()
        for phone in (one, two):
            self.choose(phone, "after_chat.save")
        self.picture("kept-in-mind")
        for phone in (one, two):
            self.say(phone, "/friends")
        self.say(one, "/name 1 Sunny")
        self.press(one, self.buttons(one).first)
        self.await_button(two, "friends.talk")
        self.picture("asked")
        self.press(one, self.buttons(one).first)  # again: the answer must be the same
        self.choose(two, "friends.talk")
        self.picture("together-by-ask")
        self.say(one, "/friends")
        self.press(one, self.buttons(one).first)  # refused: in a chat
        self.part()
        self.say(one, "/friends")
        self.choose(one, "friends.forget")
        self.picture("forgotten")
        self.say(two, "/friends")
        self.press(two, self.buttons(two).first)
        old = two.log.get_by_test_id("inline-button").filter(has_text=self.word("friends.talk"))
        if old.count():
            self.press(two, old.last)

    def report(self) -> None:
        one, two = self.phones
        # After a report about age, the two do not meet any more.
        for reason in sorted(Complaint, key=lambda each: each is Complaint.UNDERAGE):
            self.meet()
            if reason is Complaint.UNDERAGE:
                self.say(one, "/report")
                self.say(one, "/block")
                self.picture("block-in-chat")
                self.say(two, "are you there?")
                self.say(one, "/blocked")
                self.press(one, self.buttons(one).first)
                self.meet()
            self.part()
            self.choose(one, "after_chat.report")
            if reason is Complaint.SPAM:
                self.picture("report-reasons")
            self.choose(one, f"reasons.{reason}")
            self.say(one, "/blocked")
            if reason is Complaint.SPAM:
                self.picture("blocked")
            self.press(one, self.buttons(one).first)
            self.choose(two, "after_chat.done")


@contextmanager
def opened(browser: Browser, url: str, size: ViewportSize) -> Iterator[Page]:
    context = browser.new_context(viewport=size)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    try:
        yield page
    finally:
        context.close()
    assert errors == []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.walk", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--languages", default="en,ru,ar")
    parser.add_argument("--sizes", default="desktop,phone")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    silent: list[str] = []
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        demo = Demo(Path(data), free_port())
        demo.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        try:
            for size in options.sizes.split(","):
                for language in options.languages.split(","):
                    with opened(browser, demo.url, SIZES[size]) as page:
                        walker = Walker(page, language, options.folder, f"{language}-{size}")
                        try:
                            walker.walk()
                        except BaseException:
                            page.screenshot(path=options.folder / f"{language}-{size}-end.png")
                            raise
                        silent += walker.silent
        finally:
            browser.close()
            demo.stop()
    for each in silent:
        print(f"nothing came of {each}")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
