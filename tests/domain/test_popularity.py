"""Counts how many people used something, without storing who they were."""

from passerby.domain.popularity import BITS, ROWS, SLOTS, bits, slot_and_bit
from passerby.kernel.ids import PersonId

KEY = b"k" * 32


def people(many: int) -> list[PersonId]:
    return [PersonId(10_000 + number) for number in range(many)]


def test_a_person_seen_twice_with_a_thing_sets_the_same_bits() -> None:
    assert bits(KEY, "cats", PersonId(1)) == bits(KEY, "cats", PersonId(1))


def test_people_who_send_the_same_thing_share_slots_but_set_their_own_bits() -> None:
    found = [[slot_and_bit(bit) for bit in bits(KEY, "cats", person)] for person in people(200)]
    assert len({tuple(slot for slot, _ in each) for each in found}) == 1
    assert len({bit for each in found for _, bit in each}) > BITS * 0.8


def test_all_bits_are_inside_the_table() -> None:
    found = {bit for person in people(50) for bit in bits(KEY, f"set {person}", person)}
    assert all(0 <= bit < SLOTS * BITS for bit in found)
    assert len(found) > 50 * (ROWS - 1)


def test_the_bits_tell_nothing_without_the_key() -> None:
    assert bits(KEY, "cats", PersonId(1)) != bits(b"another", "cats", PersonId(1))


def test_a_persons_bit_differs_from_thing_to_thing() -> None:
    used = {slot_and_bit(bits(KEY, f"set {number}", PersonId(1))[0])[1] for number in range(50)}
    assert len(used) > 10


def test_invalid_text_can_be_counted_too() -> None:
    assert bits(KEY, "\ud800", PersonId(1))
