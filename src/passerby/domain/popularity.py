"""Counts how many people used a sticker set or custom emoji, without storing who used which.

A *table* has SLOTS slots of BITS bits. A keyed hash gives each thing ROWS slots. When a person sends the thing, a
*sighting*, they set one bit in each of its slots; a keyed hash of person and thing chooses the bit. The slot with the
fewest bits gives the count. Two people may share a bit, so the count can be too low. Two things may share a slot, but
hardly ever all ROWS of them, so it is almost never too high.

A table has a fixed size, whatever people send. It holds no ids and no names, and tells nothing to anybody without the
key. With the key and a guess of person and thing, it tells whether they fit, and one person in 64 fits by chance.
(Sources: Whang et al., linear counting, 1990; Cormode and Muthukrishnan, count-min sketch, 2005.)
"""

from hashlib import blake2b
from typing import Final

from passerby.kernel.ids import PersonId

ROWS: Final = 3
SLOTS: Final = 1 << 19
BITS: Final = 64
"""A table has four mebibytes. With ten thousand popular things in it, one rare thing in 5,000 passes for popular."""

ENOUGH: Final = 10
"""A set is popular if at least this many people used it: then it no longer points to one of them."""

PERIOD_S: Final = 30 * 24 * 3600
"""How often a new table begins. The table before it still counts, so popular things stay known."""

_PURPOSE: Final = b"passerby sets"


def bits(key: bytes, what: str, person: PersonId) -> tuple[int, ...]:
    """The numbers of the bits that a person sets by sending `what`. `key`: at most 64 bytes."""
    thing = what.encode("utf-8", "surrogatepass")
    slots = blake2b(thing, digest_size=4 * ROWS, key=key, person=_PURPOSE).digest()
    who = blake2b(b"%d %s" % (person, thing), digest_size=8, key=key, person=_PURPOSE).digest()
    bit = int.from_bytes(who) % BITS
    return tuple(int.from_bytes(slots[4 * row : 4 * row + 4]) % SLOTS * BITS + bit for row in range(ROWS))


def slot_and_bit(number: int) -> tuple[int, int]:
    """The position of a bit: (slot, bit within it)."""
    return divmod(number, BITS)
