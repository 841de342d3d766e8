"""Kinds with people inside: polls, checklists, rich messages, contacts, places, stories, money, service messages."""

from typing import Any

from tests.leaks.canaries import TYPED
from tests.leaks.cases.case import Case, Fate, Json

USER: Json = {"<": "user"}
FRIEND: Json = {"<": "xuser"}
CHANNEL: Json = {"<": "channel"}
MENTION: Json = {"type": "text_mention", "offset": 0, "length": 4, "user": USER}
LINK: Json = {"type": "text_link", "offset": 0, "length": 4, "url": "https://t.me/<username>"}
PLACE: Json = {"latitude": 1.5, "longitude": 2.5}

POLL: Json = {
    "id": "77",
    "question": TYPED,
    "total_voter_count": 1,
    "is_closed": False,
    "is_anonymous": False,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": True,
    "members_only": False,
}


def options(**more: Any) -> list[Json]:
    return [{"persistent_id": str(each), "text": f"answer {each}", "voter_count": 0, **more} for each in range(3)]


def poll(**more: Any) -> list[Json]:
    return [{"poll": {**POLL, "options": options(), **more}}]


POLLS = [
    Case("poll", poll()),
    Case("poll: mention in the question", poll(question_entities=[MENTION])),
    Case("poll: link in the question", poll(question_entities=[LINK])),
    Case(
        "poll: one's own custom emoji",
        poll(
            question_entities=[{"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": "<id>"}],
            options=options(
                text_entities=[{"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": "<id>"}]
            ),
        ),
    ),
    Case("poll: mention in an answer", poll(options=options(text_entities=[MENTION]))),
    Case("poll: link in an answer", poll(options=options(text_entities=[LINK]))),
    Case("poll: who added an answer", poll(options=options(added_by_user=USER, added_by_chat=CHANNEL))),
    Case("poll: mention in the description", poll(description=f"{TYPED} more", description_entities=[MENTION])),
    Case("poll: countries", poll(country_codes=["DE"], members_only=True)),
    Case("poll: closed", poll(is_closed=True, total_voter_count=99)),
    Case(
        "quiz: mention in the explanation",
        poll(type="quiz", correct_option_ids=[1], explanation=f"{TYPED} so", explanation_entities=[MENTION]),
    ),
    Case("quiz: of unknown answer", poll(type="quiz", explanation="<name>")),
    Case("poll with a picture", poll(media={"photo": []}), Fate.REFUSED),
    Case("poll with a document", poll(media={"document": {"file_id": "x", "file_name": "<name>"}}), Fate.REFUSED),
    Case("poll with a place in an answer", poll(options=options(media={"location": PLACE})), Fate.REFUSED),
    Case("quiz with a picture behind it", poll(explanation_media={"photo": []}), Fate.REFUSED),
    Case(
        "poll, voted in",
        poll(),
        edits=[{"poll": {**POLL, "options": options(), "total_voter_count": 5}}],
        edits_seen=False,
    ),
]


def tasks(**more: Any) -> list[Json]:
    return [{"id": each, "text": f"task {each}", **more} for each in range(3)]


def checklist(**more: Any) -> list[Json]:
    return [{"checklist": {"title": TYPED, "tasks": tasks(), **more}}]


CHECKLISTS = [
    Case("checklist", checklist()),
    Case("checklist: ticked by somebody", checklist(tasks=tasks(completed_by_user=USER, completion_date=5)), shows="☑"),
    Case("checklist: ticked by a friend", checklist(tasks=tasks(completed_by_user=FRIEND)), shows="☑"),
    Case("checklist: ticked by a chat", checklist(tasks=tasks(completed_by_chat=CHANNEL)), shows="☑"),
    Case("checklist: mention in the title", checklist(title_entities=[MENTION])),
    Case("checklist: mention in a task", checklist(tasks=tasks(text_entities=[MENTION]))),
    Case("checklist: link in a task", checklist(tasks=tasks(text_entities=[LINK]))),
    Case(
        "checklist: edited", checklist(), edits=checklist(tasks=tasks(completed_by_user=USER, text_entities=[MENTION]))
    ),
    Case(
        "task done",
        [{"checklist_tasks_done": {"marked_as_done_task_ids": [1], "checklist_message": {"from": USER}}}],
        Fate.REFUSED,
    ),
    Case("task added", [{"checklist_tasks_added": {"tasks": tasks(text_entities=[MENTION])}}], Fate.REFUSED),
]


