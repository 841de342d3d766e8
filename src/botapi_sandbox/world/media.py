"""A bot's messages with files: single files, albums and paid media. Also getFile, which gives the download path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botapi_sandbox.world.answers import Json, Upload, bad_request
from botapi_sandbox.world.delivery import account_for, captioned, deliver, writable_chat
from botapi_sandbox.world.files import MOST_DOWNLOAD, MOST_UPLOAD, check_usable_as, default_details
from botapi_sandbox.world.requests import Handler, Request, method
from botapi_sandbox.world.state import FileRecord

_DETAILS = ("width", "height", "duration", "length", "performer", "title", "emoji")
_UNCAPTIONED = frozenset({"video_note", "sticker"})
_SPOILED = frozenset({"photo", "video", "animation", "live_photo"})
_NOT_BY_URL = frozenset({"video_note", "live_photo"})
ALBUM_KINDS = ("photo", "video", "audio", "document", "live_photo")
_TITLES = {
    "photo": "photo", "video": "video", "animation": "animation", "audio": "audio", "voice": "voice",
    "video_note": "video note", "document": "document", "sticker": "sticker", "live_photo": "live photo",
}  # fmt: skip


def resolve(request: Request, kind: str, value: Any, details: Json) -> FileRecord:
    """The file behind an upload, an attach:// reference, a file id or a URL. Raises: Refusal."""
    if isinstance(value, str) and value.startswith("attach://"):
        value = request.uploads.get(value.removeprefix("attach://"))
        if value is None:
            raise bad_request("file must be non-empty")
    if isinstance(value, Upload):
        if not value.data:
            raise bad_request("file must be non-empty")
        if len(value.data) > MOST_UPLOAD:
            raise bad_request("file is too big")
        known = default_details(kind, value, details)
        return request.backend.files.add(kind, value, known, request.backend.switches.file_bytes_kept)
    if not isinstance(value, str) or not value:
        raise bad_request(f"there is no {_TITLES[kind]} in the request")
    if value.startswith(("http://", "https://")):
        # The sandbox never downloads. To a bot this looks like a web server that does not answer.
        if kind in _NOT_BY_URL:
            raise bad_request(f"{_TITLES[kind]} can't be sent by URL")
        raise bad_request("failed to get HTTP URL content")
    record = request.backend.files.find(request.bot, value)
    if record is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    check_usable_as(record, kind)
    return record


def file_content(request: Request, kind: str, params: Json) -> Json:
    """The message fields for one file with its caption. Raises: Refusal."""
    details = {name: params[name] for name in _DETAILS if name in params}
    value = params.get(kind) or params.get("media") or request.uploads.get(kind)
    record = resolve(request, kind, value, details)
    if kind == "live_photo":
        resolve(request, "photo", params.get("photo"), {})
    content = shown(request, kind, record)
    for extra in ("thumbnail", "cover"):
        if params.get(extra) is not None and kind in ("video", "animation", "audio", "document", "video_note"):
            _attach(request, content, kind, extra, params[extra])
    if kind == "video" and params.get("start_timestamp"):
        content["video"]["start_timestamp"] = params["start_timestamp"]
    if kind not in _UNCAPTIONED:
        content.update(captioned(request, params))
    if kind in _SPOILED and params.get("has_spoiler"):
        content["has_media_spoiler"] = True
    return content


def shown(request: Request, kind: str, record: FileRecord) -> Json:
    """The content fields of a file. An animation is also in `document`, and a live photo is also in `photo`."""
    described = request.backend.files.describe(request.bot, record)
    return media_fields(kind if record.kind not in (*ALBUM_KINDS, "animation") else record.kind, described)


def media_fields(kind: str, described: Json | list[Json]) -> Json:
    """See `shown`."""
    if kind == "animation" and isinstance(described, dict):
        named = ("file_id", "file_unique_id", "thumbnail", "file_name", "mime_type", "file_size")
        return {"animation": described, "document": {key: described[key] for key in named if key in described}}
    if kind == "live_photo" and isinstance(described, dict):
        return {"live_photo": described, "photo": described["photo"]}
    return {kind: described}


