"""Updates become events, whatever they contain, and nothing about their sender comes along."""

import json
from typing import Any

import msgspec
import pytest

from passerby.adapters.botapi import wire
from passerby.adapters.botapi.bot_api import ALLOWED_UPDATES
from passerby.adapters.botapi.decode import arrivals
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.event import (
    BotBlocked,
    BotUnblocked,
    ButtonPressed,
    ChannelJoined,
    ChannelLeft,
    Event,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    Unusable,
)
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import ChargeId, Payment, SubscriptionState
from passerby.kernel.money_event import CheckoutAsked, PaymentRefunded, PaymentSettled, SubscriptionUpdated
from tests.adapters.botapi.bot_api import A
from tests.adapters.botapi.specimens import CANARY, CANARY_ID, fields, fullest, schema, smallest

PERSON = {"id": 42, "is_bot": False, "first_name": "Ann", "language_code": "de"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Ann"}
GROUP = {"id": -100, "type": "supergroup", "title": "Friends"}


def decoded(*updates: dict[str, Any]) -> list[Event]:
    body = json.dumps({"ok": True, "result": [{"update_id": 7 + n, **u} for n, u in enumerate(updates)]}).encode()
    found = arrivals(body, A)
    assert [arrival.ref for arrival in found] == [(A, 7 + n) for n in range(len(updates))]
    return [arrival.event for arrival in found]


def message(**members: Any) -> dict[str, Any]:
    return {"message_id": 5, "date": 1700000000, "chat": PRIVATE, "from": PERSON, **members}


def content(**members: Any) -> Content:
    (event,) = decoded({"message": message(**members)})
    assert isinstance(event, MessageReceived)
    return event.contents[0]


def test_a_text_message_is_read_completely() -> None:
    (event,) = decoded(
        {
            "message": message(
                text="hello there",
                entities=[
                    {"type": "bold", "offset": 0, "length": 5},
                    {"type": "text_mention", "offset": 6, "length": 5, "user": PERSON},
                ],
                reply_to_message=message(message_id=3, text="old"),
                quote={"text": "ol", "position": 1},
                has_protected_content=True,
                effect_id="9",
            )
        }
    )
    assert event == MessageReceived(
        person=42,  # type: ignore[arg-type]
        bot=A,
        messages=(5,),  # type: ignore[arg-type]
        contents=(
            Content(
                Kind.TEXT,
                "hello there",
                (Entity("bold", 0, 5), Entity("text_mention", 6, 5)),
                protected=True,
                effect="9",
            ),
        ),
        sent_at=1700000000.0,
        reply_to=3,  # type: ignore[arg-type]
        quote="ol",
        quote_position=1,
        language="de",
    )


def test_the_largest_size_of_a_photo_is_used() -> None:
    sizes = [
        {"file_id": f"{width}", "file_unique_id": f"u{width}", "width": width, "height": 10, "file_size": width}
        for width in (90, 1280, 320)
    ]
    members = {"has_media_spoiler": True, "show_caption_above_media": True, "media_group_id": "g"}
    assert content(photo=sizes, caption="look", **members) == Content(
        Kind.PHOTO, "look", file=File("1280", "u1280", 1280), spoiler=True, caption_above=True, group="g"
    )


def test_a_file_name_is_kept_separately() -> None:
    sent = {"file_id": "f", "file_unique_id": "u", "file_name": "x.pdf", "mime_type": "application/pdf", "file_size": 2}
    assert content(document=sent) == Content(Kind.DOCUMENT, file=File("f", "u", 2, "x.pdf", "application/pdf"))


MEDIA = {"file_id": "f", "file_unique_id": "u"}
SIZE = {**MEDIA, "width": 3, "height": 2}


@pytest.mark.parametrize(
    ("members", "kind", "detail"),
    [
        (
            {"animation": {**SIZE, "duration": 4}, "document": MEDIA},
            Kind.ANIMATION,
            {"width": 3, "height": 2, "duration": 4},
        ),
        (
            {"live_photo": {**SIZE, "duration": 4}, "photo": [SIZE]},
            Kind.LIVE_PHOTO,
            {"width": 3, "height": 2, "duration": 4, "photo": {"file_id": "f", "unique": "u"}},
        ),
        ({"video": {**SIZE, "duration": 0}}, Kind.VIDEO, {"width": 3, "height": 2}),
        ({"video_note": {**MEDIA, "length": 9, "duration": 4}}, Kind.VIDEO_NOTE, {"length": 9, "duration": 4}),
        ({"voice": {**MEDIA, "duration": 4}}, Kind.VOICE, {"duration": 4}),
        ({"audio": {**MEDIA, "duration": 4, "title": "T", "performer": "P"}}, Kind.AUDIO, {"duration": 4}),
        (
            {
                "sticker": {
                    **SIZE,
                    "type": "regular",
                    "is_animated": True,
                    "is_video": False,
                    "set_name": "s",
                    "emoji": "🐈",
                }
            },
            Kind.STICKER,
            {"format": "animated", "set_name": "s", "emoji": "🐈"},
        ),
        ({"dice": {"emoji": "🎲", "value": 6}}, Kind.DICE, {"emoji": "🎲", "value": 6}),
        (
            {"location": {"latitude": 1, "longitude": 2.5, "live_period": 60}},
            Kind.LOCATION,
            {"latitude": 1.0, "longitude": 2.5, "live_period": 60},
        ),
        (
            {
                "venue": {"location": {"latitude": 1, "longitude": 2}, "title": "Cafe", "address": "A"},
                "location": {"latitude": 1, "longitude": 2},
            },
            Kind.VENUE,
            {"location": {"latitude": 1.0, "longitude": 2.0}, "title": "Cafe", "address": "A"},
        ),
        (
            {"contact": {"phone_number": "+1", "first_name": "B", "user_id": 8}},
            Kind.CONTACT,
            {"phone_number": "+1", "first_name": "B"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_keeps_what_is_needed_to_rebuild_it(members: Any, kind: Kind, detail: Any) -> None:
    found = content(**members)
    assert (found.kind, found.detail) == (kind, detail)


def test_a_poll_keeps_its_question_and_answers() -> None:
    mention = {"type": "text_mention", "offset": 0, "length": 1, "user": PERSON}
    emoji = {"type": "custom_emoji", "offset": 0, "length": 1, "custom_emoji_id": "1"}
    poll = smallest("Poll") | {
        "question": "well?",
        "question_entities": [mention, emoji],
        "options": [{"persistent_id": "0", "text": "yes", "voter_count": 1, "text_entities": [mention]}],
        "type": "quiz",
        "correct_option_ids": [0],
        "allows_multiple_answers": False,
    }
    found = content(poll=poll)
    assert (found.kind, found.detail) == (
        Kind.POLL,
        {
            "question": "well?",
            "question_entities": [emoji],
            "options": [{"text": "yes", "text_entities": []}],
            "type": "quiz",
            "correct_option_ids": [0],
        },
    )


_META = {
    "message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat", "sender_boost_count",
    "sender_business_bot", "sender_tag", "receiver_user", "ephemeral_message_id", "date", "guest_query_id",
    "business_connection_id", "chat", "forward_origin", "is_topic_message", "is_automatic_forward",
    "reply_to_message", "external_reply", "quote", "reply_to_story", "reply_to_checklist_task_id",
    "reply_to_poll_option_id", "via_bot", "guest_bot_caller_user", "guest_bot_caller_chat", "edit_date",
    "has_protected_content", "is_from_offline", "is_paid_post", "media_group_id", "author_signature",
    "paid_star_count", "entities", "link_preview_options", "suggested_post_info", "effect_id", "caption",
    "caption_entities", "show_caption_above_media", "has_media_spoiler", "reply_markup",
}  # fmt: skip
PAYMENTS = {"successful_payment", "refunded_payment"}
"""Service messages that become events of their own."""
_KINDS = {kind.value for kind in Kind} - {"service", "unknown"} | {"giveaway_winners"}


def test_every_field_of_a_message_is_content_or_service_or_about_the_message() -> None:
    known = _KINDS | _META | set(wire.SERVICE_FIELDS)
    assert set(fields("Message")) == known
    assert len(known) == len(_KINDS) + len(_META) + len(wire.SERVICE_FIELDS)


@pytest.mark.parametrize("specimen", [smallest, fullest])
@pytest.mark.parametrize("name", sorted(_KINDS | set(wire.SERVICE_FIELDS) - set(wire.TOPIC_FIELDS) - PAYMENTS))
def test_every_kind_that_telegram_knows_is_recognised(name: str, specimen: Any) -> None:
    value = specimen(fields("Message")[name]["types"][0])
    found = content(**{name: value})
    expected = {"giveaway_winners": Kind.GIVEAWAY} | dict.fromkeys(wire.SERVICE_FIELDS, Kind.SERVICE)
    assert found.kind == expected.get(name, name)


def test_an_unheard_of_kind_is_unknown() -> None:
    assert content(hologram={"file_id": "x"}).kind is Kind.UNKNOWN


@pytest.mark.parametrize("name", sorted(_KINDS))
def test_no_content_names_the_sender_or_anybody_else(name: str) -> None:
    everything = {
        meta: fullest(fields("Message")[meta]["types"][0])
        for meta in _META - {"message_id", "date", "chat", "from", "entities", "caption_entities"}
    }
    entity = {"type": "text_mention", "offset": 0, "length": 4, "user": fullest("User")}
    everything |= {"entities": [entity], "caption_entities": [entity]}
    value = fullest(fields("Message")[name]["types"][0])
    shown = msgspec.json.encode(content(**(everything | {name: value}))).decode()
    assert CANARY not in shown
    assert str(CANARY_ID) not in shown
    assert "user" not in shown


def rich(*blocks: Any) -> dict[str, Any]:
    found = content(rich_message={"blocks": list(blocks)})
    assert found.kind is Kind.RICH
    assert found.detail is not None
    return found.detail


def test_a_rich_message_of_formatting_is_kept_whole() -> None:
    blocks = [
        {"type": "heading", "text": {"type": "bold", "text": ["a", {"type": "italic", "text": "b"}]}, "size": 1},
        {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "q"}]},
        {"type": "table", "cells": [[{"text": "c", "align": "left", "valign": "top"}]], "is_striped": True},
        {"type": "divider"},
    ]
    assert rich(*blocks) == {"rebuilt": {"blocks": blocks, "skip_entity_detection": True}, "copyable": True}


@pytest.mark.parametrize(
    "text",
    [
        {"type": "text_mention", "text": "word", "user": {"id": CANARY_ID}},
        {"type": "url", "text": "word", "url": f"tg://user?id={CANARY_ID}"},
        {"type": "mention", "text": "word", "username": str(CANARY_ID)},
        {"type": "phone_number", "text": "word", "phone_number": str(CANARY_ID)},
        {"type": "something_new", "text": "word", "of": CANARY_ID},
    ],
)
def test_links_to_people_in_a_rich_message_become_plain_words(text: Any) -> None:
    found = rich({"type": "paragraph", "text": ["my ", {"type": "bold", "text": text}]})
    blocks = [{"type": "paragraph", "text": ["my ", {"type": "bold", "text": "word"}]}]
    assert found == {"rebuilt": {"blocks": blocks, "skip_entity_detection": True}, "copyable": False}


@pytest.mark.parametrize(
    ("block", "copyable"),
    [
        ({"type": "photo", "photo": [SIZE]}, True),
        ({"type": "document", "document": MEDIA}, True),
        ({"type": "document", "document": {**MEDIA, "file_name": "Ann.pdf"}}, False),
        ({"type": "photo", "photo": [SIZE], "caption": {"text": {"type": "mention", "text": "x"}}}, False),
        ({"type": "hologram"}, False),
        ({"type": "paragraph"}, True),
        ({"no": "type"}, False),
        ("not a block", False),
    ],
)
def test_a_rich_message_with_more_than_text_is_copied_or_not_sent_at_all(block: Any, copyable: bool) -> None:
    found = rich({"type": "paragraph", "text": "a"}, block)
    assert found["copyable"] is copyable
    assert (found["rebuilt"] is None) == (block != {"type": "paragraph"})


def test_every_block_that_telegram_knows_decodes() -> None:
    for name in schema()["types"]["RichBlock"]["one_of"]:
        for specimen in (smallest, fullest):
            rich(specimen(name))


def test_an_edit_has_its_time() -> None:
    (dated, undated) = decoded(
        {"edited_message": message(text="new", edit_date=1700000009)}, {"edited_message": message(text="new")}
    )
    assert isinstance(dated, MessageEdited)
    assert isinstance(undated, MessageEdited)
    assert (dated.message, dated.content.text, dated.edited_at) == (5, "new", 1700000009.0)
    assert undated.edited_at == 1700000000.0


def query(**members: Any) -> dict[str, Any]:
    base = {"id": "q", "from": PERSON, "chat_instance": "c", "message": message(text="menu"), "data": "next:abc:1"}
    return {"callback_query": base | members}


@pytest.mark.parametrize(
    ("members", "action", "token", "at"),
    [
        ({}, "next", "abc:1", 5),
        ({"data": "next"}, "next", "", 5),
        ({"message": {"chat": PRIVATE, "message_id": 5, "date": 0}}, "next", "abc:1", 5),
    ],
)
def test_a_press_is_split_into_action_and_token(members: Any, action: str, token: str, at: int) -> None:
    (event,) = decoded(query(**members))
    assert event == ButtonPressed(42, A, "q", at, action, token, "de")  # type: ignore[arg-type]


def test_a_press_brings_the_pressers_own_message_that_the_notice_replies_to() -> None:
    own, ours = message(message_id=3, text="mine"), message(message_id=3, text="ours", **{"from": {"id": A}})
    for answered, subject in ((own, 3), (ours, None), (None, None)):
        (event,) = decoded(query(message=message(text="menu") | ({"reply_to_message": answered} if answered else {})))
        assert isinstance(event, ButtonPressed)
        assert (event.subject and event.subject.messages[0]) == subject


@pytest.mark.parametrize(
    ("new", "emoji"),
    [
        ([{"type": "emoji", "emoji": "👍"}], "👍"),
        ([{"type": "custom_emoji", "custom_emoji_id": "1"}, {"type": "emoji", "emoji": "❤"}], "❤"),
        ([{"type": "paid"}], None),
        ([], None),
    ],
)
def test_a_reaction_is_its_first_plain_emoji(new: Any, emoji: str | None) -> None:
    changed = {"chat": PRIVATE, "message_id": 5, "user": PERSON, "date": 1, "old_reaction": [], "new_reaction": new}
    assert decoded({"message_reaction": changed}) == [ReactionChanged(42, A, 5, emoji)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("member", "joins"),
    [
        ({"status": "creator"}, True),
        ({"status": "administrator"}, True),
        ({"status": "member"}, True),
        ({"status": "restricted", "is_member": True}, True),
        ({"status": "restricted", "is_member": False}, False),
        ({"status": "left"}, False),
        ({"status": "kicked"}, False),
    ],
)
def test_joining_or_leaving_a_channel_counts_for_the_member_and_not_for_the_actor(member: Any, joins: bool) -> None:
    admin = {"id": 7, "is_bot": False, "first_name": "Admin"}
    channel = {"id": -1001, "type": "channel", "title": "Harbour", "username": "harbour"}
    changed = {"chat": channel, "from": admin, "date": 1, "old_chat_member": {"status": "left", "user": PERSON}}
    told = changed | {"new_chat_member": member | {"user": PERSON}}
    what = ChannelJoined if joins else ChannelLeft
    assert decoded({"chat_member": told}) == [what(PersonId(42), A, -1001, "harbour")]
    bot = changed | {"new_chat_member": member | {"user": {"id": 8, "is_bot": True, "first_name": "Bot"}}}
    assert decoded({"chat_member": bot}) == [Unusable(PersonId(7), A, "by_bot")]


@pytest.mark.parametrize(
    ("status", "chat", "event"),
    [
        ("kicked", PRIVATE, BotBlocked(42, A)),  # type: ignore[arg-type]
        ("member", PRIVATE, BotUnblocked(42, A)),  # type: ignore[arg-type]
        ("left", PRIVATE, Unusable(42, A, "not_private")),  # type: ignore[arg-type]
        ("kicked", GROUP, Unusable(42, A, "not_private")),  # type: ignore[arg-type]
    ],
)
def test_blocking_and_unblocking_the_bot_become_events(status: str, chat: Any, event: Event) -> None:
    member = {"status": status, "user": {"id": A}}
    change = {"chat": chat, "from": PERSON, "date": 1, "old_chat_member": member, "new_chat_member": member}
    assert decoded({"my_chat_member": change}) == [event]


PAID = {
    "currency": "XTR",
    "total_amount": 250,
    "invoice_payload": "order",
    "telegram_payment_charge_id": "stx1",
    "provider_payment_charge_id": "p1",
}


@pytest.mark.parametrize("sender", [PERSON, {"id": A, "is_bot": True, "first_name": "Our bot"}])
def test_payments_and_refunds_become_events_whoever_telegram_names_as_the_sender(sender: Any) -> None:
    person, bot = PersonId(42), BotId(A)
    recurring = PAID | {
        "is_recurring": True,
        "is_first_recurring": True,
        "subscription_expiration_date": 1_800_000_000,
    }
    (paid,) = decoded({"message": message(successful_payment=PAID) | {"from": sender}})
    assert paid == PaymentSettled(person, bot, Payment(ChargeId("stx1"), "order", 250, 1700000000.0, "p1"))
    (subscribed,) = decoded({"message": message(successful_payment=recurring) | {"from": sender}})
    assert isinstance(subscribed, PaymentSettled)
    assert subscribed.payment == Payment(
        ChargeId("stx1"), "order", 250, 1700000000.0, "p1", True, True, 1_800_000_000.0
    )
    (refunded,) = decoded({"message": message(refunded_payment=PAID) | {"from": sender}})
    assert refunded == PaymentRefunded(person, bot, ChargeId("stx1"), 250)


def test_a_checkout_in_another_currency_matches_no_price_of_ours() -> None:
    asked = {"id": "q", "from": PERSON, "currency": "XTR", "total_amount": 250, "invoice_payload": "order"}
    stars = [event.stars for event in decoded({"pre_checkout_query": asked}) if isinstance(event, CheckoutAsked)]
    euros = decoded({"pre_checkout_query": asked | {"currency": "EUR"}})
    assert (stars, [event.stars for event in euros if isinstance(event, CheckoutAsked)]) == ([250], [-1])


def test_news_about_a_subscription_become_an_event() -> None:
    told = {"user": PERSON, "invoice_payload": "order", "state": "failed"}
    assert decoded({"subscription": told}) == [
        SubscriptionUpdated(PersonId(42), BotId(A), "order", SubscriptionState.FAILED)
    ]


GROUPED = {"chat": GROUP, "message_id": 5, "user": PERSON, "date": 1, "new_reaction": []}
BOT_USER = {"id": 999001, "is_bot": True, "first_name": "Echo", "username": "echo_bot"}
BOTS_CHAT = {"id": 999001, "type": "private"}


@pytest.mark.parametrize(
    ("update", "person", "why"),
    [
        ({"message": message(chat=GROUP, text="hi")}, 42, "not_private"),
        ({"edited_message": message(chat=GROUP, text="hi")}, 42, "not_private"),
        ({"message": {"message_id": 5, "date": 1, "chat": GROUP, "text": "hi"}}, 0, "not_private"),
        (query(message=message(chat=GROUP)), 42, "not_private"),
        (query(data=None, game_short_name="chess"), 42, "not_asked_for"),
        ({"subscription": {"user": PERSON, "invoice_payload": "o", "state": "odd"}}, 42, "not_asked_for"),
        ({"message_reaction": GROUPED}, 42, "not_private"),
        ({"message_reaction": {**GROUPED, "chat": PRIVATE, "user": None}}, 0, "not_private"),
        ({"poll": {"id": "1"}}, 0, "not_asked_for"),
        ({"business_message": message(text="hi")}, 0, "not_asked_for"),
        ({"guest_message": message(text="hi")}, 0, "not_asked_for"),
        ({}, 0, "not_asked_for"),
        ({"message": message(forum_topic_created={"name": "New", "icon_color": 1})}, 42, "topic"),
        ({"message": message(forum_topic_closed={})}, 42, "topic"),
        ({"message": message(general_forum_topic_hidden={})}, 42, "topic"),
    ],
)
def test_updates_from_elsewhere_or_of_unused_kinds_are_skipped(update: Any, person: int, why: str) -> None:
    assert decoded(update) == [Unusable(person, A, why)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "update",
    [
        {"message": message(**{"from": BOT_USER}, chat=BOTS_CHAT, text="/start")},
        {"message": message(**{"from": {**BOT_USER, "id": int(A)}}, text="what we said ourselves")},
        {"message": message(**{"from": BOT_USER}, chat=BOTS_CHAT, text={"of": "tomorrow"})},
        {"message": {"from": BOT_USER, "chat": "somewhere"}},
        {"edited_message": message(**{"from": BOT_USER}, chat=BOTS_CHAT, text="hi")},
        {"callback_query": {"id": "q", "from": BOT_USER, "chat_instance": "1", "data": "age:18"}},
        {"message_reaction": {**GROUPED, "chat": BOTS_CHAT, "user": BOT_USER}},
        {"my_chat_member": {"chat": BOTS_CHAT, "from": BOT_USER, "date": 1, "new_chat_member": {"status": "member"}}},
    ],
)
def test_bots_are_not_people(update: Any) -> None:
    (event,) = decoded(update)
    assert isinstance(event, Unusable)
    assert event.why == "by_bot"


def test_every_update_that_we_ask_for_exists() -> None:
    assert set(ALLOWED_UPDATES) <= set(fields("Update"))


@pytest.mark.parametrize("name", sorted(set(fields("Update")) - {"update_id"}))
@pytest.mark.parametrize("specimen", [smallest, fullest])
def test_no_update_of_any_kind_fails_to_decode(name: str, specimen: Any) -> None:
    value = specimen(fields("Update")[name]["types"][0])
    (event,) = decoded({name: value})
    used = {
        "message",
        "edited_message",
        "callback_query",
        "message_reaction",
        "my_chat_member",
        "chat_member",
        "pre_checkout_query",
    }
    assert name in used or isinstance(event, Unusable)


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
GOOD = b'{"update_id":8,"message":' + json.dumps(message(text='tricky "]}[{\\" text')).encode() + b"}"


UNKNOWN = Content(Kind.UNKNOWN)


def unread(message: int = 0, date: float = 0.0) -> MessageReceived:
    return MessageReceived(42, A, (message,), (UNKNOWN,), date)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bad", "event"),
    [
        (b'{"update_id":7,"message":{"message_id":"five","date":1,"chat":{},"from":{"id":42}}}', unread(0, 1.0)),
        (b'{"update_id":7,"message":{"message_id":5,"from":{"id":42},"text":"\\ud800"}}', unread(5)),
        (b'{"update_id":7,"message":{"message_id":5,"text":"\xff"}}', Unusable(0, A, "unreadable")),
        (b'{"update_id":7,"edited_message":' + DEEP + b"}", Unusable(0, A, "unreadable")),
        (b'{"update_id":7,"message":[1,2,"]"]}', Unusable(0, A, "unreadable")),
        (b'{"update_id" : 7, "callback_query":{"id":3,"from":{"id":42}}}', Unusable(42, A, "not_asked_for")),
        (b'{"update_id":7,"telepathy":{"message_id":5,"date":1,"chat":{"id":42,"type":"private"}}}', unread(5, 1.0)),
    ],
    ids=["wrong type", "lone surrogate", "not UTF-8", "too deep", "wrong shape", "spaces", "unknown kind"],
)
@pytest.mark.parametrize("bad_first", [True, False])
def test_an_unreadable_update_does_not_affect_the_others(bad: bytes, event: Any, bad_first: bool) -> None:
    pieces = [bad, GOOD] if bad_first else [GOOD, bad]
    found = {a.ref.update: a.event for a in arrivals(b'{"ok":true,"result":[' + b",\n".join(pieces) + b"]}", A)}
    assert list(found) == ([7, 8] if bad_first else [8, 7])
    assert found[7] == event
    assert isinstance(found[8], MessageReceived)
    assert found[8].text == 'tricky "]}[{\\" text'


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"ok":true}', b'{"ok":false,"result":[]}', b'{"ok":true,"result":[{"update_id":"x"}'],
)
def test_a_body_that_is_not_an_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        arrivals(body, A)


def test_an_update_without_an_id_is_skipped_by_the_next_offset() -> None:
    assert [a.ref.update for a in arrivals(b'{"ok":true,"result":[{"message":{}},' + GOOD + b"]}", A)] == [8]


def test_the_text_of_a_rich_message_is_read_in_order() -> None:
    bold = {"type": "bold", "text": "smi"}
    cells = [[{"text": "one", "align": "left", "valign": "top"}, {"text": "two", "align": "left", "valign": "top"}]]
    picture = {"type": "photo", "photo": [SIZE], "caption": {"text": "under it"}}
    blocks = [{"type": "paragraph", "text": ["@ann", bold, "th"]}, {"type": "table", "cells": cells}, picture]
    assert content(rich_message={"blocks": blocks}).text.split() == ["@annsmith", "one", "two", "under", "it"]


@pytest.mark.parametrize(
    ("markup", "action"),
    [
        ({"inline_keyboard": [[{"text": "Spam", "callback_data": "complain:c1.spam"}], [{"text": "No"}]]}, "complain"),
        ({"inline_keyboard": [[], [{"text": "Bare", "callback_data": "done"}]]}, "done"),
        ({"inline_keyboard": [[{"text": "Site", "url": "https://example.org"}]]}, ""),
        ({"inline_keyboard": []}, ""),
        (None, ""),
    ],
)
def test_a_reply_shows_which_question_of_ours_it_answers(markup: dict[str, Any] | None, action: str) -> None:
    notice = message(message_id=3, text="What's wrong?") | ({"reply_markup": markup} if markup else {})
    (event,) = decoded({"message": message(text="he was rude", reply_to_message=notice)})
    assert isinstance(event, MessageReceived)
    assert (event.reply_to, event.answers) == (3, action)
