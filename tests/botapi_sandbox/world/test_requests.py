"""Checks before a method runs: wrong tokens, unknown methods, requests that do not fit the schema."""

import random
from typing import Any

import pytest

from botapi_sandbox import Switches, World
from botapi_sandbox.world.schema import bot_api_schema
from botapi_sandbox.world.values import Mismatch, utf16_len
from tests.botapi_sandbox.small_world import Clock, small_world


def test_a_wrong_token_is_unauthorized_and_a_malformed_one_is_not_found() -> None:
    made = small_world()
    wrong = made.world.call("1000009:" + "x" * 35, "getMe", {})
    none = made.world.call("nonsense", "getMe", {})
    assert (wrong.status, wrong.json()["description"]) == (401, "Unauthorized")
    assert (none.status, none.json()["description"]) == (404, "Not Found")


def test_a_revoked_token_is_unauthorized() -> None:
    made = small_world()
    made.bot.revoked = True
    assert made.refusal("getMe") == (401, "Unauthorized")


def test_method_names_ignore_case_and_unknown_ones_are_not_found() -> None:
    made = small_world()
    assert made.ask("GETME")["id"] == made.bot.id
    assert made.refusal("getYou") == (404, "Not Found: method not found")


def test_the_sandbox_names_methods_it_does_not_support() -> None:
    assert small_world().refusal("getAvailableGifts") == (
        400,
        "Bad Request: the sandbox does not support getAvailableGifts yet",
    )


def test_an_unknown_parameter_is_refused_and_written_to_the_journal() -> None:
    made = small_world()
    refused = made.refusal("sendMessage", chat_id=made.ann, text="x", txet="y")
    assert refused == (400, "Bad Request: sendMessage has no parameter txet in Bot API 10.3")
    assert "txet" in made.world.journal.after(0)[-1]["error"]


def test_an_unknown_parameter_inside_an_object_is_refused_too() -> None:
    made = small_world()
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "y", "colour": "red"}]]}
    _, description = made.refusal("sendMessage", chat_id=made.ann, text="x", reply_markup=markup)
    assert description == "Bad Request: sendMessage has no parameter InlineKeyboardButton.colour in Bot API 10.3"


def test_a_lenient_sandbox_accepts_unknown_parameters_and_notes_them() -> None:
    made = small_world(strict=False)
    made.ask("sendMessage", chat_id=made.ann, text="x", txet="y")
    assert made.world.journal.after(0)[-1]["unknown"] == ["sendMessage.txet"]


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": 1}, "message text is empty"),
        ("sendMessage", {"chat_id": 1, "text": " \n "}, "message text is empty"),
        ("sendPhoto", {"chat_id": 1}, "there is no photo in the request"),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": "{"}, "object expected as reply markup"),
        ("copyMessage", {"chat_id": 1, "from_chat_id": 1}, "message identifier is not specified"),
        ("getFile", {}, "file_id not specified"),
        ("setMyName", {"name": 5, "nom": 1}, "setMyName has no parameter nom in Bot API 10.3"),
        ("sendLocation", {"chat_id": 1, "latitude": "x", "longitude": 1}, "failed to parse latitude"),
        ("sendVenue", {"chat_id": 1, "latitude": 1, "longitude": 1, "title": "t"}, 'parameter "address" is required'),
    ],
)
def test_errors_have_telegrams_words(method: str, params: dict[str, Any], text: str) -> None:
    made = small_world()
    if params.get("chat_id") == 1:
        params = {**params, "chat_id": made.ann}
    assert made.refusal(method, **params) == (400, f"Bad Request: {text}")


def test_form_values_are_converted_to_their_types() -> None:
    made = small_world()
    sent = made.ask(
        "sendMessage",
        chat_id=str(made.ann),
        text="x",
        protect_content="true",
        entities='[{"type":"bold","offset":"0","length":1}]',
        reply_markup='{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}',
    )
    assert sent["has_protected_content"] is True
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 1}]
    assert sent["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "b"


def test_lengths_are_counted_in_utf16_units() -> None:
    made = small_world()
    assert utf16_len("a😀") == 3
    made.ask(
        "answerCallbackQuery",
        callback_query_id=made.world.phones.press_data(made.ann, made.bot.id, 1, "x"),
        text="😀" * 100,
    )
    query = made.world.phones.press_data(made.ann, made.bot.id, 1, "x")
    assert made.refusal("answerCallbackQuery", callback_query_id=query, text="😀" * 101)[0] == 400


def test_a_mention_needs_only_the_users_id() -> None:
    made = small_world()
    mention = {"type": "text_mention", "offset": 0, "length": 1, "user": {"id": made.bob}}
    sent = made.ask("sendMessage", chat_id=made.ann, text="x", entities=[mention])
    assert sent["entities"][0]["user"]["first_name"] == "Bob"


def test_a_live_location_may_last_until_it_is_stopped() -> None:
    made = small_world()
    where = {"chat_id": made.ann, "latitude": 1, "longitude": 2}
    assert made.ask("sendLocation", **where, live_period=0x7FFFFFFF)["location"]["live_period"] == 0x7FFFFFFF
    assert made.refusal("sendLocation", **where, live_period=59)[0] == 400


def test_the_sandboxs_own_output_is_checked_exactly() -> None:
    book = bot_api_schema().emissions
    book.verify({"message_id": 1}, "MessageId")
    for wrong in ({"message_id": "1"}, {"message_id": 1, "more": 2}, {}, {"message_id": True}):
        with pytest.raises(Mismatch):
            book.verify(wrong, "MessageId")


def test_every_type_of_the_schema_compiles() -> None:
    book = bot_api_schema().emissions
    for name in book._types:
        book._type(name)
    assert len(book.methods) == 185


def test_the_same_seed_and_calls_give_the_same_world() -> None:
    def story() -> list[bytes]:
        clock = Clock()
        world = World(clock=clock, rng=random.Random(3), switches=Switches(limits=False))
        bot, person = world.add_bot(), world.add_person()
        world.phones.start(person.id, bot.id)
        world.phones.send(person.id, bot.id, {"photo": {}})
        answers = [world.call(bot.token, "sendDice", {"chat_id": person.id}), world.call(bot.token, "getUpdates", {})]
        return [answer.body for answer in answers]

    assert story() == story()


def test_tokens_depend_on_the_seed_and_do_not_look_like_telegrams() -> None:
    tokens = [World(clock=Clock(), seed=seed).add_bot().token for seed in (1, 1, 2)]
    assert tokens[0] == tokens[1] != tokens[2]
    secret = tokens[0].partition(":")[2]
    assert len(secret) == 35
    assert secret.startswith("sandbox-")
