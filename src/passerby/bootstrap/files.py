"""Opens the files of one process: the key, the log of the live store, the flight recorder, its crashes."""

import asyncio
import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Final, NamedTuple

from passerby.adapters.memory import FileLog, LogInUse, LogNewer, LogOfAnother, take_for
from passerby.adapters.sql import release
from passerby.bootstrap.told_to_stop import ToldToStop
from passerby.ops.restore_note import must_be_done
from passerby.ops.stores import newer_release
from passerby.ports.clock import Clock
from passerby.runtime.crash_times import CRASHES, Crashed, CrashTimes
from passerby.runtime.flight_recorder import RECORDING, FlightRecorder, RecorderInUse
from passerby.settings import (
    Settings,
    WrongSetting,
    former_keys,
    is_key_lost,
    key_marks,
    log_of_another,
    open_key,
    other_key,
)
from passerby.telemetry import logs

DISK: Final = "make room, or let this user write to it and its directory, and start again"
FAILING: Final = "the disk may be failing: look at the kernel's messages (dmesg), and use another disk"
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class Files(NamedTuple):
    """`log` is of the live store; None if that is Redis. Keys have 32 bytes."""

    log: FileLog | None
    key: bytes
    former_keys: tuple[bytes, ...]
    recorder: FlightRecorder
    crashes: CrashTimes


@contextmanager
def open_files(settings: Settings, name: str, rng: Random, clock: Clock) -> Iterator[Files]:
    """`name` is what operators call the process. The live store closes the log. Raises: WrongSetting.

    If an error ends the process, the next start sees a crash.
    """
    must_be_done(settings)
    _find_a_lost_key(settings)
    _find_run_directory(settings)
    _find_other_names(settings)
    _find_traces(settings, name)
    key, former = open_key(settings), former_keys(settings)
    # Before anything else: a second process on the same files must end before it listens under the same name.
    log = None if settings.is_shared else open_log(settings)
    if log is not None:
        try:
            check_key_mark(log, settings, key, former)
        except WrongSetting:
            log.close()
            raise
    recorder = _open_recorder(settings, name, rng)
    crashes = _crashes(settings.run_path / f"{name}{CRASHES}", recorder, clock)
    try:
        yield Files(log, key, former, recorder, crashes)
        recorder.end()
    except (WrongSetting, ToldToStop, asyncio.CancelledError):
        recorder.end()
        raise
    finally:
        recorder.close()


def _crashes(path: Path, recorder: FlightRecorder, clock: Clock) -> CrashTimes:
    """The crashes of this process's earlier runs. If the last run has crashed, that is noted."""
    crashes = CrashTimes(path)
    if recorder.was_cut_off:
        logs.record("process.had_crashed", "warning", reason="the run before did not end on purpose")
        with suppress(OSError):  # others will soon write to the same disk and report the fault
            crashes.add(Crashed(clock.now(), recorder.was_stuck))
    return crashes


def open_log(settings: Settings) -> FileLog:
    """Raises: WrongSetting."""
    path = settings.live_path
    try:
        log = FileLog(path, release())
        if settings.postgres_uri is None:
            try:
                take_for(log, settings.sqlite_db_path)
            except BaseException:
                log.close()
                raise
        if log.is_copy:
            reason = (
                "the files are a copy, and nobody knows who has left whom since it was made: nobody is served while "
                "the original runs, and then every chat ends"
            )
            logs.record("store.copied", "warning", reason=reason)
        return log
    except LogInUse:
        problem = f"another Passerby uses {path.name} now"
        raise WrongSetting("SQLITE_DB_PATH", problem, "stop it, or give this one another path") from None
    except LogNewer:
        raise newer_release("SQLITE_DB_PATH", path.name) from None
    except LogOfAnother as other:
        raise log_of_another(path.name, str(other)) from None
    except OSError as error:
        if isinstance(error.filename, str | Path):
            path = Path(error.filename)  # the log, or its lock file
        if path.is_symlink() and not path.exists():
            problem = f"{path.name} is a link that leads nowhere"
            raise WrongSetting("SQLITE_DB_PATH", problem, "remove it, or let it lead to a file") from None
        remedy = DISK if path.is_file() or not path.exists() else "remove it, or name another file"
        if error.errno == errno.EIO:
            remedy = FAILING
        raise WrongSetting("SQLITE_DB_PATH", f"{path.name} cannot be opened ({error.strerror})", remedy) from None


