"""Finds farms: sums up what people do, and judges it.

`ConductKeeper` runs in every worker. It hashes the noted words, adds the notes to the day's conducts in the live store,
and drops the words. `FarmWatch` is one worker's duty for all: it looks at the candidates of today and yesterday
and raises an event for everybody who stands out. Features decide what happens to them.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2s
from typing import Final

import msgspec

from passerby.domain.farms.conduct import CONTACTS, Conduct, Note, Wrote, noted
from passerby.domain.farms.destinations import destinations
from passerby.domain.farms.judgement import RULE, FarmFinding, FarmVerdict, is_candidate, judge
from passerby.domain.farms.openers import bands, line, words_of
from passerby.domain.farms.seen import name_of, seen
from passerby.domain.farms.sources import sources_of
from passerby.kernel.farm import FarmSeen
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import FarmSuspected, SanctionOrdered
from passerby.ports.clock import Clock
from passerby.ports.leases import duty_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.runtime.background.farm_cases import keep_seen
from passerby.runtime.background.farm_sources import watch_sources
from passerby.runtime.inbound.person_queues import Work
from passerby.telemetry import logs, metrics

FARMS: Final = duty_lease("farms")

KEEP_EVERY_S: Final = 2.0
JUDGE_EVERY_S: Final = 30.0
LEARN_EVERY_S: Final = 30.0
DAY_S: Final = 86_400
MEASURES_S: Final = 86_400.0
"""How long a measure lasts. While somebody goes on, it begins again."""
AGAIN_S: Final = 6 * 3600.0
"""The same finding about the same person is raised again only after this time."""
AT_ONCE: Final = 100
"""How many people's notes are added without a break."""
MOST: Final = 50_000
"""The most candidates that are judged together."""
KNOWN: Final = "farms"
"""The memo with the destinations of farms: day -> keyed hashes."""
FROM_RULE: Final = BotId(0)

_pack = msgspec.msgpack.Encoder().encode
_conduct: Final = msgspec.msgpack.Decoder(Conduct)
_known: Final = msgspec.msgpack.Decoder(dict[int, list[int]])


@lru_cache(maxsize=8)
def day_key(key: bytes, day: int) -> bytes:
    """The key for a day's hashes. Without `key` nobody can tell it, and the next day's is another one."""
    return blake2s(b"farms %d" % day, key=key[:32]).digest()


