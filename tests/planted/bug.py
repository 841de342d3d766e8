"""The form of a planted bug."""

from typing import NamedTuple


class Bug(NamedTuple):
    """`old` is in the sources exactly once. With `new` in its place, a promise is broken: `breaks`."""

    area: str
    breaks: str
    old: str
    new: str
