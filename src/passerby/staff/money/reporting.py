"""The report about money as one message. `passerby money report` has the same figures without gaps.

A message of Telegram has 4,096 characters, so only the plans that sold most and the bots that owe most are in it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from passerby.dialogue.staff import answer, lines, refused
from passerby.domain.money.report import figures, number
from passerby.kernel.decision import Env
from passerby.kernel.drain import KnownBots
from passerby.kernel.event import MessageReceived
from passerby.kernel.money import StarCallKind
from passerby.kernel.money_report import Ledgered, Sold
from passerby.kernel.staff import StaffDecision, StaffFacts
from passerby.kernel.text import Text, text

MOST: Final = 10
"""How many plans and how many bots are named at most."""


def show(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    if facts.money is None:
        return refused(event, text("money_report.not_here"))
    return StaffDecision(effects=answer(event, _report(facts.money, facts.fleet, env.now)))


def _report(read: Ledgered, fleet: KnownBots, now: float) -> Text:
    found = figures(read, "", "", {each.bot for each in fleet.bots}, now)
    below = _owed(read, now)
    if read.cases:
        hours = number(round((now - read.cases[0]) / 3600.0, 1))
        below.append(text("money_report.cases", count=len(read.cases), hours=hours))
    if found["cannot_be_refunded"]:
        below.append(text("money_report.stuck", count=len(found["cannot_be_refunded"])))
    return text(
        "money_report.report",
        sold=_sold(read.sold),
        net=number(sum(each["stars"] for each in found["net"])),
        days=number(sum(each["days"] for each in found["given"])),
        bots=_bots(found["exposure"], fleet),
        below=lines(below),
    )


def _sold(sold: Sequence[Sold]) -> Text:
    plans: dict[str, list[int]] = {}
    for _, plan, *numbers in sold:
        before = plans.get(plan, [0] * len(numbers))
        plans[plan] = [one + more for one, more in zip(before, numbers, strict=True)]
    best = sorted(plans.items(), key=lambda each: -each[1][1])
    said = [
        text(
            "money_report.plan",
            plan=plan or "–",
            sales=sales,
            stars=stars,
            gifts=gifts,
            refunds=refunds,
            refunded=refunded,
        )
        for plan, (sales, stars, gifts, refunds, refunded) in best
    ]
    return _first(said) if said else text("money_report.nothing_sold")


def _bots(exposure: Sequence[Mapping[str, Any]], fleet: KnownBots) -> Text:
    by_debt = sorted(exposure, key=lambda each: (-each["days_owed"], -each["held_stars"]))
    return _first([_bot(each, fleet) for each in by_debt]) if by_debt else text("money_report.no_bots")


def _bot(row: Mapping[str, Any], fleet: KnownBots) -> Text:
    name = fleet.name(row["bot"])
    minutes, unknown = row["swept_minutes_ago"], row["unknown_transactions"]
    said = text(
        "money_report.bot",
        bot=name if row["runs"] else text("money_report.gone", bot=name),
        held=row["held_stars"],
        days=number(row["days_owed"]),
        subscriptions=row["subscriptions"],
        swept=text("money_report.never_swept") if minutes is None else text("money_report.swept", minutes=minutes),
    )
    return lines([said, text("money_report.unknown", count=unknown)]) if unknown else said


def _owed(read: Ledgered, now: float) -> list[Text]:
    said = []
    for kind in StarCallKind:
        since = [at for _, what, at in read.owed if what == kind]
        if since:
            hours = number(round((now - min(since)) / 3600.0, 1))
            said.append(text(f"money_report.owed_{kind}", count=len(since), hours=hours))
    return said or [text("money_report.nothing_owed")]


def _first(said: Sequence[Text]) -> Text:
    shown = [*said[:MOST]]
    if len(said) > MOST:
        shown.append(text("money_report.more", count=len(said) - MOST))
    return lines(shown)
