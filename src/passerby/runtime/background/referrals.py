"""Referrals, as a part of the duty `money`: which friends count, the VIP days for both, and what a farm gives back.

The decision is in the records before anybody gets anything. It is repeated until the records show the grants, which
have codes of their own. So it does not matter where a process dies.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec

from passerby.domain.money.referrals import MONTH_S, TAKEN_BACK_WITHIN_S, WAIT_S, is_over, verdict
from passerby.domain.money.wallets import new_code
from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money_event import GrantTakenBack, ReferralGiven
from passerby.kernel.referral import ReferralOutcome
from passerby.kernel.rules import Rules
from passerby.ports.clock import Clock
from passerby.ports.records import Records

EVERY_S: Final = 60.0
AT_ONCE: Final = 100
NO_BOT: Final = BotId(0)
"""Stands for the bot of an event that came through none."""


class Referrals:
    """`rules` are read at each look. `put` gets the events. `rng` makes the codes of the grants."""

    def __init__(
        self, records: Records, rules: Callable[[], Rules], put: Callable[[Event], None], clock: Clock, rng: Random
    ) -> None:
        self._records = records
        self._rules = rules
        self._put = put
        self._clock = clock
        self._rng = rng
        self._looked_at = float("-inf")
        self._has_looked = False

    async def decide_due(self) -> None:
        """Once a minute: decide what is due, and raise what follows. Raises: RecordsLost."""
        now, at = self._clock.now(), self._clock.monotonic()
        if at - self._looked_at < EVERY_S:
            return
        self._looked_at = at
        if self._rules().referral_days:
            await self._decide(now)
        # The first look is at all of them: perhaps nobody has looked for more than a month.
        since = now - MONTH_S if self._has_looked else 0.0
        rewards = await self._records.rewards(since, AT_ONCE)
        for reward in rewards:
            self._put(ReferralGiven(reward.person, NO_BOT, reward.grant, reward.for_friend))
        taken_back = await self._take_back(now, since)
        self._has_looked = self._has_looked or max(len(rewards), taken_back) < AT_ONCE

    async def _decide(self, now: float) -> None:
        most = self._rules().referrals_a_month
        given: Counter[PersonId] = Counter()
        for each in await self._records.referrals_due(now - WAIT_S, now, AT_ONCE):
            people = await self._records.people([each.friend, each.inviter])
            known = msgspec.structs.replace(each, given=each.given + given[each.inviter])
            outcome = verdict(known, people.get(each.friend), people.get(each.inviter), most, now)
            if outcome is ReferralOutcome.GIVEN:
                given[each.inviter] += 1
                grants = (new_code(self._rng), new_code(self._rng))
                await self._records.decide_referral(each.friend, outcome, now, grants)
            elif outcome is not None:
                await self._records.decide_referral(each.friend, outcome, now)

    async def _take_back(self, now: float, since: float) -> int:
        """Return how many grants were raised that must end. Those of referrals that were taken back after `since`."""
        given = await self._records.referrals_given(now - TAKEN_BACK_WITHIN_S)
        for at in range(0, len(given), AT_ONCE):
            people = await self._records.people(given[at : at + AT_ONCE])
            for friend, value in people.items():
                if is_over(value, now):
                    await self._records.decide_referral(friend, ReferralOutcome.TAKEN_BACK, now)
        over = await self._records.rewards_over(since, now, AT_ONCE)
        for each in over:
            self._put(GrantTakenBack(each.receiver, NO_BOT, each.grant))
        return len(over)
