"""Takes up what staff changed while the fleet runs. Every process looks for a newer override every two seconds.

If the records are away, everything stays as it is. An override that this release does not accept counts as its default;
that is logged once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import msgspec

from passerby.adapters.sql.overrides import SqlOverrides
from passerby.catalogue import Catalogue, Written
from passerby.kernel.override import Overridden, Override, wordings_in
from passerby.kernel.rules import ContactPolicy, Rules
from passerby.ports.clock import Clock
from passerby.ports.records import RecordsLost
from passerby.settings import Settings
from passerby.settings.overrides import overridden_by
from passerby.telemetry import logs

LOOK_EVERY_S: Final = 2.0
LIMITS: Final = ("approval_above", "refund_second_above", "promo_second_above")
LONGEST_PLAN: Final = "longest_plan"


class OverrideWatch:
    """`settings` are those in effect, `rules` and `thresholds` what is made of them. `words` gets the wordings.

    `notes_limits`: this process serves, so its limits are those of the fleet.
    """

    def __init__(
        self,
        settings: Settings,
        overrides: SqlOverrides,
        clock: Clock,
        words: Catalogue | None = None,
        notes_limits: Callable[[Mapping[str, int]], Awaitable[None]] | None = None,
    ) -> None:
        self._given = settings
        self._overrides = overrides
        self._clock = clock
        self._words = words
        self._notes_limits = notes_limits
        self._seen = 0
        self._refused: set[int] = set()
        self.settings = settings
        self.rules = rules_of(settings)
        self.thresholds: dict[str, float] = settings.thresholds
        """Changed in place: the alerts read it at each look."""

    def rules_now(self) -> Rules:
        return self.rules

    async def run(self) -> None:
        """Run until cancelled."""
        faults = logs.Faults()
        while True:
            try:
                await self.take_up_new()
                if self._notes_limits is not None:
                    await self._notes_limits(limits_of(self.rules))
                    self._notes_limits = None
            except RecordsLost as error:
                faults.began("records", "overrides.unread", "debug", error=logs.name_of(error))
            else:
                faults.over("records", "overrides.read")
            await self._clock.sleep(LOOK_EVERY_S)

    async def take_up_new(self) -> None:
        """Take up what is new. Raises: RecordsLost."""
        newest = await self._overrides.newest()
        if newest == self._seen:
            return
        current = await self._overrides.current()
        labels = await self._overrides.labels()
        self._take(current)
        if self._words is not None:
            self._take_texts(self._words, current, labels)
        self._seen = newest
        logs.record("overrides.taken_up", count=len(current))

    def _take(self, current: Sequence[Override]) -> None:
        values: dict[str, str] = {}
        for each in current:
            if each.key.what is Overridden.SETTING and each.value is not None:
                values[each.key.name] = each.value
        settings, _, refused = overridden_by(self._given, values)
        for each in current:
            if each.key.name in refused and each.number not in self._refused:
                self._refused.add(each.number)
                reason = refused[each.key.name].problem
                logs.record("overrides.refused", "warning", setting=each.key.name, reason=reason)
        self.settings = settings
        self.rules = rules_of(settings)
        self.thresholds.update(settings.thresholds)

    def _take_texts(self, words: Catalogue, current: Sequence[Override], labels: Sequence[tuple[str, str]]) -> None:
        texts = [
            Written(each.key.name, each.key.language, each.key.bot, wordings_in(each.value))
            for each in current
            if each.key.what is Overridden.TEXT and each.value is not None
        ]
        for refused in words.override(texts, labels):
            reason = f"this release has another text {refused.key}, or none"
            logs.record("overrides.refused", "warning", reason=reason)


def limits_of(rules: Rules) -> dict[str, int]:
    """The limits above which a second member must agree, and what they are measured by."""
    longest = max((plan.days for plan in rules.plans), default=0)
    return {name: getattr(rules, name) for name in LIMITS} | {LONGEST_PLAN: longest}


def stricter(rules: Rules, noted: Mapping[str, int]) -> Rules:
    """The rules with the stricter ones of their limits and of these. So nobody raises a limit with an environment of
    their own."""
    limits = {name: min(getattr(rules, name), noted.get(name, getattr(rules, name))) for name in LIMITS}
    longest = max(rules.longest_plan, limits_of(rules)[LONGEST_PLAN], noted.get(LONGEST_PLAN, 0))
    return msgspec.structs.replace(rules, **limits, longest_plan=longest)


def rules_of(settings: Settings) -> Rules:
    return Rules(
        minimum_age=settings.minimum_age,
        contact=settings.contact,
        contact_policy=ContactPolicy(settings.contact_policy),
        just_met_s=settings.contact_policy_min * 60,
        idle_nudge_s=settings.idle_nudge_min * 60,
        idle_end_s=settings.idle_end_min * 60,
        patience=settings.patience,
        free_filters=settings.filters_for_all,
        plans=settings.vip_plans,
        brands=settings.pools,
        approval_above=settings.broadcast_approval_above,
        real_chat_messages=settings.real_chat_messages,
        trial_days=settings.trial_days,
        referral_days=settings.referral_days,
        referrals_a_month=settings.referrals_a_month,
        refund_second_above=settings.refund_second_above,
        promo_second_above=settings.promo_second_above,
        sponsor=settings.sponsor,
        bot_rate_per_s=settings.bot_rate_per_s,
        pictures_looked_at=settings.pictures_looked_at,
    )
