"""Evaluates the rules every LOOK_EVERY_S, tells the channels what is due, and keeps what was told for the next holder.

The alerts that were told are kept in a memo under the lease of this duty, so a worker that takes over says nothing
twice. If the live store is away, the duty goes on with what it knows: an outage of the store moves no lease, and is
itself an alert.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from passerby.domain.alerts import rules
from passerby.domain.alerts.engine import QUIET, Alert, acknowledge, silence, step
from passerby.domain.alerts.notification import Due, Told, due, message
from passerby.domain.alerts.rules import BY_NAME, RULES, Rule
from passerby.domain.alerts.waits import SearchWaits
from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, Fenced, Members, WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.memos import Memos
from passerby.runtime.alerting.channels import Channel, News, NotTold
from passerby.runtime.alerting.rates import Rates
from passerby.runtime.alerting.readings import MINUTE_S, THE_FLEET, Reading, lost_bots, reported
from passerby.runtime.alerting.unseen import Seen, Unseen
from passerby.runtime.membership.report import Report, read_report
from passerby.telemetry import logs

MEMO: Final = "alerts"
LOOK_EVERY_S: Final = 5.0
TELL_EVERY_S: Final = 1.0
KEEP_EVERY_S: Final = 60.0
"""How often the rest of the state is kept if no alert changes. A new holder keeps it at each look for this long: if it
dies early, like those before it, their time still adds up."""

AGAIN_S: Final = 15.0
"""The pause after a channel could not be reached."""

MOST_FAILED: Final = 3
"""If a channel did not take so many alerts, the others are tried later."""

PROBE_S: Final = 10.0
GIVEN_UP_S: Final = 3600.0
"""A resolved alert that a channel did not hear of in this time is forgotten."""


class Probe(NamedTuple):
    """Asks somebody else for a rule's reading, every `every_s`. None: nothing is known now."""

    rule: str
    every_s: float
    ask: Callable[[], Awaitable[Reading | None]]


class AlertAnswer(NamedTuple):
    """A staff member's answer to an alert: they look after it, or it is silent for a time (`silent_until` is not 0)."""

    rule: str
    by: str
    at: float
    silent_until: float = 0.0


class AlertAnswers(NamedTuple):
    """New answers, and the number of the last one that was read."""

    found: Sequence[AlertAnswer]
    last: int


class Kept(msgspec.Struct, omit_defaults=True):
    """The notes that the next holder of the duty needs. `told`: channel -> rule -> what was told."""

    alerts: dict[str, Alert] = {}
    told: dict[str, dict[str, Told]] = {}
    polled: Seen = msgspec.field(default_factory=Seen)
    swept: Seen = msgspec.field(default_factory=Seen)
    waits: SearchWaits = SearchWaits()
    answers_read: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertConfig:
    """`thresholds`: setting -> value. `answers(after)`: how staff have answered alerts. `beats`: whether the heartbeat
    address is asked, by `beat`. `forget` is called when this worker no longer has the duty: another one measures."""

    thresholds: Mapping[str, float]
    channels: Sequence[Channel] = ()
    probes: Sequence[Probe] = ()
    answers: Callable[[int], Awaitable[AlertAnswers]] | None = None
    beat: Callable[[], Awaitable[None]] | None = None
    forget: Callable[[], None] = lambda: None
    polls: bool = True


BEAT_EVERY_S: Final = 60.0


