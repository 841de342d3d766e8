"""Never meeting somebody again: for oneself with a block, for everybody's sake with a report as well.

Both work in a chat, which they end, and after it. The other side reads what it would read of any partner who leaves.
"""

import msgspec

from passerby.domain.aftermath import BLOCK, REPORT, block, last_partner, tell_left, with_last
from passerby.domain.karma import rated, weight
from passerby.domain.keyboards import keys_for
from passerby.domain.lifecycle import part, refresh_ticket
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Chatting, Complaint, Participant, Rating
from passerby.kernel.text import text

SHOWN = 8
"""So many blocks a page of `/blocked`, the newest first."""


def _chat(me: Participant) -> str | None:
    """The chat that a command is about: the present one, or else the last."""
    if isinstance(me.state, Chatting):
        return me.state.chat
    return me.last.chat if me.last is not None else None


def _whom(me: Participant, chat: str) -> PersonId | None:
    """Whom `chat` was with; None for any but the present and the last chat."""
    if isinstance(me.state, Chatting) and me.state.chat == chat:
        return me.state.partner
    return last_partner(me, chat)


def _company(event: MessageReceived | ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    chat = event.token.partition(".")[0] if isinstance(event, ButtonPressed) else _chat(facts.me)
    whom = _whom(facts.me, chat) if chat is not None else None
    return (whom,) if whom is not None else ()


def _apart(facts: Facts, whom: PersonId, env: Env, reason: str) -> tuple[tuple[Participant, ...], tuple[Say, ...]]:
    """Both sides after a block: out of the chat that they are in, if it is with each other, and what they are told."""
    me = facts.me
    told: tuple[Say, ...] = ()
    sides: tuple[Participant, ...] = (me,)
    if isinstance(me.state, Chatting) and me.state.partner == whom:
        sides = part(me, facts.partner, env, reason=reason, leaver=me.person)
        told = tell_left(sides)
    mine = refresh_ticket(block(sides[0], whom), env)
    return (mine, *sides[1:]), told


def block_now(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/block`"""
    me = facts.me
    chat = _chat(me)
    whom = _whom(me, chat) if chat is not None else None
    if whom is None:
        return Decision(effects=(Say(me.person, text("blocks.nobody"), keys_for(me.state)),))
    sides, told = _apart(facts, whom, env, "block")
    return Decision(sides, (Say(me.person, text("blocks.done"), keys_for(sides[0].state)), *told))


def block_pressed(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    whom = _whom(facts.me, event.token)
    if whom is None:
        return _too_old(event)
    sides, told = _apart(facts, whom, env, "block")
    return Decision(sides, (Answer(event.query), *_in_place(event, "blocks.done"), *_keys(facts.me, sides[0]), *told))


def _keys(before: Participant, after: Participant) -> tuple[Say, ...]:
    """The keyboard of the new state, where pressing a button ended a chat."""
    if type(before.state) is type(after.state):
        return ()
    return (Say(after.person, text("blocks.chat_over"), keys_for(after.state)),)


def _too_old(event: ButtonPressed) -> Decision:
    return Decision(effects=(Answer(event.query, text("after.too_old")), *_in_place(event, "after.over")))


def _in_place(event: ButtonPressed, key: str, keyboard: Menu | None = None) -> tuple[Effect, ...]:
    if event.message is None:
        return ()
    return (Revise(event.person, event.message, text(key), keyboard),)


# ---------------------------------------------------------------------- reports


def _reasons(chat: str) -> Menu:
    buttons = [Button(text(f"blocks.reason_{reason}"), "complain", f"{chat}.{reason}") for reason in Complaint]
    return Menu((*(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)),))


def report(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/report`: what for?"""
    me = facts.me
    chat = _chat(me)
    if chat is None:
        return Decision(effects=(Say(me.person, text("blocks.nobody"), keys_for(me.state)),))
    return Decision(effects=(Say(me.person, text("blocks.what_for"), _reasons(chat)),))


def report_pressed(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    if _whom(facts.me, event.token) is None:
        return _too_old(event)
    return Decision(effects=(Answer(event.query), *_in_place(event, "blocks.what_for", _reasons(event.token))))


def complain(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The reason has been chosen: it is filed, once a chat; the two never meet again. The accused learns nothing."""
    chat, _, reason = event.token.partition(".")
    whom = _whom(facts.me, chat)
    if whom is None or reason not in set(Complaint):
        return _too_old(event)
    sides, told = _apart(facts, whom, env, "report")
    me = sides[0]
    if me.last is None or me.last.chat != chat or me.last.complaint is not None:
        return Decision(sides, (Answer(event.query), *_in_place(event, "blocks.reported"), *told))
    me = with_last(me, complaint=Complaint(reason))
    changes = {each.person: each for each in (*facts.others, *sides[1:], me)}
    accused = changes.get(whom)
    if accused is not None:
        karma = rated(accused.karma, Rating.BAD, weight(me, accused, env.now), env.now)
        changes[whom] = msgspec.structs.replace(accused, karma=karma)
    effects = (Answer(event.query), *_in_place(event, "blocks.reported"), *_keys(facts.me, me), *told)
    return Decision(tuple(changes.values()), effects)


# ---------------------------------------------------------------------- the list


def _list(me: Participant, page: int) -> tuple[str, Menu | None]:
    """The blocks, newest first, by number alone: the list tells nothing of anybody."""
    total = len(me.blocked)
    if not total:
        return "blocks.list_empty", None
    page = max(0, min(page, (total - 1) // SHOWN))
    numbers = range(total - page * SHOWN, max(0, total - (page + 1) * SHOWN), -1)
    buttons = [Button(text("blocks.unblock", number=number), "unblock", f"{number}.{total}") for number in numbers]
    rows = [tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]
    turn = []
    if page > 0:
        turn.append(Button(text("blocks.newer"), "blocked", str(page - 1)))
    if (page + 1) * SHOWN < total:
        turn.append(Button(text("blocks.older"), "blocked", str(page + 1)))
    return "blocks.list", Menu((*rows, *((tuple(turn),) if turn else ())))


def show(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/blocked`"""
    key, menu = _list(facts.me, 0)
    said = text(key, n=len(facts.me.blocked)) if menu is not None else text(key)
    return Decision(effects=(Say(facts.me.person, said, menu or keys_for(facts.me.state)),))


def turn_page(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    page = int(event.token) if event.token.isdecimal() and len(event.token) < 6 else 0
    return Decision(effects=(Answer(event.query), *_relist(event, facts.me, page)))


def _relist(event: ButtonPressed, me: Participant, page: int) -> tuple[Effect, ...]:
    if event.message is None:
        return ()
    key, menu = _list(me, page)
    said = text(key, n=len(me.blocked)) if menu is not None else text(key)
    return (Revise(me.person, event.message, said, menu),)


def unblock(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Numbers count from the oldest. Where the list has changed since it was shown, it is shown anew instead."""
    me = facts.me
    number, _, total = event.token.partition(".")
    if not number.isdecimal() or total != str(len(me.blocked)) or not 0 < int(number) <= len(me.blocked):
        return Decision(effects=(Answer(event.query), *_relist(event, me, 0)))
    at = int(number) - 1
    me = msgspec.structs.replace(me, blocked=(*me.blocked[:at], *me.blocked[at + 1 :]))
    me = refresh_ticket(me, env)
    return Decision((me,), (Answer(event.query, text("blocks.unblocked")), *_relist(event, me, 0)))


feature = Feature(
    "blocks",
    commands={"block": block_now, "report": report, "blocked": show},
    presses={
        BLOCK: block_pressed,
        REPORT: report_pressed,
        "complain": complain,
        "blocked": turn_page,
        "unblock": unblock,
    },
    company={block_now: _company, block_pressed: _company, complain: _company},
)
