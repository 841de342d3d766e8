"""The Lua scripts, as Redis gets them. The head of each script lists the keys that it uses."""

import hashlib
from importlib.resources import files
from typing import Final, NamedTuple

_FOLDER = files(__package__) / "lua"
_INCLUDE = "--include "


class Script(NamedTuple):
    source: str
    sha: bytes
    lasting: bool
    """Whether its writes must survive the loss of the server."""
    writes: bool


def _read(name: str) -> str:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(_read(line.removeprefix(_INCLUDE)) if line.startswith(_INCLUDE) else line for line in lines)


def _script(name: str, *, lasting: bool = False) -> Script:
    return named(_read(f"{name}.lua"), lasting=lasting)


def named(source: str, *, lasting: bool = False) -> Script:
    """The script with this source."""
    # Redis names scripts by their SHA-1.
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest().encode()
    return Script(source, sha, lasting, "no-writes" not in source.partition("\n")[0])


ADOPT: Final = _script("adopt", lasting=True)
HEARTBEAT: Final = _script("heartbeat", lasting=True)
BEGIN: Final = _script("begin", lasting=True)
COMMIT: Final = _script("commit", lasting=True)
CONDUCT: Final = _script("conduct")
COUNTERPART: Final = _script("counterpart")
CRASH: Final = _script("crash", lasting=True)
DONE: Final = _script("done")
FEED: Final = _script("feed")
FIGURES: Final = _script("figures")
GIVE: Final = _script("give")
HANDSHAKE: Final = _script("handshake")
INHERIT: Final = _script("inherit", lasting=True)
GENERATION: Final = _script("generation")
LOAD: Final = _script("load")
MEND: Final = _script("mend", lasting=True)
MARK: Final = _script("mark", lasting=True)
MEMO: Final = _script("memo", lasting=True)
OUTBOX: Final = _script("outbox")
PRECEDED: Final = _script("preceded")
IDLE_CHATS: Final = _script("idle_chats")
REMEMBER: Final = _script("remember")
ROLL: Final = _script("roll", lasting=True)
RESERVE: Final = _script("reserve")
MEMBERS: Final = _script("members")
SIGHT: Final = _script("sight")
SWEEP: Final = _script("sweep")
TAKE: Final = _script("take", lasting=True)
TOLD: Final = _script("told")
TRAIL: Final = _script("trail")
WHOLE: Final = _script("whole")
TRIM: Final = _script("trim", lasting=True)
