"""The input of a compared relay: the Bot API's address, the tokens, and who talks to whom through which bot."""

import argparse
import os
from typing import NamedTuple

from benchmarks.load_peer import people


class Told(NamedTuple):
    """`partner`: person -> their partner, and the token of the bot through which the partner is reached."""

    url: str
    tokens: tuple[str, ...]
    partner: dict[int, tuple[int, str]]


def told() -> Told:
    """Read the command line, and move to the core that it names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--pairs", type=int, required=True)
    parser.add_argument("--core", type=int, required=True)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.core})
    tokens = tuple(options.tokens.split(","))
    everybody = people(options.pairs, list(range(len(tokens))))
    # Neighbours are partners.
    partner = {
        person: (everybody[number ^ 1][0], tokens[everybody[number ^ 1][1]])
        for number, (person, _) in enumerate(everybody)
    }
    return Told(options.url, tokens, partner)
