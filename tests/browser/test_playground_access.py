"""axe-core finds no problems in any state of the page, on large and small screens, in the light and dark themes.

A check takes half a second of a core. So `make test` checks every eighth state of one page.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import DESKTOP
from tests.browser.phone import Phone
from tests.browser.pictures import png
from tests.browser.sandbox_process import Sandbox
from tests.browser.scripted_bot import ScriptedBot
from tests.size import in_full
from tests.size import size as amount

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

HAND = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
COMMANDS = [{"command": "find", "description": "Find somebody"}, {"command": "delete", "description": "Take it back"}]
RICH = (
    "<b>Bold</b> <i>italic</i> <tg-spoiler>secret</tg-spoiler> <code>code</code> @someone #tag /find\n"
    "<blockquote expandable>A long word.\n\n\n\n\n\nAnd its end.</blockquote>"
    '<pre><code class="language-c">int x;</code></pre>'
)
BUTTONS = {
    "inline_keyboard": [
        [{"text": "Plain", "callback_data": "no"}, {"text": "Rules", "url": "https://example.com/rules"}],
        [{"text": style, "callback_data": "none", "style": style} for style in ("primary", "success", "danger")],
    ]
}
STYLED = {
    "keyboard": [[{"text": style, "style": style} for style in ("primary", "success", "danger")], [{"text": "Plain"}]],
    "resize_keyboard": True,
}


@pytest.fixture
def sandbox_and_bot(own_sandbox: Sandbox) -> Iterator[tuple[Sandbox, ScriptedBot]]:
    """A sandbox with two bots. The first one has a program and commands."""
    speaking = own_sandbox.post("bots", {"first_name": "First", "username": "first_bot"})
    own_sandbox.post("bots", {"first_name": "Second", "username": "second_bot"})
    bot = ScriptedBot(own_sandbox.url, speaking["token"])
    bot.call("setMyCommands", commands=COMMANDS)
    yield own_sandbox, bot
    bot.stop()


class Checker:
    """Checks the page in one state after another. `found` lists the problems."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.page = phone.page
        self.found: list[str] = []
        self._states = 0

    def check(self, state: str) -> None:
        self._states += 1
        if self._states % amount(8, 1) == 0:
            self.found += [f"{state}: {each}" for each in findings(self.page)]

    def sheet(self, state: str, testid: str) -> None:
        """Check the page while this sheet is open, and close the sheet."""
        sheet = self.phone.node.get_by_test_id(testid)
        expect(sheet).to_be_visible()
        self.check(state)
        self.page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()

    def attach(self, tile: str) -> None:
        self.page.get_by_test_id("attach-1").click()
        self.phone.node.get_by_test_id(f"attach-{tile}").click()


def talk(phone: Phone, bot: ScriptedBot) -> None:
    """Send every kind of message, in both directions."""
    person = phone.person_id
    bot.say(person, RICH, parse_mode="HTML", reply_markup=BUTTONS)
    bot.say(person, "Read https://example.com/rules/of/the/house", reply_markup=STYLED)
    said = phone.say("my own words, with https://example.org")
    phone.edit(said, "my own words, with https://example.org/path")
    phone.hears("You made it")
    phone.react(phone.hears("You made it"), "🔥")
    phone.reply(phone.hears("You reacted"), "a reply")
    phone.attach_files("gallery", [png("one.png", (200, 60, 60))], caption="with words", spoiler=True)
    phone.attach_files("gallery", [png(f"{n}.png", (60, 60 * n, 200)) for n in range(2)])
    phone.sticker()
    phone.receives("sticker")
    for kind in ("voice", "document", "audio"):
        phone.attach(kind, f"sample-{kind}")
        phone.receives(kind)
    bot.call("sendLocation", chat_id=person, latitude=38.7, longitude=-9.1)
    bot.call("sendContact", chat_id=person, phone_number="+351900000000", first_name="Ana")
    bot.call("sendPoll", chat_id=person, question="Tea?", options=[{"text": "Yes"}, {"text": "No"}])
    bot.call("sendDice", chat_id=person)
    bot.call(
        "sendInvoice", chat_id=person, title="A star", description="It shines", payload="1", currency="XTR",
        prices=[{"label": "Star", "amount": 1}],
    )  # fmt: skip
    phone.receives("invoice")


