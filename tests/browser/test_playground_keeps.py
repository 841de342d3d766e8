"""The page after a reload and an interruption, with many phones, and on a small screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.phone import Phone, add_phone
from tests.browser.sandbox_process import Sandbox
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.browser

Phones = tuple[Phone, Phone]

COVERED = """node => {
    // What of the page lies over `node`, looked at every ten pixels.
    const box = node.getBoundingClientRect();
    const over = new Set();
    for (let x = box.left + 5; x < box.right - 5; x += 10) {
        for (let y = box.top + 5; y < box.bottom - 5; y += 10) {
            const top = document.elementFromPoint(x, y);
            if (top && !node.contains(top) && !top.contains(node)) over.add(top.className);
        }
    }
    return [...over];
}"""


def test_a_reload_keeps_the_phones_the_people_and_the_conversation(phones: Phones) -> None:
    first, second = phones
    first.say("remember me")
    first.hears("Echo: remember me")
    people = first.person_id, second.person_id
    first.page.reload()
    first.hears("Echo: remember me")
    second.hears("Welcome, Jonas")
    expect(first.keyboard).to_be_visible()
    assert (first.person_id, second.person_id) == people
    first.say("still here")
    first.hears("Echo: still here")


@pytest.mark.long
def test_a_third_phone_has_a_third_person(phones: Phones) -> None:
    page = phones[0].page
    third = add_phone(page, 3, "Second")
    third.start()
    third.hears("Welcome, Leila")
    third.say("three")
    third.hears("Echo: three")
    assert len({phone.person_id for phone in (*phones, third)}) == 3
    phones[0].say("one")
    phones[0].hears("Echo: one")


@pytest.mark.long
def test_a_new_phone_asks_for_its_bot(page: Page) -> None:
    expect(page.get_by_test_id("start-2")).to_be_visible()
    for n, bot in ((3, "Second"), (4, "Second")):
        add_phone(page, n, bot)
    page.reload()
    for n in (3, 4):
        expect(page.get_by_test_id(f"switch-{n}")).to_contain_text("Second")


@pytest.mark.long
def test_four_phones_fit_side_by_side_on_a_large_screen(page: Page) -> None:
    expect(page.get_by_test_id("start-2")).to_be_visible()
    four = [Phone(page, 1), Phone(page, 2), add_phone(page, 3, "First"), add_phone(page, 4, "Second")]
    for phone in four:
        expect(page.get_by_test_id(f"start-{phone.n}")).to_be_in_viewport(ratio=1)
        expect(phone.node).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.long
def test_there_are_at_most_eight_phones(page: Page) -> None:
    for n in range(3, 9):
        add_phone(page, n, "First")
        expect(page.get_by_test_id(f"start-{n}")).to_be_visible()
    expect(page.get_by_test_id("add-phone")).to_be_hidden()


@pytest.mark.long
def test_a_removed_phone_does_not_come_back(phones: Phones) -> None:
    first, second = phones
    second.choose("remove")
    expect(second.node).to_have_count(0)
    first.page.reload()
    first.hears("Welcome")
    expect(second.node).to_have_count(0)


def test_the_page_shows_an_interruption_and_reconnects_to_a_reset_sandbox(
    own_sandbox: Sandbox, open_page: Callable[..., Page]
) -> None:
    own_sandbox.post("bots", {"first_name": "Silent", "username": "silent_bot"})
    page = open_page(own_sandbox)
    expect(page.get_by_test_id("start-1")).to_be_visible()
    own_sandbox.stop()
    expect(page.get_by_test_id("banner")).to_have_text("Reconnecting…")
    own_sandbox.start()
    again = own_sandbox.post("bots", {"first_name": "Reborn", "username": "reborn_bot"})
    expect(page.get_by_test_id("banner")).to_be_hidden()
    expect(page.get_by_test_id("switch-1")).to_contain_text("Reborn")
    bot = ScriptedBot(own_sandbox.url, again["token"])
    try:
        phone = Phone(page, 1)
        phone.start()
        phone.hears("Welcome, Mira")
    finally:
        bot.stop()


@pytest.mark.long
def test_the_page_waits_until_there_is_a_bot(own_sandbox: Sandbox, open_page: Callable[..., Page]) -> None:
    page = open_page(own_sandbox)
    expect(page.get_by_test_id("banner")).to_contain_text("No bots yet")
    own_sandbox.post("bots", {"first_name": "Late", "username": "late_bot"})
    expect(page.get_by_test_id("start-1")).to_be_visible()
    expect(page.get_by_test_id("banner")).to_be_hidden()


@pytest.mark.long
def test_on_a_small_screen_one_phone_is_in_front(
    bots: list[ScriptedBot], sandbox: Sandbox, open_page: Callable[..., Page]
) -> None:
    page = open_page(sandbox, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    first, second = Phone(page, 1), Phone(page, 2)
    first.start()
    first.hears("Welcome, Mira")
    expect(second.node).to_be_hidden()
    page.get_by_test_id("tab-2").click()
    expect(first.node).to_be_hidden()
    second.start()
    second.hears("Welcome, Jonas")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for n in (3, 4):
        added = add_phone(page, n, "First")
        expect(added.node).to_be_in_viewport(ratio=1)
        assert added.node.evaluate("node => node.getBoundingClientRect().bottom === innerHeight")


@pytest.mark.long
def test_on_a_small_screen_nothing_covers_the_list_of_commands(
    own_sandbox: Sandbox, open_page: Callable[..., Page]
) -> None:
    made = own_sandbox.post("bots", {"first_name": "First", "username": "first_bot"})
    bot = ScriptedBot(own_sandbox.url, made["token"])
    try:
        many = [{"command": f"command_{n}", "description": f"Does the thing of number {n}"} for n in range(24)]
        bot.call("setMyCommands", commands=many)
        page = open_page(own_sandbox, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        phone = Phone(page, 1)
        phone.start()
        menu = phone.commands()
        covered = menu.evaluate(COVERED)
        assert covered == []
        page.keyboard.press("Escape")
        page.get_by_test_id("chats-1").click()
        assert page.get_by_test_id("chat-list-1").evaluate(COVERED) == []
    finally:
        bot.stop()


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_loads_nothing_from_the_internet(
    bots: list[ScriptedBot], open_page: Callable[..., Page], sandbox: Sandbox, scheme: str
) -> None:
    page = open_page(sandbox, color_scheme=scheme)
    foreign: list[str] = []
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((sandbox.url, "blob:", "data:")) else foreign.append(request.url)
        ),
    )
    page.reload()
    expect(page.get_by_test_id("start-1")).to_be_visible()
    assert foreign == []
