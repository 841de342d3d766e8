"""Bugs of passing notices (see `bugs`)."""

from typing import Final

from tests.planted.bug import Bug

SEARCHES: Final = (
    Bug(
        "searches",
        "a passing notice does not wait",
        "not_before=now + PASSING_WAIT_S - min(age_s, PASSING_WAIT_S) if notice.is_held else -NEVER,",
        "not_before=-NEVER,",
    ),
    Bug(
        "searches",
        "a waiting passing notice holds up what comes behind it",
        "if first.not_before - now > _ROUNDING_S and len(line) == 1:",
        "if first.not_before - now > _ROUNDING_S:",
    ),
    Bug(
        "searches",
        "a waiting passing notice is not looked at again when another one comes behind it",
        "        if current.phase is Phase.PAUSED and current.not_before > now:\n            return self._go_on(now)\n",
        "",
    ),
    Bug(
        "searches",
        "a superseded notice that was already under way is dropped",
        "            if delivery.is_untouched:\n                metrics.SUPERSEDED.add(NOTICE)\n",
        "            if not delivery.is_over:\n                metrics.SUPERSEDED.add(NOTICE)\n",
    ),
    Bug(
        "searches",
        "a waiting passing notice is forgotten by the process that adopts it",
        "            if isinstance(outgoing, Notice):\n                self._courier.say(outgoing, found_again=True)\n",
        "            if isinstance(outgoing, Notice):\n"
        "                if not outgoing.is_held:\n"
        "                    self._courier.say(outgoing, found_again=True)\n",
    ),
    Bug(
        "searches",
        "a claim does not depend on its reader's version",
        "owner=self._worker, seen=((me.person, me.version),))",
        "owner=self._worker)",
    ),
    Bug(
        "searches",
        "a passing notice is sent without a claim",
        "            return await self._claimed(delivery, delivery.notice)\n",
        "            return Checked()\n",
    ),
    Bug(
        "searches",
        "a notice is claimed while others may have taken it over",
        "        if not self._assurance.is_assured:\n            return None\n",
        "",
    ),
    Bug(
        "searches",
        "nobody looks right before the send whether the search goes on",
        "if notice is not None and search_is_over(notice, facts):",
        "if False:",
    ),
    Bug(
        "searches",
        "a notice of one search counts for the next",
        "return isinstance(state, Searching) and state.ticket.since == since",
        "return isinstance(state, Searching)",
    ),
    Bug(
        "searches",
        "the end of a search drops nothing that waits",
        "            over.append((put.person, was.ticket.since))\n",
        "            pass\n",
    ),
    Bug(
        "searches",
        "a notice about a search that was dropped anchors the next search",
        "        if not messages and chat == search_of(delivery.person):\n            return Mark(sent=sent)",
        "        if False:\n            return Mark(sent=sent)",
    ),
    Bug(
        "searches",
        "after a loss, a search is told of although its end is still to be told",
        "        if corrected.text == notice.text and search_is_over(notice, facts):\n            return None, facts\n",
        "",
    ),
    Bug(
        "searches",
        "a claimed notice lets others pass",
        "return self.search is not None and not self.claimed",
        "return self.search is not None",
    ),
    Bug(
        "searches",
        "others wait for a notice that may never be sent",
        "return self.is_aside or self.is_held",
        "return self.is_aside",
    ),
    Bug(
        "searches",
        "an answer to somebody who searches already is sent after their partner was found",
        "    return Say(me.person, text(key), keys_for(me.state), search=me.state.ticket.since)\n",
        "    return Say(me.person, text(key), keys_for(me.state))\n",
    ),
)
