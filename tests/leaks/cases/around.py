"""Fields beside the content of a message that name people: origins, replies, signatures, tags, boosts."""

from tests.leaks.canaries import TYPED
from tests.leaks.cases.case import Case, Fate, Json

USER: Json = {"<": "user"}
FRIEND: Json = {"<": "xuser"}
CHANNEL: Json = {"<": "xchannel"}
OWN_CHANNEL: Json = {"<": "channel"}
ELSEWHERE: Json = {"message_id": 3, "date": 1, "chat": CHANNEL, "from": FRIEND, "text": "<xname>"}

AROUND: dict[str, Json] = {
    "forwarded from a user": {"forward_origin": {"type": "user", "date": 1, "sender_user": FRIEND}},
    "forwarded from oneself": {"forward_origin": {"type": "user", "date": 1, "sender_user": USER}},
    "forwarded from a hidden user": {
        "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "<xname>"}
    },
    "forwarded from a group": {
        "forward_origin": {"type": "chat", "date": 1, "sender_chat": CHANNEL, "author_signature": "<xname>"}
    },
    "forwarded from a channel": {
        "forward_origin": {"type": "channel", "date": 1, "chat": CHANNEL, "message_id": 7, "author_signature": "<name>"}
    },
    "forwarded in the old way": {"forward_from": USER, "forward_sender_name": "<name>", "forward_date": 1},
    "through an inline bot": {"via_bot": {**FRIEND, "is_bot": True}},
    "answering in another chat": {
        "external_reply": {
            "origin": {"type": "user", "date": 1, "sender_user": FRIEND},
            "chat": CHANNEL,
            "message_id": 7,
        },
        "quote": {"text": "<xname>", "position": 0},
    },
    "answering a hidden user elsewhere": {
        "external_reply": {"origin": {"type": "hidden_user", "date": 1, "sender_user_name": "<xname>"}},
        "quote": {
            "text": "<name>",
            "position": 0,
            "entities": [{"type": "text_mention", "offset": 0, "length": 2, "user": USER}],
        },
    },
    "answering a message of another chat": {"reply_to_message": ELSEWHERE},
    "answering and quoting another chat": {"reply_to_message": ELSEWHERE, "quote": {"text": "<xname>", "position": 0}},
    "answering a story": {"reply_to_story": {"chat": CHANNEL, "id": 5}},
    "answering a task": {"reply_to_checklist_task_id": 3, "reply_to_poll_option_id": "<name>"},
    "in a channel's name": {"sender_chat": OWN_CHANNEL, "author_signature": "<name>"},
    "with a tag": {"sender_tag": "<name>", "sender_boost_count": 3},
    "of a business": {"sender_business_bot": FRIEND, "business_connection_id": "<username>"},
    "as a guest": {"guest_bot_caller_user": USER, "guest_bot_caller_chat": OWN_CHANNEL, "guest_query_id": "<id>"},
    "to somebody": {"receiver_user": FRIEND},
    "paid for": {"paid_star_count": 5, "is_paid_post": True},
    "in a topic": {"direct_messages_topic": {"topic_id": 5, "user": USER}, "message_thread_id": 5},
    "suggested": {"suggested_post_info": {"state": "pending", "send_date": 1}},
    "with a preview": {"link_preview_options": {"url": "https://t.me/<username>", "prefer_large_media": True}},
    "with buttons": {
        "reply_markup": {
            "inline_keyboard": [
                [{"text": "<name>", "url": "tg://user?id=<id>"}, {"text": "x", "callback_data": "<id>"}]
            ]
        }
    },
    "with something to come": {"sender_passport": {"name": "<name>", "phone": "<phone>"}},
    "with an effect": {"effect_id": "5104841245755180586"},
    "protected": {"has_protected_content": True},
}

CONTENT: dict[str, Json] = {
    "text": {"text": TYPED},
    "photo": {"photo": {}, "caption": TYPED},
    "document": {"document": {"file_name": "<name>.txt", "mime_type": "text/plain"}, "caption": TYPED},
}


def _beside() -> list[Case]:
    return [
        Case(f"{kind} {label}", [{**content, **around}])
        for kind, content in CONTENT.items()
        for label, around in AROUND.items()
    ]


MENTION: Json = {"type": "text_mention", "offset": 0, "length": 4, "user": USER}
QUOTED: Json = {"text": TYPED[:4], "position": 0, "entities": [MENTION], "is_manual": True}


def _answers() -> list[Case]:
    named: Json = {"text": f"{TYPED} answer", "entities": [MENTION]}
    return [
        Case("an answer to one's own", [named], replies_to="own"),
        Case("an answer to theirs", [named], replies_to="theirs"),
        Case("a quote of one's own", [{**named, "quote": QUOTED}], replies_to="own"),
        Case("a quote of theirs", [{**named, "quote": QUOTED}], replies_to="theirs"),
        Case(
            "a quote that was never said",
            [{**named, "quote": {"text": f"{TYPED} never", "position": 0}}],
            replies_to="theirs",
        ),
        Case("a quote beyond the end", [{**named, "quote": {**QUOTED, "position": 2**31}}], replies_to="own"),
        Case(
            "a quote with a link",
            [
                {
                    **named,
                    "quote": {**QUOTED, "entities": [{**MENTION, "type": "text_link", "url": "tg://user?id=<id>"}]},
                }
            ],
            replies_to="theirs",
        ),
        Case(
            "a picture in answer", [{"photo": {}, "caption": TYPED, "caption_entities": [MENTION]}], replies_to="theirs"
        ),
    ]


def _commands() -> list[Case]:
    """A message for the bot stays with the bot."""
    words = ["/start <id>", "/start ref_<id>", "/start <username>", "/START@x <name>", "/help <name>", "/rules <phone>"]
    words += ["/delete <name>", "/privacy <name>", "/terms <id>"]
    return [Case(f"command {text}", [{"text": text}], Fate.REFUSED, shows="") for text in words]


CASES = _beside() + _answers() + _commands()
