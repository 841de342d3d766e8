"""The question before a start: to which people, how many, when, at what rate, and the canary."""

from math import ceil

from passerby.dialogue.staff import lines
from passerby.domain.broadcasts.options import shown
from passerby.domain.broadcasts.starting import Forecast, plan_of, seal_of
from passerby.domain.small_numbers import FEW
from passerby.kernel.broadcast import Broadcast, BroadcastState, Reach
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.staff import StaffFacts
from passerby.kernel.staff_requests import BroadcastAct
from passerby.kernel.text import Text, amount, text
from passerby.staff.broadcasts.cards import PAID_RATE, reached, utc

BOTS_SHOWN = 8
MINUTE_S = 60.0
WHOLE_FROM = 10
"""A rate from here on is shown as a whole number."""


def question(broadcast: Broadcast, facts: StaffFacts, env: Env) -> Text:
    """The outcome of the start. The numbers are those of the people who would be frozen now."""
    reach = facts.reach or Reach()
    plan = plan_of(broadcast, reach, env.rules.bot_rate_per_s)
    rate = "broadcasts.plan_rate_paid" if broadcast.paid else "broadcasts.plan_rate"
    said = [
        text("broadcasts.ask_start", number=broadcast.number),
        text("broadcasts.options", options=shown(broadcast, facts.fleet.name)),
        reached(reach),
        *_shares(broadcast),
        *_bots(plan, facts),
        _when(broadcast),
        text(rate, rate=_a_second(plan.rate_per_s), minutes=ceil(plan.lasts_s / MINUTE_S)),
        _canary(broadcast, plan),
    ]
    if broadcast.paid:
        said.append(text("broadcasts.cost", stars=amount(reach.at_most // PAID_RATE)))
    if facts.alone.reached + reach.at_most > env.rules.approval_above:
        said.append(text("broadcasts.second_needed"))
    return lines(said)


def starting(broadcast: Broadcast) -> Menu:
    """Its button starts exactly what was shown."""
    number = broadcast.number
    what = BroadcastAct.APPROVE if broadcast.state is BroadcastState.SUBMITTED else BroadcastAct.START
    yes = Button(text(f"broadcasts.do_{what}"), "broadcast_do", f"{number}.{what}.{seal_of(broadcast)}")
    no = Button(text("broadcasts.not_yet"), "broadcast_do", f"{number}.{BroadcastAct.SHOW}")
    return Menu(((yes,), (no,)))


def _a_second(rate: float) -> int | str:
    """Never more than the true rate. A small one has a decimal place."""
    return int(rate) if rate >= WHOLE_FROM else f"{int(rate * 10) / 10:g}"


def _shares(broadcast: Broadcast) -> list[Text]:
    percent = broadcast.holdout_percent
    return [text("broadcasts.plan_held_out", percent=percent)] if percent else []


def _bots(plan: Forecast, facts: StaffFacts) -> list[Text]:
    # If one number is too small, the others would tell it by the difference.
    are_told = all(people >= FEW for _, people in plan.by_bot)
    named = [
        f"{_name(bot, facts)} ({people})" if are_told else _name(bot, facts) for bot, people in plan.by_bot[:BOTS_SHOWN]
    ]
    if not named:
        return []
    more = len(plan.by_bot) - len(named)
    listed = ", ".join((*named, *([f"+{more}"] if more else ())))
    return [text("broadcasts.plan_bots", bots=listed)]


def _name(bot: int, facts: StaffFacts) -> str:
    known = facts.fleet.bot(bot)
    return f"@{known.username}" if known is not None and known.username else str(bot)


def _when(broadcast: Broadcast) -> Text:
    at = utc(broadcast.starts_at) if broadcast.starts_at is not None else ""
    if broadcast.weekly and at:
        when = text("broadcasts.plan_weekly", at=at)
    else:
        when = text("broadcasts.plan_at", at=at) if at else text("broadcasts.plan_at_once")
    return lines([when, text("broadcasts.plan_hour")]) if broadcast.usual_hour else when


def _canary(broadcast: Broadcast, plan: Forecast) -> Text:
    if plan.canary:
        return text("broadcasts.plan_canary", people=amount(plan.canary))
    if broadcast.canary:
        return text("broadcasts.plan_small")
    return text("broadcasts.plan_all", option="canary=off")
