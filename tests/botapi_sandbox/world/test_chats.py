"""Chats: starting, blocking, messages, replies, keyboards, presses, edits, deletions, reactions, polls."""

from typing import Any

import pytest

from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.people import CannotDo
from tests.botapi_sandbox.small_world import SmallWorld, small_world


def send(made: SmallWorld, text: str = "hi", **more: Any) -> Any:
    return made.ask("sendMessage", chat_id=made.ann, text=text, **more)


def why(made: SmallWorld, method: str, **params: Any) -> str:
    code, description = made.refusal(method, **params)
    assert code == 400
    return description.removeprefix("Bad Request: ")


def test_a_bot_can_write_only_to_people_who_have_started_it() -> None:
    made = small_world()
    stranger = made.world.add_person().id
    assert made.refusal("sendMessage", chat_id=stranger, text="x") == (400, "Bad Request: chat not found")
    made.world.phones.block(stranger, made.bot.id)
    made.world.phones.unblock(stranger, made.bot.id)
    made.bot.chats[stranger].started = False
    refused = made.refusal("sendMessage", chat_id=stranger, text="x")
    assert refused == (403, "Forbidden: bot can't initiate conversation with a user")


def test_starting_one_bot_does_not_start_another() -> None:
    made = small_world()
    other = made.world.add_bot()
    assert made.refusal("sendMessage", bot=other, chat_id=made.ann, text="x") == (400, "Bad Request: chat not found")
    made.world.switch({"unknown_person": "can't initiate"})
    assert made.refusal("sendMessage", bot=other, chat_id=made.ann, text="x")[0] == 403


def test_a_block_affects_one_bot_and_that_bot_is_told() -> None:
    made = small_world()
    other = made.world.add_bot()
    made.world.phones.start(made.ann, other.id)
    made.world.phones.block(made.ann, made.bot.id)
    for method, params in (("sendMessage", {"text": "x"}), ("sendChatAction", {"action": "typing"}), ("sendDice", {})):
        refused = made.refusal(method, chat_id=made.ann, **params)
        assert refused == (403, "Forbidden: bot was blocked by the user")
    made.ask("sendMessage", bot=other, chat_id=made.ann, text="x")
    made.world.phones.unblock(made.ann, made.bot.id)
    told = [update["my_chat_member"] for update in made.updates()]
    statuses = [(each["old_chat_member"]["status"], each["new_chat_member"]["status"]) for each in told]
    assert statuses == [("member", "kicked"), ("kicked", "member")]
    send(made)


def test_start_first_unblocks_and_then_sends_start() -> None:
    made = small_world()
    made.world.phones.block(made.ann, made.bot.id)
    made.world.phones.start(made.ann, made.bot.id, "ref")
    _, member, message = made.updates()
    assert member["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert message["message"]["text"] == "/start ref"


def test_a_person_cannot_write_to_a_bot_they_blocked() -> None:
    made = small_world()
    made.world.phones.block(made.ann, made.bot.id)
    with pytest.raises(CannotDo):
        made.write()


def test_a_bot_cannot_write_to_deleted_accounts_or_bots() -> None:
    made = small_world()
    made.world.phones.deactivate(made.ann)
    assert made.refusal("sendMessage", chat_id=made.ann, text="x") == (403, "Forbidden: user is deactivated")
    assert made.refusal("sendMessage", chat_id=made.bot.id, text="x")[0] == 403


def test_a_person_can_refuse_voice_messages() -> None:
    made = small_world()
    shy = made.world.add_person(refuses_voice=True).id
    made.world.phones.start(shy, made.bot.id)
    voice = made.world.phones.send(made.ann, made.bot.id, {"voice": {}})["voice"]["file_id"]
    assert why(made, "sendVoice", chat_id=shy, voice=voice) == "VOICE_MESSAGES_FORBIDDEN"
    assert made.ask("getChat", chat_id=shy)["has_restricted_voice_and_video_messages"] is True


def test_message_ids_grow_across_all_chats_of_a_bot() -> None:
    made = small_world()
    ids = [made.ask("sendMessage", chat_id=person, text="x")["message_id"] for person in (made.ann, made.bob, made.ann)]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]


def test_a_full_history_drops_its_oldest_messages() -> None:
    made = small_world(history_length=2)
    first = send(made)
    send(made), send(made)
    assert why(made, "copyMessage", chat_id=made.bob, from_chat_id=made.ann, message_id=first["message_id"]).endswith(
        "not found"
    )


