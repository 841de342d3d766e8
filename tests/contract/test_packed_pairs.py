"""The packed records of the message map, against a dictionary."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.kernel.decision import Counterpart
from passerby.kernel.ids import BotId, MessageId, MessageRef
from passerby.ports.message_map import Copied
from passerby.ports.packed_pairs import SIZE, found_in, packed

BOTS = st.sampled_from([1, 2, 257, 1 << 52])
# Small numbers, so that parts of two fields often look like a message.
MESSAGES = st.sampled_from([1, 2, 256, 257, 65536, (1 << 31) - 1])
ORIGINALS = st.builds(MessageRef, BOTS.map(BotId), MESSAGES.map(MessageId))
COPIES = st.builds(MessageRef, BOTS.map(lambda bot: BotId(bot + 3)), MESSAGES.map(MessageId))
PAIRS = st.builds(
    Copied, ORIGINALS, COPIES, st.integers(0, (1 << 62) - 1), st.lists(MESSAGES.map(MessageId), max_size=3).map(tuple)
)


@given(st.lists(PAIRS, max_size=6), st.booleans())
def test_the_newest_pair_that_names_a_message_is_found(pairs: list[Copied], repeated: bool) -> None:
    known: dict[MessageRef, Counterpart] = {}
    for pair in pairs:
        known[pair.source] = Counterpart(pair.copy, mine=True, print=pair.print, rest=pair.rest)
        for each in (pair.copy.message, *pair.rest):
            known[MessageRef(pair.copy.bot, each)] = Counterpart(pair.source, mine=False)
    records = bytearray().join(packed(each) for each in (*pairs, *(pairs if repeated else ())))
    for bot in (1, 2, 4, 5, 257, 260, 1 << 52, (1 << 52) + 3):
        for message in (1, 2, 256, 257, 65536, (1 << 31) - 1):
            about = MessageRef(BotId(bot), MessageId(message))
            assert found_in(records, about) == known.get(about)


def test_a_pair_takes_32_bytes() -> None:
    assert (
        len(packed(Copied(MessageRef(BotId(8_000_000_000), MessageId(7)), MessageRef(BotId(1), MessageId(8)), 5))) == 32
    )


def test_a_copy_whose_first_record_is_gone_is_unknown() -> None:
    source = MessageRef(BotId(1), MessageId(1))
    records = packed(Copied(source, MessageRef(BotId(2), MessageId(2)), 5, (MessageId(3),)))
    assert found_in(records[SIZE:], source) is None
