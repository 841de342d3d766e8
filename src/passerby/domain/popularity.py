"""How many people were seen with something, kept without saying who, or with what.

A *table* has SLOTS slots of BITS bits. A thing has ROWS slots in it, found by a keyed hash. A person who is seen with
the thing sets one bit in each of them, found by a keyed hash of the two. The emptiest of the slots tells how many
people there were, at least. Two people may share a bit, so the count can be too low; two things may share a slot, but
hardly ever all three, so it is almost never too high.

A table has a fixed size, whatever is sent. It holds no id and no name. Without the key it tells nothing; with it, it
tells of a person and a thing that they may have met, and one person in 64 fits by chance.
(Sources: Whang et al., linear counting, 1990; Cormode and Muthukrishnan, count-min sketch, 2005.)
"""

from hashlib import blake2b
from typing import Final

from passerby.kernel.ids import PersonId

ROWS: Final = 3
SLOTS: Final = 1 << 19
BITS: Final = 64
"""A table has four mebibytes; with ten thousand things that many people use, one rare thing in 5,000 passes for one."""

ENOUGH: Final = 10
"""So many people do not share a set that tells of one of them."""

PERIOD_S: Final = 30 * 24 * 3600
"""A table is begun so often. What many people use is known by the table before, too."""

_PURPOSE: Final = b"passerby sets"


def marks(key: bytes, what: str, person: PersonId) -> tuple[int, ...]:
    """The numbers of the bits that a person sets by being seen with something. `key`: at most 64 bytes."""
    thing = what.encode("utf-8", "surrogatepass")
    slots = blake2b(thing, digest_size=4 * ROWS, key=key, person=_PURPOSE).digest()
    who = blake2b(b"%d %s" % (person, thing), digest_size=8, key=key, person=_PURPOSE).digest()
    bit = int.from_bytes(who) % BITS
    return tuple(int.from_bytes(slots[4 * row : 4 * row + 4]) % SLOTS * BITS + bit for row in range(ROWS))


def slot_and_bit(mark: int) -> tuple[int, int]:
    """Where a bit is: (slot, its place there)."""
    return divmod(mark, BITS)