def paragraph(text: Any) -> Json:
    return {"type": "paragraph", "text": [TYPED, text]}


def rich(*blocks: Json) -> list[Json]:
    return [{"rich_message": {"blocks": list(blocks)}}]


def photo_block(caption: Any) -> Json:
    sizes = [{"file_id": "x", "file_unique_id": "y", "width": 9, "height": 9}]
    return {"type": "photo", "photo": sizes, "caption": {"text": caption}}


NAMED: dict[str, Any] = {
    "a mention": {"type": "text_mention", "text": "me", "user": USER},
    "a mention by name": {"type": "mention", "text": "me", "username": "<username>"},
    "a hidden link": {"type": "url", "text": "me", "url": "https://t.me/<username>"},
    "any link": {"type": "url", "text": "me", "url": "https://example.org/<username>"},
    "an address": {"type": "email_address", "text": "me", "email_address": "<username>@example.org"},
    "a telephone": {"type": "phone_number", "text": "me", "phone_number": "<phone>"},
    "a card": {"type": "bank_card_number", "text": "me", "bank_card_number": "<phone>"},
    "an anchor": {"type": "anchor_link", "text": "me", "anchor_name": "<name>"},
    "a reference": {"type": "reference", "text": "me", "name": "<name>"},
    "an emoji": {"type": "custom_emoji", "custom_emoji_id": "1", "alternative_text": "🙂"},
    "a command": {"type": "bot_command", "text": "me", "bot_command": "/x@<username>"},
    "a type to come": {"type": "passport", "text": "me", "user": USER, "name": "<name>"},
    "bold with a user": {"type": "bold", "text": "me", "user": USER},
}
RICH = [
    *(Case(f"rich: {label}", rich(paragraph(text))) for label, text in NAMED.items()),
    *(
        Case(
            f"rich: {label}, deep",
            rich({"type": "blockquote", "blocks": [paragraph([{"type": "italic", "text": text}])]}),
        )
        for label, text in NAMED.items()
    ),
    *(
        Case(
            f"rich: {label} in a cell",
            rich(paragraph("x"), {"type": "table", "cells": [[{"text": text, "align": "left", "valign": "top"}]]}),
        )
        for label, text in list(NAMED.items())[:4]
    ),
    *(
        Case(f"rich: a strange {label}", rich(paragraph(TYPED), block))
        for label, block in {
            "language": {"type": "pre", "text": "x = 1", "language": "https://t.me/<username>"},
            "size": {"type": "heading", "text": "x", "size": "<username>"},
            "alignment": {"type": "table", "cells": [[{"text": "x", "align": "<name>", "valign": "<id>"}]]},
            "switch": {"type": "details", "summary": "x", "blocks": [], "is_open": "<username>"},
            "formula": {"type": "mathematical_expression", "expression": ["<username>"]},
            "member": {"type": "divider", "name": "<name>", "user": USER},
        }.items()
    ),
    Case("rich: edited", rich(paragraph("x")), edits=rich(paragraph(NAMED["a mention"]))),
    Case("rich: a map", rich(paragraph("x"), {"type": "map", "location": PLACE}), Fate.REFUSED),
    Case(
        "rich: buttons",
        rich(paragraph("x"), {"type": "buttons", "buttons": [[{"text": "<name>", "url": "t.me/<username>"}]]}),
        Fate.REFUSED,
    ),
    Case("rich: an anchor block", rich(paragraph("x"), {"type": "anchor", "name": "<name>"}), Fate.REFUSED),
    Case("rich: a block to come", rich(paragraph("x"), {"type": "passport", "user": USER}), Fate.REFUSED),
    Case(
        "rich: a picture with a mention under it", rich(paragraph("x"), photo_block(NAMED["a mention"])), Fate.REFUSED
    ),
    Case(
        "rich: a document",
        rich(
            paragraph("x"),
            {"type": "document", "document": {"file_id": "x", "file_unique_id": "y", "file_name": "<name>"}},
        ),
        Fate.REFUSED,
    ),
]

