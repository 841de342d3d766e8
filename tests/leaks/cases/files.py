"""Files called after their sender, alone, under a caption, in albums, and exchanged by an edit."""

from tests.leaks.canaries import TYPED
from tests.leaks.cases.case import Case, Json

NAMES: dict[str, tuple[str, str]] = {
    "plain": ("<name> CV.pdf", "application/pdf"),
    "id": ("<id>.jpg", "image/jpeg"),
    "ending": ("cv.<username>", "application/octet-stream"),
    "ending in two": ("<name>.pdf.<username>", "application/pdf"),
    "path": ("../<name>/x.txt", "text/plain"),
    "windows path": ("C:\\Users\\<name>\\x.docx", "application/msword"),
    "right to left": ("<name>\u202efdp.exe", "application/pdf"),
    "zero width": ("<name>\u200b.zip", "application/zip"),
    "quoted": ('"; filename="<name>.txt', "text/plain"),
    "line feed": ("x\r\nX-Name: <name>.txt", "text/plain"),
    "other letters": ("Ｋａｎａｒｅｋ<name>.csv", "text/csv"),
    "percent": ("%4Banarek<name>.csv", "text/csv"),
    "type": ("x.bin", "application/x-<username>"),
    "type with a parameter": ("x.txt", "text/plain; owner=<username>"),
    "type alone": ("", "application/vnd.<username>"),
    "no type": ("<name>", ""),
    "long": ("<name>" * 30 + ".txt", "text/plain"),
    "dots": ("....<name>....", "text/plain"),
}
MIMES = {"audio": "audio/mpeg", "video": "video/mp4", "animation": "video/mp4"}
TAGS = {"performer": "<name>", "title": "<name> <phone>"}


def document(name: str, mime: str, **more: object) -> Json:
    return {"document": {"file_name": name, "mime_type": mime}, **more}


def _files() -> list[Case]:
    cases = []
    for label, (name, mime) in NAMES.items():
        cases.append(Case(f"document: {label}", [document(name, mime, caption=TYPED)]))
        for kind, usual in MIMES.items():
            file = {"file_name": name, "mime_type": usual, **(TAGS if kind == "audio" else {})}
            cases.append(Case(f"{kind}: {label}", [{kind: file, "caption": TYPED}]))
    return cases


def _albums() -> list[Case]:
    name, mime = NAMES["plain"]
    mention = {"type": "text_mention", "offset": 0, "length": 4, "user": {"<": "user"}}
    hidden = {"type": "text_link", "offset": 0, "length": 4, "url": "https://t.me/<username>"}
    photo: Json = {"photo": {}, "caption": TYPED}
    video: Json = {"video": {"file_name": "<name>.mp4", "mime_type": "video/mp4"}}
    song: Json = {"audio": {"file_name": "<name>.mp3", "mime_type": "audio/mpeg", **TAGS}}
    items: dict[str, list[Json]] = {
        "photos": [photo, {"photo": {}}],
        "a mention under the first": [{**photo, "caption_entities": [mention]}, {"photo": {}}],
        "a mention under the last": [{"photo": {}}, {**photo, "caption_entities": [mention]}],
        "a hidden link under one": [photo, {**photo, "caption_entities": [hidden]}, {"photo": {}}],
        "documents": [document(name, mime, caption=TYPED), document("<id>.zip", "application/zip")],
        "songs": [{**song, "caption": TYPED}, song],
        "photo and video": [photo, video, video],
        "spoilers": [{**photo, "has_media_spoiler": True}, {**video, "has_media_spoiler": True}],
        "ten": [photo, *({"photo": {}} for _ in range(9))],
        "a photo and a document": [photo, document(name, mime)],
        "a song and a photo": [song, photo],
        "an animation between photos": [photo, {"animation": {"file_name": "<name>.gif"}}, {"photo": {}}],
        "a game among photos": [photo, {"game": {"title": "<name>", "description": "d", "photo": []}}, photo],
    }
    return [
        Case(f"album: {label}", [{**item, "media_group_id": f"7000{number}"} for item in album])
        for number, (label, album) in enumerate(items.items())
    ]


def _long() -> list[Case]:
    """Captions that their writers' Premium allows: their words go apart from the file."""
    words = f"{TYPED} " + "and so on. " * 180
    mention = {"type": "text_mention", "offset": 1500, "length": 6, "user": {"<": "user"}}
    hidden = {"type": "text_link", "offset": 1500, "length": 6, "url": "https://t.me/<username>"}
    name, mime = NAMES["plain"]
    long: Json = {"photo": {}, "caption": words}
    return [
        Case("long words under a photo", [long]),
        Case("long words with a mention", [{**long, "caption_entities": [mention]}]),
        Case("long words with a hidden link", [{**long, "caption_entities": [hidden]}]),
        Case("long words under a document", [document(name, mime, caption=words)]),
        Case("long words in an album", [{**each, "media_group_id": "71000"} for each in (long, {"photo": {}})]),
    ]


def _exchanged() -> list[Case]:
    before: Json = {"photo": {}, "caption": TYPED}
    video: Json = {"video": {"file_name": "<name>.mp4", "mime_type": "video/mp4"}, "photo": None}
    song: Json = {"audio": {"file_name": "<name>.mp3", "mime_type": "audio/mpeg", **TAGS}}
    other: Json = {"audio": {"file_name": "<username>.mp3", "mime_type": "audio/mpeg", **TAGS}}
    papers = document("<name>.pdf", "application/pdf", caption=TYPED), document("<phone>.pdf", "application/pdf")
    return [
        Case("a photo becomes a video", [before], edits=[video]),
        Case("a song becomes another", [{**song, "caption": TYPED}], edits=[other]),
        Case("a document becomes another", [papers[0]], edits=[papers[1]]),
        Case("an animation", [{"animation": {"file_name": "<name>.gif", "mime_type": "video/mp4"}, "caption": TYPED}]),
        Case("a voice message", [{"voice": {"file_name": "<name>.ogg"}, "caption": TYPED}]),
        Case("a video note", [{"video_note": {"file_name": "<name>.mp4"}}], shows="video_note"),
        Case("a live photo", [{"live_photo": {"file_name": "<name>.heic"}, "caption": TYPED}]),
        Case("a sticker", [{"sticker": {"type": "regular", "is_animated": False, "is_video": False}}], shows="sticker"),
        Case("a sticker of one's own set", [{"sticker": {"set_name": "cats_by_<username>"}}], shows="sticker"),
        Case("a sticker with an owner", [{"sticker": {"type": "regular", "owner": {"<": "user"}}}], shows="sticker"),
    ]


CASES = _files() + _albums() + _long() + _exchanged()
