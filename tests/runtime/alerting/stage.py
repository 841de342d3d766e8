"""A worker that watches itself, over memory and in virtual time; and a channel that notes what it is told."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random

from passerby.adapters.memory import MemoryStore
from passerby.bootstrap.alerting import StoreProbe
from passerby.domain.alerts import rules
from passerby.domain.alerts.notification import Due, Told
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.event import Event
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.rules import Rules
from passerby.ports.telegram import Arrival
from passerby.runtime.alerting.channels import News, NotTold
from passerby.runtime.alerting.watch import AlertConfig, Probe
from passerby.runtime.worker import Worker
from passerby.runtime.worker_config import WorkerConfig
from passerby.settings import Settings
from passerby.telemetry import metrics
from passerby.telemetry.instruments import INSTRUMENTS
from tests.contract.live_places import Disk, DiskLog
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import VirtualClock, run
from tests.runtime.world import BOT, PLENTY, WORDS, ScriptedTelegram

THRESHOLDS: Mapping[str, float] = Settings().thresholds


class Heard:
    """A channel. `said`: the messages as they are now, oldest first, and how often each was changed."""

    name = "heard"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.edits: list[int] = []
        self.is_away = False
        self.dislikes: dict[str, Exception] = {}

    async def tell(self, news: News, told: Told, due: Due) -> tuple[str, ...]:
        if self.is_away:
            raise NotTold("it is away")
        if news.rule.title in self.dislikes:
            raise self.dislikes[news.rule.title]
        if due is Due.EDIT:
            at = int(told.messages[0])
            self.said[at] = news.text
            self.edits[at] += 1
            return told.messages
        self.said.append(news.text)
        self.edits.append(0)
        return (str(len(self.said) - 1),)

    def firing(self) -> list[str]:
        return [words.splitlines()[0][2:] for words in self.said if words[0] in "🔴🟠"]

    def over(self) -> list[str]:
        return [words.splitlines()[0][2:] for words in self.said if words[0] == "✅"]


class WatchedHouse:
    """One worker that has every duty, the alerts among them."""

    def __init__(
        self, heard: Heard | None = None, disk: Disk | None = None, features: Sequence[Feature] = tuple(ALL)
    ) -> None:
        self.clock = VirtualClock()
        self.disk = disk or Disk()
        self.records = MemoryRecords()
        self.telegram = ScriptedTelegram(self.clock)
        rng = Random(len(self.disk.records))
        self.store = MemoryStore(DiskLog(self.disk), self.clock, rng)
        self.heard = heard or Heard()
        probe = Probe(rules.STORE_AWAY.name, 5.0, StoreProbe(self.store, self.records, self.clock).ask)
        self.app = Worker(
            telegram=self.telegram,
            store=self.store,
            records=self.records,
            features=features,
            introduce=introduce,
            words=WORDS,
            clock=self.clock,
            rng=rng,
            alerts=AlertConfig(thresholds=THRESHOLDS, channels=(self.heard,), probes=(probe,)),
            config=WorkerConfig(rules=Rules(), key=bytes(32), bot_budget=PLENTY, chat_budget=PLENTY),
        )
        self._update = dict.fromkeys(self.telegram.bots, 0)

    def happens(self, event: Event, bot: BotId = BOT) -> None:
        self._update[bot] += 1
        self.telegram.push(bot, Arrival(UpdateRef(bot, self._update[bot]), event))


def at_watch(body: Callable[[WatchedHouse], Awaitable[None]], house: Callable[[], WatchedHouse] = WatchedHouse) -> None:
    async def main() -> None:
        here = house()
        await here.app.start()
        await body(here)
        await here.app.stop(10.0)

    with clean_metrics():
        run(main())


@contextmanager
def clean_metrics() -> Iterator[None]:
    """Metrics are one per process: begin and end with none."""
    for instrument in INSTRUMENTS:
        instrument.clear()
    metrics.know_bots(())
    try:
        yield
    finally:
        for instrument in INSTRUMENTS:
            instrument.clear()
