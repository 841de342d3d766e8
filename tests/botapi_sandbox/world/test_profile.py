"""A bot's profile, and what it can learn about people."""

from tests.botapi_sandbox.small_world import small_world


def test_commands_are_stored_by_scope_and_language() -> None:
    made = small_world()
    mine, german = [{"command": "next", "description": "n"}], [{"command": "next", "description": "w"}]
    made.ask("setMyCommands", commands=mine)
    made.ask("setMyCommands", commands=german, language_code="de")
    made.ask("setMyCommands", commands=[], scope={"type": "chat", "chat_id": made.ann})
    assert made.ask("getMyCommands") == mine
    assert made.ask("getMyCommands", language_code="de") == german
    assert made.ask("getMyCommands", scope={"type": "chat", "chat_id": made.ann}) == []
    made.ask("deleteMyCommands", language_code="de")
    assert made.ask("getMyCommands", language_code="de") == []


def test_wrong_commands_are_refused() -> None:
    made = small_world()
    for commands in ([{"command": "Ab C", "description": "d"}], [{"command": "a", "description": "d"}] * 101):
        assert made.refusal("setMyCommands", commands=commands)[0] == 400
    refused = made.refusal("setMyCommands", commands=[{"command": "a", "description": ""}])
    assert refused == (400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")


def test_name_and_descriptions_fall_back_to_the_default_language() -> None:
    made = small_world()
    for what in ("Name", "Description", "ShortDescription"):
        field = {"Name": "name", "Description": "description", "ShortDescription": "short_description"}[what]
        made.ask(f"setMy{what}", **{field: "general"})
        made.ask(f"setMy{what}", **{field: "deutsch"}, language_code="de")
        assert made.ask(f"getMy{what}", language_code="de") == {field: "deutsch"}
        assert made.ask(f"getMy{what}", language_code="fr") == {field: "general"}
        made.ask(f"setMy{what}", language_code="de")
        assert made.ask(f"getMy{what}", language_code="de") == {field: "general"}
    assert made.ask("getMe")["first_name"] == "general"


def test_the_menu_button_of_a_chat_overrides_the_default_one() -> None:
    made = small_world()
    assert made.ask("getChatMenuButton") == {"type": "commands"}
    made.ask("setChatMenuButton", chat_id=made.ann, menu_button={"type": "default"})
    assert made.ask("getChatMenuButton", chat_id=made.ann) == {"type": "default"}
    assert made.ask("getChatMenuButton") == {"type": "commands"}


def test_a_bot_knows_only_people_it_has_seen() -> None:
    made = small_world()
    assert made.ask("getChat", chat_id=made.ann)["first_name"] == "Ann"
    assert made.ask("getChatMember", chat_id=made.ann, user_id=made.ann)["status"] == "member"
    assert made.ask("getChatMemberCount", chat_id=made.ann) == 2
    assert made.ask("getUserProfilePhotos", user_id=made.ann) == {"total_count": 0, "photos": []}
    stranger = made.world.add_person().id
    assert made.refusal("getChat", chat_id=stranger) == (400, "Bad Request: chat not found")
    assert made.refusal("getChat", chat_id="@nobody") == (400, "Bad Request: chat not found")


def test_rich_messages_are_shown_unchanged() -> None:
    made = small_world()
    blocks = [{"type": "paragraph", "text": ["a ", {"type": "bold", "text": "b"}]}]
    sent = made.ask("sendRichMessage", chat_id=made.ann, rich_message={"blocks": blocks})
    assert sent["rich_message"]["blocks"] == blocks
    html = made.ask("sendRichMessage", chat_id=made.ann, rich_message={"html": "<b>x</b>"})
    assert html["rich_message"]["blocks"] == [{"type": "paragraph", "text": "x"}]
    assert made.refusal("sendRichMessage", chat_id=made.ann, rich_message={})[0] == 400


def test_a_draft_does_not_change_the_history() -> None:
    made = small_world()
    before = len(made.bot.chats[made.ann].messages)
    made.ask("sendMessageDraft", chat_id=made.ann, draft_id=1, text="thinking")
    assert len(made.bot.chats[made.ann].messages) == before
    assert made.refusal("sendMessageDraft", chat_id=made.ann, draft_id=0, text="x")[0] == 400


def test_an_admin_of_a_channel_knows_who_is_a_member_and_hears_who_joins_and_leaves() -> None:
    made = small_world()
    other = made.world.add_bot()
    channel = made.world.channels.add("Harbour", "harbour", (made.bot.id,))
    stranger = made.world.add_person().id
    made.updates(allowed_updates=["message", "chat_member"])
    assert made.ask("getChatMember", chat_id="@Harbour", user_id=stranger)["status"] == "left"
    for _ in range(2):
        made.world.channels.join(stranger, channel.id)
    assert made.ask("getChatMember", chat_id=str(channel.id), user_id=stranger)["status"] == "member"
    for _ in range(2):
        made.world.channels.leave(stranger, channel.id)
    changes = [each["chat_member"] for each in made.updates()]
    assert [each["new_chat_member"]["status"] for each in changes] == ["member", "left"]
    assert {each["chat"]["username"] for each in changes} == {"harbour"}
    inaccessible = (400, "Bad Request: member list is inaccessible")
    assert made.refusal("getChatMember", bot=other, chat_id=channel.id, user_id=stranger) == inaccessible
    nobody = (400, "Bad Request: PARTICIPANT_ID_INVALID")
    assert made.refusal("getChatMember", chat_id=channel.id, user_id=1) == nobody
