"""Stores a pairing and sends its notices. No person's event caused it, so no person's queue does this."""

from collections.abc import Callable

from passerby.kernel.decision import Decision
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.ports.leases import Fence, Fenced
from passerby.ports.participants import Committed
from passerby.runtime.decide.committing import Committer, Unanswered
from passerby.runtime.decide.sending import EffectSender
from passerby.runtime.membership.fencing import OwnLeases, write_refused


class Pairings:
    def __init__(self, committer: Committer, sender: EffectSender, leases: OwnLeases) -> None:
        self._committer = committer
        self._sender = sender
        self._leases = leases

    async def settle(
        self,
        decision: Decision,
        before: dict[PersonId, Participant],
        name: Callable[[int], str],
        fences: tuple[Fence, ...] = (),
    ) -> bool:
        """Store the decision. Returns whether it was stored. Raises: LiveStoreLost."""
        plan = self._committer.plan_pairing(decision, before, name, fences)
        try:
            if await self._committer.store(plan.commit) is not Committed.YES:
                return False
        except Fenced:
            await write_refused(self._leases, fences)
            return False
        except Unanswered:
            names = {notice.id for notice in plan.notices}
            if not await self._sender.find_again(lambda entry: entry.id in names):
                raise
            self._sender.end(plan)
            return True
        self._sender.end(plan)
        for notice in plan.notices:
            self._sender.say(notice)
        return True
