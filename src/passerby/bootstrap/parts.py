"""Objects that the parts of one process share."""

from random import Random
from typing import NamedTuple

from passerby.adapters.botapi import BotApi
from passerby.adapters.sql import SqlRecords
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.files import Files
from passerby.bootstrap.token_watch import TokenWatch
from passerby.ports.live_store import LiveStore


class Parts(NamedTuple):
    """The parts from which every worker of this process is made."""

    clock: SystemClock
    rng: Random
    files: Files
    store: LiveStore
    records: SqlRecords
    telegram: BotApi
    tokens: TokenWatch
    had_crashed: bool = False
    """Whether the run before did not end on purpose."""
