"""The command: `python -m botapi_sandbox`. Reads arguments, prints the address, stops cleanly on SIGINT and SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn

from botapi_sandbox.service import Sandbox, make_world, running
from botapi_sandbox.state_file import UnreadableState
from botapi_sandbox.world import Switches, World

WRONG_USAGE = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print one line and exit with 2."""
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The arguments, for the help and the reference."""
    made = _Parser(
        prog="botapi_sandbox",
        description="A Bot API server for people without a token. To a bot it behaves like Telegram.",
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    made.add_argument("--port", type=_port, default=8081, help="port; 0 means any free one (default %(default)s)")
    made.add_argument("--bots", type=_count, default=3, help="the smallest number of bots (default %(default)s)")
    made.add_argument("--state", type=Path, metavar="FILE", help="store the whole state in FILE, and continue from it")
    made.add_argument("--seed", type=int, help="make random choices repeatable")
    made.add_argument("--no-limits", action="store_true", help="turn off flood limits")
    made.add_argument("--no-reactions", action="store_true", help="do not send reactions to bots")
    made.add_argument("--lenient", action="store_true", help="accept unknown parameters, as Telegram does")
    made.add_argument(
        "--check-own", action="store_true", help="check the sandbox's own answers and updates against the schema"
    )
    made.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="also answer requests that call this server NAME, for example a container's name (may be repeated)",
    )
    made.add_argument("--webhooks-anywhere", action="store_true", help="accept webhooks on other machines")
    made.add_argument("--quiet", action="store_true", help="print only errors")
    return made


def arguments() -> list[tuple[str, str]]:
    """Each argument with its help, for the reference."""
    return [
        (f"{action.option_strings[-1]} {action.metavar or action.dest.upper()}" if action.nargs is None
         else action.option_strings[-1], (action.help or "") % {"default": action.default})
        for action in parser()._actions  # noqa: SLF001 - argparse offers no other way to list them
        if action.dest != "help"
    ]  # fmt: skip


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: use a number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1000")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal arrives. Returns the exit code."""
    options = parser().parse_args(argv)
    switches = Switches(
        limits=not options.no_limits,
        reactions=not options.no_reactions,
        strict=not options.lenient,
        check_own=options.check_own,
        webhooks_anywhere=options.webhooks_anywhere,
    )
    try:
        world = make_world(bots=options.bots, seed=options.seed, state=options.state, switches=switches)
        _run(_serve(world, options))
    except (UnreadableState, OSError) as problem:
        print(f"botapi_sandbox: {problem}", file=sys.stderr)  # noqa: T201 - a command speaks
        return WRONG_USAGE
    return 0


async def _serve(world: World, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(
        world, host=options.host, port=options.port, state=options.state, hosts=options.allow_host
    ) as sandbox:
        if not options.quiet:
            print(welcome(sandbox), flush=True)  # noqa: T201 - a command speaks
        await stop.wait()


def _run(serving: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)


def welcome(sandbox: Sandbox) -> str:
    """The text printed at the start: the address and the tokens of the bots."""
    lines = [f"Bot API sandbox at {sandbox.url}  (playground: {sandbox.url}/)"]
    lines += [f"  @{bot.username}  {bot.token}" for bot in sandbox.world.state.bots.values()]
    return "\n".join(lines)
