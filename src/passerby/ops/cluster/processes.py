"""Reads a process's memory, CPU time and age from `/proc`. On systems other than Linux, it finds nothing."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """`cpu_s` and `age_s` are since the start of the process, in seconds. `rss` is in bytes."""

    cpu_s: float
    rss: int
    age_s: float
    state: str
    """One letter, as `ps` shows it: R, S, D, T (stopped), Z."""


def read(pid: int) -> ProcessUse | None:
    """Return its use. None if there is no such process, or if the system has no `/proc`."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
        up_s = float(Path("/proc/uptime").read_text("ascii").split()[0])
    except (OSError, ValueError):
        return None
    # The name is in brackets and may contain anything, even brackets.
    fields = stat[stat.rindex(")") + 2 :].split()
    return ProcessUse(
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS_PER_S,
        rss=int(fields[21]) * _PAGE,
        age_s=max(0.0, up_s - int(fields[19]) / _TICKS_PER_S),
        state=fields[0],
    )


def cpu_share(before: ProcessUse | None, after: ProcessUse | None) -> float | None:
    """Cores in use between two readings: 0.5 is half a core. None if one is missing, or if no time passed."""
    if before is None or after is None or after.age_s - before.age_s < 0.02:
        return None
    return max(0.0, (after.cpu_s - before.cpu_s) / (after.age_s - before.age_s))
