"""copyMessage(s) and forwardMessage(s): what is kept, what is made new, what is refused."""

from typing import Any

import pytest

from botapi_sandbox.world.people import FILE_KINDS
from tests.botapi_sandbox.small_world import SmallWorld, small_world

INVITED = {"chats": [{"id": -1, "type": "channel", "title": "C"}], "winners_selection_date": 1, "winner_count": 1}


def copy(made: SmallWorld, message: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Ann's message, copied to Bob."""
    result = made.ask("copyMessage", chat_id=made.bob, from_chat_id=made.ann, message_id=message["message_id"], **more)
    return made.held(result["message_id"], made.bob)


def content(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key not in ("message_id", "from", "chat", "date")}


def test_a_copy_has_no_author_but_keeps_every_entity() -> None:
    made = small_world()
    mention = {"type": "text_mention", "offset": 0, "length": 2, "user": {"id": made.ann}}
    written = made.write("me and @somebody at x.com", entities=[mention])
    arrived = copy(made, written)
    assert arrived["from"]["id"] == made.bot.id
    assert content(arrived) == content(written)
    assert arrived["entities"][0]["user"]["id"] == made.ann
    assert "forward_origin" not in arrived


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_every_kind_of_file_is_copied_with_the_same_file(kind: str) -> None:
    made = small_world()
    sent = made.world.phones.send(made.ann, made.bot.id, {kind: {}})
    assert content(copy(made, sent)) == content(sent)


def test_a_caption_is_kept_replaced_or_removed() -> None:
    made = small_world()
    bold = [{"type": "bold", "offset": 0, "length": 3}]
    sent = made.world.phones.send(
        made.ann, made.bot.id, {"photo": {}, "caption": "old", "caption_entities": bold, "has_media_spoiler": True}
    )
    kept = copy(made, sent)
    assert (kept["caption"], kept["caption_entities"], kept["has_media_spoiler"]) == ("old", bold, True)
    replaced = copy(made, sent, caption="new")
    assert (replaced["caption"], "caption_entities" in replaced) == ("new", False)
    assert "caption" not in copy(made, sent, caption="")


def test_a_copy_has_its_own_reply_and_keyboard() -> None:
    made = small_world()
    anchor = made.ask("sendMessage", chat_id=made.bob, text="anchor")
    question = made.write("q")
    written = made.write("a", reply_to=question["message_id"])
    assert "reply_to_message" not in copy(made, written)
    arrived = copy(made, written, reply_parameters={"message_id": anchor["message_id"]})
    assert arrived["reply_to_message"]["text"] == "anchor"


def test_a_copied_dice_is_thrown_again() -> None:
    made = small_world()
    sent = made.world.phones.send(made.ann, made.bot.id, {"dice": {"emoji": "🎰", "value": 64}})
    values = {copy(made, sent)["dice"]["value"] for _ in range(20)}
    assert len(values) > 1


def test_a_copied_live_location_becomes_a_fixed_point() -> None:
    made = small_world()
    live = {"latitude": 1.0, "longitude": 2.0, "live_period": 600, "heading": 3}
    sent = made.world.phones.send(made.ann, made.bot.id, {"location": live})
    assert copy(made, sent)["location"] == {"latitude": 1.0, "longitude": 2.0}


def test_a_copied_poll_starts_without_votes() -> None:
    made = small_world()
    sent = made.world.phones.send(made.ann, made.bot.id, {"poll": {"question": "Q?", "options": ["a", "b"]}})
    made.world.phones.vote(made.ann, made.bot.id, sent["message_id"], [0])
    arrived = copy(made, sent)
    assert arrived["poll"]["id"] != sent["poll"]["id"]
    assert [option["voter_count"] for option in arrived["poll"]["options"]] == [0, 0]


def test_a_quiz_is_copied_only_if_its_answer_is_known() -> None:
    made = small_world()
    quiz = {"question": "Q?", "options": ["a", "b"], "type": "quiz"}
    known = made.world.phones.send(made.ann, made.bot.id, {"poll": {**quiz, "correct_option_ids": [1]}})
    unknown = made.world.phones.send(made.ann, made.bot.id, {"poll": quiz})
    assert copy(made, known)["poll"]["correct_option_ids"] == [1]
    refused = made.refusal("copyMessage", chat_id=made.bob, from_chat_id=made.ann, message_id=unknown["message_id"])
    assert refused == (400, "Bad Request: the message can't be copied")


def test_a_copied_checklist_loses_its_ticks() -> None:
    made = small_world()
    ticked = {
        "id": 1,
        "text": "t",
        "completion_date": 5,
        "completed_by_user": {"id": 1, "is_bot": False, "first_name": "A"},
    }
    sent = made.world.phones.send(made.ann, made.bot.id, {"checklist": {"title": "L", "tasks": [ticked]}})
    assert copy(made, sent)["checklist"]["tasks"] == [{"id": 1, "text": "t"}]


@pytest.mark.parametrize(
    "refused",
    [
        {"giveaway": INVITED},
        {"story": {"chat": {"id": 1, "type": "private"}, "id": 1}},
        {"game": {"title": "g", "description": "d", "photo": []}},
        {"paid_media": {"star_count": 1, "paid_media": []}},
        {"pinned_message": {"chat": {"id": 1, "type": "private"}, "message_id": 1, "date": 0}},
        {"invoice": {"title": "t", "description": "d", "start_parameter": "", "currency": "XTR", "total_amount": 1}},
    ],
    ids=lambda refused: next(iter(refused)),
)
def test_some_content_can_never_be_copied(refused: dict[str, Any]) -> None:
    made = small_world()
    sent = made.world.phones.send(made.ann, made.bot.id, refused)
    answer = made.refusal("copyMessage", chat_id=made.bob, from_chat_id=made.ann, message_id=sent["message_id"])
    assert answer == (400, "Bad Request: the message can't be copied")


def test_only_existing_messages_can_be_copied() -> None:
    made = small_world()
    refused = made.refusal("copyMessage", chat_id=made.bob, from_chat_id=made.ann, message_id=999)
    assert refused == (400, "Bad Request: message to copy not found")
    stranger = made.world.add_person().id
    assert made.refusal("copyMessage", chat_id=made.bob, from_chat_id=stranger, message_id=1)[1].endswith(
        "chat not found"
    )


def test_a_bot_cannot_copy_from_another_bots_chat() -> None:
    made = small_world()
    other = made.world.add_bot()
    made.world.phones.start(made.bob, other.id)
    written = made.write()
    refused = made.refusal(
        "copyMessage", bot=other, chat_id=made.bob, from_chat_id=made.ann, message_id=written["message_id"]
    )
    assert refused == (400, "Bad Request: chat not found")


def test_protected_content_can_be_copied_but_not_forwarded() -> None:
    made = small_world()
    sent = made.ask("sendMessage", chat_id=made.ann, text="secret", protect_content=True)
    assert content(copy(made, sent)) == {"text": "secret"}
    refused = made.refusal("forwardMessage", chat_id=made.bob, from_chat_id=made.ann, message_id=sent["message_id"])
    assert refused == (400, "Bad Request: message has protected content and can't be forwarded")


def test_a_forward_names_the_original_author() -> None:
    made = small_world()
    written = made.write()
    first = made.ask("forwardMessage", chat_id=made.bob, from_chat_id=made.ann, message_id=written["message_id"])
    second = made.ask("forwardMessage", chat_id=made.ann, from_chat_id=made.bob, message_id=first["message_id"])
    assert second["forward_origin"]["sender_user"]["id"] == made.ann


def many(made: SmallWorld, method: str, ids: list[int], **more: Any) -> Any:
    return made.answer(method, chat_id=made.bob, from_chat_id=made.ann, message_ids=ids, **more).json()


def test_copies_keep_order_and_albums_and_skip_missing_messages() -> None:
    made = small_world()
    album = made.world.phones.album(made.ann, made.bot.id, [{"photo": {}, "caption": "c"}, {"video": {}}])
    ids = [item["message_id"] for item in album]
    answer = many(made, "copyMessages", [*ids, 999], remove_caption=True)
    arrived = [made.held(each["message_id"], made.bob) for each in answer["result"]]
    assert [("photo" in each, "video" in each) for each in arrived] == [(True, False), (False, True)]
    assert arrived[0]["media_group_id"] == arrived[1]["media_group_id"] != album[0]["media_group_id"]
    assert "caption" not in arrived[0]


def test_copy_messages_can_answer_an_error_after_sending_some() -> None:
    made = small_world(copy_messages_half=True)
    ids = [made.write(text)["message_id"] for text in ("a", "b")]
    made.world.phones.delete(made.ann, made.bot.id, ids[0])
    answer = many(made, "copyMessages", ids)
    assert answer["description"].startswith("Bad Request: failed to send message #1")
    assert [each.message.get("text") for each in made.bot.chats[made.bob].messages.values()][-1] == "b"
    assert made.world.journal.after(0)[-1]["message_ids"] == [max(made.bot.chats[made.bob].messages)]


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        ([], "message identifiers are not specified"),
        ([2, 1], "message identifiers must be in a strictly increasing order"),
        ([1, 1], "message identifiers must be in a strictly increasing order"),
        (list(range(1, 102)), "too many messages to copy"),
        ([998, 999], "message to copy not found"),
    ],
)
def test_a_wrong_list_of_messages_is_refused(ids: list[int], why: str) -> None:
    assert many(small_world(), "copyMessages", ids)["description"] == f"Bad Request: {why}"


def test_a_file_forwarded_to_another_bot_gets_another_id() -> None:
    made = small_world()
    other = made.world.add_bot()
    made.world.phones.start(made.ann, other.id)
    sent = made.world.phones.send(made.ann, made.bot.id, {"document": {"file_name": "a.txt"}})
    forwarded = made.world.phones.forward(made.ann, made.bot.id, sent["message_id"], other.id)
    assert forwarded["document"]["file_unique_id"] == sent["document"]["file_unique_id"]
    assert forwarded["document"]["file_id"] != sent["document"]["file_id"]
    assert forwarded["forward_origin"]["sender_user"]["id"] == made.ann
