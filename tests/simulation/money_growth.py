"""Gifts, promo codes and trials, as parts of the random histories of money."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from botapi_sandbox.world import payments
from passerby.domain.money.referrals import TAKEN_BACK_WITHIN_S, invited, with_link
from passerby.domain.money.timeline import pieces
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision, Env
from passerby.kernel.effect import Say
from passerby.kernel.event import ButtonPressed, Event, MessageReceived, WroteEnough
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId
from passerby.kernel.journey import Journey
from passerby.kernel.money import GrantSource, Plan
from passerby.kernel.participant import Chatting, Idle, LastChat, Participant
from passerby.kernel.promo import PromoCode
from passerby.kernel.referral import ReferralOutcome
from passerby.ports.clock import Clock
from passerby.runtime.background.referrals import EVERY_S, Referrals
from passerby.runtime.decide.commit_plan import plan_commit

if TYPE_CHECKING:
    from tests.contract.money_memory import Ledger

DAY_S = 86_400.0
FREE = PromoCode("FREE", days=5, most_uses=2)
CHEAP = PromoCode("CHEAP", percent=20, most_uses=2, new_buyers=True)
TRIAL_DAYS = 3
GIFTS = (Plan("week", 7, 75), Plan("month", 30, 250))
"""In the order of their buttons."""


class Growing:
    """The steps of a history that are about getting people to try it."""

    rng: Random
    invite_rng: Random
    people: list[int]
    banned_at: dict[int, float]
    erased_at: dict[int, float]
    erasing: set[PersonId]
    invoices: list[tuple[int, BotId, str]]
    world: Any
    store: Any
    records: Any
    clock: Any
    bots: tuple[BotId, ...]
    _numbers: int
    ledger: Callable[[], "Ledger"]
    referrals: Referrals
    worker_clock: Clock
    gifts: dict[str, PersonId]
    """The receivers, by the payload of the invoice."""
    recorded_until: float
    """The records have everything that was decided before then."""
    due_back: set[PersonId]
    """Friends whose referral must have been taken back: they were banned before somebody looked, and in time."""
    referrals_at: float
    """When this process looked last."""

    def _bot(self) -> BotId:
        raise NotImplementedError

    def _pays(self, person: int, bot: BotId, payload: str) -> None:
        raise NotImplementedError

    async def _handle(self, event: Event) -> list[Say]:
        raise NotImplementedError

    async def load(self, person: PersonId) -> Any:
        raise NotImplementedError

    def _two(self, rng: Random | None = None) -> tuple[PersonId, PersonId] | None:
        """Two people, none of whom has been banned or erased."""
        able = [
            PersonId(each)
            for each in self.people
            if each not in self.banned_at and each not in self.erased_at and each not in self.erasing
        ]
        if len(able) < 2:
            return None
        one, other = (rng or self.rng).sample(able, 2)
        return one, other

    async def _gift(self) -> None:
        """Somebody orders VIP for their last partner, who may block them, be banned or erased before it is paid."""
        two = self._two()
        if two is None:
            return
        giver, whom = two
        chat = ChatId(f"{self._numbers:020x}")
        now = self.clock.now()
        me = (await self.load(giver)).me
        await self._change(msgspec.structs.replace(me, last=LastChat(chat, whom, now, "stop", left=True)))
        bot, place = self._bot(), self.rng.randrange(len(GIFTS))
        pressed = ButtonPressed(giver, bot, "q", None, "vip_gift_buy", f"{chat}.{place}", "en")
        invoice = next((say for say in await self._handle(pressed) if say.bill is not None), None)
        if invoice is None or invoice.bill is None:
            return
        self.world.state.bots[bot].invoices[invoice.bill.payload] = payments.Invoice(
            bot_id=bot,
            title="VIP",
            payload=invoice.bill.payload,
            currency="XTR",
            amount=invoice.bill.stars,
            subscription_period=None,
        )
        self.invoices.append((giver, bot, invoice.bill.payload))
        self.gifts[invoice.bill.payload] = whom
        if self.rng.random() < 0.2:
            them = (await self.load(whom)).me
            await self._change(msgspec.structs.replace(them, blocked=(*them.blocked, giver)))
        self._pays(giver, bot, invoice.bill.payload)

    async def _promo(self) -> None:
        person = self.rng.choice(self.people)
        if person not in self.erased_at and person not in self.erasing:
            await self._types(PersonId(person), self.rng.choice(("FREE", "FREE", "CHEAP", "WRONG")))

    async def _types(self, person: PersonId, code: str) -> None:
        words = (Content(Kind.TEXT, f"/promo {code}"),)
        message = MessageReceived(person, self._bot(), (MessageId(1),), words, self.clock.now(), language="en")
        await self._handle(message)

    async def _talk(self) -> None:
        """Two people have a real chat."""
        two = self._two()
        if two is not None:
            await self._real_chat(two, self.rng)

    async def _invite(self) -> None:
        """Somebody comes by a link, and has the real chats that it takes. They may be banned or erased later."""
        two = self._two(self.invite_rng)
        if two is None:
            return
        inviter, friend = [(await self.load(each)).me for each in two]
        if friend.journey is not None and friend.journey.invite:
            return
        env = Env(self.clock.now(), self.invite_rng)
        with_token, token = with_link(inviter, env)
        # Their history stays, so that they get no second trial.
        steps = friend.journey.steps if friend.journey is not None else 0
        began = Journey("invite", self.bots[0], "en", env.now, steps)
        came = invited(msgspec.structs.replace(friend, journey=began), token)
        await self._change(with_token, came)
        for _ in range(3):
            await self._real_chat((friend.person, inviter.person), self.invite_rng)

    async def _real_chat(self, two: tuple[PersonId, PersonId], rng: Random) -> None:
        """The notice that says so may come twice, by either bot."""
        self._numbers += 1
        chat, now = ChatId(f"t{self._numbers}"), self.clock.now()
        one, other = [(await self.load(each)).me for each in two]
        if any(each.bot is None or not isinstance(each.state, Idle) for each in (one, other)):
            return
        await self._change(
            msgspec.structs.replace(one, state=Chatting(chat, other.person, now)),
            msgspec.structs.replace(other, state=Chatting(chat, one.person, now)),
        )
        try:
            for each in (*two, rng.choice(two)):
                await self._handle(WroteEnough(each, rng.choice(self.bots), chat))
        finally:
            changed = [(await self.load(each)).me for each in two]
            await self._change(*(msgspec.structs.replace(each, state=Idle()) for each in changed))

    async def _decide_referrals(self) -> None:
        now, since = self.clock.now(), self.worker_clock.now() - TAKEN_BACK_WITHIN_S
        banned = [each for each, at in self.banned_at.items() if at < self.recorded_until]
        known = self.ledger().referrals if banned else {}
        due = {
            PersonId(each)
            for each in banned
            if each in known
            and known[PersonId(each)].outcome == ReferralOutcome.GIVEN
            and (known[PersonId(each)].decided_at or 0.0) > since
        }
        await self.referrals.decide_due()
        # Within a minute of its last look, it does not look.
        if now - self.referrals_at >= EVERY_S:
            self.due_back |= due
            self.referrals_at = now

    async def _change(self, *people: Participant) -> None:
        before = {each.person: (await self.load(each.person)).me for each in people}
        self._numbers += 1
        name = f"c{self._numbers}"
        plan = plan_commit(Decision(people), before, now=self.clock.now(), name=lambda index: f"{name}:{index}")
        assert plan.commit is not None
        await self.store.commit(plan.commit)

    async def _try_again(self) -> None:
        """A person who heard nothing about a code tries it again."""
        for person in self.people:
            if person not in self.erased_at and person not in self.banned_at:
                await self._types(PersonId(person), "FREE")

    def _faults_of_growth(self, ledger: "Ledger", uses: dict[str, int]) -> list[str]:
        codes = [each for each in (FREE, CHEAP) if uses.get(each.code, 0) > each.most_uses]
        found = [f"{each.code} was used too often" for each in codes]
        counts = Counter((who, grant.source) for (who, _), grant in ledger.grants.items())
        for (who, source), count in counts.items():
            if source in (GrantSource.PROMO, GrantSource.TRIAL) and count > 1:
                found.append(f"{who} has {count} grants of the kind {source}")
        given = sum(grant.source is GrantSource.PROMO for grant in ledger.grants.values())
        if given > uses.get(FREE.code, 0):
            found.append("more days were given than codes used")
        if not self.erased_at and not self.banned_at and uses.get(FREE.code, 0) != given:
            found.append("a used code gave nothing")
        return found + self._faults_of_referrals(ledger)

    def _faults_of_referrals(self, ledger: "Ledger") -> list[str]:
        """Both have the reward, once. A reward that was taken back is not there."""
        found = []
        gone = {*self.erased_at, *self.banned_at}
        for friend, row in ledger.referrals.items():
            if row.decided_at is None:
                found.append(f"{friend}: a referral is not decided")
            for who, code in ((ledger.links.get(row.token), row.mine), (friend, row.theirs)):
                if who is None or who in gone or not code:
                    continue
                mine = [each for (of, _), each in ledger.grants.items() if of == who]
                is_left = any(piece.code == code and piece.until > self.clock.now() for piece in pieces(mine))
                if row.outcome == ReferralOutcome.GIVEN and sum(each.code == code for each in mine) != 1:
                    found.append(f"{who}: a referral was given and not granted")
                if row.outcome == ReferralOutcome.TAKEN_BACK and is_left:
                    found.append(f"{who}: a referral goes on after it was taken back")
            if row.outcome == ReferralOutcome.GIVEN and friend in self.due_back:
                found.append(f"{friend}: is banned, and their referral counts")
        return found
