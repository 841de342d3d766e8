"""The whole product as a newcomer sees it: two people on two bots are paired, chat, leave, and come back.

Screenshots of each stage are in the test's tmp_path.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.browser.demo_process import Demo
from tests.browser.phone import Phone
from tests.browser.pictures import png, text_file
from tests.ports import free_port
from tests.wording import opening

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FIND, CANCEL, NEXT, STOP = "🔎 Find a partner", "✖️ Cancel", "⏭ Next", "⏹ Stop"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all tests. Every page has new people, and no test leaves anybody searching."""
    demo = Demo(tmp_path_factory.mktemp("demo"), free_port())
    demo.start()
    yield demo
    demo.end()


@pytest.fixture
def page(browser: Browser, demo: Demo, tmp_path: Path) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(demo.url)
    yield page
    page.screenshot(path=tmp_path / "last.png")
    context.close()
    assert errors == []


def introduce(phone: Phone, age: str, gender: str) -> None:
    """Start, agree, and answer the two questions."""
    phone.start()
    phone.hears(opening("start.consent"))
    phone.press("I agree")
    phone.hears(opening("start.ask_age"))
    phone.press(age)
    phone.hears(opening("start.ask_gender"))
    phone.press(gender)
    phone.hears(opening("start.ready"))
    expect(phone.keyboard).to_contain_text(FIND)


def meet(one: Phone, other: Phone) -> None:
    one.tap(FIND)
    expect(one.keyboard).to_contain_text(CANCEL)
    other.tap(FIND)
    for phone in (one, other):
        phone.hears("Partner found")
        expect(phone.keyboard).to_contain_text(NEXT)


@pytest.fixture
def strangers(page: Page) -> tuple[Phone, Phone]:
    """Two people on two bots, in a chat with each other."""
    one, other = Phone(page, 1), Phone(page, 2)
    introduce(one, "25", "Female")
    introduce(other, "28", "Male")
    meet(one, other)
    return one, other


def test_two_strangers_on_two_bots_can_talk(strangers: tuple[Phone, Phone], page: Page, tmp_path: Path) -> None:
    one, other = strangers
    bots = [page.get_by_test_id(f"switch-{n}").inner_text() for n in (1, 2)]
    assert bots[0] != bots[1]

    one.say("Hello, whoever you are")
    other.hears("Hello, whoever you are")
    other.say("Hello yourself")
    heard = one.hears("Hello yourself")
    page.screenshot(path=tmp_path / "1-text.png")

    one.attach_files("gallery", [png("holiday.png", (200, 90, 60), 320, 240)], caption="the view from here")
    expect(other.hears("the view from here", kind="photo").locator("img")).to_have_js_property("naturalWidth", 320)
    other.sticker(1)
    expect(one.receives("sticker").locator("img")).to_have_js_property("naturalWidth", 512)
    one.attach("voice", "sample-voice")
    other.receives("voice")
    other.attach_files("document", [text_file("passport-of-jonas.txt", "to whom it may concern")])
    document = one.receives("document")
    assert "passport-of-jonas" not in document.inner_text()
    one.attach_files("gallery", [png(f"{n}.png", (60 * n, 80, 200)) for n in range(3)])
    expect(other.receives("album").get_by_test_id("tile")).to_have_count(3)
    page.screenshot(path=tmp_path / "2-media.png")

    one.reply(heard, "How is it over there?")
    replied = other.hears("How is it over there?")
    expect(replied.get_by_test_id("quote")).to_contain_text("Hello yourself")
    said = other.say("Rainny")
    one.hears("Rainny")
    other.edit(said, "Rainy")
    one.hears("Rainy")
    page.screenshot(path=tmp_path / "3-reply-and-edit.png")


@pytest.mark.long
def test_the_instructions_in_the_terminal_lead_to_a_partner(page: Page, demo: Demo) -> None:
    said = demo.log.read_text("utf-8")
    steps = re.findall(r"^ +\d\. (.+)$", said[said.rindex("Open http") :], re.MULTILINE)
    assert len(steps) == 4
    phones = Phone(page, 1), Phone(page, 2)
    for phone in phones:
        for step in steps:
            if step.startswith("a button"):
                phone.press("25")
                phone.hears(opening("start.ask_gender"))
                phone.press("Female")
                continue
            button = phone.node.get_by_role("button", name=step, exact=True)
            button.last.click()
    for phone in phones:
        phone.hears("Partner found")


@pytest.mark.long
def test_delete_for_both_also_deletes_the_partners_copy(strangers: tuple[Phone, Phone]) -> None:
    one, other = strangers
    said = one.say("I wish I had not said this")
    other.hears("I wish I had not said this")
    one.open_menu(said).get_by_test_id("menu-take-back").click()
    for phone in strangers:
        expect(phone.log.get_by_text("I wish I had not said this")).to_have_count(0)
    expect(one.log.get_by_text("/delete")).to_have_count(0)
    menu = other.open_menu(other.hears("Partner found"))
    expect(menu.get_by_test_id("menu-take-back")).to_have_count(0)


@pytest.mark.long
def test_next_and_stop_end_the_chat(strangers: tuple[Phone, Phone], page: Page, tmp_path: Path) -> None:
    one, other = strangers
    one.tap(NEXT)
    one.hears(opening("chat.you_moved_on"))
    other.hears("partner left")
    expect(other.keyboard).to_contain_text(FIND)
    other.say("is anybody there?")
    other.hears("nobody got")
    one.tap(CANCEL)
    one.hears(opening("search.cancelled"))
    page.screenshot(path=tmp_path / "1-parted.png")
    assert "is anybody there?" not in one.texts()

    meet(other, one)
    other.tap(STOP)
    other.hears("You left")
    one.hears("partner left")
    for phone in (one, other):
        expect(phone.keyboard).to_contain_text(FIND)


@pytest.mark.long
def test_blocking_the_bot_ends_the_chat(strangers: tuple[Phone, Phone], page: Page, tmp_path: Path) -> None:
    one, other = strangers
    one.block()
    other.hears("partner left")
    expect(other.keyboard).to_contain_text(FIND)
    page.screenshot(path=tmp_path / "1-blocked.png")


def test_two_strangers_are_still_in_their_chat_after_a_restart(
    strangers: tuple[Phone, Phone], page: Page, demo: Demo, tmp_path: Path
) -> None:
    one, other = strangers
    one.say("before the break")
    other.hears("before the break")
    assert demo.stop() == 0
    expect(page.get_by_test_id("banner")).to_have_text("Reconnecting…")
    demo.start()
    expect(page.get_by_test_id("banner")).to_be_hidden()
    other.hears("before the break")
    one.say("after the break")
    other.hears("after the break")
    page.screenshot(path=tmp_path / "1-after.png")
