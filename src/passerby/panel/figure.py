"""A figure on a page: its value, where it comes from, and the moment at which it was true."""

from typing import NamedTuple

STORE = "live store"
RECORDS = "records"
WORKERS = "workers' reports"
COUNTED = "counted in advance"


class Figure(NamedTuple):
    """`value` is formatted for people. `hint`: what the figure means, in a few words."""

    label: str
    value: str
    source: str
    at: float
    hint: str = ""
