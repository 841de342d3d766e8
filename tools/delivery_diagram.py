"""Draws the table of what may happen to a delivery (`passerby.domain.delivery.table`) into the page on architecture."""

from pathlib import Path

from passerby.domain.delivery.events import Event
from passerby.domain.delivery.phases import Custody, Phase
from passerby.domain.delivery.table import TABLE

PAGE = Path(__file__).resolve().parent.parent / "docs/explanation/architecture.md"
BEGIN, END = "<!-- drawn by tools/reference.py -->\n", "<!-- end of the drawing -->\n"


def _rows(states: type[Phase] | type[Custody]) -> list[str]:
    """One line for each change of state, with the events that cause it."""
    rows = []
    for state in states:
        ways: dict[Phase | Custody, list[type[Event]]] = {}
        for event, following in TABLE[state].items():
            for after in states:
                if after in following:
                    ways.setdefault(after, []).append(event)
        for after, events in ways.items():
            if after is not state:
                names = ", ".join(sorted(event.__name__ for event in events))
                rows.append(f"    {state.value} --> {after.value}: {names}")
    return rows


def architecture_page() -> str:
    """The page as it is, with the drawing of the table as it is now."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    drawn = "\n".join(
        (
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> new",
            *_rows(Phase),
            "    done --> [*]",
            "```",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *_rows(Custody),
            "```",
            "",
        )
    )
    return f"{before}{BEGIN}{drawn}{END}{after}"
