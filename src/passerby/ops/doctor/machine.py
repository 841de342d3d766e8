"""Checks this machine: settings, files and their permissions, disk, limits, and whether a supervisor restarts us."""

import os
import resource
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from passerby.ops.counting import counted
from passerby.ops.doctor.finding import GIB, Finding, Verdict, fail, warn, well
from passerby.settings import Settings, WrongSetting, addresses, doubts, open_key

ENOUGH_FILES: Final = 65_536
TOO_FEW_FILES: Final = 1_024
"""A bot needs a few connections. In the worst case, each of thousands of current updates needs one, too."""

SPARE: Final = 5 * GIB
TOO_LITTLE: Final = GIB

LEAST_MEMORY_MB: Final = 256
"""A process needs 115 MiB right after its start."""

_SOCKET_PATH: Final = 107
"""Source: unix(7), sun_path without its final null byte."""


def checks(settings: Settings) -> Iterator[Finding]:
    for check in (
        _fleet,
        _contact,
        _environment,
        _key,
        _env_file,
        _tokens_file,
        _database_file,
        _run_dir,
        _metrics,
        _disk,
        _files,
        _memory,
    ):
        yield from check(settings)


def _fleet(settings: Settings) -> Iterator[Finding]:
    count = len(settings.tokens)
    if not count:
        yield fail("bots", "BOT_TOKENS names none", "write BOT_TOKENS=<what @BotFather gave you>")
    elif count == 1:
        yield warn(
            "bots", "one bot: if Telegram bans it, everybody is gone", "add a second, of another brand or language"
        )
    else:
        yield well("bots", counted(count, "bot"))
    if settings.is_shared:
        yield well("stores", "Redis and PostgreSQL: any number of processes")
    elif settings.postgres_uri is not None:
        yield warn(
            "stores",
            "one process: PostgreSQL has the records, and a file has the live store",
            "set REDIS_URL for several processes",
        )
    else:
        yield warn(
            "stores",
            "one process and a file: enough for one machine, and gone while it restarts",
            "set REDIS_URL and POSTGRES_URI for several processes",
        )


