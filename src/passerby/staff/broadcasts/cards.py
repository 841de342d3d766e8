"""Shows a broadcast in the staff bot: what it says, to whom, how far it is, and what can be done about it."""

from functools import reduce

from passerby.dialogue.staff import in_rows, lines
from passerby.domain import moments
from passerby.domain.broadcasts.options import shown
from passerby.domain.small_numbers import count, parts, people
from passerby.kernel.broadcast import Broadcast, BroadcastState, Reach, TargetState
from passerby.kernel.effect import Button, Menu
from passerby.kernel.staff import StaffFacts
from passerby.kernel.staff_requests import BroadcastAct
from passerby.kernel.text import Arg, Text, amount, text

PAID_RATE = 10
"""Messages for one Star, above the free rate (source: Bot API, paid broadcasts)."""

_ACTS: dict[BroadcastState, tuple[BroadcastAct, ...]] = {
    BroadcastState.DRAFT: (BroadcastAct.PREVIEW, BroadcastAct.TEST, BroadcastAct.PLAN, BroadcastAct.STOP),
    BroadcastState.SUBMITTED: (BroadcastAct.PREVIEW, BroadcastAct.TEST, BroadcastAct.APPROVE, BroadcastAct.STOP),
    BroadcastState.SCHEDULED: (BroadcastAct.PREVIEW, BroadcastAct.PAUSE, BroadcastAct.STOP),
    BroadcastState.STARTING: (BroadcastAct.PAUSE, BroadcastAct.STOP),
    BroadcastState.RUNNING: (BroadcastAct.PAUSE, BroadcastAct.STOP, BroadcastAct.CORRECT, BroadcastAct.RECALL),
    BroadcastState.PAUSED: (BroadcastAct.RESUME, BroadcastAct.STOP, BroadcastAct.CORRECT, BroadcastAct.RECALL),
    BroadcastState.ENDED: (BroadcastAct.CORRECT, BroadcastAct.RECALL),
    BroadcastState.STOPPED: (BroadcastAct.CORRECT, BroadcastAct.RECALL),
}
_NEED_A_START = frozenset({BroadcastAct.CORRECT, BroadcastAct.RECALL})


def card(broadcast: Broadcast, facts: StaffFacts) -> Text:
    said = [
        text("broadcasts.title", number=broadcast.number, state=text(f"broadcasts.state_{broadcast.state}")),
        text("broadcasts.messages", messages=_messages(broadcast)),
        text("broadcasts.options", options=shown(broadcast, facts.fleet.name)),
    ]
    if broadcast.why:
        said.append(text(broadcast.why))
    if broadcast.started_at is not None:
        said.append(_progress(broadcast, facts))
    elif facts.reach is not None:
        said.append(reached(facts.reach))
        if broadcast.paid:
            said.append(text("broadcasts.cost", stars=amount(facts.reach.at_most // PAID_RATE)))
    return lines(said)


def reached(reach: Reach) -> Text:
    if reach.spread:
        return text("broadcasts.audience_about", people=amount(reach.people), spread=amount(reach.spread))
    return text("broadcasts.audience", people=told_amount(reach.people))


def told_amount(number: int, shown: str | None = None) -> Arg:
    """A number of people, in the reader's digits. `shown`: what may be told of it, if it is a part of a whole.

    A small number is not told, as in the panel: each further condition would tell more about a person whom a link to
    the bot has marked.
    """
    shown = people(number) if shown is None else shown
    return amount(number) if shown == count(number) else shown


def _messages(broadcast: Broadcast) -> Text | str:
    """The languages of the messages; with their versions, if there are two."""
    has_two = len({each.arm for each in broadcast.variants}) > 1
    named: list[Text | str] = [
        text("broadcasts.message_in", language=_language(each.language), version=each.arm)
        if has_two
        else _language(each.language)
        for each in broadcast.variants
    ]
    return reduce(lambda before, after: text("lists.joined", before=before, after=after), named) if named else "–"


def _language(code: str) -> Text | str:
    return code or text("broadcasts.all_languages")


def _progress(broadcast: Broadcast, facts: StaffFacts) -> Text:
    progress = facts.progress
    sent, unknown = progress[TargetState.SENT], progress[TargetState.UNKNOWN]
    never = sum(progress.counts.values()) - progress.left - sent - unknown
    counts = [sent, progress.left, unknown, never]
    said = [told_amount(value, shown) for value, shown in zip(counts, parts(counts), strict=True)]
    return text(
        "broadcasts.progress",
        sent=said[0],
        people=told_amount(broadcast.people),
        left=said[1],
        unknown=said[2],
        never=said[3],
    )


def menu(broadcast: Broadcast) -> Menu:
    acts = [
        each
        for each in _ACTS[broadcast.state]
        if each not in _NEED_A_START or (broadcast.started_at is not None and not broadcast.recalls)
    ]
    buttons = [_button(broadcast, each) for each in (*acts, BroadcastAct.SHOW)]
    return Menu(in_rows(buttons))


def _button(broadcast: Broadcast, what: BroadcastAct) -> Button:
    # Asking before the start looks like the start.
    label = BroadcastAct.START if what is BroadcastAct.PLAN else what
    return Button(text(f"broadcasts.do_{label}"), "broadcast_do", f"{broadcast.number}.{what}")


def listed(facts: StaffFacts) -> tuple[Text, Menu]:
    known = [each for each in facts.broadcasts if not each.is_test][::-1]
    new = (Button(text("broadcasts.new"), "broadcast_new"),)
    if not known:
        return text("broadcasts.none"), Menu((new,))
    said = [
        text("broadcasts.line", number=each.number, state=text(f"broadcasts.state_{each.state}"), made=_made(each))
        for each in known
    ]
    buttons = [
        Button(text("broadcasts.name", number=each.number), "broadcast_do", f"{each.number}.{BroadcastAct.SHOW}")
        for each in known[:8]
    ]
    return text("broadcasts.list", broadcasts=lines(said)), Menu((*in_rows(buttons, 4), new))


def utc(at: float) -> str:
    """A moment as staff read it."""
    return f"{moments.shown(at).replace('T', ' ')} UTC"


def _made(broadcast: Broadcast) -> str:
    return moments.shown(broadcast.started_at or broadcast.made_at).replace("T", " ")
