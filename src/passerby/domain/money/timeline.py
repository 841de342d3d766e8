"""Computes from somebody's grants when they are a VIP. Nothing is counted up.

A subscription's grant is *fixed*: it lasts from when its payment was known until Telegram's date. All other grants are
lengths. A length fills the time after its `since` that nothing else covers yet; lengths bought earlier come first. So a
pass of thirty days that is bought in the middle of a subscription begins when that ends, and moves on with each
renewal:

    subscription   ████████████▒            until Telegram's date, and a day
    pass, bought ↑ here         ███████████
    after a renewal             ████████████▒███████████

All grants begin in the past, so there is no gap between now and the end.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from passerby.kernel.money import VipGrant


class Piece(NamedTuple):
    """A time that a grant covers. The times of a length may be in several pieces."""

    code: str
    since: float
    until: float


def pieces(grants: Iterable[VipGrant]) -> list[Piece]:
    """All pieces of the lengths, and the fixed grants, in order of their beginning. Only fixed ones overlap."""
    found = [Piece(each.code, each.since, each.until) for each in grants if each.until]
    covered = _merged([(each.since, each.until) for each in found])
    for length in sorted((each for each in grants if not each.until), key=lambda each: (each.since, each.code)):
        filled, at, left_s = [], length.since, length.lasts_s
        for since, until in (*covered, (float("inf"), float("inf"))):
            if since > at and left_s > 0:
                end = min(since, at + left_s)
                filled.append((at, end))
                left_s -= end - at
            at = max(at, until)
        found += [Piece(length.code, *each) for each in filled]
        covered = _merged([*covered, *filled])
    return sorted(found, key=lambda each: (each.since, each.code))


def _merged(times: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for since, until in sorted(times):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged


def vip_end(grants: Iterable[VipGrant]) -> float:
    """Until when the person is a VIP, in Unix seconds. It may be over. 0 without grants."""
    return max((each.until for each in pieces(grants)), default=0.0)


def cut(grants: tuple[VipGrant, ...], code: str, now: float) -> tuple[VipGrant, ...]:
    """The grants without what this one still had. Time that was used until now stays used, even if it was more than
    paid for."""
    mine = [each for each in pieces(grants) if each.code == code]
    used = [each for each in mine if each.since < now]
    lost_s = sum(max(0.0, each.until - max(each.since, now)) for each in mine)

    def shortened(grant: VipGrant) -> VipGrant:
        if grant.code != code:
            return grant
        grant = msgspec.structs.replace(grant, lost_s=grant.lost_s + lost_s)
        if grant.until:
            return msgspec.structs.replace(grant, until=min(grant.until, max(now, grant.since)))
        if not used:
            return msgspec.structs.replace(grant, lasts_s=0.0)
        # A period that is over stays where it was, even if a late payment covers the same time.
        return msgspec.structs.replace(grant, since=used[0].since, until=min(used[-1].until, now), lasts_s=0.0)

    return tuple(map(shortened, grants))
