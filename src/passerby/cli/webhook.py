"""`passerby webhook`: tell Telegram to send updates or to keep them, and show which of the two it does."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from passerby.settings import Settings
    from passerby.web.webhook_admin import Seen


class Action(StrEnum):
    SET = "set"
    DELETE = "delete"
    INFO = "info"


_HEAD = ("bot", "name", "webhook", "waiting", "remark")


def webhook(settings: "Settings", action: Action, names: Sequence[str], max_connections: int) -> int:
    """Do the action for the bots given by number or @name, or for all. Print their state and return the exit code.

    Raises: WrongSetting.
    """
    from passerby.settings import WrongSetting

    if action is Action.SET and settings.webhook_url is None:
        raise WrongSetting("WEBHOOK_URL", "is not set", "write the https address that Telegram reaches this server by")
    seen = asyncio.run(_carry_out(settings, action, names, max_connections))
    for line in table(seen):
        typer.echo(line)
    done = not any(each.fault for each in seen)
    if action is Action.SET and settings.update_mode == "polling":
        typer.echo("UPDATE_MODE is polling: set it to webhook, or nobody takes what Telegram brings.", err=True)
    if action is Action.DELETE and settings.update_mode == "webhook":
        typer.echo("UPDATE_MODE is webhook: set it to polling, or nobody asks for updates.", err=True)
    return 0 if done else 1


async def _carry_out(settings: "Settings", action: Action, names: Sequence[str], max_connections: int) -> "list[Seen]":
    from passerby.bootstrap.webhook_admin import webhook_admin

    admin = webhook_admin(settings)
    try:
        bots = list(settings.tokens)
        if names:
            known = {str(bot): bot for bot in bots}
            if any(not name.isdigit() for name in names):
                known |= {each.username.lower(): each.bot for each in await admin.read(bots) if each.username}
            unknown = [name for name in names if name.removeprefix("@").lower() not in known]
            if unknown:
                raise typer.BadParameter(f"{unknown[0]} is none of the bots of BOT_TOKENS")
            chosen = {known[name.removeprefix("@").lower()] for name in names}
            bots = [bot for bot in bots if bot in chosen]
        match action:
            case Action.SET:
                return await admin.set(bots, max_connections)
            case Action.DELETE:
                return await admin.delete(bots)
            case Action.INFO:
                return await admin.read(bots)
    finally:
        await admin.aclose()


def table(seen: "Sequence[Seen]") -> list[str]:
    """Lines with aligned columns. The first line has the headings."""
    rows = [_HEAD]
    for each in seen:
        name = f"@{each.username}" if each.username else "?"
        waiting = "?" if each.fault else str(each.waiting)
        remark = "; ".join(filter(None, (each.fault, each.remark, each.error)))
        rows.append((str(each.bot), name, each.whose, waiting, remark))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
