"""Webhooks: order within a queue, retries, answers. There is no HTTP here: the tests give the answers."""

import msgspec
import pytest

from botapi_sandbox import Answer, Waiting
from botapi_sandbox.world.webhooks import Delivery
from tests.botapi_sandbox.small_world import SmallWorld, small_world

URL = "https://localhost/hook"


@pytest.fixture
def made() -> SmallWorld:
    """A bot with a webhook."""
    hooked = small_world()
    hooked.ask("setWebhook", url=URL, secret_token="s3cret", max_connections=10)
    return hooked


def due(made: SmallWorld) -> list[Delivery]:
    return made.world.webhooks.due(made.bot.id)


def text(delivery: Delivery) -> str:
    update = msgspec.json.decode(delivery.body)
    message = update.get("message") or update["callback_query"]
    found: str = message.get("text") or message["data"]
    return found


def test_a_delivery_carries_the_update_and_the_secret(made: SmallWorld) -> None:
    made.write("one")
    (delivery,) = due(made)
    assert (delivery.url, delivery.secret, text(delivery)) == (URL, "s3cret", "one")


def test_the_next_message_of_a_chat_waits_but_other_chats_do_not(made: SmallWorld) -> None:
    made.write("one")
    made.write("two")
    made.world.phones.write(made.bob, made.bot.id, "bob's")
    first = due(made)
    assert [text(each) for each in first] == ["one", "bob's"]
    assert due(made) == []
    made.world.webhooks.answered(first[0], 200)
    assert [text(each) for each in due(made)] == ["two"]


def test_a_press_may_overtake_a_message_of_the_same_person(made: SmallWorld) -> None:
    made.write("one")
    made.world.phones.press_data(made.ann, made.bot.id, 1, "pressed")
    assert sorted(text(each) for each in due(made)) == ["one", "pressed"]


def test_there_are_never_more_requests_in_flight_than_connections() -> None:
    made = small_world()
    made.ask("setWebhook", url=URL, max_connections=1)
    made.write("one")
    made.world.phones.write(made.bob, made.bot.id, "bob's")
    assert len(due(made)) == 1
    assert due(made) == []


def test_only_a_2xx_confirms_an_update(made: SmallWorld) -> None:
    made.write("one")
    (delivery,) = due(made)
    made.world.webhooks.answered(delivery, 500)
    assert len(made.bot.queue.items) == 1
    (again,) = due(made)
    made.world.webhooks.answered(again, 201)
    assert made.bot.queue.items == []
    assert made.world.journal.after(0)[-1]["update_ids"] == [delivery.update_id]


def test_retries_back_off_up_to_a_minute_or_two(made: SmallWorld) -> None:
    made.write("one")
    waits = []
    for _ in range(10):
        (delivery,) = due(made)
        made.world.webhooks.answered(delivery, None, error="Connection refused")
        at = made.world.webhooks.next_due(made.bot.id)
        assert at is not None
        waits.append(at - made.clock.now)
        made.clock.now = at
    assert waits[:6] == [0, 2, 4, 8, 16, 32]
    assert all(60 <= wait <= 120 for wait in waits[6:])
    info = made.ask("getWebhookInfo")
    assert (info["last_error_message"], info["pending_update_count"]) == ("Connection refused", 1)


def test_retry_after_is_respected_up_to_an_hour(made: SmallWorld) -> None:
    made.write("one")
    for asked, given in ((30.0, 30.0), (9000.0, 3600.0)):
        (delivery,) = due(made)
        made.world.webhooks.answered(delivery, 503, retry_after_s=asked)
        at = made.world.webhooks.next_due(made.bot.id)
        assert at is not None
        assert at - made.clock.now == pytest.approx(given)
        made.clock.now = at


def test_a_webhook_that_answers_410_for_23_hours_is_removed(made: SmallWorld) -> None:
    made.write("one")
    made.world.webhooks.answered(due(made)[0], 410)
    made.clock.pass_by(23 * 3600)
    made.world.webhooks.answered(due(made)[0], 410)
    assert made.ask("getWebhookInfo")["url"] == ""


def test_a_method_call_in_the_answer_is_carried_out(made: SmallWorld) -> None:
    made.write("one")
    reply = {"method": "sendMessage", "chat_id": made.ann, "text": "from the answer"}
    made.world.webhooks.answered(due(made)[0], 200, reply=reply)
    assert [held.message.get("text") for held in made.bot.chats[made.ann].messages.values()][-1] == "from the answer"
    made.write("two")
    made.world.webhooks.answered(due(made)[0], 200, reply={"method": "deleteWebhook"})
    assert made.ask("getWebhookInfo")["url"] == URL


def test_expired_updates_are_not_delivered(made: SmallWorld) -> None:
    made.write("one")
    made.clock.pass_by(86400)
    assert due(made) == []


def test_a_bot_cannot_poll_while_a_webhook_is_set(made: SmallWorld) -> None:
    refused = made.poll()
    assert isinstance(refused, Answer)
    assert refused.status == 409
    made.ask("deleteWebhook")
    waiting = made.poll(timeout=30)
    assert isinstance(waiting, Waiting)
    made.clock.pass_by(4)
    made.ask("setWebhook", url=URL)
    ended = made.world.resume(waiting)
    assert isinstance(ended, Answer)
    assert ended.json()["description"] == "Conflict: terminated by setWebhook request"


def test_an_answer_after_the_webhook_was_deleted_is_ignored(made: SmallWorld) -> None:
    made.write("one")
    (delivery,) = due(made)
    made.ask("deleteWebhook")
    made.world.webhooks.answered(delivery, 200)
    assert [update["message"]["text"] for update in made.updates()] == ["one"]


def test_pending_updates_are_dropped_only_on_request(made: SmallWorld) -> None:
    made.write("one")
    made.ask("deleteWebhook")
    assert len(made.bot.queue.items) == 1
    made.ask("deleteWebhook", drop_pending_updates=True)
    assert made.bot.queue.items == []
    assert made.world.journal.after(0)[-2]["reason"] == "drop_pending"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"url": "ftp://x"}, "bad webhook: invalid webhook URL specified"),
        ({"secret_token": "späce"}, "secret token contains unallowed characters"),
        ({"secret_token": "x" * 257}, "secret token is too long"),
    ],
)
def test_an_invalid_webhook_is_refused(change: dict[str, str], why: str) -> None:
    assert small_world().refusal("setWebhook", **{"url": URL, **change})[1] == f"Bad Request: {why}"


def test_setting_a_webhook_twice_in_a_second_is_refused() -> None:
    made = small_world(limits=True)
    made.ask("setWebhook", url=URL)
    assert made.refusal("setWebhook", url=URL)[0] == 429


def test_a_new_address_starts_without_the_failures_of_the_old_one(made: SmallWorld) -> None:
    made.write()
    for _ in range(3):
        made.clock.pass_by(60)
        (delivery,) = due(made)
        made.world.webhooks.answered(delivery, 500)
    assert due(made) == []
    made.clock.pass_by(2)
    made.ask("setWebhook", url=delivery.url)
    assert due(made) == [], "the same address keeps its back-off"
    made.clock.pass_by(1)
    made.ask("setWebhook", url="http://127.0.0.1:9/elsewhere")
    assert [each.url for each in due(made)] == ["http://127.0.0.1:9/elsewhere"]
