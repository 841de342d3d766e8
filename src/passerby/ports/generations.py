"""Generations of the store, and how one that lost something is rebuilt. Users: the janitor and the recorder."""

from collections.abc import Sequence
from typing import Protocol

from passerby.kernel.participant import Participant
from passerby.ports.message_map import Anchor


class Generations(Protocol):
    @property
    def generation(self) -> str:
        """The name of this store's generation.

        A new generation begins wherever something stored may be lost: in a store that was wiped, in one that was
        opened again from files, and on a server that restarted or took over.
        """
        ...

    @property
    def newborn(self) -> bool:
        """Whether this generation still lacks the people who are searching or chatting. The records have them.

        True until the first `adopt` with `whole` in this generation, however often the store is opened before. A store
        that was wiped while it was open is newborn too, and refuses everything else until then (LiveStoreLost).
        """
        ...

    @property
    def is_superseded(self) -> bool:
        """Whether a newer release of Passerby uses the store. Then it refuses every call of this process for good."""
        ...

    async def adopt(
        self,
        participants: Sequence[Participant],
        *,
        anchors: Sequence[Anchor] = (),
        whole: bool = False,
        outdated: bool = False,
    ) -> None:
        """Take in people read from the records, except those already held. Their versions are kept.

        `anchors`: the notices that told them about their chats, if the records know them; otherwise the anchor is
        `NOWHERE`. If that notice is still in the outbox, it brings the anchor. `whole`: these are all who are searching
        or chatting. Then the store is no longer newborn, and has no doubts. `outdated`: the records may lack the newest
        changes; then the store is in doubt instead, and its chats will end. Several workers may adopt the whole at
        once: changes made since the first one stay.
        """
        ...
