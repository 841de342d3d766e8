"""Two sizes of the test run: `make test` is the quick one, `make test-all` has the long forms.

`make test-seeds` has those of the long forms that chance cannot fail.

    @pytest.mark.long       runs in `make test-all` only
    @pytest.mark.sized      runs in both; its amount of work is `size(quick, long)`
    in_full(values, 2)      parameters for `parametrize`: the first two in both, the others in `make test-all` only
    spread(values, 4)       the same, but every fourth value runs in both
    in_turn(item, stores)   of these stores, the test runs with one in both, and with the others in `make test-all` only

To run one long test, name it (`pytest path::test`). To run all long tests of a folder, use `pytest -m long path`.
"""

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from zlib import crc32

import pytest

IS_LONG = os.environ.get("TEST_SIZE") == "long"


def may_be_long(config: pytest.Config) -> bool:
    """Whether a long form can be selected in this run: by a marker or by a name."""
    return bool(config.option.markexpr or config.option.keyword or any("::" in each for each in config.args))


def size(quick: int, long: int) -> int:
    """Return the number for this run. For tests that are marked `sized`."""
    return long if IS_LONG else quick


def in_full(values: Iterable[Any], quick: int) -> list[Any]:
    """Return all values, and mark those after the first `quick` as long. A tuple holds one value for each of several
    names."""
    rest = iter(values)
    listed = (value if type(value) is tuple else (value,) for value in rest)
    return [*islice(rest, quick), *(pytest.param(*each, marks=pytest.mark.long) for each in listed)]


def spread(values: Iterable[Any], step: int) -> list[Any]:
    """Return all values, and mark all but every `step`th as long."""
    return [
        value if index % step == 0 else pytest.param(value, marks=pytest.mark.long)
        for index, value in enumerate(values)
    ]


def in_turn(item: pytest.Item, stores: Sequence[str]) -> None:
    """Mark a test as long if it runs with one of these stores, and it is another one's turn. Each function has its own
    turn, so that every store has its share of them."""
    params = getattr(item, "callspec", None)
    used = {each for each in params.params.values() if isinstance(each, str)} & {*stores} if params else ()
    turn = stores[crc32(getattr(item, "originalname", item.name).encode()) % len(stores)]
    if used and turn not in used:
        item.add_marker(pytest.mark.long)
