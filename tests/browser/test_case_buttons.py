"""Every button of a case, pressed in a real browser: in the staff bot, and in the panel.

An owner works through a queue of reports, appeals and farms. Then an admin, as the second member, looks at the rest.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from passerby.cli.demo import STAFF_BOT
from passerby.panel.pages.safety import ACTIONS, BY_FORM, LEGAL, SECOND
from passerby.staff.cases import feature
from tests.browser.case_seeds import FARM, WORDS
from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.browser.demo_process import Demo
from tests.browser.panel_door import link_of
from tests.browser.phone import Phone
from tests.ports import free_port
from tests.wording import shown

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900), pytest.mark.long]

LABELS = {
    "case_see": "👁 Evidence",
    "case_kind": shown("cases.act"),
    "case_why": shown("people.kind_media_off"),
    "case_long": shown("reasons.rude"),
    "case_do": "⭐ As usual",
    "case_show": shown("cases.back"),
    "case_note": shown("cases.note"),
    "case_dismiss": shown("cases.dismiss"),
    "case_leave": shown("cases.leave"),
    "case_mute": shown("cases.mute"),
    "case_lift": shown("cases.farm_lift"),
    "case_suspend": shown("cases.farm_suspend", days=30),
    "case_ban": shown("cases.farm_ban"),
    "case_confirm": shown("cases.confirm"),
    "case_refuse": shown("cases.refuse"),
    "case_uphold": shown("cases.uphold"),
    "case_overturn": shown("cases.overturn"),
    "case_hold": shown("cases.hold"),
    "case_unmask": shown("cases.unmask"),
}
PROPOSED = "A ban for good is proposed"
UNMASKED = "on Telegram. Tell only those who must know."


def said(key: str, **args: int) -> str:
    """The first line of a text."""
    return shown(key, **args).splitlines()[0]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo with more cases. The file `invites` lets an owner and an admin into the staff bot."""
    demo = Demo(tmp_path, free_port())
    demo.start()
    try:
        assert demo.stop() == 0
        seeds = [sys.executable, "-m", "tests.browser.case_seeds", str(tmp_path / "data")]
        invites = subprocess.run(seeds, check=True, capture_output=True, text=True, timeout=120).stdout
        (tmp_path / "invites").write_text(invites)
        demo.start()
        yield demo
    finally:
        demo.end()


class Desk(Protocol):
    """A place where a member works on cases. `pressed`: the actions whose buttons were pressed."""

    pressed: Counter[str]

    def takes(self) -> str:
        """The card of the next case, or what is said if there is none."""
        ...

    def presses(self, action: str) -> None: ...

    def hears(self, words: str) -> None: ...

    def restricts(self, kind: str, length: str) -> None:
        """Choose a sanction because of rudeness."""
        ...

    def asks(self, action: str) -> None:
        """Press the button of an act that needs a second member."""
        ...

    def agrees(self) -> None:
        """Agree to what another member asked."""
        ...


class InBot:
    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.pressed: Counter[str] = Counter()

    def takes(self) -> str:
        sent = self.phone.log.locator('[data-testid="message"][data-outgoing="yes"]')
        before = sent.count()
        self.phone.say("/next")
        expect(sent).to_have_count(before + 1)
        newest = self.phone.log.get_by_test_id("message").last
        expect(newest).to_have_attribute("data-outgoing", "no")
        return newest.get_by_test_id("text").inner_text()

    def presses(self, action: str) -> None:
        self.phone.press(LABELS[action])
        self.pressed[action] += 1

    def hears(self, words: str) -> None:
        self.phone.hears(words)

    def restricts(self, kind: str, length: str) -> None:
        for action in ("case_kind", "case_show", "case_kind"):
            self.presses(action)
        for action, label in (("case_why", kind), ("case_long", shown("reasons.rude")), ("case_do", length)):
            self.phone.press(label)
            self.pressed[action] += 1

    def asks(self, action: str) -> None:
        self.presses(action)
        alert = self.phone.node.get_by_role("alertdialog")
        expect(alert).to_contain_text("This needs a second member")
        alert.get_by_role("button", name="OK").click()
        expect(alert).to_be_hidden()

    def agrees(self) -> None:
        keys = self.phone.log.get_by_test_id("inline-button").filter(has_text=shown("approvals.agree"))
        expect(keys).to_have_count(1)
        keys.click()
        expect(keys).to_have_count(0)


class InPanel:
    """`phone`: the member's chat with the staff bot."""

    def __init__(self, page: Page, phone: Phone) -> None:
        self._page = page
        self.phone = phone
        self.pressed: Counter[str] = Counter()
        self._base = page.url.rstrip("/")

    @property
    def _card(self) -> Locator:
        return self._page.get_by_role("status", name="The case")

    def takes(self) -> str:
        self._page.goto(self._base + "/safety")
        self._page.locator("form", has=self._page.locator('input[value="case_next"]')).get_by_role("button").click()
        return self._card.inner_text()

    def presses(self, action: str) -> None:
        form = self._card.locator("form", has=self._page.locator(f'input[name="action"][value="{action}"]'))
        if action != "case_do":  # its label says what is usual
            expect(form).to_contain_text(LABELS[action])
        form.get_by_role("button").click()
        self.pressed[action] += 1

    def hears(self, words: str) -> None:
        expect(self._card).to_contain_text(words)

    def restricts(self, kind: str, length: str) -> None:
        for label, choice in (("What", kind), ("Why", shown("reasons.rude"))):
            self._card.get_by_label(label).select_option(label=choice)
        long = self._card.get_by_label("How long")
        long.select_option(label=length if length != shown("people.for_good") else "for good, with a second member")
        self._card.get_by_role("button", name="Restrict", exact=True).click()

    def asks(self, action: str) -> None:
        self.presses(action)
        self.hears("This needs a second member")

    def agrees(self) -> None:
        self._page.goto(self._base + "/approvals")
        # The demo's own request waits there, too.
        self._page.get_by_role("region", name="Approval").last.get_by_role("button", name="Agree").click()
        expect(self._page.get_by_role("status")).to_contain_text("approved")