def boot() -> str:
    """A name for the time since this machine was started; a new one each time where the machine gives none.

    Bytes that a process has written survive its end. A power cut may undo what was not synced, and then the machine
    starts.
    """
    try:
        return BOOT.read_text().strip()
    except OSError:
        return token_hex(8)


def check_key_mark(log: FileLog, settings: Settings, key: bytes, former: Iterable[bytes]) -> None:
    """Mark the live store with our key. Raises: WrongSetting, if it was last used with a key not among these."""
    marks = key_marks(key, former)
    if log.mark and log.mark not in marks and not is_key_lost(settings):
        raise other_key(log.name)
    with suppress(OSError):  # others will soon write to the same disk and report the fault
        if log.mark != marks[0]:
            log.put_mark(marks[0])


def _find_traces(settings: Settings, name: str) -> None:
    """Warn if this installation has run before, and neither its database nor its live store is there any more.

    Nothing can be asked about what they held. Somebody may have moved them, or a volume may not be mounted.
    """
    gone = [settings.sqlite_db_path, settings.live_path]
    if settings.is_shared or any(path.exists() for path in gone):
        return
    lock = settings.live_path.with_name(settings.live_path.name + ".lock")
    traces = [
        path.name for path in (settings.key_path, lock, settings.run_path / f"{name}{RECORDING}") if path.exists()
    ]
    if traces:
        what = f"{gone[0].name} and {gone[1].name} are gone, but {' and '.join(traces)} says that they were here"
        logs.record("files.lost", "warning", reason=f"{what}: everybody begins as a stranger")


def _find_run_directory(settings: Settings) -> None:
    """Raises: WrongSetting, if the run directory is a link that leads nowhere. RUN_DIR may be set or not."""
    path = settings.run_path
    if path.is_symlink() and not path.exists():
        problem = f"the run directory {path.name} is a link that leads nowhere"
        raise WrongSetting("RUN_DIR", problem, "remove it, or let it lead to a directory")


def _find_other_names(settings: Settings) -> None:
    """Raises: WrongSetting, if the database file has hard links: each name would have a live store of its own."""
    path = settings.sqlite_db_path
    if settings.postgres_uri is not None or not path.is_file():
        return
    with suppress(OSError):  # whoever opens it says why
        names = path.stat().st_nlink
        if names > 1:
            problem = f"{path.name} has {names} names (hard links), and Passerby could run once for each"
            remedy = "remove the other names, or replace them by copies (find them with `find / -samefile`)"
            raise WrongSetting("SQLITE_DB_PATH", problem, remedy)


def _find_a_lost_key(settings: Settings) -> None:
    """The first start makes the key file. Raises: WrongSetting, if a later start does not find it."""
    live = settings.live_path
    is_missing = settings.secret_key is None and not settings.key_path.exists()
    if is_missing and live.is_file() and live.stat().st_size and not is_key_lost(settings):
        problem = f"is not set, and {settings.key_path.name} is gone, but {live.name} was used with it"
        remedy = "put the file back; if it is lost, set SECRET_KEY_PREVIOUS=lost once"
        raise WrongSetting("SECRET_KEY", problem, remedy)


def _open_recorder(settings: Settings, name: str, rng: Random) -> FlightRecorder:
    """Open the flight recorder. Without it, an update that ends the process would come again and again."""
    path = settings.run_path / f"{name}{RECORDING}"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return FlightRecorder.open(path, f"{rng.getrandbits(64):016x}")
    except RecorderInUse:
        reason = f"another process called {name} uses the same RUN_DIR"
    except OSError as error:
        reason = f"{path.name} cannot be made in RUN_DIR ({error.strerror or logs.name_of(error)})"
    logs.record("recorder.unavailable", "warning", reason=reason)
    return FlightRecorder()
