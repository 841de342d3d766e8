"""The farms that the watch sees, from the live store to the records. The watch keeps them in a memo; the duty of cases
reads it, and makes one case of each."""

from collections.abc import Sequence
from typing import Final

import msgspec

from passerby.kernel.farm import FarmSeen
from passerby.ports.live_store import LiveStore

MEMO: Final = "farm_cases"

_pack: Final = msgspec.msgpack.Encoder().encode
_seen: Final = msgspec.msgpack.Decoder(tuple[FarmSeen, ...])


async def keep_seen(store: LiveStore, farms: Sequence[FarmSeen]) -> None:
    """Raises: LiveStoreLost."""
    blob = _pack(farms) if farms else None
    if (await store.memos((MEMO,))).get(MEMO) != blob:
        await store.keep_memo(MEMO, blob)


async def seen_now(store: LiveStore) -> tuple[FarmSeen, ...]:
    """Raises: LiveStoreLost."""
    blob = (await store.memos((MEMO,))).get(MEMO)
    return () if blob is None else _seen.decode(blob)
