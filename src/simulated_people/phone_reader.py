"""Reads a phone for the judge: which chat each line belongs to, and which notices only repeat earlier ones."""

from collections import ChainMap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from simulated_people.phrases import Asks, Said
from simulated_people.verdict import Fault, Line

LEAVING_S = 1.0
"""Telegram's dates are whole seconds. A message written in the second of leaving was not meant for a new partner."""

OPENS = Said.FOUND
LEAVES = frozenset({Asks.NEXT, Asks.STOP})
CLOSES = frozenset({Said.LEFT, Said.MOVED_ON, Said.CUT_OFF})
_MOVES = CLOSES | {OPENS, Said.SEARCHING, Said.ENDED}

AGAIN_S = 30.0
"""For this long after a fault, earlier notices may be repeated."""


@dataclass(slots=True)
class Phone:
    """A phone, with the chat of each line (`chat_at`); 0 for a line outside of chats."""

    lines: Sequence[Line]
    chat_at: dict[int, int] = field(default_factory=dict)
    left_at: dict[int, float] = field(default_factory=dict)
    """For lines outside of chats: when the last chat was left, or when leaving it began."""
    open: int = 0
    found_again: list[tuple[Line, Line]] = field(default_factory=list)
    """Each repeated "Partner found": the first one and the second."""
    told_over: set[int] = field(default_factory=set)
    """Lines outside of chats, after a notice that the last one is over."""
    unended: list[int] = field(default_factory=list)
    """Chats that were followed by a new one without a notice that they were over."""
    late_searches: list[Line] = field(default_factory=list)
    """Notices that a search has begun, within a chat."""


def told_again(lines: Sequence[Line], faults: Sequence[Fault]) -> list[dict[int, Line]]:
    """The notices that each fault seems to have repeated, by id, each with its first copy.

    They are the first notices after the fault, if these repeat the last notices before it in the same order. If a store
    went back in time, older notices may be repeated, before the notice that the connection was lost.
    """
    moves = [line for line in lines if line.notice in _MOVES]
    again: list[dict[int, Line]] = []
    for fault, next_began in zip(faults, (*(each.began for each in faults[1:]), float("inf")), strict=True):
        until = min(fault.ended + AGAIN_S, next_began)  # a repeat after the next fault is counted for that one
        before = [line for line in moves if fault.began - fault.again_s <= line.at <= fault.began]
        after = [line for line in moves if fault.began < line.at <= until]
        cut = next((number for number, line in enumerate(after) if line.notice is Said.CUT_OFF), None)
        if cut is not None:
            firsts = {_told(line): line for line in before}
            again.append({line.id: firsts[_told(line)] for line in after[:cut] if _told(line) in firsts})
            continue
        for start in range(len(before)):
            rest = before[start:]
            if list(map(_told, rest)) == list(map(_told, after[: len(rest)])):
                again.append({copy.id: line for copy, line in zip(after, rest, strict=False)})
                break
    return [copies for copies in again if copies]


def _is_copy(found: Line, line: Line, faults: Sequence[Fault]) -> bool:
    """Whether a fault explains that a notice comes twice in one chat with the same text."""
    is_explained = any(found.at <= fault.ended and fault.began <= line.at for fault in faults)
    return bool(found.words) and found.words == line.words and is_explained


def is_undone(line: Line, faults: Sequence[Fault]) -> bool:
    """Whether the product may have forgotten this notice: it came within AGAIN_S of a fault after which a store is
    older."""
    return any(fault.again_s and fault.began <= line.at <= fault.ended + AGAIN_S for fault in faults)


def _told(line: Line) -> tuple[Said | None, str]:
    return line.notice, line.words


def read_phone(
    lines: Sequence[Line],
    faults: Sequence[Fault],
    repeated: Sequence[Mapping[int, Line]],
    new: Collection[int] = (),
) -> Phone:
    """`new`: the ids of "Partner found" notices that look repeated, but are known to begin a new chat."""
    phone = Phone(lines)
    again = ChainMap(*map(dict, repeated))
    is_over = False  # whether a notice has said so
    found: Line | None = None
    number, current, left_at = 0, 0, float("-inf")
    fresh = False  # no message from a partner has come since "Partner found"
    blocked = 0  # the chat that a block ended, until a notice shows that the product knows of it
    for line in lines:
        if line.gone:
            blocked, current, left_at, is_over = current, 0, line.at, False
            continue
        if line.notice is not None:
            blocked = 0
        if line.id in again and line.id not in new:
            if line.notice is OPENS:
                phone.found_again.append((again[line.id], line))
        elif line.notice is OPENS:
            may_be_copy = found is not None and (fresh or _is_copy(found, line, faults))
            if current and found is not None and may_be_copy and line.id not in new:
                phone.found_again.append((found, line))
            else:
                if current:
                    phone.unended.append(current)
                number += 1
                current = number
            found, fresh, is_over = line, True, False
        elif not line.mine:
            fresh = fresh and line.mark is None
            if line.notice in CLOSES and current:
                current, left_at, is_over = 0, line.at, True
            elif line.notice is Said.SEARCHING and current and not is_undone(line, faults):
                phone.late_searches.append(line)
        if is_over:
            phone.told_over.add(line.id)
        phone.chat_at[line.id] = current or (blocked if not line.mine else 0)
        phone.left_at[line.id] = left_at
    phone.open = current
    return phone


def mark_leaving(phone: Phone) -> None:
    """Messages that a person writes after their own /next or /stop are not meant for that chat any more."""
    leaving: tuple[int, float] | None = None
    for line in phone.lines:
        chat = phone.chat_at[line.id]
        if leaving is not None and chat != leaving[0]:
            leaving = None
        if line.asks in LEAVES and chat and leaving is None:
            leaving = (chat, line.at)
        elif line.mine and leaving is not None:
            phone.chat_at[line.id] = 0
            phone.left_at[line.id] = leaving[1]
