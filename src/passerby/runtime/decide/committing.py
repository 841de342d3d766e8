"""Turns decisions into commits and stores them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from passerby.kernel.decision import Decision, Facts
from passerby.kernel.event import ChatIdle, DeliveryFailed, SearchDelayed
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.ports.clock import Clock
from passerby.ports.facts import Fact
from passerby.ports.leases import Fence, WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit, Committed
from passerby.runtime.decide.commit_plan import CommitPlan, participants_in, plan_alone, plan_commit
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.inbound.uncertain_commits import UncertainCommits


class Unanswered(LiveStoreLost):
    """A commit may have been stored, or not."""


class Committer:
    """`worker` owns the notices of a commit: it sends them. `stored` is called with the facts of each stored commit.

    `find_again` sends notices of a commit without an answer, if it was stored (`EffectSender.find_again`).
    """

    def __init__(
        self,
        store: LiveStore,
        sealer: Sealer,
        uncertain: UncertainCommits,
        clock: Clock,
        worker: WorkerId,
        find_again: Callable[[Callable[[Notice], bool]], Awaitable[bool]],
        stored: Callable[[Sequence[Fact]], None] = lambda facts: None,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._uncertain = uncertain
        self._clock = clock
        self._find_again = find_again
        self._stored = stored
        self.worker = worker

    def plan(self, decision: Decision, facts: Facts, work: Work, unanswered: int) -> CommitPlan:
        """The commit for a decision on a person's event. `unanswered`: how many commits of this work had no answer."""
        if not work.sent and (alone := plan_alone(decision, facts)) is not None:
            return alone
        before = participants_in(facts)
        me = facts.me
        return plan_commit(
            decision,
            before,
            now=self._clock.now(),
            name=notice_namer(work, unanswered),
            refs=work.refs,
            sent=work.sent,
            owner=self.worker,
            fences=work.fences,
            seen=((me.person, me.version),),
            seal=self._sealer.seal_words,
            keep=self._sealer.keep,
        )

    def plan_pairing(
        self,
        decision: Decision,
        before: Mapping[PersonId, Participant],
        name: Callable[[int], str],
        fences: tuple[Fence, ...],
    ) -> CommitPlan:
        """The commit for a decision that no person's event caused."""
        return plan_commit(decision, before, now=self._clock.now(), name=name, owner=self.worker, fences=fences)

    async def store(self, commit: Commit | None) -> Committed:
        """Store a commit; None is nothing to store. Raises: Fenced, Unanswered.

        When it returns, the notices of earlier commits to the same people are on their way, even if the answers came in
        another order, or if one never came.
        """
        if commit is None:
            return Committed.YES
        notices = [entry for entry in commit.outbox if isinstance(entry, Notice)]
        try:
            with self._uncertain.under_way(notices) as earlier:
                committed = await self._store.commit(commit)
                for end in earlier:
                    await end.wait()
                if committed is Committed.YES and (missing := self._uncertain.before(notices)):
                    await self._find_again(lambda notice: notice.id in missing)
                    self._uncertain.looked_for(missing)
        except LiveStoreLost as error:
            self._uncertain.mark(notices)
            raise Unanswered(*error.args) from error
        if commit.facts and committed is Committed.YES:
            self._stored(commit.facts)
        return committed


def notice_prefix(work: Work) -> str:
    """The beginning of the names of a work's notices. It is the same if the work is done again."""
    event = work.event
    match event:
        case DeliveryFailed():
            return f"failed:{event.bot}:{event.message}"
        case ChatIdle():
            return f"idle:{event.chat}:{event.since}"
        case SearchDelayed():
            return f"delayed:{event.person}:{event.since}"
        case _ if work.refs:
            return f"{work.refs[0].bot}:{work.refs[0].update}"
        case _:
            return f"{type(event).__name__}:{event.bot}:{event.person}:{work.cause}"


def notice_namer(work: Work, unanswered: int = 0) -> Callable[[int], str]:
    """Names for notices. After a commit without an answer they differ, because the decision may differ, too."""
    return lambda index: f"{notice_prefix(work)}:{index}{f'~{unanswered}' if unanswered else ''}"