@pytest.mark.sized
@pytest.mark.parametrize(
    ("size", "scheme"), in_full([("phone", "dark"), ("desktop", "light"), ("desktop", "dark"), ("phone", "light")], 1)
)
def test_the_accessibility_checker_finds_no_problems(
    sandbox_and_bot: tuple[Sandbox, ScriptedBot], open_page: Callable[..., Page], size: str, scheme: str
) -> None:
    sandbox, bot = sandbox_and_bot
    page = open_page(sandbox, color_scheme=scheme, **(HAND if size == "phone" else {"viewport": DESKTOP}))
    phone = Phone(page, 1)
    checker = Checker(phone)
    expect(page.get_by_test_id("start-1")).to_be_visible()
    checker.check("before Start")
    phone.start()
    welcome = phone.hears("Welcome")
    checker.check("a reply keyboard")
    talk(phone, bot)
    checker.check("a conversation")
    phone.log.evaluate("log => log.scrollTo({top: 0, behavior: 'instant'})")
    checker.check("its beginning")

    phone.open_menu(welcome)
    checker.sheet("the menu of the bot's message", "menu")
    phone.open_menu(phone.message("a reply", outgoing=True))
    checker.sheet("the menu of an own message", "menu")
    page.get_by_test_id("menu-1").click()
    checker.sheet("the menu of the chat", "menu")
    page.get_by_test_id("commands-1").click()
    checker.sheet("the commands", "menu")
    page.get_by_test_id("add-phone" if size == "desktop" else "tab-add").click()
    expect(page.get_by_role("menu")).to_be_visible()
    checker.check("the bots for a new phone")
    page.keyboard.press("Escape")

    page.get_by_test_id("attach-1").click()
    checker.sheet("what can be attached", "attach-menu")
    checker.attach("gallery")
    checker.sheet("where a picture comes from", "source")
    for form in ("location", "contact", "poll"):
        checker.attach(form)
        checker.sheet(f"a {form}", "form")
    checker.attach("dice")
    checker.sheet("dice", "dice")
    phone.open_menu(welcome).get_by_test_id("menu-json").click()
    checker.sheet("a message as JSON", "sheet")
    phone.open_menu(welcome).get_by_test_id("menu-forward").click()
    checker.sheet("where to forward", "forward")
    page.get_by_test_id("person-1").click()
    checker.sheet("the person", "person")
    phone.press("Rules")
    checker.sheet("a link", "link")
    phone.press("Pay")
    checker.sheet("a payment", "sheet")
    phone.choose("stars")
    checker.sheet("the Stars", "stars")
    phone.press("Plain")
    checker.sheet("an alert", "alert")
    phone.message("with words", kind="photo", outgoing=True).get_by_test_id("veil").click()
    phone.message("with words", kind="photo", outgoing=True).get_by_role("button", name="Open photo").click()
    checker.sheet("a picture", "viewer")

    page.get_by_test_id("emoji-1").click()
    checker.check("the emoji")
    page.get_by_test_id("panel-stickers-1").click()
    expect(phone.node.get_by_test_id("sticker-choice").first).to_be_visible()
    checker.check("the stickers")
    page.get_by_test_id("emoji-1").click()
    phone.open_menu(welcome).get_by_test_id("menu-reply").click()
    phone.composer.press_sequentially("some words")
    phone.composer.press("Control+a")
    checker.check("a reply with formatting")
    page.get_by_test_id("chats-1").click()
    expect(page.get_by_test_id("chat-list-1")).to_be_visible()
    checker.check("the chats")
    page.get_by_test_id("chats-close-1").click()
    phone.block()
    checker.check("a blocked bot")
    assert not checker.found, "\n".join(checker.found)
