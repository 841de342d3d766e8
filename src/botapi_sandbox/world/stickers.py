"""Sticker sets: the sandbox has two, and bots may make more. Every bot finds every set by its name."""

from __future__ import annotations

import base64

from botapi_sandbox.world.answers import Json, Upload, bad_request
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.media import resolve
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.state import FileRecord, StickerSet

STICKERS = "SandboxStickers"
CUSTOM_EMOJI = "SandboxEmoji"
_EMOJI = ("👋", "😀", "❤")
_CUSTOM_EMOJI_BASE = 5_300_000_000_000_000_000
# The smallest possible WebP image: one transparent pixel. Clients scale it.
_POINT = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")


def provide(backend: Backend) -> None:
    """Add the sandbox's own sets if they are missing."""
    for name, kind in ((STICKERS, "regular"), (CUSTOM_EMOJI, "custom_emoji")):
        if name in backend.state.sticker_sets:
            continue
        made = StickerSet(name=name, title=name, sticker_type=kind, owner_bot=0)
        side = 512 if kind == "regular" else 100
        for number, emoji in enumerate(_EMOJI):
            details: Json = {"width": side, "height": side, "emoji": emoji, "set_name": name, "type": kind}
            if kind == "custom_emoji":
                details["custom_emoji_id"] = str(_CUSTOM_EMOJI_BASE + number)
            upload = Upload(_POINT, "sticker.webp", "image/webp")
            record = backend.files.add("sticker", upload, details, backend.switches.file_bytes_kept)
            made.stickers.append(record.unique)
        backend.state.sticker_sets[name] = made


def _stickers(request: Request, found: StickerSet) -> list[object]:
    files = request.backend.state.files
    return [request.backend.files.describe(request.bot, files[unique]) for unique in found.stickers]


@method("getStickerSet")
def get_sticker_set(request: Request) -> Json:
    """Return any set, with this bot's file ids."""
    found = request.backend.state.sticker_sets.get(request.params["name"])
    if found is None:
        raise bad_request("STICKERSET_INVALID")
    return {
        "name": found.name,
        "title": found.title,
        "sticker_type": found.sticker_type,
        "stickers": _stickers(request, found),
    }


@method("getCustomEmojiStickers")
def get_custom_emoji_stickers(request: Request) -> list[Json]:
    """Return the ones that exist, at most 200."""
    wanted = request.params["custom_emoji_ids"]
    if len(wanted) > 200:
        raise bad_request("too many custom emoji identifiers specified")
    files = request.backend.state.files
    by_id: dict[str, FileRecord] = {
        files[unique].details["custom_emoji_id"]: files[unique]
        for each in request.backend.state.sticker_sets.values()
        if each.sticker_type == "custom_emoji"
        for unique in each.stickers
    }
    described = [request.backend.files.describe(request.bot, by_id[each]) for each in wanted if each in by_id]
    return [each for each in described if isinstance(each, dict)]


@method("uploadStickerFile")
def upload_sticker_file(request: Request) -> Json:
    """Store a file for later use in a set."""
    record = resolve(request, "sticker", request.params["sticker"], {})
    return {
        "file_id": request.backend.files.file_id(request.bot, record),
        "file_unique_id": request.backend.files.unique_id(record),
        "file_size": record.size,
    }


@method("createNewStickerSet")
def create_new_sticker_set(request: Request) -> bool:
    """Make a set. Its name must end in `_by_<bot username>`."""
    params, state = request.params, request.backend.state
    if not params["name"].lower().endswith(f"_by_{request.bot.username}".lower()):
        raise bad_request("invalid sticker set name is specified")
    if params["name"] in state.sticker_sets:
        raise bad_request("sticker set name is already occupied")
    if params["user_id"] not in request.bot.chats:
        raise bad_request("PEER_ID_INVALID")
    kind = params.get("sticker_type", "regular")
    made = StickerSet(name=params["name"], title=params["title"], sticker_type=kind, owner_bot=request.bot.id)
    for item in params["stickers"]:
        record = resolve(request, "sticker", item["sticker"], {})
        record.details = {**record.details, "emoji": item["emoji_list"][0], "set_name": made.name, "type": kind}
        made.stickers.append(record.unique)
    state.sticker_sets[made.name] = made
    return True


@method("deleteStickerSet")
def delete_sticker_set(request: Request) -> bool:
    """Delete a set that this bot made."""
    found = request.backend.state.sticker_sets.get(request.params["name"])
    if found is None or found.owner_bot != request.bot.id:
        raise bad_request("STICKERSET_INVALID")
    del request.backend.state.sticker_sets[found.name]
    return True