def _attach(request: Request, content: Json, kind: str, extra: str, value: Any) -> None:
    if isinstance(value, str) and not value.startswith("attach://") and extra == "thumbnail":
        return  # thumbnails cannot be reused: Telegram ignores everything except an upload
    record = resolve(request, "photo" if extra == "cover" else "thumbnail", value, {})
    described = request.backend.files.describe(request.bot, record)
    content[kind][extra] = described


def _sender(kind: str) -> Handler:
    def send(request: Request) -> Json:
        return deliver(request, file_content(request, kind, request.params))

    return send


for _name, _kind in (
    ("sendPhoto", "photo"), ("sendVideo", "video"), ("sendAnimation", "animation"), ("sendAudio", "audio"),
    ("sendVoice", "voice"), ("sendVideoNote", "video_note"), ("sendDocument", "document"),
    ("sendSticker", "sticker"), ("sendLivePhoto", "live_photo"),
):  # fmt: skip
    method(_name)(_sender(_kind))


@method("sendMediaGroup")
def send_media_group(request: Request) -> list[Json]:
    """Send 2 to 10 items. Audio files and documents cannot be mixed with other kinds."""
    items = request.params["media"]
    if not 2 <= len(items) <= 10:
        raise bad_request(
            "there must be 2-10 messages to send as an album" if items else "there are no messages to send"
        )
    kinds = {item["type"] for item in items}
    if len(kinds) > 1 and kinds & {"audio", "document"}:
        raise bad_request("audio and documents can't be mixed with other media types in an album")
    chat = writable_chat(request)
    contents = []
    for number, item in enumerate(items, start=1):
        contents.append(_album_item(request, number, item))
    # All or nothing: the flood limits count the whole album before its first item is sent.
    account_for(request, chat, len(contents))
    album = new_album_id(request.backend.rng.getrandbits)
    return [deliver(request, {"media_group_id": album, **content}, chat, accounted=True) for content in contents]


def new_album_id(getrandbits: Callable[[int], int]) -> str:
    """An id like Telegram's: 13 followed by random digits."""
    return f"13{getrandbits(48):015d}"


def _album_item(request: Request, number: int, item: Json) -> Json:
    as_single = {**item, item["type"]: item["media"]}
    try:
        return file_content(request, item["type"], as_single)
    except Exception as error:
        if getattr(error, "description", "").endswith("wrong file identifier/HTTP URL specified"):
            raise bad_request(
                f'failed to send message #{number} with the error message "Wrong file identifier/HTTP URL specified"'
            ) from None
        raise


@method("sendPaidMedia")
def send_paid_media(request: Request) -> Json:
    """Send media with a price in Stars. Nobody can buy it in the sandbox."""
    params = request.params
    if not 1 <= params["star_count"] <= 25_000:
        raise bad_request("STARS_AMOUNT_INVALID")
    if not 1 <= len(params["media"]) <= 10:
        raise bad_request("there must be 1-10 paid media")
    bought = []
    for item in params["media"]:
        record = resolve(request, item["type"], item["media"], {})
        described = request.backend.files.describe(request.bot, record)
        bought.append({"type": item["type"], item["type"]: described})
    content: Json = {"paid_media": {"star_count": params["star_count"], "paid_media": bought}}
    return deliver(request, {**content, **captioned(request)})


@method("getFile")
def get_file(request: Request) -> Json:
    """Return a download path that is valid for an hour. Files above 20 MB have none."""
    file_id = request.params["file_id"]
    if not file_id:
        raise bad_request("file_id not specified")
    record = request.backend.files.find(request.bot, file_id)
    if record is None:
        looks_like_one = any(request.backend.files.find(bot, file_id) for bot in request.backend.state.bots.values())
        raise bad_request(
            "wrong file_id or the file is temporarily unavailable" if looks_like_one else "invalid file_id"
        )
    if record.size > MOST_DOWNLOAD:
        raise bad_request("file is too big")
    if record.blob not in request.backend.files.blobs:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    path = request.backend.files.path(record)
    links = request.bot.links
    now = request.backend.now()
    for stale in [known for known, (_, until) in links.items() if until <= now]:
        del links[stale]
    links[path] = (record.unique, now + request.backend.switches.link_valid_s)
    described = request.backend.files.describe(request.bot, record)
    one: Json = described[-1] if isinstance(described, list) else described
    named = {name: one[name] for name in ("file_id", "file_unique_id")}
    return {**named, "file_size": record.size, "file_path": path}