def test_a_reply_contains_its_message_and_a_quote_must_be_in_it() -> None:
    made = small_world()
    written = made.write("one two three", entities=[{"type": "bold", "offset": 4, "length": 3}])
    to = {"message_id": written["message_id"]}
    sent = send(
        made, reply_parameters={**to, "quote": "two", "quote_entities": [{"type": "bold", "offset": 0, "length": 3}]}
    )
    assert sent["reply_to_message"]["text"] == "one two three"
    assert (sent["quote"]["text"], sent["quote"]["position"]) == ("two", 4)
    for wrong in ("four", "two"):  # the second one is bold in the message
        refused = why(made, "sendMessage", chat_id=made.ann, text="x", reply_parameters={**to, "quote": wrong})
        assert refused == "QUOTE_TEXT_INVALID"


def test_a_reply_to_a_missing_message_is_refused_unless_allowed() -> None:
    made = small_world()
    refused = why(made, "sendMessage", chat_id=made.ann, text="x", reply_parameters={"message_id": 999})
    assert refused == "message to be replied not found"
    sent = send(made, reply_parameters={"message_id": 999, "allow_sending_without_reply": True})
    assert "reply_to_message" not in sent


def test_message_options_appear_in_the_message() -> None:
    made = small_world()
    sent = send(made, message_effect_id="5104841245755180586", link_preview_options={"is_disabled": True})
    assert (sent["effect_id"], sent["link_preview_options"]) == ("5104841245755180586", {"is_disabled": True})
    assert why(made, "sendMessage", chat_id=made.ann, text="x", message_thread_id=5).startswith(
        "the sandbox does not support"
    )


def test_a_bot_with_topics_can_write_only_into_open_ones() -> None:
    made = small_world()
    bot = made.world.state.bots[made.bot.id]
    bot.topics = True
    thread = made.world.phones.open_topic(made.ann, bot.id)
    sent = send(made, message_thread_id=thread)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (thread, True)
    made.world.phones.close_topic(made.ann, bot.id, thread)
    assert why(made, "sendMessage", chat_id=made.ann, text="x", message_thread_id=thread) == "message thread not found"


def keys(*buttons: Json) -> Json:
    return {"inline_keyboard": [list(buttons)]}


UNREADABLE = "can't parse inline keyboard button"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        (keys({"text": "x"}), f"{UNREADABLE}: Text buttons are unallowed in the inline keyboard"),
        (keys({"text": "x", "callback_data": "ü" * 33}), "BUTTON_DATA_INVALID"),
        (
            keys({"text": "x", "callback_data": "a", "url": "http://x.org"}),
            f"{UNREADABLE}: Exactly one of the optional fields must be used",
        ),
        (keys({"text": " ", "callback_data": "a"}), f"{UNREADABLE}: Text must be non-empty"),
        (keys({"text": "x", "url": "no link"}), "inline keyboard button URL 'no link' is invalid: Wrong HTTP URL"),
        (keys({"text": "x", "pay": True}), "BUTTON_TYPE_INVALID"),
        ({"inline_keyboard": [[{"text": "x", "callback_data": "a"}] * 101]}, "reply markup is too long"),
        ({"keyboard": [[{"text": ""}]]}, "can't parse keyboard button: Text must be non-empty"),
        (5, "object expected as reply markup"),
    ],
)
def test_a_wrong_keyboard_is_refused(markup: Any, reason: str) -> None:
    made = small_world()
    assert why(made, "sendMessage", chat_id=made.ann, text="x", reply_markup=markup) == reason


