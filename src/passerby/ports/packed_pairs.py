"""Pairs of the message map as packed records. Both stores keep a day of a chat as such records, one after another.

A record has `SIZE` bytes: the bot and message of the original, the bot and message of its copy, and the fingerprint of
what the copy shows. If a copy took several messages, each further one has a record after the first, with -1 as its
fingerprint (a real one is never negative).

Records are only ever added. An edit adds its pair again, and so does a write that is repeated. So the newest record
that names a message counts, and the records before it do no harm.
"""

from struct import Struct
from typing import Final

from passerby.kernel.decision import Counterpart
from passerby.kernel.ids import BotId, MessageId, MessageRef
from passerby.ports.message_map import Copied

_RECORD: Final = Struct("<qiqiq")
_SIDE: Final = Struct("<qi")
SIZE: Final = _RECORD.size
_FURTHER: Final = -1

MOST: Final = 16_384
"""How many records a day of a chat may have. This bounds a look-up, and what two people can make us keep. The oldest
records go first. Nobody writes so many messages by hand."""

_pack: Final = _RECORD.pack


def packed(pair: Copied) -> bytes:
    """The records of a pair."""
    (bot, message), (copy_bot, copy) = pair.source, pair.copy
    record = _pack(bot, message, copy_bot, copy, pair.print)
    if not pair.rest:
        return record
    return record + b"".join(_pack(bot, message, copy_bot, each, _FURTHER) for each in pair.rest)


def side(about: MessageRef) -> bytes:
    """How a record names a message: its first bytes for an original, and the same number of bytes for a copy."""
    return _SIDE.pack(*about)


def found_in(records: bytes | bytearray, about: MessageRef) -> Counterpart | None:
    """The other side's message for `about`, by the newest record that names it."""
    wanted = side(about)
    at = records.rfind(wanted)
    while at >= 0:
        record, place = divmod(at, SIZE)
        if place == _SIDE.size:
            bot, message = _SIDE.unpack_from(records, record * SIZE)
            return Counterpart(MessageRef(BotId(bot), MessageId(message)), mine=False)
        if place == 0:
            return _copy_in(records, record)
        at = records.rfind(wanted, 0, at + len(wanted) - 1)  # these bytes only look alike: they are parts of two fields
    return None


def copies_in(records: bytes | bytearray) -> bytes:
    """The copies that the records name, one after another, each as `side` writes it. It is what is kept of a chat that
    is over."""
    return b"".join(records[at + _SIDE.size : at + 2 * _SIDE.size] for at in range(0, len(records), SIZE))


def is_among(copies: bytes, about: MessageRef) -> bool:
    """Whether `copies_in` has this message."""
    wanted = side(about)
    at = copies.find(wanted)
    while at >= 0:
        if at % len(wanted) == 0:
            return True
        at = copies.find(wanted, at + 1)
    return False


def _copy_in(records: bytes | bytearray, last: int) -> Counterpart | None:
    """The copy whose last record has this number. None if its first record is gone."""
    rest = list[MessageId]()
    for record in range(last, -1, -1):
        *_, bot, message, shows = _RECORD.unpack_from(records, record * SIZE)
        if shows != _FURTHER:
            return Counterpart(MessageRef(BotId(bot), MessageId(message)), mine=True, print=shows, rest=tuple(rest))
        rest.insert(0, MessageId(message))
    return None
