"""Names for uploads that say nothing of anybody.

The sender's own name for a file is dropped; a document keeps its ending where that is a known harmless one and fits the
file's type, because without it the reader's device does not know what to open it with.
"""

from collections.abc import Mapping
from typing import Final

from passerby.kernel.content import Content, File, Kind

_TEXT = frozenset({"text/plain"})
_ZIP = frozenset({"application/zip", "application/x-zip-compressed"})
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."

# ending: the types that it may go with
_HARMLESS: Mapping[str, frozenset[str]] = {
    "pdf": frozenset({"application/pdf"}),
    "txt": _TEXT,
    "md": _TEXT | {"text/markdown"},
    "csv": _TEXT | {"text/csv"},
    "json": _TEXT | {"application/json"},
    "rtf": frozenset({"application/rtf", "text/rtf"}),
    "doc": frozenset({"application/msword"}),
    "docx": frozenset({f"{_OFFICE}wordprocessingml.document"}),
    "xls": frozenset({"application/vnd.ms-excel"}),
    "xlsx": frozenset({f"{_OFFICE}spreadsheetml.sheet"}),
    "ppt": frozenset({"application/vnd.ms-powerpoint"}),
    "pptx": frozenset({f"{_OFFICE}presentationml.presentation"}),
    "odt": frozenset({f"{_OPEN}text"}),
    "ods": frozenset({f"{_OPEN}spreadsheet"}),
    "odp": frozenset({f"{_OPEN}presentation"}),
    "epub": frozenset({"application/epub+zip"}),
    "fb2": frozenset({"application/x-fictionbook+xml", "application/xml", "text/xml"}),
    "djvu": frozenset({"image/vnd.djvu"}),
    "zip": _ZIP,
    "7z": frozenset({"application/x-7z-compressed"}),
    "rar": frozenset({"application/vnd.rar", "application/x-rar-compressed", "application/rar"}),
    "jpg": frozenset({"image/jpeg"}),
    "jpeg": frozenset({"image/jpeg"}),
    "png": frozenset({"image/png"}),
    "gif": frozenset({"image/gif"}),
    "webp": frozenset({"image/webp"}),
    "heic": frozenset({"image/heic"}),
    "bmp": frozenset({"image/bmp"}),
    "tiff": frozenset({"image/tiff"}),
    "mp4": frozenset({"video/mp4"}),
    "mov": frozenset({"video/quicktime"}),
    "mkv": frozenset({"video/x-matroska"}),
    "webm": frozenset({"video/webm"}),
    "mp3": frozenset({"audio/mpeg", "audio/mp3"}),
    "m4a": frozenset({"audio/mp4", "audio/x-m4a", "audio/m4a"}),
    "ogg": frozenset({"audio/ogg", "application/ogg"}),
    "flac": frozenset({"audio/flac", "audio/x-flac"}),
    "wav": frozenset({"audio/wav", "audio/x-wav"}),
}
_ENDING_OF = {mime: ending for ending, mimes in reversed(list(_HARMLESS.items())) for mime in mimes}

_STICKER_ENDINGS = {"static": "webp", "animated": "tgs", "video": "webm"}
_FIXED = {
    Kind.PHOTO: ("photo.jpg", "image/jpeg"),
    Kind.LIVE_PHOTO: ("live_photo.mp4", "video/mp4"),
    Kind.VIDEO: ("video.mp4", "video/mp4"),
    Kind.VIDEO_NOTE: ("video_note.mp4", "video/mp4"),
    Kind.ANIMATION: ("animation.mp4", "video/mp4"),
    Kind.VOICE: ("voice.ogg", "audio/ogg"),
}
_UNSAID = "application/octet-stream"


APART: Final = "apart"


def is_apart(content: Content) -> bool:
    """Whether a sticker must be sent without its set."""
    return APART in (content.detail or {})


def names_somebody(content: Content) -> bool:
    """Whether a copy of the file, or its id, would show its sender's name for it.

    For audio this is always possible: its title and performer stay with its id. A name that we gave to the file
    ourselves is harmless. A sticker's id shows its set, which may be its sender's own (see `sets`).
    """
    if content.file is None:
        return False
    name, mime = name_and_type(content)
    if content.kind is Kind.STICKER:
        return is_apart(content)
    if content.kind is Kind.DOCUMENT and content.file.mime not in (None, "", mime):
        return True  # a type that nobody knows is a word of the sender's own, too
    return content.kind is Kind.AUDIO or content.file.name not in (None, "", name)


def name_and_type(content: Content) -> tuple[str, str]:
    """The file name and MIME type to upload the content's file with."""
    assert content.file is not None
    if content.kind is Kind.STICKER:
        ending = _STICKER_ENDINGS.get((content.detail or {}).get("format", ""), "webp")
        return f"sticker.{ending}", "image/webp" if ending == "webp" else _UNSAID
    if content.kind in _FIXED:
        return _FIXED[content.kind]
    ending, mime = _ending(content.file)
    if content.kind is Kind.AUDIO:
        return (f"audio.{ending}", mime) if mime.startswith("audio/") else ("audio.mp3", "audio/mpeg")
    return (f"document.{ending}", mime) if ending else ("document", mime)


def _ending(file: File) -> tuple[str, str]:
    """A harmless ending and its type; without a harmless one, no ending and no type."""
    mime = (file.mime or "").lower()
    _, dot, ending = (file.name or "").lower().rpartition(".")
    if not dot:
        ending = _ENDING_OF.get(mime, "") if not file.name else ""
    return (ending, mime) if mime in _HARMLESS.get(ending, ()) else ("", _UNSAID)
