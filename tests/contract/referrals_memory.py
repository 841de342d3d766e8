"""The honest fake of the referrals in the records."""

from collections.abc import Sequence
from typing import Any

from passerby.domain.money.referrals import MONTH_S, WEEK_S
from passerby.kernel.history import PastReferral
from passerby.kernel.ids import PersonId
from passerby.kernel.referral import Referral, ReferralOutcome, Reward
from passerby.ports.money import GrantOver


class MemoryReferrals:
    """Implements `passerby.ports.referrals.ReferralRecords`."""

    disk: Any

    async def _io(self) -> None:
        raise NotImplementedError

    def _inviter(self, token: str) -> PersonId:
        owner: PersonId = self.disk.ledger.links.get(token, PersonId(0))
        return owner

    async def referrals_due(self, before: float, now: float, limit: int) -> Sequence[Referral]:
        await self._io()
        due = sorted(
            (each.reached_at, friend, each.token)
            for friend, each in self.disk.ledger.referrals.items()
            if each.decided_at is None and each.reached_at < before
        )
        return [self._referral(friend, token, at, now) for at, friend, token in due[:limit]]

    def _referral(self, friend: PersonId, token: str, reached_at: float, now: float) -> Referral:
        disk, inviter = self.disk, self._inviter(token)
        met = {
            row.user2 if row.user1 == friend else row.user1
            for row in disk.chats.values()
            if friend in (row.user1, row.user2) and row.opened_at >= reached_at - WEEK_S
        }
        given = sum(
            each.outcome == ReferralOutcome.GIVEN
            and each.decided_at > now - MONTH_S
            and self._inviter(each.token) == inviter
            for each in disk.ledger.referrals.values()
        )
        blocked_by = sum(whom == friend and row.lifted_at is None for (_, whom), row in disk.blocks.items())
        paid = any(row.person == friend and row.affiliate > 0 for row, _ in disk.ledger.rows.values())
        return Referral(friend, inviter, reached_at, len(met), blocked_by, given, paid)

    async def decide_referral(
        self, friend: PersonId, outcome: ReferralOutcome, now: float, grants: tuple[str, str] = ("", "")
    ) -> None:
        await self._io()
        known = self.disk.ledger.referrals.get(friend)
        if known is None:
            return
        if outcome is ReferralOutcome.TAKEN_BACK:
            if known.outcome == ReferralOutcome.GIVEN:
                self.disk.ledger.referrals[friend] = known._replace(decided_at=now, outcome=outcome)
        elif known.decided_at is None:
            mine, theirs = grants
            changed = known._replace(decided_at=now, outcome=outcome, mine=mine, theirs=theirs)
            self.disk.ledger.referrals[friend] = changed

    def _both(self, outcome: ReferralOutcome, after: float) -> list[Reward]:
        return [
            reward
            for friend, each in self.disk.ledger.referrals.items()
            if each.outcome == outcome and each.decided_at > after
            for reward in (
                Reward(self._inviter(each.token), each.mine, for_friend=False),
                Reward(friend, each.theirs, for_friend=True),
            )
            if reward.person in self.disk.people
        ]

    async def rewards(self, after: float, limit: int) -> Sequence[Reward]:
        await self._io()
        grants = self.disk.ledger.grants
        found = self._both(ReferralOutcome.GIVEN, after)
        return [each for each in found if (each.person, each.grant) not in grants][:limit]

    async def referrals_given(self, after: float) -> Sequence[PersonId]:
        await self._io()
        return [each.person for each in self._both(ReferralOutcome.GIVEN, after) if each.for_friend]

    async def rewards_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        await self._io()
        return [
            GrantOver(each.person, each.grant)
            for each in self._both(ReferralOutcome.TAKEN_BACK, after)
            if (grant := self.disk.ledger.grants.get((each.person, each.grant))) is not None
            and grant.lasts_s > 0
            and self.disk.people[each.person].vip_until > now
        ][:limit]


def past_referrals(ledger: Any, person: PersonId) -> tuple[PastReferral, ...]:
    """A person's referrals, as the friend and as the inviter."""
    mine = ledger.referrals.get(person)
    invited = [(mine, mine.token, mine.theirs)] if mine is not None else []
    tokens = {token for token, owner in ledger.links.items() if owner == person}
    invites = [(each, "", each.mine) for each in ledger.referrals.values() if each.token in tokens]
    return tuple(
        PastReferral(token, each.reached_at, each.decided_at, each.outcome, grant or None)
        for each, token, grant in [*invited, *sorted(invites, key=lambda each: each[0].reached_at)]
    )
