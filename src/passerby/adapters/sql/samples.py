"""Samples of all people, for counts that need not be exact (see `audiences`)."""

from typing import Final

import sqlalchemy as sa

_PRIME: Final = 8191
SAMPLES: Final = {below: below / _PRIME for below in (64, 256, 1024)}
"""People are in a sample if their id has a smaller remainder than this number -> its share of the people."""


def in_sample(below: int) -> sa.ColumnElement[bool]:
    """The condition for a row of `users`, written as in the sample's index."""
    return sa.literal_column(f"id % {_PRIME}", sa.BigInteger) < sa.literal_column(f"{below}")
