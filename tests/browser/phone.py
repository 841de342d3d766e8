"""A phone of the playground, used like a person uses it: by its visible words, not by the structure of the page."""

from collections.abc import Sequence

from playwright.sync_api import FilePayload, Locator, Page, expect


class Phone:
    """Phone `n` (from 1) on the playground page. Every method waits for the page."""

    def __init__(self, page: Page, n: int) -> None:
        self.page = page
        self.n = n
        self.node = page.get_by_test_id(f"phone-{n}")
        self.composer = page.get_by_test_id(f"composer-{n}")
        self.keyboard = page.get_by_test_id(f"keyboard-{n}")
        self.log = page.get_by_test_id(f"messages-{n}")

    @property
    def person_id(self) -> int:
        """The Telegram id of the phone's person."""
        kept = self.page.evaluate("JSON.parse(localStorage.getItem('botapi-sandbox.phones'))")
        return int(next(record["person"]["id"] for record in kept if record["n"] == self.n))

    def message(self, text: str | None = None, *, kind: str | None = None, outgoing: bool | None = None) -> Locator:
        """The newest bubble with this text, of this kind ("photo", "album" ...), from this side."""
        selector = '[data-testid="message"]'
        if kind is not None:
            selector += f'[data-kind="{kind}"]'
        if outgoing is not None:
            selector += f'[data-outgoing="{"yes" if outgoing else "no"}"]'
        found = self.log.locator(selector)
        return (found if text is None else found.filter(has_text=text)).last

    def hears(self, text: str, *, kind: str | None = None) -> Locator:
        """Wait for a message with this text from the bot."""
        found = self.message(text, kind=kind, outgoing=False)
        expect(found).to_be_visible()
        return found

    def receives(self, kind: str) -> Locator:
        """Wait for a message of this kind from the bot."""
        found = self.message(kind=kind, outgoing=False)
        expect(found).to_be_visible()
        return found

    def texts(self) -> list[str]:
        """The texts in the conversation, oldest first."""
        return self.log.get_by_test_id("text").all_inner_texts()

    def start(self) -> None:
        self.page.get_by_test_id(f"start-{self.n}").click()
        expect(self.composer).to_be_visible()

    def say(self, text: str) -> Locator:
        self.composer.fill(text)
        self.composer.press("Enter")
        sent = self.message(text, outgoing=True)
        expect(sent).to_be_visible()
        return sent

    def tap(self, label: str) -> None:
        """Press a button of the reply keyboard."""
        self.keyboard.get_by_role("button", name=label, exact=True).click()

    def press(self, label: str) -> None:
        """Press the newest inline button with this label."""
        self.log.get_by_test_id("inline-button").filter(has_text=label).last.click()

    def attach(self, tile: str, source: str) -> None:
        """Open the attach menu at `tile` and choose `source`: "pick", or "sample-<kind>"."""
        self.page.get_by_test_id(f"attach-{self.n}").click()
        self.node.get_by_test_id(f"attach-{tile}").click()
        self.node.get_by_test_id(f"source-{source}").click()

    def attach_files(
        self, tile: str, files: Sequence[FilePayload], *, caption: str = "", spoiler: bool = False
    ) -> None:
        """Pick files and send them without changes. Several files become an album."""
        with self.page.expect_file_chooser() as chooser:
            self.attach(tile, "pick")
        chooser.value.set_files(files)
        offer = self.node.get_by_test_id("offer")
        if caption:
            offer.get_by_test_id("caption").fill(caption)
        if spoiler:
            offer.get_by_test_id("spoiler").check()
        offer.get_by_test_id("offer-send").click()
        expect(offer).to_be_hidden()

    def sticker(self, index: int = 0) -> None:
        self.page.get_by_test_id(f"emoji-{self.n}").click()
        self.page.get_by_test_id(f"panel-stickers-{self.n}").click()
        self.node.get_by_test_id("sticker-choice").nth(index).click()

    def open_menu(self, message: Locator) -> Locator:
        message.click(button="right", position={"x": 12, "y": 12})
        menu = self.node.get_by_test_id("menu")
        expect(menu).to_be_visible()
        return menu

    def reply(self, message: Locator, text: str) -> Locator:
        self.open_menu(message).get_by_test_id("menu-reply").click()
        return self.say(text)

    def edit(self, message: Locator, text: str) -> None:
        self.open_menu(message).get_by_test_id("menu-edit").click()
        self.composer.fill(text)
        self.composer.press("Enter")
        changed = self.message(text, outgoing=True)
        expect(changed.get_by_test_id("edited")).to_be_visible()

    def react(self, message: Locator, emoji: str) -> None:
        self.open_menu(message).get_by_role("menuitemradio", name=f"React with {emoji}").click()
        expect(message.get_by_test_id("reaction").filter(has_text=emoji)).to_be_visible()

    def choose(self, item: str) -> None:
        """Choose an item of the chat's menu: "block", "restart", "switch" ..."""
        self.page.get_by_test_id(f"menu-{self.n}").click()
        self.node.get_by_test_id(f"menu-{item}").click()

    def block(self) -> None:
        self.choose("block")
        expect(self.page.get_by_test_id(f"unblock-{self.n}")).to_be_visible()

    def unblock(self) -> None:
        self.page.get_by_test_id(f"unblock-{self.n}").click()
        expect(self.composer).to_be_visible()

    def switch_to(self, bot_name: str) -> None:
        """Go to the chat with another bot."""
        self.page.get_by_test_id(f"switch-{self.n}").click()
        self.page.get_by_test_id(f"chat-list-{self.n}").get_by_role("button", name=bot_name).click()
        expect(self.page.get_by_test_id(f"switch-{self.n}")).to_contain_text(bot_name)

    def commands(self) -> Locator:
        """Open the menu of the bot's commands."""
        self.page.get_by_test_id(f"commands-{self.n}").click()
        menu = self.node.get_by_test_id("menu")
        expect(menu).to_be_visible()
        return menu

    def rename(self, name: str, language: str) -> None:
        self.page.get_by_test_id(f"person-{self.n}").click()
        self.node.get_by_test_id("person-name").fill(name)
        self.node.get_by_test_id("person-language").select_option(language)
        self.node.get_by_test_id("person-save").click()
        expect(self.page.get_by_test_id(f"person-{self.n}")).to_contain_text(name)


def add_phone(page: Page, n: int, bot_name: str) -> Phone:
    """Add phone `n`, on the bot of this name."""
    wide, small = page.get_by_test_id("add-phone"), page.get_by_test_id("tab-add")
    (wide if wide.is_visible() else small).click()
    page.get_by_role("menuitem", name=bot_name).click()
    phone = Phone(page, n)
    expect(page.get_by_test_id(f"switch-{n}")).to_contain_text(bot_name)
    return phone
