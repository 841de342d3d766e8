"""Every kind of message that one person can send to another, as phones send it and as the partner's phone shows it."""

from collections.abc import Mapping
from typing import Any

from botapi_sandbox import World

Json = dict[str, Any]

FILES = ("live_photo", "animation", "video", "voice", "video_note", "audio", "document", "photo", "sticker")
"""If a message has two of these fields, the first one decides its kind."""

BOLD = [{"type": "bold", "offset": 0, "length": 3}]

SENT: Mapping[str, Json] = {
    "text": {"text": "The fog lifts at noon", "entities": BOLD},
    "text with effect": {"text": "The bells", "effect_id": "5104841245755180586"},
    "protected text": {"text": "Not to be passed on", "has_protected_content": True},
    "custom emoji": {
        "text": "so 👍",
        "entities": [{"type": "custom_emoji", "offset": 3, "length": 2, "custom_emoji_id": "5368324170671202286"}],
    },
    "rich text": {"rich_message": {"blocks": [{"type": "heading", "text": "The fog", "size": 2}]}},
    "photo": {"photo": {}, "caption": "The harbour", "caption_entities": BOLD},
    "spoiler photo": {
        "photo": {},
        "has_media_spoiler": True,
        "caption": "Do not look",
        "show_caption_above_media": True,
    },
    "live photo": {"live_photo": {"duration": 3}, "caption": "The harbour"},
    "video": {"video": {"duration": 3, "width": 64, "height": 48}, "caption": "The harbour"},
    "video note": {"video_note": {"duration": 3, "length": 240}},
    "animation": {"animation": {"duration": 3, "width": 64, "height": 48}, "caption": "The harbour"},
    "audio": {"audio": {"duration": 3, "title": "Canary", "performer": "Canary"}, "caption": "The harbour"},
    "voice": {"voice": {"duration": 3}, "caption": "The harbour"},
    "document": {
        "document": {"file_name": "Canary.pdf", "mime_type": "application/pdf"},
        "caption": "The harbour",
    },
    "sticker": {"sticker": {}},
    "dice": {"dice": {"emoji": "🎯", "value": 6}},
    "poll": {
        "poll": {
            "question": "Tea?",
            "options": [{"text": "yes"}, {"text": "no"}],
            "is_anonymous": False,
            "allows_multiple_answers": True,
        }
    },
    "quiz": {
        "poll": {
            "question": "Capital of Peru?",
            "options": [{"text": "Lima"}, {"text": "Quito"}],
            "type": "quiz",
            "correct_option_ids": [0],
        }
    },
    "checklist": {"checklist": {"title": "To do", "tasks": [{"id": 1, "text": "milk"}]}},
    "location": {"location": {"latitude": 1.5, "longitude": 2.5}},
    "live location": {"location": {"latitude": 1.5, "longitude": 2.5, "live_period": 900}},
    "venue": {"venue": {"location": {"latitude": 1.5, "longitude": 2.5}, "title": "Cafe", "address": "Street"}},
    "contact": {"contact": {"phone_number": "+1555", "first_name": "Friend"}},
}

ASKED_FIRST = frozenset({"location", "live location", "venue", "contact"})
"""Kinds that are relayed only after their sender has confirmed."""

CAPTIONED = tuple(kind for kind, sent in SENT.items() if "caption" in sent)
WORDED = tuple(kind for kind, sent in SENT.items() if "caption" in sent or "text" in sent)
EXCHANGED = {
    "photo": ("photo", "video"),
    "video": ("video", "animation"),
    "animation": ("animation", "photo"),
    "audio": ("audio",),
    "document": ("document",),
    "spoiler photo": ("video",),
}
"""The kind of file by which a sender replaces each file."""

REFUSED: Mapping[str, tuple[Json, str]] = {
    "game": (
        {"game": {"title": "Chess", "description": "d", "photo": []}},
        "chat.refused_game",
    ),
    "story": ({"story": {"id": 1, "chat": {"id": 5000001, "type": "private"}}}, "chat.refused_story"),
    "giveaway": (
        {"giveaway": {"chats": [], "winners_selection_date": 1, "winner_count": 1}},
        "chat.refused_service",
    ),
    "paid media": ({"paid_media": {"star_count": 3, "paid_media": []}}, "chat.refused_paid"),
    "service": ({"chat_background_set": {"type": {"type": "chat_theme", "theme_name": "x"}}}, "chat.refused_service"),
}


SHOWN = ("photo", "live_photo", "video", "animation")
"""Pictures between people who have just met arrive blurred."""


def kind_of(message: Json) -> str:
    for kind in FILES:
        if kind in message:
            return kind
    others = ("rich_message", "text", "dice", "poll", "checklist", "venue", "location", "contact")
    return next(kind for kind in others if kind in message)


def essence(world: World, message: Json) -> Json:
    """Return what a phone shows of a message: everything except sender, time and chat."""
    kind = kind_of(message)
    shown: Json = {"kind": kind}
    for name in ("text", "caption", "has_media_spoiler", "show_caption_above_media", "has_protected_content"):
        shown[name] = message.get(name)
    shown["effect"] = message.get("effect_id")
    shown["entities"] = message.get("entities") or message.get("caption_entities")
    if kind in FILES:
        file = message[kind][-1] if kind == "photo" else message[kind]
        blob = world.blob(file["file_id"])
        assert blob is not None
        shown["bytes"] = blob[0]
        if kind != "live_photo":  # a live photo's length cannot be declared; Telegram measures it
            shown |= {name: file.get(name) for name in ("duration", "length")}
    elif kind == "poll":
        poll = message["poll"]
        shown |= {name: poll[name] for name in ("question", "type", "allows_multiple_answers")}
        shown["options"] = [option["text"] for option in poll["options"]]
    elif kind != "text":
        shown["body"] = {name: value for name, value in message[kind].items() if name != "user_id"}
    return shown


def expected(world: World, sent: Json) -> Json:
    """Return what the partner's phone should show of a message."""
    shown = essence(world, sent)
    if shown["kind"] in SHOWN:  # they have only just met
        shown["has_media_spoiler"] = True
    if shown["entities"]:  # custom emoji of a set that nobody else uses
        shown["entities"] = [each for each in shown["entities"] if each["type"] != "custom_emoji"] or None
    match shown["kind"]:
        case "dice":
            value = shown.pop("body")
            shown |= {"kind": "text", "text": f"{value['emoji']} {value['value']}"}
        case "checklist":
            made = shown.pop("body")
            shown |= {
                "kind": "text",
                "text": "\n".join([made["title"], *(f"☐ {task['text']}" for task in made["tasks"])]),
            }
        case "rich_message":
            shown["body"] = {"blocks": sent["rich_message"]["blocks"]}
    return shown
