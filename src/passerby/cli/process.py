"""The processes that serve bots: `passerby run`, `passerby worker` and `passerby web`.

These commands are started most often, and their arguments are few. So they can be read without Typer: its import and
the description of all other commands take a tenth of a start.
"""

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from passerby.cli.lean_imports import lean_imports

if TYPE_CHECKING:
    from passerby.cli.serving import Role
    from passerby.settings import Settings

NAMES: Final = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}"
"""The name becomes part of file names in RUN_DIR. Names of systemd instances may contain an @."""

ROLES: Final[dict[str, "Role"]] = {"run": "all", "worker": "worker", "web": "web"}
"""By command."""
DEFAULT_NAMES: Final[dict["Role", str]] = {"all": "passerby", "worker": "worker", "web": "web"}


def plain(arguments: Sequence[str]) -> tuple["Role", str] | None:
    """Which process the arguments ask for, and its name. None: Typer has to read them."""
    role = ROLES.get(arguments[0]) if arguments else None
    if role is None:
        return None
    match arguments[1:]:
        case []:
            return role, DEFAULT_NAMES[role]
        case ["--name", name] if re.fullmatch(NAMES, name):
            return role, name
        case [option] if option.startswith("--name=") and re.fullmatch(NAMES, option.removeprefix("--name=")):
            return role, option.removeprefix("--name=")
    return None


def settled() -> "Settings":
    """The settings. They name at least one bot."""
    from passerby import settings

    found = settings.read()
    if not found.bot_tokens:
        raise settings.no_bot()
    return found


def begin(role: "Role", name: str) -> None:
    """Serve the bots until a signal tells the process to stop. Raises: WrongSetting."""
    with lean_imports():
        from passerby import settings
        from passerby.cli.safe_stderr import safe
        from passerby.cli.serving import serve
        from passerby.telemetry import logs

    found = settled()
    if not re.fullmatch(NAMES, name):
        raise settings.WrongSetting(
            "--name", "is not a name of 1 to 64 letters, digits, _, -, . or @", "write --name worker-1"
        )
    if role != "all" and not found.is_shared:
        remedy = "set REDIS_URL and POSTGRES_URI, or use `passerby run`"
        raise settings.WrongSetting("REDIS_URL", "is not set: this process would be alone", remedy)
    if role == "web" and found.update_mode != "webhook":
        remedy = "set it and WEBHOOK_URL, or start a `passerby worker`"
        raise settings.WrongSetting("UPDATE_MODE", "is not webhook: there would be nothing to do", remedy)
    logs.set_up(found.log_level, found.log_format, stream=safe(sys.stderr))
    for wrong, meant in settings.doubts():
        logs.record("settings.doubtful", "warning", setting=wrong, reason=f"it is no setting: did you mean {meant}?")
    if role == "all" and not found.is_shared:
        from passerby.cli.elsewhere import where_else

        if beside := where_else(found):
            # Each of the two would get some of the updates, and know nothing about the other's chats.
            reason = f"{beside.partition(':')[0]}: end one of the two now"
            logs.record("bots.served_twice", "warning", reason=reason)
    serve(found, role=role, name=name)
