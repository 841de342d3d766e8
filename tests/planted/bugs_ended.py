"""Bugs of notices of chats that are over, and of logs that belong to another database (see `bugs`)."""

from typing import Final

from tests.planted.bug import Bug

ENDED: Final = (
    Bug(
        "runtime",
        "the notice of a repair does not wait for the notice that another process is sending",
        "        if not stale or self._is_alone or self._store.doubts:\n            return stale\n",
        "        if stale is not None:\n            return stale\n",
    ),
    Bug(
        "runtime",
        "a notice of a chat counts as current in any later chat",
        "return not (isinstance(state, Chatting) and state.chat == notice.anchors)",
        "return not isinstance(state, Chatting)",
    ),
    Bug(
        "runtime",
        "an end that was told before a chat counts as the end of that chat",
        "entries[names.index(notice.id) + 1 :]",
        "entries",
    ),
    Bug(
        "runtime",
        "the end of a chat that is told in another queue counts as the next notice",
        "if not isinstance(entry, Notice) or entry.bot != notice.bot:",
        "if not isinstance(entry, Notice):",
    ),
    Bug(
        "runtime",
        "the end of a later chat counts as the end of this one",
        "        if _begins_chat(entry):\n            return False\n",
        "",
    ),
    Bug(
        "runtime",
        "a notice that a repair has settled is sent",
        "    if notice.id not in names:\n        return False\n",
        "    if notice.id not in names:\n        return True\n",
    ),
    Bug(
        "runtime",
        "a chat that has ended is told of, without its end",
        "            if not told.result():\n                metrics",
        "            if told.result() is None:\n                metrics",
    ),
    Bug(
        "memory",
        "a log of an older release is taken for a database that is not there yet",
        "if noted or (log.size and not database.exists()):",
        "if noted:",
    ),
    Bug(
        "memory",
        "a database of an older release may not keep its log beside another one",
        "if noted or (log.size and not database.exists()):",
        "if noted or log.size:",
    ),
    Bug("memory", "a log never notes its database", "    log.put_database(ours)\n", ""),
    Bug(
        "memory",
        "a file that is no database holds its log",
        "(not noted and _is_database(other))",
        "not noted",
    ),
    Bug(
        "memory",
        "a damaged database does not hold its log",
        "if _mark(other.name) == noted or",
        "if (_mark(other.name) == noted and _is_database(other)) or",
    ),
    Bug("memory", "the note of a database is written over the last deliveries", "= delivered.END", "= delivered.AT"),
    Bug(
        "lua",
        "an inherited notice forgets which chat it tells of",
        "entry_added(entry_name, heir, number, person, anchors, call, blob)",
        "entry_added(entry_name, heir, number, person, '', call, blob)",
    ),
    Bug(
        "lua",
        "the copies that are kept for evidence never expire",
        "table.concat(received), 'EX', RECEIVED_S)",
        "table.concat(received))",
    ),
)
