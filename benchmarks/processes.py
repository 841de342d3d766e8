"""Reads what processes have used from /proc: CPU time and memory of a process and of its children.

*PSS* divides a shared page among the processes that map it, so a sum over processes counts each page once. RSS
counts it for every process. PostgreSQL's backends share most of their memory.
"""

import os
from pathlib import Path
from typing import NamedTuple

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Megabytes (10^6 bytes)."""

    pss_mb: float
    rss_mb: float

    def __add__(self, other: object) -> "Memory":
        assert isinstance(other, Memory)
        return Memory(self.pss_mb + other.pss_mb, self.rss_mb + other.rss_mb)


NONE = Memory(0.0, 0.0)


def family(pid: int) -> list[int]:
    """A process and its children, but not the children of these."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if parent == str(pid):
            found.append(int(stat.parent.name))
    return found


def cpu_s(pid: int) -> float:
    """User and system time so far of a process, its threads and its children, including children that have ended."""
    ticks = 0
    for each in family(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11 : 15 if each == pid else 13]))
    return ticks / _TICKS_A_SECOND


def memory(pid: int) -> Memory:
    """The memory of a process and its children. Raises: PermissionError, if they belong to another user."""
    total = NONE
    for each in family(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()[1:]
        except (FileNotFoundError, ProcessLookupError):
            continue
        kilobytes = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
        total += Memory(kilobytes["Pss"] * 1024 / 1e6, kilobytes["Rss"] * 1024 / 1e6)
    return total
