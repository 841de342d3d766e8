"""The journal: the bots' requests, the updates queued for them and the updates they confirmed, in one order. The fault
tests use it as evidence.

`GET /sandbox/journal?after=N` returns the entries with a number above N, oldest first. With `&brief=1` they have no
`params`. Every entry has `n` (its number, without gaps), `at` (Unix seconds), `bot` and `kind`:

- `request`: a bot's call. `method`, `params` (file bytes replaced by their length and hash), `status`, `error` (the
  description, if refused), `unknown` (parameters that Bot API 10.3 does not have), `fault` (the fault that acted),
  `chat_id` and `message_ids` of the new messages, *also if the answer was lost*. getUpdates is noted only if it is
  refused; the updates it returns are `delivered`.
- `queued`: an update entered the bot's queue. `update_id`, `update` (its kind), `person`, `message_id` if it has
  one.
- `delivered`: the bot got update ids from getUpdates or in a webhook request; `update_ids`.
- `confirmed`: update ids left the queue because the bot passed an offset or answered 2xx; `update_ids`. Telegram
  will never deliver them again.
- `dropped`: update ids left the queue unconfirmed; `reason` is expired, full or drop_pending.

The journal has a limit: the oldest entries are removed. `first` in the answer is the oldest number that is left.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from botapi_sandbox.world.answers import Json, Upload


class Journal:
    """An ordered, bounded list of entries. `clock` gives unix seconds."""

    def __init__(self, clock: Callable[[], float], length: int) -> None:
        self._clock = clock
        self._entries: deque[Json] = deque(maxlen=length)
        self.last = 0

    def note(self, kind: str, bot: int, **details: Any) -> Json:
        """Add an entry and return it."""
        self.last += 1
        entry = {"n": self.last, "at": self._clock(), "kind": kind, "bot": bot, **details}
        self._entries.append(entry)
        return entry

    @property
    def first(self) -> int:
        """The oldest number that is still there."""
        return self.last - len(self._entries) + 1

    def resize(self, length: int) -> None:
        """Keep at most `length` entries from now on."""
        if length != self._entries.maxlen:
            self._entries = deque(self._entries, maxlen=length)

    def after(self, number: int, *, brief: bool = False) -> list[Json]:
        """The entries with a number above `number`, oldest first, ready for JSON. `brief`: without `params`."""
        # Counted from the newest entry, because readers ask for a few new ones of many.
        wanted = max(0, min(self.last - number, len(self._entries)))
        entries = list(islice(reversed(self._entries), wanted))
        entries.reverse()
        return [_plain(entry, brief) for entry in entries]


def _plain(entry: Json, brief: bool) -> Json:
    if "params" not in entry:
        return entry
    if brief:
        return {key: value for key, value in entry.items() if key != "params"}
    return {**entry, "params": {key: _without_bytes(value) for key, value in entry["params"].items()}}


def _without_bytes(value: Any) -> Any:
    if isinstance(value, Upload):
        digest = hashlib.sha256(value.data).hexdigest()[:16]
        return {"upload": value.name, "bytes": len(value.data), "sha256": digest}
    return value
