"""Counts updates that are dropped or cannot be read, so that nothing disappears unnoticed."""

from passerby.kernel.content import Content, Kind
from passerby.kernel.event import Event, MessageEdited, MessageReceived, Unusable
from passerby.telemetry import logs, metrics

_UNKNOWN = Kind.UNKNOWN


def note(event: Event) -> None:
    """Count an update that was just taken."""
    if type(event) is MessageReceived and event.contents[0].kind is not _UNKNOWN:
        return
    match event:
        case (
            MessageReceived(contents=(Content(kind=Kind.UNKNOWN), *_))
            | MessageEdited(content=Content(kind=Kind.UNKNOWN))
        ):
            metrics.UNKNOWN.add(event.bot)
            logs.record("update.unknown_message", "warning", bot=event.bot, kind=type(event).__name__)
        case Unusable(bot=bot, why=why):
            metrics.UNUSED.add(bot, why)
            if why == "unreadable":
                logs.record("update.unreadable", "warning", bot=bot)
