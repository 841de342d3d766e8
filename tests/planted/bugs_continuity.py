"""Bugs of noticing that somebody else has served a bot (see `bugs`)."""

from typing import Final

from tests.planted.bug import Bug

CONTINUITY: Final = (
    Bug("runtime", "missing updates end no chat", "if await self._continues(first):", "if True:"),
    Bug(
        "runtime",
        "at a start, missing updates below the ceiling are taken for ours",
        "return len(await store.done(bot, ours)) == len(ours)",
        "return True",
    ),
    Bug(
        "runtime",
        "after a power cut, updates whose marks are lost are taken for somebody else's",
        "    if note.since != store.marks_since:\n        return True",
        "    if False:\n        return True",
    ),
    Bug(
        "runtime",
        "updates beyond the ceiling are confirmed",
        "if offset is not None and offset > watch.ceiling:",
        "if offset is not None and watch.ceiling < 0:",
    ),
    Bug(
        "runtime",
        "an id that Telegram has left out is taken for somebody else's",
        "            self.ceiling = min(self.ceiling, missing[0])\n",
        "            pass\n",
    ),
    Bug(
        "runtime",
        "where we stopped is not noted at the end",
        "                await self._watch.end_at(offset)\n",
        "                pass\n",
    ),
    Bug(
        "runtime",
        "a conflict after the lease may be lost ends chats",
        "if self._assurance.is_assured:  # otherwise another",
        "if True:  # otherwise another",
    ),
    Bug("runtime", "numbers that have holes are trusted", "if self._steady >= STEADY:", "if True:"),
    Bug(
        "runtime",
        "holes in an answer do not end the trust in numbers",
        "            self._steady = 0\n            self._holes",
        "            self._holes",
    ),
    Bug(
        "runtime",
        "ids that start anywhere are taken for a gap",
        "count <= TAKEN_AT_ONCE + TAKEN_PER_S * past_s",
        "True",
    ),
    Bug(
        "runtime",
        "each conflict ends chats",
        "if self._conflict_at - before <= CONFLICTS_S:",
        "if True:",
    ),
    Bug(
        "runtime",
        "an answer that continues does not clear a conflict",
        '        self._conflict_at = float("-inf")\n        self._heard_at = now',
        "        self._heard_at = now",
    ),
    Bug(
        "runtime",
        "the moment of the last update is that of the first one",
        "        self._heard_at = now = self._clock.now()",
        "        now = self._clock.now()",
    ),
    Bug("runtime", "the note of a quiet bot is never renewed", " or now - self._kept_at >= RENEWED_S:", ":"),
    Bug("runtime", "a conflict ends no chat", "            self.must_end_chats = True\n", "            pass\n"),
    Bug(
        "runtime",
        "a doubt about one bot ends the chats of all",
        "lambda view: bot in view.newest.bots or",
        "lambda view: view.newest.bots or",
    ),
    Bug("runtime", "a doubt leaves people who act meanwhile in their chats", "if not left:", "if True:"),
    Bug(
        "runtime",
        "a doubt ends chats although another worker has the bot",
        "self._repair(part, (), fences)",
        "self._repair(part, ())",
    ),
    Bug(
        "runtime",
        "messages that wait in older files are sent before a gap is looked for",
        "        if not missing:\n            return",
        "        if True:\n            return",
    ),
    Bug(
        "runtime",
        "a gap at the start ends only the chats of its own bot",
        'before = self._alone_since if at_start else float("-inf")',
        'before = float("-inf")',
    ),
    Bug(
        "runtime",
        "a damaged live store is watched like a copy",
        "(log.was_empty and await _are_used(records))",
        "(store.newborn and await _are_used(records))",
    ),
    Bug(
        "runtime",
        "a live store that is missing beside used records is no copy",
        "(log.was_empty and await _are_used(records))",
        "False",
    ),
    Bug(
        "runtime",
        "a kill in the first seconds of a watch is forgotten",
        "await self._clock.sleep(QUIET_S)",
        "await self._clock.sleep(0.1)",
    ),
    Bug(
        "runtime",
        "a start pauses although the watch before it was quiet for long enough",
        "        await self._clock.sleep(QUIET_S)\n        self.has_ended_none(bot)\n",
        "        await self._clock.sleep(QUIET_S)\n",
    ),
    Bug(
        "runtime",
        "one quiet bot speaks for all",
        "self._log.note_watched(max(self._began_at.values(), default=0.0))",
        "self._log.note_watched(0.0)",
    ),
    Bug(
        "runtime",
        "a conflict late in a watch is forgotten by the next start",
        "            polls.may_have_ended_one(bot)\n            return True\n        except TokenRefused",
        "            return True\n        except TokenRefused",
    ),
    Bug(
        "runtime",
        "a poll without an answer is forgotten by the next start",
        "                polls.may_have_ended_one(bot)\n                pause_s = AGAIN_S",
        "                pause_s = AGAIN_S",
    ),
    Bug(
        "runtime",
        "a start after an early kill watches at once",
        '    if rest_s > 0:\n        logs.record("copy.pauses',
        '    if False:\n        logs.record("copy.pauses',
    ),
)