VCARD = "BEGIN:VCARD\nFN:<name>\nTEL:<phone>\nX-TELEGRAM:<id>\nEND:VCARD"
CARD: Json = {"phone_number": "+1 000", "first_name": TYPED}
SHOWN = [
    Case("contact of oneself", [{"contact": {**CARD, "user_id": {"<": "id"}}}], Fate.ASKED),
    Case("contact of a friend", [{"contact": {**CARD, "user_id": {"<": "xid"}}}], Fate.ASKED),
    Case("contact with a card", [{"contact": {**CARD, "vcard": VCARD}}], Fate.ASKED),
    Case(
        "contact, forwarded",
        [{"contact": CARD, "forward_origin": {"type": "user", "date": 1, "sender_user": FRIEND}}],
        Fate.ASKED,
    ),
    Case("place", [{"location": PLACE}], Fate.ASKED, shows="location"),
    Case(
        "live place",
        [{"location": {**PLACE, "live_period": 900, "proximity_alert_radius": 5}}],
        Fate.ASKED,
        shows="location",
    ),
    Case(
        "venue",
        [{"venue": {"location": PLACE, "title": TYPED, "address": "x", "owner": "<name>"}, "location": PLACE}],
        Fate.ASKED,
    ),
]


def plain(kind: str, value: Any, **more: Any) -> Case:
    return Case(kind, [{kind: value, **more}], Fate.REFUSED)


PAID = {"star_count": 1, "paid_media": [{"type": "preview"}]}
REFUSED = [
    plain("story", {"chat": CHANNEL, "id": 5}),
    plain("game", {"title": "<name>", "description": "<name>", "photo": []}),
    plain("paid_media", PAID, caption="<name>"),
    plain(
        "invoice",
        {"title": "<name>", "description": "", "start_parameter": "<id>", "currency": "XTR", "total_amount": 1},
    ),
    plain("giveaway", {"chats": [CHANNEL], "winners_selection_date": 1, "winner_count": 1}),
    plain("giveaway_winners", {"chat": CHANNEL, "giveaway_message_id": 1, "winner_count": 1, "winners": [USER]}),
    plain("users_shared", {"request_id": 1, "users": [{"user_id": {"<": "id"}, "first_name": "<name>"}]}),
    plain("chat_shared", {"request_id": 1, "chat_id": {"<": "id"}, "title": "<name>"}),
    plain("gift", {"gift": {"id": "1"}, "text": "<name>", "entities": [MENTION]}),
    plain("boost_added", {"boost_count": 1}),
    plain("new_chat_members", [USER]),
    plain("left_chat_member", USER),
    plain("connected_website", "<username>.example.org"),
    plain("web_app_data", {"data": "<id>", "button_text": "<name>"}),
    plain("passport_data", {"data": [], "credentials": {"data": "<name>", "hash": "", "secret": ""}}),
    plain("pinned_message", {"message_id": 1, "date": 0, "chat": CHANNEL, "from": USER, "text": "<name>"}),
    plain("hologram", {"of": USER, "name": "<name>", "file_name": "<name>.holo"}),
]

OTHERS = [
    Case("dice", [{"dice": {"emoji": "🎲", "value": 4}}], shows="🎲 4"),
    Case("a topic of one's name", [{"forum_topic_created": {"name": "<name>", "icon_color": 1}}], Fate.IGNORED),
    Case("dice of a name", [{"dice": {"emoji": "🎯", "value": 6}, "caption": "<name>"}], shows="🎯 6"),
]

CASES = POLLS + CHECKLISTS + RICH + SHOWN + REFUSED + OTHERS
