"""Alerts in the staff bot: posts with buttons, and what staff asked for by pressing them.

A press is a decision of a staff member like any other, so it is in the audit. The alerts read it there, whichever
worker has which duty.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from passerby.kernel.effect import Button, Menu
from passerby.kernel.text import Text, text
from passerby.ports.records import RecordsLost
from passerby.ports.staff import StaffRecords
from passerby.runtime.alerting.channels import NotTold
from passerby.runtime.alerting.watch import AlertAnswer, AlertAnswers
from passerby.runtime.delivery.staff_board import Posted, StaffBoard, Unreached

SILENT_S: Final = 3600.0
ROWS: Final = 200


class StaffPosts:
    """See `channels.Board`."""

    def __init__(self, board: StaffBoard) -> None:
        self._board = board

    async def post(self, words: str, alert: str) -> tuple[str, ...]:
        try:
            posted = await self._board.post(_said(words), _menu(alert), must_arrive=True)
        except Unreached as error:
            raise NotTold(f"the staff bot reaches nobody of the team now: {error}") from None
        return tuple(msgspec.json.encode(each).decode() for each in posted)

    async def revise(self, posts: Iterable[str], words: str, alert: str) -> None:
        places = [msgspec.json.decode(each, type=Posted) for each in posts]
        await self._board.revise(places, _said(words), _menu(alert))


class Unconditional:
    """An alert about a lost store must go out although nobody can be sure of a lease then."""

    is_assured = True

    async def assured(self) -> None:
        return


class StaffAnswers:
    """Reads from the audit how staff have answered alerts."""

    def __init__(self, records: StaffRecords, board: StaffBoard) -> None:
        self._records = records
        self._board = board

    async def after(self, number: int) -> AlertAnswers:
        """`number`: the last row that was read. The first time, only the newest rows are read."""
        try:
            rows = await (self._records.audit(number, ROWS) if number else self._records.newest_audit(ROWS))
        except RecordsLost:
            return AlertAnswers((), number)
        found = [row for row in rows if row.action in ("alert.acknowledged", "alert.silenced")]
        everybody = await self._board.everybody() if found else ()
        names: dict[int, str] = {each.number: each.name for each in everybody}
        answers = [
            AlertAnswer(
                row.subject,
                names.get(row.actor or 0, "") or f"Member {row.actor} of the team",
                row.at,
                row.at + SILENT_S if row.action == "alert.silenced" else 0.0,
            )
            for row in found
        ]
        return AlertAnswers(answers, rows[-1].number if rows else number)


def _said(words: str) -> Text:
    return text("staff_alerts.words", words=words)


def _menu(alert: str) -> Menu | None:
    if not alert:
        return None
    return Menu(
        (
            (
                Button(text("staff_alerts.acknowledge"), "alert_ack", alert),
                Button(text("staff_alerts.silence"), "alert_silence", alert),
            ),
            (Button(text("staff_alerts.what_to_do"), "alert_help", alert),),
        )
    )