def test_callback_data_has_at_most_64_bytes() -> None:
    made = small_world()
    sent = send(made, reply_markup=keys({"text": "x", "callback_data": "ü" * 32}))
    assert sent["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "ü" * 32


def test_a_reply_keyboard_stays_until_it_is_removed() -> None:
    made = small_world()
    events: list[Json] = []
    made.world.on_event(lambda person, event: events.append(event))
    send(made, reply_markup={"keyboard": [[{"text": "Find"}]], "resize_keyboard": True})
    send(made)
    chat = made.bot.chats[made.ann]
    assert chat.keyboard == {"keyboard": [[{"text": "Find"}]], "resize_keyboard": True}
    send(made, reply_markup={"remove_keyboard": True})
    assert chat.keyboard is None
    assert [event["type"] for event in events] == ["message", "keyboard", "message", "message", "keyboard"]


def test_a_press_reaches_the_bot_and_its_answer_reaches_the_phone_once() -> None:
    made = small_world()
    events: list[Json] = []
    made.world.on_event(lambda person, event: events.append(event))
    sent = send(made, reply_markup=keys({"text": "x", "callback_data": "d"}))
    pressed = made.world.phones.press(made.ann, made.bot.id, sent["message_id"], 0, 0)
    (update,) = made.updates()
    query = update["callback_query"]
    assert (query["id"], query["data"], query["message"]) == (pressed, "d", sent)
    made.ask("answerCallbackQuery", callback_query_id=pressed, text="done", show_alert=True)
    assert events[-1] == {
        "bot": made.bot.id, "type": "callback_answer", "callback_query_id": pressed, "text": "done", "show_alert": True,
        "url": None,
    }  # fmt: skip
    too_old = "query is too old and response timeout expired or query ID is invalid"
    assert why(made, "answerCallbackQuery", callback_query_id=pressed) == too_old


def test_only_the_same_bot_can_answer_a_press_and_only_in_time() -> None:
    made = small_world()
    other = made.world.add_bot()
    sent = send(made, reply_markup=keys({"text": "x", "callback_data": "d"}))
    pressed = made.world.phones.press(made.ann, made.bot.id, sent["message_id"], 0, 0)
    assert made.refusal("answerCallbackQuery", bot=other, callback_query_id=pressed)[0] == 400
    made.clock.pass_by(31)
    assert made.refusal("answerCallbackQuery", callback_query_id=pressed)[0] == 400


def test_people_can_press_only_buttons_that_exist() -> None:
    made = small_world()
    sent = send(made, reply_markup=keys({"text": "x", "url": "https://x.org"}))
    for row, column in ((0, 0), (0, 1), (1, 0), (0, -1)):
        with pytest.raises(CannotDo):
            made.world.phones.press(made.ann, made.bot.id, sent["message_id"], row, column)


def test_a_bot_can_edit_only_its_own_messages_and_must_change_something() -> None:
    made = small_world()
    sent = send(made, "a", reply_markup=keys({"text": "x", "callback_data": "d"}))
    where = {"chat_id": made.ann, "message_id": sent["message_id"]}
    edited = made.ask("editMessageText", **where, text="<b>b</b>", parse_mode="HTML")
    assert (edited["text"], edited["entities"][0]["type"]) == ("b", "bold")
    assert "reply_markup" not in edited
    assert edited["edit_date"]
    same = why(made, "editMessageText", **where, text="<b>b</b>", parse_mode="HTML")
    assert same.startswith(
        "message is not modified: specified new message content and reply markup are exactly the same"
    )
    assert (
        made.ask("editMessageReplyMarkup", **where, reply_markup=keys({"text": "x", "callback_data": "d"}))["text"]
        == "b"
    )
    assert why(made, "editMessageCaption", **where, caption="c") == "there is no caption in the message to edit"
    theirs = made.write()
    assert (
        why(made, "editMessageText", chat_id=made.ann, message_id=theirs["message_id"], text="c")
        == "message can't be edited"
    )
    assert why(made, "editMessageText", chat_id=made.ann, message_id=999, text="c") == "message to edit not found"


def test_a_media_message_has_a_caption_to_edit_but_no_text() -> None:
    made = small_world()
    photo = made.world.phones.send(made.ann, made.bot.id, {"photo": {}})["photo"][-1]["file_id"]
    sent = made.ask("sendPhoto", chat_id=made.ann, photo=photo, caption="a")
    where = {"chat_id": made.ann, "message_id": sent["message_id"]}
    assert why(made, "editMessageText", **where, text="b") == "there is no text in the message to edit"
    assert made.ask("editMessageCaption", **where, caption="b")["caption"] == "b"
    assert "caption" not in made.ask("editMessageCaption", **where)


def test_a_live_location_can_move_until_it_ends() -> None:
    made = small_world()
    sent = made.ask("sendLocation", chat_id=made.ann, latitude=1, longitude=2, live_period=60)
    where = {"chat_id": made.ann, "message_id": sent["message_id"]}
    assert made.ask("editMessageLiveLocation", **where, latitude=3, longitude=4)["location"]["latitude"] == 3
    made.clock.pass_by(60)
    assert why(made, "editMessageLiveLocation", **where, latitude=5, longitude=6) == "message can't be edited"
    assert made.ask("stopMessageLiveLocation", **where)["location"] == {"latitude": 3, "longitude": 4}


def test_a_persons_edit_is_an_update_with_the_same_message_id() -> None:
    made = small_world()
    written = made.write("a")
    made.world.phones.edit(made.ann, made.bot.id, written["message_id"], text="b")
    _, update = made.updates()
    assert (update["edited_message"]["message_id"], update["edited_message"]["text"]) == (written["message_id"], "b")
    sent = send(made)
    with pytest.raises(CannotDo):
        made.world.phones.edit(made.ann, made.bot.id, sent["message_id"], text="b")


def test_a_bot_can_delete_messages_only_within_48_hours() -> None:
    made = small_world()
    sent, written, dice = send(made), made.write(), made.ask("sendDice", chat_id=made.ann)
    fresh = why(made, "deleteMessage", chat_id=made.ann, message_id=dice["message_id"])
    assert fresh == "message can't be deleted for everyone"
    assert made.ask("deleteMessage", chat_id=made.ann, message_id=written["message_id"])
    gone = why(made, "deleteMessage", chat_id=made.ann, message_id=written["message_id"])
    assert gone == "message to delete not found"
    made.clock.pass_by(25 * 3600)
    assert made.ask("deleteMessage", chat_id=made.ann, message_id=dice["message_id"])
    made.clock.pass_by(23 * 3600)
    old = why(made, "deleteMessage", chat_id=made.ann, message_id=sent["message_id"])
    assert old == "message can't be deleted for everyone"
    assert made.ask("deleteMessages", chat_id=made.ann, message_ids=[sent["message_id"], 998])
    assert sent["message_id"] in made.bot.chats[made.ann].messages


def test_a_bot_is_not_told_when_a_person_deletes_a_message() -> None:
    made = small_world()
    written = made.write()
    made.updates()
    made.world.phones.delete(made.ann, made.bot.id, written["message_id"])
    assert made.updates() == []


def test_a_bot_can_set_one_of_telegrams_reactions() -> None:
    made = small_world()
    written = made.write()
    where = {"chat_id": made.ann, "message_id": written["message_id"]}
    thumb, fire = ({"type": "emoji", "emoji": emoji} for emoji in "👍🔥")
    made.ask("setMessageReaction", **where, reaction=[thumb])
    made.ask("setMessageReaction", **where, reaction=[fire])
    assert made.bot.chats[made.ann].messages[written["message_id"]].bots_reaction == fire
    assert why(made, "setMessageReaction", **where, reaction=[thumb, fire]) == "REACTIONS_TOO_MANY"
    assert why(made, "setMessageReaction", **where, reaction=[{"type": "emoji", "emoji": "🐌"}]) == "REACTION_INVALID"
    assert why(made, "setMessageReaction", **where, reaction=[{"type": "paid"}]) == "REACTION_INVALID"
    assert (
        why(made, "setMessageReaction", chat_id=made.ann, message_id=999, reaction=[]) == "message to react not found"
    )
    made.ask("setMessageReaction", **where)
    assert made.bot.chats[made.ann].messages[written["message_id"]].bots_reaction is None


def test_reactions_of_people_can_be_switched_off() -> None:
    made = small_world()
    sent = send(made)
    made.world.phones.react(made.ann, made.bot.id, sent["message_id"], "❤️")
    (update,) = made.updates()
    assert update["message_reaction"]["new_reaction"] == [{"type": "emoji", "emoji": "❤"}]
    made.world.switch({"reactions": False})
    made.world.phones.react(made.ann, made.bot.id, sent["message_id"], None)
    assert made.updates() == []
    with pytest.raises(CannotDo):
        made.world.phones.react(made.ann, made.bot.id, sent["message_id"], "🐌")


def test_an_album_carries_its_reactions_on_its_first_item() -> None:
    made = small_world()
    first, second = made.world.phones.album(made.ann, made.bot.id, [{"photo": {}}, {"photo": {}}])
    thumb = {"type": "emoji", "emoji": "👍"}
    made.ask("setMessageReaction", chat_id=made.ann, message_id=second["message_id"], reaction=[thumb])
    assert made.bot.chats[made.ann].messages[first["message_id"]].bots_reaction == thumb


def test_a_bot_is_told_about_votes_in_its_own_polls() -> None:
    made = small_world()
    sent = made.ask(
        "sendPoll", chat_id=made.ann, question="Q?", options=[{"text": "a"}, {"text": "b"}], is_anonymous=False
    )
    made.world.phones.vote(made.ann, made.bot.id, sent["message_id"], [1])
    poll, answer = made.updates()
    assert poll["poll"]["total_voter_count"] == 1
    assert answer["poll_answer"]["option_ids"] == [1]
    assert made.ask("stopPoll", chat_id=made.ann, message_id=sent["message_id"])["is_closed"]
    with pytest.raises(CannotDo):
        made.world.phones.vote(made.ann, made.bot.id, sent["message_id"], [0])


def test_content_that_no_client_can_send_is_refused() -> None:
    made = small_world()
    for content in ({"text": ""}, {"text": "x" * 4097}, {"nonsense": 1}, {"contact": {}}, {"dice": {"emoji": "x"}}):
        with pytest.raises(CannotDo):
            made.world.phones.send(made.ann, made.bot.id, content)
    assert made.updates() == []