class AlertWatch:
    """One holding of the duty. `members` returns the last list of members."""

    def __init__(
        self,
        config: AlertConfig,
        bots: Callable[[], Sequence[BotId]],
        members: Callable[[], Members],
        memos: Memos,
        fence: Fence,
        clock: Clock,
    ) -> None:
        self._config = config
        self._bots = bots
        self._members = members
        self._memos = memos
        self._fence = fence
        self._clock = clock
        self._rates = Rates()
        self._polled = Unseen()
        self._swept = Unseen()
        self._probed: dict[str, tuple[float, Reading | None]] = {}
        self._kept = Kept()
        self._written = b""
        self._written_at = float("-inf")
        self._began_at = clock.monotonic()
        self._lost = False
        """Another worker has this duty."""
        self._faults = logs.Faults(clock.monotonic)

    @property
    def alerts(self) -> Mapping[str, Alert]:
        return self._kept.alerts

    async def run(self) -> None:
        """Run until cancelled, or until another worker has this duty."""
        await self._read()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_rules())
                for probe in self._config.probes:
                    group.create_task(self._probe_on(probe))
                for channel in self._config.channels:
                    group.create_task(self._tell_on(channel))
                if self._config.beat is not None:
                    group.create_task(self._beat_on(self._config.beat))
        finally:
            self._config.forget()

    async def _read(self) -> None:
        while True:
            try:
                blob = (await self._memos.memos((MEMO,))).get(MEMO)
            except LiveStoreLost:
                await self._clock.sleep(LOOK_EVERY_S)
                continue
            if blob is not None:
                with suppress(msgspec.DecodeError, msgspec.ValidationError):  # another release wrote it: start empty
                    self._kept = msgspec.json.decode(blob, type=Kept)
                    # Another release may have rules that this one has not.
                    self._kept.alerts = {name: each for name, each in self._kept.alerts.items() if name in BY_NAME}
            return

    async def _watch_rules(self) -> None:
        while not self._lost:
            await self._heed()
            self.evaluate_rules()
            await self._keep()
            await self._clock.sleep(LOOK_EVERY_S)

    def evaluate_rules(self) -> None:
        """Evaluate every rule once."""
        now, kept = self._clock.now(), self._kept
        for name, reading in self._readings(now).items():
            rule, before = BY_NAME[name], kept.alerts.get(name, QUIET)
            if before.resolved_at:
                if now - before.resolved_at < GIVEN_UP_S and not self._is_told(before, name, now):
                    continue
                for told in kept.told.values():
                    told.pop(name, None)
            after = step(rule, before, self._threshold(rule), reading, now)
            if after.is_quiet:
                kept.alerts.pop(name, None)
            else:
                kept.alerts[name] = after
            if after.version != before.version:
                _log(rule, before, after)

    def _readings(self, now: float) -> dict[str, Reading | None]:
        reports = {worker: read_report(blob) for worker, blob in self._members().workers.items()}
        figures = {worker: report.figures for worker, report in reports.items() if report.figures is not None}
        started: dict[WorkerId, float] = {worker: report.since for worker, report in reports.items()}
        new = self._rates.feed(figures, started, now)
        self._kept.waits = self._kept.waits.add(now, int(new["waits"]), new["waited_s"])
        found: dict[str, Reading | None] = dict.fromkeys((rule.name for rule in RULES), None)
        found |= reported(reports, self._rates, now)
        found |= self._of_bots(reports, now)
        ratio = self._kept.waits.ratio(now)
        found[rules.SLOW_MATCHING.name] = {THE_FLEET: ratio} if ratio is not None else {}
        for probe in self._config.probes:
            at, reading = self._probed.get(probe.rule, (float("-inf"), None))
            fresh = self._clock.monotonic() - at <= 2 * probe.every_s + PROBE_S
            found[probe.rule] = _both(found[probe.rule], reading) if fresh else found[probe.rule]
        if figures:
            pool = {"pool": max(each.pool_percent for each in figures.values())}
            found[rules.POSTGRES_CONNECTIONS.name] = _both(found[rules.POSTGRES_CONNECTIONS.name], pool)
        return found

    def _of_bots(self, reports: Mapping[WorkerId, Report], now: float) -> dict[str, Reading]:
        lost = lost_bots(reports, self._firing(rules.BOT_LOST))
        found: dict[str, Reading] = {rules.BOT_LOST.name: {str(bot): 1.0 for bot in sorted(lost)}}
        figures = [report.figures for report in reports.values() if report.figures is not None]
        kept, bots = self._kept, self._bots()
        kept.swept = self._swept.add_reports(bots, kept.swept, (each.swept_at for each in figures), now)
        found[rules.SWEEP_OLD.name] = self._ages(rules.SWEEP_OLD, self._swept, kept.swept, MINUTE_S, lost, now)
        if self._config.polls:
            kept.polled = self._polled.add_reports(bots, kept.polled, (each.polled_at for each in figures), now)
            found[rules.BOT_NOT_POLLED.name] = self._ages(
                rules.BOT_NOT_POLLED, self._polled, kept.polled, 1.0, lost, now
            )
        return found

    def _ages(self, rule: Rule, unseen: Unseen, seen: Seen, unit_s: float, lost: set[int], now: float) -> Reading:
        ages = unseen.ages(seen, self._firing(rule), unit_s * self._threshold(rule), now)
        return {bot: age / unit_s for bot, age in ages.items() if int(bot) not in lost}

    def _firing(self, rule: Rule) -> Mapping[str, float]:
        alert = self._kept.alerts.get(rule.name, QUIET)
        return alert.firing if alert.is_firing else {}

    def _threshold(self, rule: Rule) -> float:
        return rule.threshold(self._config.thresholds)

    def _is_told(self, alert: Alert, name: str, now: float) -> bool:
        told = (self._told(channel, name) for channel in self._config.channels)
        return all(due(alert, each, now) is Due.NOTHING for each in told)

    def _told(self, channel: Channel, name: str) -> Told:
        return self._kept.told.get(channel.name, {}).get(name, Told())

    async def _heed(self) -> None:
        """Acknowledge or silence alerts, as staff have answered them."""
        if self._config.answers is None or not any(alert.is_firing for alert in self._kept.alerts.values()):
            return
        answers = await self._config.answers(self._kept.answers_read)
        for answer in answers.found:
            alert = self._kept.alerts.get(answer.rule)
            if alert is not None and alert.is_firing and answer.at >= alert.since:
                self._kept.alerts[answer.rule] = (
                    silence(alert, answer.silent_until) if answer.silent_until else acknowledge(alert, answer.by)
                )
        self._kept.answers_read = answers.last

    async def _probe_on(self, probe: Probe) -> None:
        while not self._lost:
            await self.ask(probe)
            await self._clock.sleep(probe.every_s)

    async def ask(self, probe: Probe) -> None:
        """Ask a probe, for the looks that follow."""
        reading: Reading | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(PROBE_S):
                try:
                    reading = await probe.ask()
                except Exception as error:  # noqa: BLE001  # one probe's bug ends neither the duty nor the other probes
                    self._faults.began(
                        probe.rule, "alerts.probe_failed", "error", kind=probe.rule, error=logs.name_of(error)
                    )
                else:
                    self._faults.over(probe.rule, "alerts.probe_answers", kind=probe.rule)
        self._probed[probe.rule] = self._clock.monotonic(), reading

    async def _tell_on(self, channel: Channel) -> None:
        refused: set[str] = set()
        while not self._lost:
            # A receiver may dislike a single alert, so those that it did not take come last the next time.
            names = sorted(self._kept.alerts, key=refused.__contains__)
            refused = set()
            for name in names:
                alert = self._kept.alerts.get(name)
                if alert is None:
                    continue
                try:
                    await self._tell(channel, BY_NAME[name], alert)
                except NotTold as error:
                    refused.add(name)
                    self._faults.began(channel.name, "alerts.untold", kind=channel.name, reason=str(error))
                except Exception as error:  # noqa: BLE001  # one channel's bug ends neither the duty nor the others
                    refused.add(name)
                    self._faults.began(
                        channel.name, "alerts.untold", "error", kind=channel.name, error=logs.name_of(error)
                    )
                if len(refused) >= MOST_FAILED:
                    break  # it is away; the others would only wait for it, too
            if refused:
                await self._clock.sleep(AGAIN_S)
            else:
                self._faults.over(channel.name, "alerts.told_again", kind=channel.name)
                await self._clock.sleep(TELL_EVERY_S)

    async def _tell(self, channel: Channel, rule: Rule, alert: Alert) -> None:
        """Tell what is due, and keep that it was told. If that fails, the next holder may tell it once more."""
        now, told = self._clock.now(), self._told(channel, rule.name)
        what = due(alert, told, now)
        if what is Due.NOTHING or self._lost:
            return
        threshold = self._threshold(rule)
        news = News(rule, alert, message(rule, alert, threshold, now), threshold, now)
        messages = await channel.tell(news, told, what)
        self._kept.told.setdefault(channel.name, {})[rule.name] = Told(alert.version, messages)
        await self._keep()

    async def _keep(self) -> None:
        blob = msgspec.json.encode(self._kept)
        alerts = msgspec.json.encode((self._kept.alerts, self._kept.told, self._kept.answers_read))
        now = self._clock.monotonic()
        if alerts == self._written and now - self._written_at < KEEP_EVERY_S < now - self._began_at:
            return
        try:
            await self._memos.keep_memo(MEMO, blob, self._fence)
        except LiveStoreLost:
            return  # the next look tries again
        except Fenced:
            self._lost = True
            return
        self._written, self._written_at = alerts, self._clock.monotonic()

    async def _beat_on(self, beat: Callable[[], Awaitable[None]]) -> None:
        while not self._lost:
            try:
                await beat()
            except NotTold as error:
                self._faults.began("beat", "alerts.no_heartbeat", reason=str(error))
            except Exception as error:  # noqa: BLE001  # no bug here ends the duty
                self._faults.began("beat", "alerts.no_heartbeat", "error", error=logs.name_of(error))
            else:
                self._faults.over("beat", "alerts.heartbeat_again")
            await self._clock.sleep(BEAT_EVERY_S)


def _both(one: Reading | None, other: Reading | None) -> Reading | None:
    return {**one, **other} if one is not None and other is not None else one if other is None else other


def _log(rule: Rule, before: Alert, after: Alert) -> None:
    if after.is_firing and not before.is_firing:
        logs.record("alert.fired", "error", kind=rule.name, count=len(after.firing))
    elif before.is_firing and not after.is_firing:
        logs.record("alert.resolved", kind=rule.name)
