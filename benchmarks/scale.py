"""Calculates from measured figures and named assumptions: a fleet for 1.5 and for 15 million people a day.

    python -m benchmarks.scale

It measures nothing and makes no load. It prints the tables of docs/explanation/scale.md. The figures and assumptions
are in benchmarks/fleet_size.py.
"""

import argparse
import json
from collections.abc import Callable
from math import ceil

from benchmarks.fleet_size import BASE, BOTH, BUSY, DAYS, QUIET, Assumed, Fleet


def fits(load: Callable[[Fleet], float], given: Assumed) -> float:
    """How many daily users make `load` 1. Every load grows with the number of people."""
    return 1e9 / load(Fleet(int(1e9), given))


LIMITS: dict[str, Callable[[Fleet], float]] = {
    "one bot": lambda fleet: fleet.sends_s / (fleet.given.bot_s * fleet.given.full),
    "one worker": lambda fleet: fleet.worker_cores / fleet.given.full,
    "the journal, if PostgreSQL is away for an hour": lambda fleet: 3_600 / fleet.journal_full_s,
    "the bots of one account": lambda fleet: (
        fleet.sends_s / (fleet.given.bot_s * fleet.given.full * fleet.given.bots_an_account)
    ),
    "one Redis primary": lambda fleet: fleet.redis_cores / fleet.given.full,
    "bots that start within an hour from one address": lambda fleet: (
        fleet.sends_s / (fleet.given.bot_s * fleet.given.full * fleet.given.cold_bots_an_hour)
    ),
    "one matcher, everybody in one pool": lambda fleet: fleet.pairing_cores / fleet.given.full,
    "one recorder": lambda fleet: fleet.recorder_share / fleet.given.full,
}


def number(value: float) -> str:
    """Two digits. More would look more exact than the assumptions are."""
    if 0 < value < 0.001:
        return "< 0.001"
    if value >= 100:
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def table(head: list[str], rows: list[tuple[str, list[float]]]) -> list[str]:
    line = [f"| {' | '.join(head)} |", f"|---|{'--:|' * (len(head) - 1)}"]
    return line + [f"| {name} | {' | '.join(number(each) for each in values)} |" for name, values in rows]


ROWS: dict[str, list[tuple[str, Callable[[Fleet], float]]]] = {
    "Load in the busiest hour": [
        ("relays a second", lambda fleet: fleet.relays_s),
        ("chats that begin, a second", lambda fleet: fleet.chats_s),
        ("sends a second", lambda fleet: fleet.sends_s),
        ("relays a day, millions", lambda fleet: fleet.relays_a_day / 1e6),
    ],
    "The fleet": [
        ("bots", lambda fleet: fleet.bots),
        ("accounts that own them", lambda fleet: ceil(fleet.bots / fleet.given.bots_an_account)),
        ("hours to start all from one address", lambda fleet: fleet.start_h),
        ("workers", lambda fleet: fleet.workers),
        ("cores of Redis in use", lambda fleet: fleet.redis_cores),
        ("Redis primaries", lambda fleet: fleet.primaries),
        ("cores of Redis for changes of the pool", lambda fleet: fleet.move_cores),
        ("memory of Redis, GB, with room for a save", lambda fleet: fleet.redis_room_gb),
        ("cores of PostgreSQL and recorder in use", lambda fleet: fleet.database_cores),
        ("reports a day", lambda fleet: fleet.cases_a_day),
        ("minutes that PostgreSQL may be away", lambda fleet: fleet.journal_full_s / 60),
    ],
    "Money, USD a month": [
        ("servers", lambda fleet: sum(fleet.servers_usd.values())),
        ("moderators, if they look at every report", lambda fleet: fleet.moderation_usd),
        ("Stars for paid sending, with the bots of one account", lambda fleet: fleet.paid_usd),
        ("servers, in cents for each daily user", lambda fleet: sum(fleet.servers_usd.values()) / fleet.daily * 100),
    ],
}


