"""The page with scripted bots: everything a person can do on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.phone import Phone
from tests.browser.pictures import png, text_file
from tests.browser.sandbox_process import Sandbox
from tests.browser.scripted_bot import ScriptedBot

pytestmark = pytest.mark.browser

RED, GREEN, BLUE = (200, 60, 60), (60, 160, 90), (60, 90, 200)

Phones = tuple[Phone, Phone]


@pytest.mark.long
def test_the_page_opens_with_two_phones_on_two_bots_before_start(page: Page) -> None:
    for n, bot in ((1, "First"), (2, "Second")):
        expect(page.get_by_test_id(f"switch-{n}")).to_contain_text(bot)
        expect(page.get_by_test_id(f"start-{n}")).to_be_visible()
        expect(page.get_by_test_id(f"composer-{n}")).to_be_hidden()


def test_a_typed_message_arrives_and_the_answer_appears_live(phones: Phones) -> None:
    first, second = phones
    first.say("hello there")
    first.hears("Echo: hello there")
    assert "hello there" not in " ".join(second.texts())


@pytest.mark.long
def test_shift_enter_starts_a_new_line_and_enter_sends(first: Phone) -> None:
    first.composer.press_sequentially("one")
    first.composer.press("Shift+Enter")
    first.composer.press_sequentially("two")
    first.composer.press("Enter")
    assert first.hears("Echo:").get_by_test_id("text").inner_text() == "Echo: one\ntwo"


@pytest.mark.long
def test_quick_messages_keep_their_order(first: Phone) -> None:
    words = [f"number {n}" for n in range(8)]
    for word in words:
        first.composer.fill(word)
        first.composer.press("Enter")
    first.hears("Echo: number 7")
    said = [text for text in first.texts() if text.startswith("number")]
    assert said == words


@pytest.mark.long
def test_html_in_a_message_stays_text(first: Phone) -> None:
    nasty = '<img src=x onerror="document.title=1"><b>bold</b>'
    first.say(nasty)
    bubble = first.hears("Echo:")
    expect(bubble.get_by_test_id("text")).to_have_text(f"Echo: {nasty}")
    expect(bubble.locator("img, b")).to_have_count(0)


def test_a_reply_keyboard_sends_its_text_and_disappears_when_removed(first: Phone) -> None:
    expect(first.composer).to_have_attribute("data-placeholder", "Say something")
    first.tap("Left")
    first.hears("Echo: Left")
    first.say("hide")
    expect(first.keyboard).to_be_hidden()


@pytest.mark.long
def test_the_reply_keyboard_can_be_hidden_and_shown(first: Phone) -> None:
    toggle = first.page.get_by_test_id("keyboard-toggle-1")
    toggle.click()
    expect(first.keyboard).to_be_hidden()
    toggle.click()
    expect(first.keyboard).to_be_visible()


def test_an_inline_button_spins_until_answered_and_shows_the_answer(first: Phone) -> None:
    first.say("ask")
    first.hears("Shall we?")
    first.press("Yes")
    expect(first.node.get_by_test_id("toast")).to_have_text("You chose yes")
    settled = first.hears("Settled.")
    expect(settled.get_by_test_id("inline-button")).to_have_count(0)


@pytest.mark.long
def test_an_alert_stays_until_the_person_closes_it(first: Phone) -> None:
    first.say("ask")
    first.press("No")
    alert = first.node.get_by_role("alertdialog")
    expect(alert).to_contain_text("You chose no")
    alert.get_by_role("button", name="OK").click()
    expect(alert).to_be_hidden()
    expect(first.message("Shall we?").get_by_test_id("inline-button").filter(has_text="No")).not_to_have_attribute(
        "aria-busy", "true"
    )


@pytest.mark.long
def test_a_link_button_asks_before_it_opens_the_link(first: Phone) -> None:
    first.say("ask")
    first.press("Rules")
    expect(first.node.get_by_test_id("link")).to_contain_text("https://example.com/rules")
    first.page.keyboard.press("Escape")
    expect(first.node.get_by_test_id("link")).to_be_hidden()
    assert len(first.page.context.pages) == 1


@pytest.mark.long
def test_formatting_is_shown_and_a_tap_opens_a_spoiler(first: Phone) -> None:
    first.say("format")
    bubble = first.hears("Bold")
    expect(bubble.locator("b").filter(has_text="Bold")).to_be_visible()
    expect(bubble.locator("i").filter(has_text="italic")).to_be_visible()
    expect(bubble.locator("code")).to_have_text("code")
    expect(bubble.get_by_test_id("text").locator("a")).to_have_attribute("href", "https://example.com/")
    spoiler = bubble.get_by_role("button", name="Hidden text: reveal")
    spoiler.click()
    expect(bubble.locator(".spoiler.revealed")).to_have_text("secret")


@pytest.mark.long
def test_formatting_typed_with_the_keyboard_becomes_entities(first: Phone, bots: list[ScriptedBot]) -> None:
    first.composer.press_sequentially("so ")
    first.composer.press("Control+b")
    first.composer.press_sequentially("very")
    first.composer.press("Control+b")
    first.composer.press_sequentially(" bold")
    first.composer.press("Enter")
    echo = first.hears("Echo: so very bold")
    expect(echo.locator("b")).to_have_text("very")
    message = bots[0].heard_from(first.person_id)[-1]
    assert message["entities"] == [{"type": "bold", "offset": 3, "length": 4}]


def test_every_kind_of_file_can_be_sent_and_received(phones: Phones) -> None:
    first, second = phones
    kinds = [
        (first, "gallery", "photo", "img"),
        (second, "gallery", "video", "video"),
        (first, "animation", "animation", "video"),
        (second, "video_note", "video_note", "video"),
        (first, "audio", "audio", ".track"),
        (second, "document", "document", "a[download]"),
    ]
    for phone, tile, kind, _ in kinds:
        phone.attach(tile, f"sample-{kind}")
    for phone, _, kind, shown in kinds:
        expect(phone.message(kind=kind, outgoing=True).locator(shown)).to_be_visible()
        expect(phone.receives(kind).locator(shown)).to_be_visible()


@pytest.mark.long
def test_a_voice_message_is_opus_in_ogg(first: Phone, sandbox: Sandbox) -> None:
    first.attach("voice", "sample-voice")
    expect(first.receives("voice").locator(".wave")).to_be_visible()
    person, bot = first.person_id, sandbox.get("bots")[0]["id"]
    messages = sandbox.get(f"people/{person}/chats/{bot}")["messages"]
    voice = next(message["voice"] for message in messages if "voice" in message)
    data = first.page.request.get(f"{sandbox.url}/sandbox/files/{voice['file_id']}").body()
    assert data.startswith(b"OggS")
    assert b"OpusHead" in data[:64]


@pytest.mark.long
def test_a_sticker_can_be_sent_from_the_panel(first: Phone) -> None:
    first.sticker(2)
    picture = first.receives("sticker").locator("img")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 512)


@pytest.mark.long
def test_a_photo_keeps_its_caption_and_spoiler(first: Phone) -> None:
    first.attach_files("gallery", [png("red.png", RED)], caption="a red square", spoiler=True)
    photo = first.hears("a red square", kind="photo")
    photo.get_by_test_id("veil").click()
    expect(photo.get_by_test_id("veil")).to_be_hidden()
    photo.get_by_role("button", name="Open photo").click()
    expect(first.node.get_by_test_id("viewer")).to_be_visible()
    first.page.keyboard.press("Escape")
    expect(first.node.get_by_test_id("viewer")).to_be_hidden()


@pytest.mark.long
def test_several_photos_become_one_album(first: Phone, bots: list[ScriptedBot]) -> None:
    first.attach_files("gallery", [png("a.png", RED), png("b.png", GREEN), png("c.png", BLUE)], caption="three")
    expect(first.message(kind="album", outgoing=True).get_by_test_id("tile")).to_have_count(3)
    expect(first.message("three", kind="album")).to_be_visible()
    expect(first.log.locator('[data-kind="photo"][data-outgoing="no"]')).to_have_count(3)
    groups = {message.get("media_group_id") for message in bots[0].heard_from(first.person_id) if "photo" in message}
    assert len(groups) == 1


@pytest.mark.long
def test_a_file_keeps_its_name_and_bytes(first: Phone) -> None:
    first.attach_files("document", [text_file("letter.txt", "dear reader")])
    document = first.hears("letter.txt", kind="document")
    with first.page.expect_download() as download:
        document.get_by_role("link", name="Download letter.txt").click()
    assert download.value.path().read_text() == "dear reader"


@pytest.mark.long
def test_locations_contacts_and_dice_can_be_sent_from_the_attach_menu(first: Phone) -> None:
    for tile, kind in (("location", "location"), ("contact", "contact")):
        first.page.get_by_test_id("attach-1").click()
        first.node.get_by_test_id(f"attach-{tile}").click()
        first.node.get_by_test_id("form-send").click()
        first.receives(kind)
    first.page.get_by_test_id("attach-1").click()
    first.node.get_by_test_id("attach-dice").click()
    first.node.get_by_role("button", name="Send 🎲").click()
    expect(first.receives("dice").get_by_role("img", name=re.compile(r"🎲 shows [1-6]"))).to_be_visible()


@pytest.mark.long
def test_a_poll_can_be_made_and_sent(first: Phone) -> None:
    first.page.get_by_test_id("attach-1").click()
    first.node.get_by_test_id("attach-poll").click()
    form = first.node.get_by_test_id("form")
    form.get_by_label("Question").fill("Tea or coffee?")
    form.get_by_label("Option 1").fill("Tea")
    form.get_by_label("Option 2").fill("Coffee")
    form.get_by_test_id("form-send").click()
    expect(first.hears("Tea or coffee?", kind="poll")).to_contain_text("Coffee")


@pytest.mark.long
def test_a_vote_is_counted_and_the_bot_is_told(first: Phone, bots: list[ScriptedBot]) -> None:
    bots[0].call("sendPoll", chat_id=first.person_id, question="Which?", options=[{"text": "This"}, {"text": "That"}])
    poll = first.hears("Which?", kind="poll")
    poll.get_by_test_id("poll-option").filter(has_text="That").click()
    expect(poll).to_contain_text("1 voted")
    expect(poll.get_by_test_id("poll-option").filter(has_text="That")).to_contain_text("100%")


@pytest.mark.long
def test_a_message_can_be_forwarded_to_another_bot(first: Phone, bots: list[ScriptedBot]) -> None:
    said = first.say("pass me on")
    first.hears("Echo: pass me on")
    first.open_menu(said).get_by_test_id("menu-forward").click()
    first.node.get_by_test_id("forward").get_by_role("button", name="Second").click()
    (forwarded,) = bots[1].wait_for(first.person_id, messages=1)
    assert forwarded["forward_origin"]["sender_user"]["id"] == first.person_id


@pytest.mark.long
def test_a_person_can_delete_their_own_message(first: Phone) -> None:
    said = first.say("forget this")
    first.hears("Echo: forget this")
    first.open_menu(said).get_by_test_id("menu-delete").click()
    expect(first.log.locator('[data-outgoing="yes"]').filter(has_text="forget this")).to_have_count(0)


@pytest.mark.long
def test_delete_for_both_is_offered_only_if_the_bot_can_do_it(
    own_sandbox: Sandbox, open_page: Callable[..., Page]
) -> None:
    made = own_sandbox.post("bots", {"first_name": "First", "username": "first_bot"})
    bot = ScriptedBot(own_sandbox.url, made["token"])
    try:
        page = open_page(own_sandbox)
        phone = Phone(page, 1)
        phone.start()
        phone.hears("Welcome")
        said = phone.say("a slip")
        menu = phone.open_menu(said)
        expect(menu.get_by_test_id("menu-delete")).to_have_text("Delete from this chat")
        expect(menu.get_by_test_id("menu-take-back")).to_have_count(0)
        page.keyboard.press("Escape")
        bot.call("setMyCommands", commands=[{"command": "delete", "description": "Take it back"}])
        page.reload()
        phone.open_menu(phone.message("a slip", outgoing=True)).get_by_test_id("menu-take-back").click()
        phone.hears("Echo: /delete (to: a slip)")
    finally:
        bot.stop()


@pytest.mark.long
def test_commands_look_different_from_their_descriptions(own_sandbox: Sandbox, open_page: Callable[..., Page]) -> None:
    made = own_sandbox.post("bots", {"first_name": "First", "username": "first_bot"})
    bot = ScriptedBot(own_sandbox.url, made["token"])
    try:
        bot.call("setMyCommands", commands=[{"command": "find", "description": "Find somebody"}])
        phone = Phone(open_page(own_sandbox), 1)
        phone.start()
        item = phone.commands().get_by_role("menuitem", name="/find Find somebody")
        command, about = item.get_by_text("/find", exact=True), item.get_by_text("Find somebody", exact=True)
        style = "node => { const s = getComputedStyle(node); return [s.color, s.fontWeight]; }"
        assert command.evaluate(style) != about.evaluate(style)
        item.click()
        phone.hears("Echo: /find")
    finally:
        bot.stop()


@pytest.mark.long
def test_a_link_has_a_card_with_its_address(first: Phone, bots: list[ScriptedBot]) -> None:
    person = first.person_id
    bots[0].say(person, "look: https://www.example.com/a/house")
    card = first.hears("look:").get_by_test_id("link-preview")
    expect(card.locator("b")).to_have_text("example.com")
    expect(card).to_contain_text("/a/house")
    card.click()
    expect(first.node.get_by_test_id("link")).to_contain_text("https://www.example.com/a/house")
    first.page.keyboard.press("Escape")
    said = first.say("mine: example.org")
    expect(said.get_by_test_id("link-preview")).to_have_text("example.org")


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "more", "cards"),
    [
        ("hidden: https://example.com", {"link_preview_options": {"is_disabled": True}}, 0),
        ("chosen: https://example.com", {"link_preview_options": {"url": "https://example.net/"}}, 1),
        ('named: <a href="https://example.net/">here</a>', {"parse_mode": "HTML"}, 1),
        ("no link: @somebody, a@example.com", {}, 0),
    ],
)
def test_link_preview_options_control_the_card(
    first: Phone, bots: list[ScriptedBot], text: str, more: dict[str, object], cards: int
) -> None:
    bots[0].say(first.person_id, text, **more)
    found = first.hears(text.split(":")[0] + ":").get_by_test_id("link-preview")
    expect(found).to_have_count(cards)
    if cards:
        expect(found).to_have_text("example.net")


@pytest.mark.long
def test_a_reply_quotes_the_message_it_answers(first: Phone) -> None:
    first.say("the first word")
    echo = first.hears("Echo: the first word")
    reply = first.reply(echo, "and the last")
    expect(reply.get_by_test_id("quote")).to_contain_text("Echo: the first word")
    first.hears("Echo: and the last (to: Echo: the first word)")


@pytest.mark.long
def test_a_person_can_edit_their_own_message_and_the_bot_is_told(first: Phone) -> None:
    said = first.say("a misteak")
    first.hears("Echo: a misteak")
    first.edit(said, "a mistake")
    first.hears("You made it: a mistake")


@pytest.mark.long
def test_a_person_cannot_edit_a_bots_message(first: Phone) -> None:
    menu = first.open_menu(first.hears("Welcome"))
    expect(menu.get_by_test_id("menu-reply")).to_be_visible()
    expect(menu.get_by_test_id("menu-edit")).to_have_count(0)


@pytest.mark.long
def test_a_reaction_is_shown_reported_to_the_bot_and_can_be_removed(first: Phone) -> None:
    welcome = first.log.locator('[data-testid="message"]').filter(has_text="Welcome")
    first.react(welcome, "🔥")
    first.hears("You reacted: 🔥")
    welcome.get_by_test_id("reaction").click()
    expect(welcome.get_by_test_id("reaction")).to_have_count(0)
    first.hears("You reacted: no more")


@pytest.mark.long
def test_the_menu_of_a_message_works_with_the_keyboard(first: Phone) -> None:
    welcome = first.hears("Welcome")
    welcome.focus()
    first.page.keyboard.press("Enter")
    menu = first.node.get_by_test_id("menu")
    expect(menu).to_be_visible()
    first.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(welcome).to_be_focused()


@pytest.mark.long
def test_a_blocked_bot_cannot_write_until_it_is_unblocked(
    first: Phone, bots: list[ScriptedBot], sandbox: Sandbox
) -> None:
    person = first.person_id
    first.block()
    with pytest.raises(RuntimeError, match="blocked by the user"):
        bots[0].say(person, "are you there?")
    first.unblock()
    bots[0].say(person, "there you are")
    first.hears("there you are")
    assert "are you there?" not in first.texts()


@pytest.mark.long
def test_a_person_can_chat_with_several_bots_and_each_keeps_its_history(first: Phone) -> None:
    first.say("for the first bot")
    first.hears("Echo: for the first bot")
    first.switch_to("Second")
    assert "for the first bot" not in first.texts()
    first.start()
    first.hears("Welcome, Mira")
    first.switch_to("First")
    first.hears("Echo: for the first bot")


@pytest.mark.long
def test_unread_messages_from_another_bot_are_counted(first: Phone, bots: list[ScriptedBot], sandbox: Sandbox) -> None:
    first.switch_to("Second")
    bots[0].say(first.person_id, "over here")
    first.page.get_by_test_id("chats-1").click()
    row = first.page.get_by_test_id("chat-list-1").get_by_role("button", name="First")
    expect(row).to_contain_text("over here")
    expect(row.locator(".count")).to_have_text("1")


@pytest.mark.long
def test_a_person_can_get_a_new_name_and_language(first: Phone, bots: list[ScriptedBot]) -> None:
    first.rename("Nadia", "ar")
    first.choose("restart")
    first.hears("Welcome, Nadia")
    assert bots[0].heard_from(first.person_id)[-1]["from"]["language_code"] == "ar"
    first.say("مرحبا")
    assert first.hears("Echo: مرحبا").get_by_test_id("text").get_attribute("dir") == "auto"


@pytest.mark.long
def test_a_deleted_message_disappears(first: Phone, bots: list[ScriptedBot], sandbox: Sandbox) -> None:
    person = first.person_id
    sent = bots[0].say(person, "not for long")
    first.hears("not for long")
    bots[0].call("deleteMessage", chat_id=person, message_id=sent["message_id"])
    expect(first.log.get_by_text("not for long")).to_have_count(0)


@pytest.mark.long
def test_a_chat_action_is_shown_under_the_name(first: Phone, bots: list[ScriptedBot], sandbox: Sandbox) -> None:
    bots[0].call("sendChatAction", chat_id=first.person_id, action="typing")
    expect(first.page.get_by_test_id("subtitle-1")).to_have_text("typing…")


@pytest.mark.long
def test_a_new_message_does_not_scroll_a_person_away_from_older_ones(
    first: Phone, bots: list[ScriptedBot], sandbox: Sandbox
) -> None:
    person = first.person_id
    for n in range(14):
        bots[0].say(person, f"line {n}\n\n\n")
    first.hears("line 13")
    first.log.evaluate("log => log.scrollTo({top: 0, behavior: 'instant'})")
    expect(first.page.get_by_test_id("pill-1")).to_be_visible()
    bots[0].say(person, "the newest")
    pill = first.page.get_by_test_id("pill-1")
    expect(pill).to_have_text("1 new message")
    pill.click()
    expect(pill).to_be_hidden()
    expect(first.message("the newest")).to_be_in_viewport()
