"""Passing notices: they say that a search goes on, and nobody needs them once it is over.

A passing notice waits for a second, unless something is behind it. If its search ends before it was sent, in
whichever process, it is not sent: the notice of the end says more. Two checks decide this:

- With several processes, the notice's owner *claims* it before it asks for a budget: a commit stores that it will be
  sent now, on condition that the reader's version is still the one with that search. A commit that ends the search
  changes the version. So either the claim comes first, and the notice of the end waits for this one as for any earlier
  notice (see `send_checks`); or the end comes first, and there is no claim. Until it is claimed, nobody waits for it.
- Right before the call is written, the reader's facts are read for the wording. They show whether the search goes on.

If its owner dies, the heir does the same, claimed or not.
"""

import msgspec

from passerby.domain.lifecycle import is_in_search
from passerby.kernel.decision import Facts
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit, Committed
from passerby.runtime.membership.heartbeat import Assurance


def search_is_over(notice: Notice, facts: Facts | None) -> bool:
    """Whether a notice is about a search that its reader is not in any more. `facts` None: the live store does not
    have the reader."""
    if notice.search is None:
        return False
    return facts is None or not is_in_search(facts.me.state, notice.search)


def as_claimed(notice: Notice) -> Notice:
    return msgspec.structs.replace(notice, claimed=True)


class Claims:
    """`worker` owns the notices. Nothing is claimed while another worker may have taken over this worker's
    outbox entries (`assurance`)."""

    def __init__(self, store: LiveStore, assurance: Assurance, worker: WorkerId) -> None:
        self._store = store
        self._assurance = assurance
        self._worker = worker

    async def claim(self, notice: Notice, generation: str) -> bool | None:
        """Return True if the notice may be sent now, and False if its search is over. None: ask again a little later.

        `generation`: the store's, when the notice was decided on. If the store has begun another one since, it may have
        lost the search (see `stale_notices`). So a missing search does not count as over: the notice may be sent, and
        no claim is stored. Raises: LiveStoreLost.
        """
        if not self._assurance.is_assured:
            return None
        facts = await self._store.load(notice.to)
        if facts is None or search_is_over(notice, facts):
            return generation != self._store.generation
        me = facts.me
        claim = Commit(outbox=(as_claimed(notice),), owner=self._worker, seen=((me.person, me.version),))
        return True if await self._store.commit(claim) is Committed.YES else None
