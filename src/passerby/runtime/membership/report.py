"""A worker's report about itself. The heartbeat stores it in the list of members, where workers and operators read
it."""

import msgspec

from passerby.telemetry.figures import Snapshot


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """A worker's report about itself in the list of members. `leads`: it takes leases. `since` is Unix seconds."""

    name: str = ""
    leads: bool = True
    leaving: bool = False
    since: float = 0.0
    figures: Snapshot | None = None
    idle_bots: tuple[int, ...] = ()
    """Bots that it holds and whose token Telegram refuses for sure."""
    home: str = ""
    """The installation that it belongs to: the machine's name and the run directory, for the operator."""
    doubted_bots: tuple[int, ...] = ()
    """Bots whose token this worker suspects or knows to be refused, whether it holds them or not."""


def read_report(blob: bytes) -> Report:
    """Decode a report. If another release wrote it and it cannot be read, it is empty and leads nothing."""
    try:
        return msgspec.json.decode(blob, type=Report)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Report(leads=False)