def steps(fleet: Fleet) -> list[str]:
    """The main steps of the calculation, with their figures."""
    given = fleet.given
    relays, chats, a_day = number(fleet.relays_s), number(fleet.chats_s), f"{fleet.chats_a_day:,.0f}"
    people_us = given.search_us * given.person_chat
    rows = [
        ("relays a second", f"{given.relays_s:g} × {fleet.daily:,} / {BASE:,}", fleet.relays_s),
        ("chats a second", f"{a_day} a day × {given.busiest_share:.1%} / 3,600 s", fleet.chats_s),
        ("sends a second", f"{relays} + {chats} × 2 people × {given.notices:g}", fleet.sends_s),
        ("bots", f"{number(fleet.sends_s)} / ({given.bot_s:g} × {given.full:.0%})", fleet.bots),
        (
            "cores of workers",
            f"{relays} × {given.relay_us:g} µs × {given.small_polls:g} + {chats} × 2 × {people_us:g} µs",
            fleet.worker_cores,
        ),
        ("workers", f"{number(fleet.worker_cores)} / {given.full:.0%}", fleet.workers),
        (
            "cores of Redis",
            f"{relays} × {given.redis_relay_us:g} µs + {chats} × {given.redis_chat_us:g} µs",
            fleet.redis_cores,
        ),
        (
            "which messages were copies, GB",
            f"{number(fleet.relays_a_day / 1e6)} million a day × {given.copy_bytes:g} bytes × 26 h / 24 h",
            fleet.redis_gb["which messages were copies"],
        ),
        (
            "seconds until the journal is full",
            f"{given.journal:,.0f} / ({chats} × {given.facts_a_chat:g} facts)",
            fleet.journal_full_s,
        ),
        ("share of the recorder's time", f"{chats} / 40 × {given.batch_ms:g} ms", fleet.recorder_share),
        (
            "`past_chats`, GB",
            f"{a_day} × 90 days × {given.past_chat_bytes:g} bytes",
            fleet.database_gb["`past_chats`, 90 days"],
        ),
        ("reports a day", f"{a_day} × {given.complaint_share:.0%}", fleet.cases_a_day),
        (
            "moderators, USD a month",
            f"{number(fleet.cases_a_day)} × {given.case_s:g} s × 30 days × {given.moderator_usd:g} USD / 3,600 s",
            fleet.moderation_usd,
        ),
    ]
    return ["| | calculation | result |", "|---|---|--:|"] + [f"| {a} | {b} | {number(c)} |" for a, b, c in rows]


def tables() -> dict[str, list[str]]:
    head = ["", *(f"{daily:,}, {name}" for daily in DAYS for name in BOTH)]
    fleets = [Fleet(daily, given) for daily in DAYS for given in BOTH.values()]
    found = {
        title: table(head, [(name, [of(fleet) for fleet in fleets]) for name, of in rows])
        for title, rows in ROWS.items()
    }
    found[f"Step by step, {DAYS[1]:,}, guessed"] = steps(Fleet(DAYS[1], QUIET))
    found["Database, GB"] = parts([fleet.database_gb for fleet in fleets[::2]])
    found["Redis, GB"] = parts([fleet.redis_gb for fleet in fleets[1::2]])
    breaks = sorted((fits(load, BUSY), fits(load, QUIET), name) for name, load in LIMITS.items())
    rows = [(name, [quiet, busy]) for busy, quiet, name in breaks]
    found["Daily users that one of each carries"] = table(["", *BOTH], rows)
    return found


def parts(columns: list[dict[str, float]]) -> list[str]:
    rows = [(name, [each[name] for each in columns]) for name in columns[0]]
    rows.append(("in all", [sum(each.values()) for each in columns]))
    return table(["", *(f"{daily:,}" for daily in DAYS)], rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the same: it takes no time")
    parser.parse_args(arguments)
    found = tables()
    for title, lines in found.items():
        print(f"\n{title}\n\n" + "\n".join(lines))
    print(json.dumps({f"{daily} {name}": Fleet(daily, given).bots for daily in DAYS for name, given in BOTH.items()}))


if __name__ == "__main__":
    main()
