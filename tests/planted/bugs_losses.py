"""Bugs of what follows a loss: the roll call, unrecorded facts, missing keys, corrected notices, releases, the server's
time (see `bugs`)."""

from typing import Final

from tests.planted.bug import Bug

LOSSES: Final = (
    Bug("memory", "a missing end of the log names nobody", "                people.update(hole.people)\n", ""),
    Bug(
        "memory",
        "a missing end of the log is forgotten if the process dies before the repair",
        "            self._sequence = synced  # so the next number shows the hole, too, until a rewrite\n",
        "",
    ),
    Bug("memory", "missing numbers in the log are no hole", "if sequence and number > sequence + 1:", "if False:"),
    Bug(
        "memory",
        "the people whom a record concerns are noted at the beginning again after a start",
        "self._next = (newest + 1) % ROOM",
        "self._next = 0",
    ),
    Bug(
        "memory",
        "a missing end names people whom earlier records concern",
        "if after < number <= upto)",
        "if number <= upto)",
    ),
    Bug(
        "memory",
        "an emptied log is a new beginning",
        "if self._sequence < synced and is_there:",
        "if 0 < self._sequence < synced and is_there:",
    ),
    Bug(
        "memory",
        "a sync begins before all of its turn have stored",
        "asyncio.get_running_loop().call_soon(self._begin_sync)",
        "self._begin_sync()",
    ),
    Bug(
        "sql",
        "a column that is missing is found in the middle of the work",
        "if (table.name, column.name) not in found:",
        "if False:",
    ),
    Bug(
        "sql",
        "a revision that never existed counts as an old one",
        "if revision is not None and revision not in _known() and revision < _needed():",
        "if False:",
    ),
    Bug(
        "sql",
        "a start without an upgrade waits for a locked table without a limit",
        "            if before != _needed():\n                on_lock()\n",
        "            on_lock()\n",
    ),
    Bug(
        "sql",
        "damage that is found while we run is a bug of ours",
        "class Damaged(DatabaseUnusable, RecordsDamaged):",
        "class Damaged(DatabaseUnusable):",
    ),
    Bug("sql", "missing rights are a bug of ours", '    "42501": Fate.REFUSED,  # no rights\n', ""),
    Bug(
        "runtime",
        "a full disk kills the process when it notes its first update",
        "os.pwrite(file, bytes(_SIZE - size), size) < _SIZE - size:",
        "os.ftruncate(file, _SIZE):",
    ),
    Bug(
        "runtime",
        "an idle person whose search may be lost is told nothing",
        "if view.is_busy or (person in lost and view.newest.profile.complete)",
        "if view.is_busy",
    ),
    Bug("runtime", "a repair waits for nobody", "missing = (self._expected | former) - answered", "missing = set()"),
    Bug(
        "runtime",
        "a repair waits only for workers that this one knew",
        "missing = (self._expected | former) - answered",
        "missing = self._expected - answered",
    ),
    Bug(
        "runtime",
        "a repair begins while an old send is under way",
        "if self._is_sending(generation) and may_wait:",
        "if False:",
    ),
    Bug(
        "runtime",
        "a worker that forgot facts answers the roll call",
        "self._worker if self._is_whole else None",
        "self._worker",
    ),
    Bug(
        "runtime",
        "a worker that has just started waits for nobody",
        "return Roll(not may_wait, not missing and is_recent and not is_lost)",
        "return Roll(True, not missing and is_recent and not is_lost)",
    ),
    Bug(
        "runtime",
        "chats go on from the records although the live store is gone after a crash",
        "is_lost = self._had_crashed and not self._shared and generation == self._first",
        "is_lost = False",
    ),
    Bug(
        "runtime",
        "chats of an old database that was restored by hand come back",
        "is_recent = changed_at is not None and self._clock.now() - changed_at <= RECENT_S",
        "is_recent = changed_at is not None",
    ),
    Bug(
        "runtime",
        "a repair waits for a dead worker without end",
        "return Roll(not missing or not may_wait, not missing)",
        "return Roll(not missing, not missing)",
    ),
    Bug(
        "runtime",
        "facts of an earlier generation are not handed in",
        "        if facts:\n            await self._records.apply(f",
        "        if False:\n            await self._records.apply(f",
    ),
    Bug(
        "runtime",
        "unsent notices are not put back into a store that lost them",
        "            await self._put_back()\n            self._put_back_in",
        "            self._put_back_in",
    ),
    Bug(
        "runtime",
        "facts are forgotten before the records have them",
        "while self._looks and self._looks[0][0] <= recorded:",
        "while self._looks:",
    ),
    Bug(
        "runtime",
        "facts are kept although the records have them",
        "while self._kept and self._kept[0][0] <= last:",
        "while False:",
    ),
    Bug(
        "runtime", "facts without room are dropped in silence", "return self._dropped <= self._recorded", "return True"
    ),
    Bug(
        "runtime",
        "people are told of one loss several times",
        "return corrected if first == notice.id else None, facts",
        "return corrected, facts",
    ),
    Bug(
        "runtime",
        "a notice that a repair has replaced is sent",
        "if is_stored and notice.id not in await self._store.owners_of((notice.id,)):",
        "if False:",
    ),
    Bug(
        "runtime",
        "an outdated answer no longer answers its message",
        "        return msgspec.structs.replace(notice, text=text(UNSENT[type(state)]), keyboard=keys_for(state))",
        "        return msgspec.structs.replace(notice, text=text(NOW[type(state)]), keyboard=keys_for(state))",
    ),
    Bug(
        "runtime",
        "a repair settles the only notice that tells a person of an end",
        "stale = await self._stale_notices(told)",
        "stale = await self._stale_notices(views)",
    ),
    Bug(
        "runtime",
        "the recorder stores on top of an older database",
        "await self._records.apply(generation, batch, after=self._position)",
        "await self._records.apply(generation, batch)",
    ),
    Bug("sql", "an older database is not noticed", "                if applied < after:", "                if False:"),
    Bug("lua", "a lost person is not missed", "  or hash(3) ~= chats + waiting\n", ""),
    Bug("lua", "a lost ticket is not missed", "  or hash(8) ~= waiting + set(7)\n", ""),
    Bug("lua", "a lost outbox is not missed", "  or hash(9) ~= set(10) or set(10) ~= set(11)\n", ""),
    Bug("lua", "a journal is not missed", "  or (unrecorded and redis.call('XLEN', KEYS[12]) == 0) then", "  then"),
    Bug("lua", "lost chats are not missed", "  or chatting < chats or chatting > 2 * chats\n", ""),
    Bug("lua", "an older release uses a newer one's store", "if newest > release then", "if false then"),
    Bug(
        "lua",
        "an older worker goes on beside a newer one",
        "elseif newest < release and ARGV[6] == '0' then",
        "elseif false then",
    ),
    Bug(
        "redis",
        "a worker does not notice that a newer release uses its store",
        "            self.is_superseded = True",
        "            pass",
    ),
    Bug(
        "redis",
        "a worker's own clock decides about days",
        "self._ahead_s = server_us / 1_000_000 - self._clock.monotonic()",
        "pass",
    ),
    Bug(
        "redis",
        "idle times are those of the worker that wrote",
        "return [msgspec.structs.replace(each, since=self._time.ours(each.since)) for each in chats]",
        "return list(chats)",
    ),
    Bug("memory", "an older release opens a newer one's log", "_read_release(self._lock) > release:", "False:"),
)