def _key(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key is not None:
        yield well("key", "SECRET_KEY is set")
        return
    path = settings.key_path
    where = path.parent.absolute()
    if not os.path.lexists(path) and not _is_writable(where):
        told = f"SECRET_KEY is not set, and {path.name} cannot be made in {where}"
        yield fail("key", told, "let this user write there, or set SECRET_KEY")
    elif settings.is_shared:
        yield warn(
            "key",
            f"a file on this machine ({path.name}); other machines would make their own",
            "set SECRET_KEY to the file's content on every machine",
        )
    elif not os.path.lexists(path):
        yield well("key", f"{path.name} is made at the first start")
    if path.is_dir():
        yield fail("key file", f"{path.name} is a directory", "remove it, or set SECRET_KEY")
    elif os.path.lexists(path) and not os.access(path, os.R_OK):
        yield fail("key file", f"{path.name} cannot be read by this user", "let this user read it, or set SECRET_KEY")
    else:
        found = list(_private("key file", path, "run chmod 600 on it", of_us=True))
        if found and all(each.verdict is Verdict.OK for each in found):
            found = [_content(settings, found[0])]
        yield from found


def _content(settings: Settings, found: Finding) -> Finding:
    """`found`, or a failure if the key file has no key in it. The file must exist."""
    try:
        open_key(settings)
    except WrongSetting as wrong:
        return fail("key file", wrong.problem, wrong.remedy)
    return found


def _is_writable(directory: Path) -> bool:
    """Whether this user may create files there."""
    return directory.is_dir() and os.access(directory, os.W_OK | os.X_OK)


def _contact(settings: Settings) -> Iterator[Finding]:
    if settings.contact:
        yield well("contact", "people know whom to ask about their data")
        return
    told = "people cannot ask anybody about their data", "set CONTACT, for example to an address"
    yield fail("contact", *told) if settings.is_shared else warn("contact", *told)


def _environment(_: Settings) -> Iterator[Finding]:
    for name, meant in doubts():
        yield warn("environment", f"{name} is no setting: did you mean {meant}?", f"write {meant}, or unset {name}")


def _metrics(settings: Settings) -> Iterator[Finding]:
    place = settings.metrics_address
    if place is None or addresses.is_loopback(place.host):
        return
    yield warn(
        "metrics",
        f"whoever reaches this machine at METRICS_LISTEN={settings.metrics_listen} reads bots, stores and figures",
        "listen on 127.0.0.1, or let nobody but your own Prometheus through (a firewall, a NetworkPolicy)",
    )


def _env_file(_: Settings) -> Iterator[Finding]:
    if os.path.lexists(".env"):
        yield from _private(".env", Path(".env"), "run chmod 600 .env: it holds secrets")
    else:
        yield well(".env", "there is none: settings come from the environment")


def _tokens_file(settings: Settings) -> Iterator[Finding]:
    if settings.bot_tokens_file is not None:
        yield from _private("tokens file", settings.bot_tokens_file, "let nobody else read it")


def _database_file(settings: Settings) -> Iterator[Finding]:
    if settings.postgres_uri is None:
        yield from _private("database file", settings.sqlite_db_path, "run chmod 600 on it")


def _private(check: str, path: Path, remedy: str, *, of_us: bool = False) -> Iterator[Finding]:
    try:
        found = path.stat()
    except OSError:
        return
    rights = stat.S_IMODE(found.st_mode)
    if rights & 0o077:
        # A key that others may read is refused at the start, too.
        yield (fail if of_us else warn)(check, f"others may open {path.name} ({rights:04o})", remedy)
    else:
        yield well(check, f"{path.name} is for this user alone")


def _run_dir(settings: Settings) -> Iterator[Finding]:
    path = settings.run_path
    longest = path.absolute() / "worker-100.sock"
    if len(os.fsencode(longest)) > _SOCKET_PATH:
        yield fail("run directory", "its path is too long for a Unix socket", "set RUN_DIR to a shorter one")
    elif os.path.lexists(path) and not path.is_dir():
        yield fail("run directory", f"{path} is no directory", "remove it, or set RUN_DIR")
    elif not _is_writable(path if path.exists() else path.absolute().parent):
        what = "written to" if path.exists() else "made"
        yield fail("run directory", f"{path} cannot be {what} by this user", "give it the right to, or set RUN_DIR")
    elif path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield warn("run directory", "others may look into it", f"run chmod 700 {path.name}")
    else:
        yield well("run directory", f"{path} {'is there' if path.exists() else 'is made at the first start'}")


def _disk(settings: Settings) -> Iterator[Finding]:
    where = settings.run_path if settings.postgres_uri else settings.sqlite_db_path.absolute()
    while not where.exists():
        where = where.parent
    spare = shutil.disk_usage(where).free
    told = f"{spare / GIB:.1f} GiB free where {'logs are' if settings.postgres_uri else 'the database is'}"
    if spare >= SPARE:
        yield well("disk", told)
    else:
        yield (warn if spare >= TOO_LITTLE else fail)("disk", told, "make room")


def _files(_: Settings) -> Iterator[Finding]:
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = f"{limit} open files at once"
    if limit >= ENOUGH_FILES or limit == resource.RLIM_INFINITY:
        yield well("open files", told)
    else:
        possible = "ulimit -n 65536, or LimitNOFILE=65536 under systemd"
        verdict: Callable[[str, str, str], Finding] = warn if limit > TOO_FEW_FILES or most > limit else fail
        yield verdict("open files", told, possible)


def _memory(settings: Settings) -> Iterator[Finding]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    told = f"MAX_MEMORY_MB={settings.max_memory_mb} a process, {total / GIB:.1f} GiB in this machine"
    if settings.max_memory_mb < LEAST_MEMORY_MB:
        yield fail("memory", f"{told}: a process ends itself at 80 % of that", f"write MAX_MEMORY_MB={LEAST_MEMORY_MB}")
    elif settings.max_memory_mb * 1024 * 1024 > total * 0.8:
        yield warn("memory", told, f"write MAX_MEMORY_MB={max(128, int(total * 0.5) >> 20)} or less")
    else:
        yield well("memory", told)
