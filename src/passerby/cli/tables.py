"""Shows processes, bots and figures on a terminal. `status` and `monit` share it."""

from collections.abc import Iterable
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from passerby.ops.cluster.overview import Bot, Overview, ProcessRow
from passerby.ops.counting import counted
from passerby.telemetry.figures import Snapshot

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_BUSY_CPU: Final = 0.9
_MANY_PENDING: Final = 1000


def status_page(seen: Overview) -> RenderableType:
    parts: list[RenderableType] = [process_table(seen.processes), Text(), bot_table(seen.bots), Text()]
    parts.append(_duties(seen))
    parts.append(_stores(seen))
    if seen.figures is not None:
        parts.append(_crowd(seen.figures))
    parts.append(Text())
    parts.append(verdict(seen.faults))
    return Group(*parts)


def process_table(rows: Iterable[ProcessRow]) -> Table:
    table = _table("process", "state", ">pid", ">up", ">restarts", ">crashes", ">CPU", ">memory", ">bots")
    for row in rows:
        table.add_row(
            row.name,
            Text(row.state, style=state_style(row.state)),
            str(row.pid or "–"),
            age(row.up_s) if row.up_s else "–",
            _number(row.restarts),
            Text(_number(row.crashes), style="yellow" if row.crashes else ""),
            Text(f"{row.cpu:.0%}", style="yellow" if row.cpu > _BUSY_CPU else "") if row.cpu is not None else "–",
            size(row.rss) if row.rss is not None else "–",
            str(row.bots or "–"),
        )
    return table


def bot_table(rows: Iterable[Bot]) -> Table:
    table = _table("bot", "owner", ">last poll", ">pending at Telegram")
    for row in rows:
        owner = (
            Text("token refused", style="red")
            if row.refused
            else Text("token suspected", style="yellow")
            if row.suspected
            else Text(row.owner or "nobody", style="" if row.owner else "red")
        )
        pending = Text(_number(row.pending), style="yellow" if (row.pending or 0) >= _MANY_PENDING else "")
        polled = f"{age(row.polled_ago_s)} ago" if row.polled_ago_s is not None else "–"
        table.add_row(str(row.bot), owner, polled, pending)
    return table


def verdict(faults: tuple[str, ...]) -> Text:
    if not faults:
        return Text("All is well.", style="green")
    return Text("\n".join(f"! {fault}" for fault in faults), style="red")


def state_style(state: str) -> str:
    if state == "ready":
        return "green"
    return "yellow" if state in ("starting", "stopping", "leaving") else "red"


def age(seconds: float) -> str:
    """A duration in at most two units: 3d 4h, 12m 5s, 0.4s."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    for unit, name, below, its_name in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "m"), (_MINUTE, "m", 1, "s")):
        if whole >= unit:
            return f"{whole // unit}{name} {whole % unit // below}{its_name}"
    return f"{whole}s"


def size(count: int) -> str:
    mib = count / 1024**2
    return f"{mib:.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"


def _duties(seen: Overview) -> Text:
    words = [
        f"{lease.partition(':')[2] if lease.startswith('duty:') else lease} {owner}"
        for lease, owner in seen.duties.items()
    ]
    return Text(f"for all:  {', '.join(words) or '–'}")


def _stores(seen: Overview) -> Text:
    text = Text("stores:   ")
    for number, (store, state) in enumerate(seen.stores.items()):
        text.append(f"{', ' if number else ''}{store} ")
        text.append(state, style="green" if state == "ok" else "red")
    return text if seen.stores else text.append("–")


def _crowd(figures: Snapshot) -> Text:
    return Text(
        f"people:   {counted(figures.chats, 'chat')}, {figures.waiting} waiting;  "
        f"{figures.outbox} in the outbox, {counted(figures.journal, 'fact')} for the records"
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.lstrip(">"), justify="right" if column.startswith(">") else "left", no_wrap=column != "state"
        )
    return table


def _number(number: int | None) -> str:
    return "–" if number is None else str(number)
