"""Flood limits, and faults on purpose."""

import random

import msgspec
import pytest

from botapi_sandbox import Answer
from botapi_sandbox.world.faults import Fault, choose
from tests.botapi_sandbox.small_world import SmallWorld, small_world


def test_one_chat_allows_a_burst_and_then_one_message_a_second() -> None:
    made = small_world(limits=True)
    for _ in range(20):
        made.ask("sendMessage", chat_id=made.ann, text="x")
    refused = made.answer("sendMessage", chat_id=made.ann, text="x")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json() == {
        "ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }  # fmt: skip
    made.ask("sendMessage", chat_id=made.bob, text="another chat")
    made.clock.pass_by(1)
    made.ask("sendMessage", chat_id=made.ann, text="x")
    assert made.refusal("sendMessage", chat_id=made.ann, text="x")[0] == 429


def test_a_bot_can_send_thirty_messages_a_second_over_all_chats() -> None:
    made = small_world(limits=True)
    people = [made.ann, made.bob, made.world.add_person().id]
    made.world.phones.start(people[2], made.bot.id)
    outcomes = [made.answer("sendMessage", chat_id=people[index % 3], text="x").status for index in range(31)]
    assert outcomes == [200] * 30 + [429]
    other = made.world.add_bot()
    made.world.phones.start(made.ann, other.id)
    made.ask("sendMessage", bot=other, chat_id=made.ann, text="another bot has its own")


def test_an_album_counts_all_its_items_and_is_sent_completely_or_not_at_all() -> None:
    made = small_world(limits=True, chat_burst=4.0)
    file_id = made.world.phones.send(made.ann, made.bot.id, {"photo": {}})["photo"][-1]["file_id"]
    items = [{"type": "photo", "media": file_id}] * 3
    made.ask("sendMediaGroup", chat_id=made.ann, media=items)
    before = len(made.bot.chats[made.ann].messages)
    refused = made.answer("sendMediaGroup", chat_id=made.ann, media=items)
    assert (refused.status, refused.json()["parameters"]) == (429, {"retry_after": 2})
    assert len(made.bot.chats[made.ann].messages) == before
    made.clock.pass_by(2)
    made.ask("sendMediaGroup", chat_id=made.ann, media=items)


def test_only_messages_count_against_the_limits() -> None:
    made = small_world(limits=True, chat_burst=1.0)
    sent = made.ask("sendMessage", chat_id=made.ann, text="x")
    for _ in range(3):
        made.ask("sendChatAction", chat_id=made.ann, action="typing")
        made.ask("getChat", chat_id=made.ann)
    made.ask("deleteMessage", chat_id=made.ann, message_id=sent["message_id"])


def spoil(made: SmallWorld, **fault: object) -> Answer:
    made.world.faults = [msgspec.convert(fault, Fault)]
    return made.answer("sendMessage", chat_id=made.ann, text="x")


def arrived(made: SmallWorld) -> int:
    return sum(not held.outgoing for held in made.bot.chats[made.ann].messages.values())


@pytest.mark.parametrize(
    ("fault", "status", "how", "happened"),
    [
        ({"kind": "429", "retry_after": 7}, 429, None, 0),
        ({"kind": "401"}, 401, None, 0),
        ({"kind": "500"}, 500, None, 0),
        ({"kind": "500", "effect": True}, 500, None, 1),
        ({"kind": "502"}, 502, None, 0),
        ({"kind": "502", "effect": True}, 502, None, 1),
        ({"kind": "slow", "delay_s": 3.0}, 200, None, 1),
        ({"kind": "stall"}, 0, "stall", 0),
        ({"kind": "stall", "effect": True}, 200, "stall", 1),
        ({"kind": "reset_before"}, 0, "reset_before", 0),
        ({"kind": "reset_after"}, 200, "reset_after", 1),
    ],
)
def test_each_fault_has_its_effect(fault: dict[str, object], status: int, how: str | None, happened: int) -> None:
    made = small_world()
    answer = spoil(made, **fault)
    assert (answer.status, answer.fault, arrived(made)) == (status, how, happened)
    assert answer.delay_s == fault.get("delay_s", 0.0)
    entry = made.world.journal.after(0)[-1]
    assert (entry["fault"], len(entry.get("message_ids", []))) == (fault["kind"], happened)


def test_the_502_is_html_and_the_500_json() -> None:
    made = small_world()
    gateway, internal = spoil(made, kind="502"), spoil(made, kind="500")
    assert gateway.headers["Content-Type"] == "text/html"
    assert gateway.body.startswith(b"<html>")
    assert internal.json()["description"] == "Internal Server Error: restart"


def test_a_fault_can_be_restricted_and_counted() -> None:
    made = small_world()
    other = made.world.add_bot()
    made.world.phones.start(made.ann, other.id)
    made.world.faults = [Fault(kind="500", bot=made.bot.id, method="send*", chat=made.ann, count=2, skip=1)]
    statuses = [made.answer("sendMessage", chat_id=made.ann, text="x").status for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]
    made.world.faults = [Fault(kind="500", bot=made.bot.id, method="send*", chat=made.ann)]
    assert made.answer("sendMessage", bot=other, chat_id=made.ann, text="x").status == 200
    assert made.answer("sendMessage", chat_id=made.bob, text="x").status == 200
    assert made.answer("getMe").status == 200


def test_a_fault_acts_with_the_given_probability() -> None:
    faults, rng = [Fault(kind="500", probability=0.25)], random.Random(1)
    struck = sum(choose(faults, rng, 1, "getme", None) is not None for _ in range(2000))
    assert 400 < struck < 600


def test_faults_also_affect_polls_and_downloads() -> None:
    made = small_world()
    made.world.faults = [Fault(kind="502", method="getUpdates"), Fault(kind="reset_before", method="download")]
    polled = made.poll()
    assert isinstance(polled, Answer)
    assert polled.status == 502
    fetched = made.world.fetch_file(made.bot.token, "documents/file_1")
    assert isinstance(fetched, Answer)
    assert fetched.fault == "reset_before"


def test_updates_in_a_lost_answer_are_delivered_again() -> None:
    made = small_world()
    made.write("once")
    made.world.faults = [Fault(kind="reset_after", method="getUpdates", count=1)]
    lost = made.poll(offset=made.offset)
    assert isinstance(lost, Answer)
    assert lost.fault == "reset_after"
    made.clock.pass_by(4)
    assert [update["message"]["text"] for update in made.updates()] == ["once"]


def test_an_invalid_fault_is_refused() -> None:
    for wrong in ({"kind": "boom"}, {"kind": "500", "chance": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, Fault)
