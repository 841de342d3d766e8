"""What happened on which day, for the graphs: releases."""

import msgspec

from passerby.adapters.sql.panel_reading import PanelReading

RELEASE = "release"


class Release(msgspec.Struct, frozen=True):
    version: str


async def marks_of(reading: PanelReading, days: range) -> list[tuple[int, str]]:
    """(index in `days`, what happened), in order."""
    rows = await reading.figures(RELEASE, days.start * 1440, days.stop * 1440)
    return [
        (minute // 1440 - days.start, f"release {msgspec.json.decode(body, type=Release).version}")
        for minute, body, _ in rows
        if minute // 1440 in days
    ]
