"""Catches the SQL adapter's statements when they are sent, by name (see `passerby.adapters.sql.named`), with their
values and how long they took."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.named import WITHOUT_A_TABLE, named

UNNAMED = "(unnamed)"

ELSEWHERE = (
    *("approvals.", "audiences.", "broadcast_figures.", "broadcast_rows.", "broadcasts.", "case_farms."),
    *("case_reports.", "cases.", "erasure_notes.", "examination.", "funnel.", "salvage."),
    *("money.", "money_report.", "money_writer.", "overrides.", "panel_", "past_money.", "payment_cases.", "promos."),
    *("purchases.", "referrals.", "staff_subjects.", "tombstones.", "usual_hours."),
)
"""Rooms whose statements are not asked here: staff, a few buyers and damaged rows cause them, not every chat. Their
plans are not looked at yet; `tests.panel.measure` times the panel's."""

RARE = frozenset(
    {
        *("audit.counted", "records.elsewhere", "records.put_star_row", "records.put_sweep"),
        *("staff.add_drain", "staff.by_id", "staff.end_drain", "staff.is_staff"),
        "writer.keep_evidence",
    }
)
"""Statements that are not asked here either."""


def asked_here(records: SqlRecords) -> set[str]:
    """The names of the statements that this benchmark asks."""
    return {name for name in named(records) if not name.startswith(ELSEWHERE) and name not in RARE}


@dataclass(slots=True)
class Asked:
    """A statement as sent, the values of one row, and the time of each call. `rows`: the most rows in one call."""

    statement: str
    values: Any
    rows: int
    took_ms: list[float] = field(default_factory=list)


@contextmanager
def catching(records: SqlRecords) -> Iterator[dict[str, Asked]]:
    """The statements that are sent in this block, by name. Statements without a name share one entry."""
    names = {id(statement): name for name, statement in named(records).items()}
    asked: dict[str, Asked] = {}
    began: defaultdict[int, float] = defaultdict(float)

    def before(_: object, __: object, statement: str, values: Any, context: Any, many: bool) -> None:
        if not statement.startswith(WITHOUT_A_TABLE):
            name = names.get(id(context.invoked_statement), UNNAMED)
            row = values[0] if many else values
            # People are sent as one array for each column.
            rows = (
                len(values) if many else max((len(value) for value in row or () if isinstance(value, list)), default=1)
            )
            found = asked.setdefault(name, Asked(statement, row, rows))
            found.rows = max(found.rows, rows)
            began[id(context)] = time.perf_counter()

    def after(_: object, __: object, statement: str, ___: Any, context: Any, ____: bool) -> None:
        if not statement.startswith(WITHOUT_A_TABLE):
            took_ms = (time.perf_counter() - began.pop(id(context))) * 1e3
            asked[names.get(id(context.invoked_statement), UNNAMED)].took_ms.append(took_ms)

    engine = records.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", before)
    sa.event.listen(engine, "after_cursor_execute", after)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)
        sa.event.remove(engine, "after_cursor_execute", after)