def ends(desk: Desk, action: str, key: str, **args: int) -> None:
    desk.presses(action)
    desk.hears(said(key, **args))


def restricts(desk: Desk) -> None:
    """Look at the evidence, and take away pictures for a week."""
    desk.presses("case_see")
    desk.hears(WORDS)
    desk.restricts(shown("people.kind_media_off"), shown("people.days", days=7))
    desk.hears(said("cases.done_sanctioned"))


def bans(desk: Desk) -> None:
    desk.restricts(shown("people.kind_banned"), shown("people.for_good"))
    desk.hears(said("cases.waits_for_second"))


def hands_over(desk: Desk, second: Desk) -> None:
    """Hold the evidence for the law, hear who it is when a second member agrees, and give the case away."""
    for action in ("case_hold", "case_unmask"):
        desk.asks(action)
        second.agrees()
        desk.takes()
    desk.phone.hears(UNMASKED)  # type: ignore[attr-defined]
    ends(desk, "case_leave", "cases.left")


def work(owner: Desk, second: Desk) -> None:
    """Press every button. Each kind of case comes as often as there are acts for it."""
    acts: dict[str, list[Callable[[], None]]] = {
        "farm": [
            lambda: ends(owner, "case_lift", "cases.farm_lifted"),
            lambda: ends(owner, "case_suspend", "cases.farm_suspended", count=FARM),
            *[lambda: ends(owner, "case_ban", "cases.farm_waits")] * 2,
        ],
        "appeal": [
            lambda: ends(owner, "case_uphold", "cases.done_upheld"),
            lambda: ends(owner, "case_overturn", "cases.done_overturned"),
        ],
        "reports": [
            lambda: ends(owner, "case_note", "cases.done_noted"),
            lambda: ends(owner, "case_dismiss", "cases.done_dismissed"),
            lambda: ends(owner, "case_mute", "cases.done_dismissed"),
            lambda: restricts(owner),
            lambda: ends(owner, "case_do", "cases.done_sanctioned"),
            *[lambda: bans(owner)] * 2,
            lambda: hands_over(owner, second),
        ],
    }
    while any(acts.values()):
        card = owner.takes()
        assert card.startswith("Case "), card
        acts[kind_of(card)].pop(0)()
    decides = {
        kind: [
            lambda kind=kind: ends(second, "case_confirm", f"cases.{DONE[kind]}", **args_of(kind)),
            lambda: ends(second, "case_refuse", "cases.ban_refused"),
        ]
        for kind in ("farm", "reports")
    }
    while (card := second.takes()).startswith("Case "):
        if PROPOSED in card:
            decides[kind_of(card)].pop(0)()  # type: ignore[misc]
        else:
            action, key = {
                "farm": ("case_lift", "cases.farm_lifted"),
                "appeal": ("case_uphold", "cases.done_upheld"),
                "reports": ("case_dismiss", "cases.done_dismissed"),
            }[kind_of(card)]
            ends(second, action, key)
    assert decides == {"farm": [], "reports": []}


DONE = {"farm": "farm_banned", "reports": "done_sanctioned"}


def args_of(kind: str) -> dict[str, int]:
    return {"count": FARM} if kind == "farm" else {}


def kind_of(card: str) -> str:
    head = card.partition("\n")[0]
    return "farm" if "a farm" in head else "appeal" if "an appeal" in head else "reports"


@pytest.fixture
def members(browser: Browser, demo: Demo, tmp_path: Path) -> Iterator[list[Phone]]:
    """The phones of an owner and an admin, each in a browser of their own."""
    phones, errors = [], []
    for secret in (tmp_path / "invites").read_text().split():
        context = browser.new_context(viewport=DESKTOP)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(demo.url)
        phones.append(phone := Phone(page, 1))
        phone.switch_to(STAFF_BOT[0])
        phone.start()
        phone.say(f"/start {secret}")
        phone.hears("Welcome to the team!")
    yield phones
    for phone in phones:
        phone.page.context.close()
    assert errors == []


def test_every_button_of_a_case_in_the_staff_bot_does_what_it_says(members: list[Phone]) -> None:
    owner, second = (InBot(phone) for phone in members)
    work(owner, second)
    assert {*owner.pressed, *second.pressed} == feature.presses.keys() - {"case_next"}


def test_every_button_of_a_case_in_the_panel_does_what_it_says(
    browser: Browser, demo: Demo, members: list[Phone]
) -> None:
    owner, second = (InPanel(signed_in(browser, demo, phone), phone) for phone in members)
    work(owner, second)
    assert {*owner.pressed, *second.pressed} == (ACTIONS | LEGAL | SECOND) - BY_FORM - {"case_next", "case_show"}


def signed_in(browser: Browser, demo: Demo, phone: Phone) -> Page:
    """With the code that the page shows, which the member confirms in the staff bot."""
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(link_of(demo).partition("/enter/")[0])
    page.get_by_role("button", name="Show me a code").click()
    phone.say(page.locator(".code code").inner_text())
    phone.press("Yes")
    page.get_by_role("button", name="Go in").click()
    page.get_by_role("heading", name="Now").wait_for()
    return page
