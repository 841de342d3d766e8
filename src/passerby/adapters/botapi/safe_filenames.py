"""Names for uploads that reveal nothing about anybody.

The sender's own name for a file is dropped. A document keeps its ending if the ending is known, harmless and fits the
file's type. Without an ending, the reader's device does not know how to open it.
"""

from collections.abc import Mapping
from typing import Final

from passerby.kernel.content import Content, File, Kind

_TEXT = frozenset({"text/plain"})
_ZIP = frozenset({"application/zip", "application/x-zip-compressed"})
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."

# ending: the types that it may have
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
    """Whether a copy of the file, or its id, would show the sender's name for it.

    For audio this is always possible: title and performer stay with the id. A name that we gave to the file ourselves
    is harmless. A sticker's id shows its set, which may be the sender's own (see `sets`).
    """
    if content.file is None:
        return False
    name, mime = name_and_type(content)
    if content.kind is Kind.STICKER:
        return is_apart(content)
    if content.kind is Kind.DOCUMENT and content.file.mime not in (None, "", mime):
        return True  # an unknown type may be the sender's own word, too
    return content.kind is Kind.AUDIO or content.file.name not in (None, "", name)


def name_and_type(content: Content) -> tuple[str, str]:
    """Return the file name and MIME type for the upload of the content's file."""
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
    """Return a harmless ending and its type; otherwise two empty strings."""
    mime = (file.mime or "").lower()
    _, dot, ending = (file.name or "").lower().rpartition(".")
    if not dot:
        ending = _ENDING_OF.get(mime, "") if not file.name else ""
    return (ending, mime) if mime in _HARMLESS.get(ending, ()) else ("", _UNSAID)
