"""The live store of one process: plain Python objects, and a log that brings them back after a crash."""

from passerby.adapters.memory.log import FileLog, Log, LogInUse, LogNewer
from passerby.adapters.memory.log_owner import LogOfAnother, take_for
from passerby.adapters.memory.store import MemoryStore

__all__ = ["FileLog", "Log", "LogInUse", "LogNewer", "LogOfAnother", "MemoryStore", "take_for"]
