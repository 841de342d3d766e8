"""The `passerby` command. Each command imports its modules when it runs, so that `--help` is fast."""

import signal
import sys
from collections.abc import Callable
from functools import partial

from passerby.cli.lean_imports import lean_imports
from passerby.cli.process_exit import leave
from passerby.cli.telling import about_a_file, accept_any_name, tell


def main() -> None:
    """Run the command line.

    Exit codes: 0 done; 1 a fault, or a check that failed; 2 a refusal, with a sentence that says what to change (a
    setting, an argument, a file or a server that cannot be used); 70 the event loop was stuck; 128+n a second signal n.
    """
    accept_any_name()
    leave(_run())


def _run() -> int:
    try:
        with lean_imports():
            from passerby.cli.process import begin, plain

            asked = plain(sys.argv[1:])
            command = partial(begin, *asked) if asked is not None else _typer()
            from passerby.settings import WrongSetting
    except KeyboardInterrupt:
        return 128 + signal.SIGINT

    try:
        code = command()
    except KeyboardInterrupt:  # before the event loop listens to signals
        return 128 + signal.SIGINT
    except SystemExit as end:
        return _code(end)
    except WrongSetting as wrong:
        tell(wrong)
        return 2
    except OSError as error:
        if (told := about_a_file(error)) is None:
            return _crashed(error)
        tell(told)
        return 2
    except Exception as error:  # noqa: BLE001  # the outermost handler: the text of an exception must not be shown
        return _crashed(error)
    return code if isinstance(code, int) else 0


def _typer() -> Callable[[], object]:
    """The command that Typer reads from the arguments."""
    from typer import Abort
    from typer.exceptions import TyperException

    from passerby.cli.app import app
    from passerby.cli.arguments import is_help, sentence

    def command() -> object:
        try:
            return app(prog_name="passerby", standalone_mode=False)
        except Abort:  # the end of standard input at a question
            return 1
        except TyperException as error:
            if is_help(error):
                print(error, file=sys.stderr)  # noqa: T201  # the help has many lines
            else:
                tell(sentence(error))
            return 2

    return command


def _crashed(error: Exception) -> int:
    from passerby.telemetry import logs

    if not logs.is_set_up():
        logs.set_up("info", "console")
    logs.failed("process.crashed", error)
    return 1


def _code(end: SystemExit) -> int:
    """The exit code that Python would use."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code
    tell(end.code)  # as Python does
    return 1
