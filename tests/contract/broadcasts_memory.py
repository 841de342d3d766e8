"""The honest fake of the broadcasts port: the same promise without SQL. Broadcasts and targets are on the `Disk` of the
records."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import msgspec

from passerby.domain.ages import age_now
from passerby.domain.audit import AuditRow, chained
from passerby.domain.broadcasts.actions import needs_second
from passerby.domain.broadcasts.canary import PLACES
from passerby.domain.broadcasts.fates import is_capped, languages_of
from passerby.domain.sanctions import barred_until
from passerby.kernel.broadcast import (
    ArmFigures,
    Broadcast,
    BroadcastState,
    CanaryFigures,
    Category,
    Copy,
    Got,
    Progress,
    Reach,
    Settled,
    Target,
    TargetState,
)
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.staff import AuditNote
from passerby.ports.broadcasts import Claimable
from passerby.ports.records import RecordsLost
from tests.contract.records_memory import Disk

DAY_S = 86_400.0
COUNTED = (TargetState.SENT, TargetState.SENDING, TargetState.UNKNOWN, TargetState.RECALLED)


@dataclass(frozen=True, slots=True)
class TargetRow:
    bot: BotId
    place: int
    state: TargetState = TargetState.WAITING
    due_at: float = 0.0
    is_planned: bool = False
    claim: str = ""
    at: float | None = None
    message: MessageId | None = None
    arm: str = ""
    language: str = ""
    revision: int = 0


def reached(disk: Disk, broadcast: Broadcast, now: float) -> list[Participant]:
    people = [each for each in disk.people.values() if fits(each, broadcast, now)]
    if broadcast.audience.people or broadcast.category is Category.SYSTEM:
        return people
    return [
        each for each in people if not is_capped(broadcast.category, got_by(disk, each.person, 0), each.seen_at, now)
    ]


def reach_in(disk: Disk, broadcast: Broadcast, now: float) -> Reach:
    counts = Counter(each.bot for each in reached(disk, broadcast, now) if each.bot is not None)
    return Reach(counts.total(), tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0]))))


def got_by(disk: Disk, whom: PersonId, but: int) -> tuple[Got, ...]:
    return tuple(
        Got(disk.broadcasts[number].category, other.at or 0.0)
        for (number, person), other in disk.targets.items()
        if person == whom and number != but and other.state in COUNTED and not disk.broadcasts[number].is_test
    )


def fits(person: Participant, broadcast: Broadcast, now: float) -> bool:
    audience, category = broadcast.audience, broadcast.category
    languages = languages_of(broadcast.variants)
    if person.bot is None or not person.bots:
        return False
    if audience.people:
        return person.person in audience.people
    profile, until = person.profile, barred_until(person)
    leaving = person.requests is not None and bool(person.requests.erase_at)
    if profile.consented_at is None or leaving or (until is not None and until >= now):
        return False
    age = None if profile.age is None else age_now(profile, now)
    days = (now - person.seen_at) / DAY_S
    return (
        (category is Category.SYSTEM or category not in person.muted)
        and (category is not Category.PROMO or person.vip_until <= now)
        and (not languages or profile.language.partition("-")[0] in languages)
        and (not audience.bots or person.bot in audience.bots)
        and (not audience.languages or profile.language.partition("-")[0] in audience.languages)
        and (not audience.genders or profile.gender in audience.genders)
        and (audience.age_min is None or (age is not None and age >= audience.age_min))
        and (audience.age_max is None or (age is not None and age <= audience.age_max))
        and (audience.active_days is None or days <= audience.active_days)
        and (audience.idle_days is None or days > audience.idle_days)
        and (not audience.sources or (person.journey is not None and person.journey.source in audience.sources))
        and (audience.vip is None or (person.vip_until > now) == audience.vip)
    )


class MemoryBroadcasts:
    """Implements `passerby.ports.broadcasts.BroadcastRecords`. `audit` gets what rules did."""

    def __init__(self, disk: Disk, audit: list[AuditRow] | None = None) -> None:
        self._disk = disk
        self._audit = audit if audit is not None else []
        self._rng = Random(7)
        self.lost = False

    async def open(self) -> Sequence[Broadcast]:
        await self._io()
        return [each for _, each in sorted(self._disk.broadcasts.items()) if each.is_open]

    async def latest(self, most: int) -> Sequence[Broadcast]:
        await self._io()
        return [each for _, each in sorted(self._disk.broadcasts.items())[::-1] if not each.is_test][:most]

    async def broadcast(self, number: int) -> Broadcast | None:
        await self._io()
        return self._disk.broadcasts.get(number)

    async def reach(self, broadcast: Broadcast, now: float) -> Reach:
        await self._io()
        return reach_in(self._disk, broadcast, now)

    async def freeze(
        self, number: int, now: float, lasts_s: float, canary: Callable[[Broadcast, int], int], alone: int
    ) -> bool:
        await self._io()
        broadcast = self._disk.broadcasts.get(number)
        if broadcast is None or broadcast.state is not BroadcastState.STARTING:
            return False
        people = reached(self._disk, broadcast, now)
        for each in people:
            assert each.bot is not None
            self._disk.targets[number, each.person] = TargetRow(each.bot, self._rng.randrange(PLACES))
        if needs_second(broadcast, len(people), self._disk.broadcasts.values(), alone, now):
            self._disk.broadcasts[number] = msgspec.structs.replace(broadcast, state=BroadcastState.SUBMITTED)
            return True
        below = canary(broadcast, len(people))
        self._disk.broadcasts[number] = msgspec.structs.replace(
            broadcast,
            state=BroadcastState.RUNNING,
            people=len(people),
            started_at=now,
            ends_at=now + lasts_s,
            canary_below=below,
            wave=0 if below else 1,
        )
        return True

    async def change(
        self, number: int, change: Callable[[Broadcast, int], Sequence[Broadcast]], note: AuditNote, now: float
    ) -> bool:
        await self._io()
        broadcast = self._disk.broadcasts.get(number)
        changed = change(broadcast, max(self._disk.broadcasts) + 1) if broadcast is not None else ()
        if changed:
            self._disk.broadcasts |= {each.number: each for each in changed}
            details = msgspec.json.encode(note.details, order="sorted").decode()
            row = AuditRow(0, now, None, note.action, note.subject, details, note.reason)
            self._audit += chained([row], self._audit[-1] if self._audit else None)
        return bool(changed)

    async def claim(self, claimable: Claimable, by: str, most: int) -> Sequence[Target]:
        await self._io()
        due = sorted(
            (row.place, whom)
            for (number, whom), row in self._disk.targets.items()
            if (number, row.bot, row.state) == (claimable.broadcast, claimable.bot, TargetState.WAITING)
            and row.due_at <= claimable.now
            and row.place < claimable.below
        )
        claimed = []
        for _, whom in due[:most]:
            row = self._row(claimable.broadcast, whom, state=TargetState.SENDING, claim=by, at=claimable.now)
            got = got_by(self._disk, whom, claimable.broadcast)
            claimed.append(Target(whom, claimable.bot, self._disk.people.get(whom), got, row.is_planned))
        return claimed

    async def settle(self, broadcast: int, by: str, settled: Sequence[Settled]) -> None:
        await self._io()
        for each in settled:
            row = self._disk.targets.get((broadcast, each.whom))
            if row is None or row.claim != by:
                continue
            late = row.state is TargetState.UNKNOWN and each.state is TargetState.SENT
            if row.state is TargetState.SENDING or late:
                self._row(
                    broadcast,
                    each.whom,
                    state=each.state,
                    bot=each.bot,
                    at=each.at,
                    message=each.message,
                    due_at=each.due_at,
                    is_planned=each.is_planned,
                    arm=each.arm,
                    language=each.language,
                )

    async def disown(self, by: str) -> int:
        await self._io()
        others = [key for key, row in self._targets() if row.state is TargetState.SENDING and row.claim != by]
        for number, whom in others:
            self._row(number, whom, state=TargetState.UNKNOWN)
        return len(others)

    async def reassign(self, broadcast: int, served: Sequence[BotId]) -> int:
        await self._io()
        count = 0
        for (number, whom), row in self._targets():
            if (number, row.state) == (broadcast, TargetState.WAITING) and row.bot not in served:
                person = self._disk.people.get(whom)
                bot = next((each for each in (person.bots if person else ()) if each in served), None)
                state = TargetState.WAITING if bot is not None else TargetState.UNREACHABLE
                self._row(number, whom, bot=bot or row.bot, state=state)
                count += 1
        return count

    async def expire(self, broadcast: int, now: float) -> None:
        await self._io()
        for (number, whom), row in self._targets():
            if number == broadcast and row.state is TargetState.WAITING:
                self._row(number, whom, state=TargetState.EXPIRED, at=now)

    async def due(self, broadcast: int, below: int, now: float) -> int:
        await self._io()
        return sum(
            row.state is TargetState.SENDING or (row.state is TargetState.WAITING and row.due_at <= now)
            for (number, _), row in self._targets()
            if number == broadcast and row.place < below
        )

    async def progress(self, broadcast: int) -> Progress:
        await self._io()
        return progress_of(self._disk, broadcast)

    async def watched(self, broadcast: int, below: int) -> CanaryFigures:
        await self._io()
        counts = [0] * 5
        for (number, whom), row in self._targets():
            if number != broadcast:
                continue
            in_canary, left = row.place < below, self._has_left(whom, row)
            counts[0] += in_canary and row.state is TargetState.SENT
            counts[1] += in_canary and row.state is TargetState.SENT and left
            counts[2] += in_canary and row.state is TargetState.REFUSED
            counts[3] += not in_canary and row.state is TargetState.WAITING
            counts[4] += not in_canary and row.state is TargetState.WAITING and left
        return CanaryFigures(*counts)

    async def arms(self, broadcast: int) -> Sequence[ArmFigures]:
        await self._io()
        found: dict[str, list[int]] = {}
        for (number, whom), row in self._targets():
            if number == broadcast and row.state in (TargetState.SENT, TargetState.HELD_OUT):
                person, at = self._disk.people.get(whom), row.at or 0.0
                is_back = person is not None and at < person.seen_at <= at + DAY_S
                counts = found.setdefault(row.arm, [0, 0, 0])
                for place, counted in enumerate((True, is_back, self._has_left(whom, row))):
                    counts[place] += counted
        return [ArmFigures(arm, *counts) for arm, counts in sorted(found.items())]

    async def copies(self, broadcast: int, revision: int, after: float, most: int) -> Sequence[Copy]:
        await self._io()
        return [
            Copy(whom, row.bot, row.message, row.arm, row.language)
            for (number, whom), row in self._targets()
            if number == broadcast
            and row.state is TargetState.SENT
            and row.message is not None
            and row.revision < revision
            and (row.at or 0.0) > after
        ][:most]

    async def followed(
        self, broadcast: int, done: Sequence[Copy], failed: Sequence[Copy], revision: int | None
    ) -> None:
        await self._io()
        for each in failed:
            self._row(broadcast, each.whom, message=None)
        for each in done:
            if revision is None:
                self._row(broadcast, each.whom, state=TargetState.RECALLED, message=None)
            else:
                self._row(broadcast, each.whom, revision=revision)

    def _targets(self) -> list[tuple[tuple[int, PersonId], TargetRow]]:
        return list(self._disk.targets.items())

    def _has_left(self, whom: PersonId, row: TargetRow) -> bool:
        person = self._disk.people.get(whom)
        return person is None or row.bot not in person.bots

    def _row(self, number: int, whom: PersonId, **changes: object) -> TargetRow:
        row: TargetRow = replace(self._disk.targets[number, whom], **changes)
        self._disk.targets[number, whom] = row
        return row

    async def _io(self) -> None:
        await asyncio.sleep(0)
        if self.lost:
            raise RecordsLost("switched off")


def progress_of(disk: Disk, broadcast: int) -> Progress:
    counts: dict[TargetState, int] = {}
    for (number, _), row in disk.targets.items():
        if number == broadcast:
            counts[row.state] = counts.get(row.state, 0) + 1
    return Progress(counts)
