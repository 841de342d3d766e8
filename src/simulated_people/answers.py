"""Finds the answer of every line that a person wrote, for the judge. `judge` has the rules."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from simulated_people.phone_reader import CLOSES, LEAVES, OPENS, Phone
from simulated_people.phrases import Asks, Said
from simulated_people.verdict import Fault, Line, Verdict

_SEARCHES = frozenset({Asks.SEARCH, Asks.NEXT})
_ENDS_SEARCH = frozenset({OPENS, Said.ENDED})

CUT_OFF_S = 60.0
"""A notice that the connection was lost answers messages that are at most this old."""


def causes_of(verdict: Verdict, person: int, lines: Sequence[Line], faults: Sequence[Fault]) -> dict[int, Fault]:
    """Each notice that the connection was lost needs a fault of its own, the earliest that may have caused it. Returns
    the faults by notice."""
    left = list(faults)
    causes: dict[int, Fault] = {}
    for line in lines:
        if line.notice is not Said.CUT_OFF:
            continue
        cause = next((each for each in left if each.began <= line.at <= each.ended + CUT_OFF_S), None)
        if cause is None:
            verdict.told_again.append(f"{person} is told that the connection was lost (message {line.id})")
        else:
            causes[line.id] = cause
            left = left[left.index(cause) + 1 :]
    return causes


def _cut_for(
    line: Line,
    phone: Phone,
    cuts: Sequence[Line],
    causes: Mapping[int, Fault],
    arrivals: Mapping[str, list[tuple[int, Line]]],
) -> Line | None:
    """The one of the notices that the connection was lost that answers this line."""
    cut = next((each for each in cuts if each.id > line.id), None)
    if cut is None or line.mark is not None:
        return cut if cut is not None and cut.at - line.at <= CUT_OFF_S else None
    cause = causes.get(cut.id)
    if cause is None or line.at < cause.began - CUT_OFF_S:
        return None
    later = [each for each in phone.lines if each.mine and line.id < each.id < cut.id]
    replied = {each.reply_to for each in phone.lines if not each.mine and each.at < cause.began}
    arrived = (arrivals.get(each.mark, ()) for each in later if each.mark is not None and line.asks in LEAVES)
    is_delivered = any(copy.at < cause.began for copies in arrived for _, copy in copies)
    return None if is_delivered or any(each.id in replied for each in later) else cut


def _may_answer(notice: Line, line: Line) -> bool:
    """A notice that is a reply answers only that message; if it has a count, also messages after that one."""
    return notice.reply_to is None or (notice.answers > 1 and notice.reply_to < line.id)


def begun(faults: Sequence[Fault], at: float) -> int:
    """How many faults had begun by then."""
    return bisect_right(faults, at, key=lambda fault: fault.began)


def _end_of_search(line: Line, in_chat: int, moves: Sequence[Line], until: int | None) -> Line | None:
    """The notice that takes the place of a command's own answer. "Looking…" is not sent if the search is already over.

    A command in a chat (`in_chat`) has an answer of its own, unless the chat was over before it arrived.
    """
    if line.asks not in _SEARCHES:
        return None
    for each in moves:
        if each.id <= line.id or (until is not None and each.id > until):
            continue
        if each.notice in CLOSES:
            in_chat = 0
        elif not in_chat:
            return each
    return None


def settle(
    verdict: Verdict,
    person: int,
    phone: Phone,
    arrivals: Mapping[str, list[tuple[int, Line]]],
    faults: Sequence[Fault],
    causes: Mapping[int, Fault],
) -> None:
    """Check that every line a person wrote, commands too, is delivered or has its own answer."""
    answers = [line for line in phone.lines if not line.mine for _ in range(line.answers)]
    moves = [line for line in phone.lines if line.notice in _ENDS_SEARCH or line.notice in CLOSES]
    of_albums: dict[str, Line] = {}
    gone = [line.id for line in phone.lines if line.gone]
    cuts = [line for line in phone.lines if line.notice is Said.CUT_OFF]
    for line in phone.lines:
        if not line.mine:
            continue
        delivered = arrivals.get(line.mark, []) if line.mark is not None else []
        verdict.sent += line.mark is not None
        if delivered:
            verdict.delivered += 1
            end = delivered[0][1]
        else:
            # Notices after a block answer only messages that were written after it.
            until = next((each for each in gone if each >= line.id), None)
            reply = next((each for each in answers if each.reply_to == line.id), None)
            later = (each for each in answers if each.id > line.id and (until is None or each.id <= until))
            found = reply or next((each for each in later if _may_answer(each, line)), None)
            if line.album is not None:
                found = of_albums.get(line.album, found)
            is_shared = False
            if line.mark is None:
                over = _end_of_search(line, phone.chat_at[line.id], moves, until)
                is_shared = over is not None and (found is None or over.id <= found.id)
                found = over if is_shared else found
            cut = _cut_for(line, phone, cuts, causes, arrivals)
            if cut is not None and (found is None or (found.reply_to != line.id and found.id > cut.id)):
                found = cut  # a later answer is left for later messages
            if found is None and until is not None:
                verdict.unheard += line.mark is not None
                continue
            if found is None:
                what = f"{line.mark or 'a command'} of {person} (message {line.id})"
                (verdict.lost if line.confirmed else verdict.unresolved).append(what)
                continue
            if found in answers and not is_shared:
                answers.remove(found)
            if line.album is not None:
                of_albums[line.album] = found
            verdict.refused += line.mark is not None
            verdict.cut_off += line.mark is not None and found is cut
            end = found
        verdict.carried_over += begun(faults, line.at) != begun(faults, end.at)
    verdict.spare_notices += len(answers)
