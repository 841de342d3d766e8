"""The ports and objects that every room of one worker shares."""

from dataclasses import dataclass
from functools import partial
from random import Random

from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore
from passerby.ports.records import Records
from passerby.ports.telegram import Telegram
from passerby.runtime.decide.router import Router
from passerby.runtime.delivery.wording import Wording, Words
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.leased_tasks import KeepGoing
from passerby.runtime.membership.heartbeat import Membership
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.tasks import Background
from passerby.runtime.unrecorded import UnrecordedFacts
from passerby.runtime.worker_config import WorkerConfig


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """`flight_recorder` knows which update is being worked on, and `unrecorded` which facts the records lack."""

    telegram: Telegram
    store: LiveStore
    records: Records
    router: Router
    words: Words
    wording: Wording
    tokens: Tokens
    membership: Membership
    unrecorded: UnrecordedFacts
    background: Background
    flight_recorder: FlightRecorder
    clock: Clock
    rng: Random
    config: WorkerConfig

    @property
    def keep_going(self) -> KeepGoing:
        """Keeps work going until it returns or is cancelled, even if it raises."""
        return partial(self.background.keep_going, clock=self.clock)
