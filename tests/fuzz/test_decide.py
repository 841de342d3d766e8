"""Every update that Telegram might send is decoded, decided in every state, and stored.

FUZZ_UPDATES sets the number of updates (100,000 take half a minute of CPU). A failing update is stored under `found/`
and is tried first from then on. FUZZ_SEED selects other updates.
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.adapters.botapi.decode import arrivals
from passerby.kernel.ids import UpdateRef
from tests.fuzz.mutate import broken, mutated
from tests.fuzz.people import BOT, ENVS, decided, facts_for
from tests.fuzz.seeds import Json, seeds, some
from tests.size import size

UPDATES = int(os.environ.get("FUZZ_UPDATES", size(2_000, 100_000)))
SEED = os.environ.get("FUZZ_SEED", "passerby")
BATCH = 20
FOUND = Path(__file__).parent / "found"

encode = msgspec.json.Encoder().encode


def updates(rng: Random, count: int, first: int = 1) -> Iterator[bytes]:
    """Yield mutated updates, numbered from `first`."""
    number = first
    while number < first + count:
        try:
            update = mutated(some(rng), rng)
            update["update_id"] = number
            yield broken(encode(update), rng)
        except RecursionError:
            continue  # nested too deeply to be encoded here
        number += 1


def answer(bodies: list[bytes]) -> bytes:
    return b'{"ok":true,"result":[' + b",".join(bodies) + b"]}"


def digest(bodies: list[bytes], first: int, rng: Random) -> None:
    """Decode a response and decide on each of its updates. Raises if that fails."""
    arrived = arrivals(answer(bodies), BOT)
    assert [arrival.ref for arrival in arrived] == [UpdateRef(BOT, first + n) for n in range(len(bodies))], (
        "one is lost"
    )
    for arrival in arrived:
        for facts in facts_for(arrival.event.person):
            decided(arrival.event, arrival.ref, facts, rng.choice(ENVS))


def kept(body: bytes) -> Path:
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"{sha256(body).hexdigest()[:12]}.json"
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("path", sorted(FOUND.glob("*.json")), ids=lambda path: path.stem)
def test_updates_that_once_failed_are_handled(path: Path) -> None:
    body = path.read_bytes()
    number = msgspec.json.decode(body.split(b",", 1)[0] + b"}")["update_id"]
    digest([body], number, Random(1))


@pytest.mark.sized
def test_every_update_is_decoded_and_decided_in_every_state() -> None:
    rng = Random(SEED)
    bodies: list[bytes] = []
    for number, body in enumerate(updates(rng, UPDATES), start=1):
        bodies.append(body)
        if len(bodies) == BATCH or number == UPDATES:
            first = number - len(bodies) + 1
            try:
                digest(bodies, first, rng)
            except Exception as error:
                raise AssertionError(f"kept as {blame(bodies, first)}") from error
            bodies.clear()


def blame(bodies: list[bytes], first: int) -> str:
    """Store the failing update, or say that none fails alone."""
    for offset, body in enumerate(bodies):
        for turn in range(len(ENVS)):
            try:
                digest([body], first + offset, Random(turn))
            except Exception:  # noqa: BLE001  # whichever it is
                return kept(body).name
    return "nothing: only together they fail"


NAMES = sorted({name for seed in seeds() for value in seed.values() if isinstance(value, dict) for name in value})
KINDS = (
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "message_reaction",
    "pre_checkout_query",
    "boo",
)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)
private = st.fixed_dictionaries(
    {
        "message_id": st.integers(1, 2**40),
        "date": st.integers(0, 2**31),
        "chat": st.just({"id": 5000001, "type": "private"}),
        "from": st.just({"id": 5000001, "is_bot": False, "first_name": "Ann"}),
    }
)
bodies_of = st.builds(
    lambda some, sure: {**some, **sure}, st.dictionaries(st.sampled_from(NAMES), values, max_size=5), private
)


@given(kind=st.sampled_from(KINDS), body=values | bodies_of)
def test_an_arbitrary_update_is_decoded_and_decided(kind: str, body: Json) -> None:
    digest([encode({"update_id": 7, kind: body})], 7, Random(1))
