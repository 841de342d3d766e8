"""The `passerby` command. What a command needs is imported when it runs, so that `--help` costs nothing."""

import sys

from passerby.cli.leaving import leave


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 a fault, 2 a wrong setting or argument, 70 the event
    loop was stuck, 128+n a second signal n."""
    leave(_run())


def _run() -> int:
    from passerby.cli.app import app
    from passerby.settings import WrongSetting

    try:
        app(prog_name="passerby")
    except SystemExit as end:
        return _code(end)
    except WrongSetting as wrong:
        print(wrong, file=sys.stderr)  # noqa: T201  # the one line
        return 2
    except Exception as error:  # noqa: BLE001  # the outermost place: the text of what gets here is not to be shown
        from passerby import logs

        if not logs.is_set_up():
            logs.set_up("info", "console")
        logs.failed("process.crashed", error)
        return 1
    return 0


def _code(end: SystemExit) -> int:
    """The exit code that Python would use."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code
    print(end.code, file=sys.stderr)  # noqa: T201  # as Python does
    return 1