class ConductKeeper:
    """`take` brings the notes since the last call."""

    def __init__(self, store: LiveStore, take: Callable[[], list[Note]], key: bytes, clock: Clock) -> None:
        self._store = store
        self._take = take
        self._key = key
        self._clock = clock
        self._farms: dict[int, frozenset[int]] = {}
        self._learnt_at = float("-inf")

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self._clock.sleep(KEEP_EVERY_S)
            try:
                await self.keep()
            except LiveStoreLost as error:  # these notes are lost, which does no harm
                logs.record("farm_watch.store_lost", "debug", error=logs.name_of(error))

    async def keep(self) -> None:
        """Add the notes to the conducts. Raises: LiveStoreLost."""
        notes = self._take()
        if not notes:
            return
        now = self._clock.now()
        if now - self._learnt_at > LEARN_EVERY_S:
            await self._learn(now)
        day = int(now // DAY_S)
        by_person: defaultdict[PersonId, list[Note]] = defaultdict(list)
        for note in notes:
            by_person[note.person].append(note)
        stored = await self._store.conducts(day, list(by_person))
        conducts: dict[PersonId, Conduct] = {}
        for place, (person, own) in enumerate(by_person.items()):
            if place % AT_ONCE == AT_ONCE - 1:
                await self._clock.sleep(0)  # messages go first
            conduct = _conduct.decode(stored[person]) if person in stored else Conduct()
            for note in own:
                conduct = self._after(conduct, note, day)
            conducts[person] = conduct
        candidates = [person for person, conduct in conducts.items() if is_candidate(conduct)]
        await self._store.keep_conducts(day, {each: _pack(conduct) for each, conduct in conducts.items()}, candidates)

    def _after(self, conduct: Conduct, note: Note, day: int) -> Conduct:
        if not isinstance(note, Wrote):
            return noted(conduct, note)
        key = day_key(self._key, day)
        led = destinations(key, note.text)
        tokens = {"t": led.plain, "o": led.odd, CONTACTS: led.contacts}
        if note.nth == 0:
            tokens["b"] = bands(key, words_of(note.text))
        else:
            tokens["l"] = line(key, note.text)
        known = False
        for each, farms in self._farms.items() if led.plain or led.odd else ():
            then = led if each == day else destinations(day_key(self._key, each), note.text)
            known = known or not farms.isdisjoint((*then.plain, *then.odd))
        return noted(conduct, note, tokens, known)

    async def _learn(self, now: float) -> None:
        """Learn which destinations are known to be a farm's, today's and yesterday's."""
        found = (await self._store.memos((KNOWN,))).get(KNOWN)
        today = int(now // DAY_S)
        days = _known.decode(found) if found is not None else {}
        self._farms = {day: frozenset(tokens) for day, tokens in days.items() if today - 1 <= day <= today}
        self._learnt_at = now


class FarmWatch:
    """`put` gets the events, as work."""

    def __init__(self, store: LiveStore, put: Callable[[Work], None], clock: Clock) -> None:
        self._store = store
        self._put = put
        self._clock = clock
        self._raised: dict[tuple[PersonId, FarmVerdict], float] = {}

    async def run(self) -> None:
        """Run until cancelled, as the holder of the lease."""
        try:
            while True:
                await self._clock.sleep(JUDGE_EVERY_S)
                try:
                    await self.judge_candidates()
                except LiveStoreLost as error:
                    logs.record("farm_watch.store_lost", "debug", error=logs.name_of(error))
        finally:
            metrics.FARM_ACCOUNTS.clear()  # whoever looks next counts them

    async def judge_candidates(self) -> None:
        """Judge the candidates. Raises: LiveStoreLost."""
        now = self._clock.now()
        self._raised = {what: at for what, at in self._raised.items() if now - at < AGAIN_S}
        today = int(now // DAY_S)
        farms: dict[int, list[int]] = {}
        accounts: dict[PersonId, int] = {}
        for_staff: list[FarmSeen] = []
        for day in (today - 1, today):
            candidates = await self._store.candidates(day, MOST)
            conducts = {person: _conduct.decode(conduct) for person, conduct in candidates.items()}
            judged = judge(conducts)
            for_staff += seen(judged.findings, conducts)
            if judged.farms:
                farms[day] = sorted(judged.farms)
            for person, finding in judged.findings.items():
                self._raise(person, finding, day, now)
                if finding.verdict is FarmVerdict.FARM:
                    accounts[person] = finding.farm
        await keep_seen(self._store, for_staff)
        await self._watch_sources(accounts, now)
        found = (await self._store.memos((KNOWN,))).get(KNOWN)
        if farms or found is not None:
            before = _known.decode(found) if found is not None else {}
            merged = {
                day: sorted({*before.get(day, ()), *farms.get(day, ())})
                for day in (today - 1, today)
                if day in before or day in farms
            }
            await self._store.keep_memo(KNOWN, _pack(merged) if merged else None)
            new = sum(len(set(tokens) - set(before.get(day, ()))) for day, tokens in merged.items())
            if new:
                logs.record("farm_watch.found", "warning", count=new, reason="several accounts advertise the same")
        metrics.FARM_ACCOUNTS.set(sum(1 for _, verdict in self._raised if verdict is FarmVerdict.FARM))

    async def _watch_sources(self, accounts: dict[PersonId, int], now: float) -> None:
        """Watch the links by which the barred ones of these accounts came. The values name their farms."""
        known = [(farm, await self._store.load(person)) for person, farm in accounts.items()]
        found = sources_of([(farm, facts.me) for farm, facts in known if facts is not None], now)
        await watch_sources(self._store, found, now)

    def _raise(self, person: PersonId, finding: FarmFinding, day: int, now: float) -> None:
        verdict = finding.verdict
        if (person, verdict) in self._raised:
            return
        self._raised[person, verdict] = now
        until = now + MEASURES_S
        match verdict:
            case FarmVerdict.DOUBTFUL:
                self._put(_work(FarmSuspected(person, FROM_RULE, now)))
            case FarmVerdict.RECRUIT:
                self._put(self._sanction(person, SanctionKind.LINKS_OFF, finding, day, until))
            case FarmVerdict.FARM:
                self._put(self._sanction(person, SanctionKind.LINKS_OFF, finding, day, until))
                self._put(self._sanction(person, SanctionKind.SLOW, finding, day, until))
                self._put(_work(FarmSuspected(person, FROM_RULE, now, until, name_of(finding))))

    def _sanction(self, person: PersonId, kind: SanctionKind, finding: FarmFinding, day: int, until: float) -> Work:
        """A reversible sanction by a rule. The same one on the same day is the same sanction, so nobody gets it
        twice. Its evidence names the farm, and the kind, so that none takes the place of another."""
        named = blake2s(f"{person} {kind} {day}".encode(), digest_size=8, person=b"farms").hexdigest()
        evidence = f"farm {name_of(finding)} {kind}"
        sanction = Sanction(named, kind, Reason.SPAM, self._clock.now(), until, rule=RULE, evidence=evidence)
        return Work(SanctionOrdered(person, FROM_RULE, sanction), cause=named)


def _work(event: FarmSuspected) -> Work:
    return Work(event, cause=f"{event.at}")
