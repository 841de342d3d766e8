"""Makes updates like Telegram's, to measure what reading them costs. They are invented, but have all fields of real
ones.

The shares are guesses. Most messages in such chats are short texts.
"""

import json
from random import Random
from typing import Any

FIRST_UPDATE = 520_000_001
SHARES = {
    "text": 62,
    "formatted reply": 10,
    "photo": 7,
    "sticker": 7,
    "voice": 4,
    "edited": 3,
    "button": 4,
    "reaction": 3,
}
_NAME = {"first_name": "Ann", "last_name": "Example", "username": "ann_example"}


def _person(number: int) -> dict[str, Any]:
    return {"id": number, "is_bot": False, **_NAME, "language_code": "en"}


def _message(number: int, person: int, **content: Any) -> dict[str, Any]:
    chat = {"id": person, **_NAME, "type": "private"}
    return {"message_id": number, "from": _person(person), "chat": chat, "date": 1_790_000_000 + number, **content}


def _file(unique: str, size: int, **more: Any) -> dict[str, Any]:
    return {"file_id": "AgACAgIAAxkBAAIB" + unique * 6, "file_unique_id": unique, "file_size": size, **more}


def update(kind: str, number: int, rng: Random) -> dict[str, Any]:
    """One update of a kind (see SHARES), as a dictionary."""
    person, message = 5_000_001 + rng.randrange(1_000), 1_000 + number
    words = "Do you remember the harbour at night, with all the lights? \U0001f30a"[: rng.randint(4, 60)]
    sent: dict[str, Any]
    match kind:
        case "text":
            sent = {"message": _message(message, person, text=words)}
        case "formatted reply":
            entities = [
                {"offset": 0, "length": 2, "type": "bold"},
                {"offset": 2, "length": 2, "type": "text_link", "url": "https://example.org/harbour"},
            ]
            earlier = _message(message - 3, person, text="And then?")
            reply = {"reply_to_message": earlier, "text": words, "entities": entities}
            sent = {"message": _message(message, person, **reply)}
        case "photo":
            sizes = [
                _file(f"AQAD{message}{letter}", 1_400 * 3**step, width=90 * 2**step, height=120 * 2**step)
                for step, letter in enumerate("smxy")
            ]
            sent = {"message": _message(message, person, photo=sizes, caption=words)}
        case "sticker":
            sticker = {"width": 512, "height": 512, "emoji": "\U0001f44b", "set_name": "HarbourCats", "type": "regular"}
            sticker |= {"is_animated": False, "is_video": False}
            thumbnail = _file(f"AAMC{message}", 5_000, width=128, height=128)
            sticker |= {"thumbnail": thumbnail, "thumb": thumbnail}
            sent = {"message": _message(message, person, sticker=_file(f"AgAD{message}", 21_000, **sticker))}
        case "voice":
            voice = _file(f"AgAE{message}", 9_100, duration=4, mime_type="audio/ogg")
            sent = {"message": _message(message, person, voice=voice)}
        case "edited":
            sent = {"edited_message": _message(message - 1, person, edit_date=1_790_000_999 + number, text=words)}
        case "button":
            keyboard = {"inline_keyboard": [[{"text": "\U0001f44d", "callback_data": "rate_good:3kf9x2m1"}]]}
            asked = _message(message - 2, person, text="How was it?", reply_markup=keyboard)
            asked["from"] = {"id": 1_000_001, "is_bot": True, "first_name": "Harbour", "username": "harbour_bot"}
            pressed = {"id": f"{person}{message}", "from": _person(person), "message": asked}
            sent = {"callback_query": pressed | {"chat_instance": "-42", "data": "rate_good:3kf9x2m1"}}
        case "reaction":
            chat = {"id": person, **_NAME, "type": "private"}
            changed = {"chat": chat, "message_id": message, "user": _person(person), "date": 1_790_000_000 + number}
            sent = {
                "message_reaction": changed | {"old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "❤"}]}
            }
        case _:
            raise ValueError(f"there is no update called {kind}: take one of {', '.join(SHARES)}")
    return {"update_id": FIRST_UPDATE + number} | sent


def answers(count: int, size: int, rng: Random) -> list[bytes]:
    """`count` answers to getUpdates with `size` updates each, mixed by their shares."""
    kinds = rng.choices(list(SHARES), list(SHARES.values()), k=count * size)
    all_of_them = [update(kind, number, rng) for number, kind in enumerate(kinds)]
    return [
        json.dumps({"ok": True, "result": all_of_them[at : at + size]}, separators=(",", ":")).encode()
        for at in range(0, len(all_of_them), size)
    ]
