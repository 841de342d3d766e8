"""The page about the exports of the panel, made from their columns."""

from passerby.panel.export_columns import EXPORTS

HEAD = """\
# Exports

The page *Exports* of [the panel](../how-to/panel.md) saves these tables as CSV and JSON. A program can read them, too:
the columns and their order change only with a release, and a new column comes last.

- Days and moments are in UTC.
- A number of fewer than ten people or chats is the text `<10`. `not shown` is a number that would tell such a one.
- `0` was counted. An empty cell (`null` in JSON) is a number that nobody counts.
- In CSV, a cell that a spreadsheet would run has a quote in front.
- `growth` has the last 182 days, `chats` the last 92. The newest day is today, which is not over.
- Only owners and admins can save `audit`.
"""


def exports_page() -> str:
    parts = [HEAD]
    for name, export in EXPORTS.items():
        rows = (f"| `{column}` | {meaning} |" for column, meaning in export.columns.items())
        parts.append("\n".join([f"## {name}\n", f"{export.title}.\n", "| column | meaning |", "|---|---|", *rows, ""]))
    return "\n".join(parts)
