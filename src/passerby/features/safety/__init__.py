"""Blocks and reports. A block protects oneself; a report also helps to protect others.

Both work in a chat, which they end, and after it: for a day, even if there was another chat since. The other side reads
the same as for any partner who leaves.
"""

import re

import msgspec

from passerby.dialogue.after_chat import BLOCK, REPORT, ask_again, in_place, tell_left, too_old, what_was_said
from passerby.dialogue.keyboards import keys_for
from passerby.domain.after_chat import (
    at_hand,
    block,
    blocked_since,
    complaints,
    last_partner,
    partner_in,
    retaliates,
    with_complaint,
)
from passerby.domain.after_chat import unblock as unblocked
from passerby.domain.entitlement import has_comforts
from passerby.domain.karma import karma_now, rated, weight
from passerby.domain.lifecycle import part, refresh_ticket
from passerby.features.safety.evidence import first_of, is_for_report, take_evidence
from passerby.features.safety.words import (
    FOR_REPORT,
    add_held,
    ask_for_a_press,
    ask_for_words,
    ask_which,
    awaited,
    begin_comment,
    refuse_words,
    skip_comment,
    take_words,
)
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Priority, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature, MenuCommand
from passerby.kernel.ids import ChatId, MessageRef, PersonId
from passerby.kernel.opinion import Block, Complain
from passerby.kernel.participant import Chatting, Complaint, Participant, Rating
from passerby.kernel.staff_event import ReportDecided
from passerby.kernel.text import Text, day, text

UNBLOCKED = "let_be"
"""The action of the button that leaves somebody unblocked."""

SHOWN = 8
"""How many blocks a page of `/blocked` shows, the newest first."""


def _chat(me: Participant) -> str | None:
    """The chat that a command is about: the present one, otherwise the last one."""
    if isinstance(me.state, Chatting):
        return me.state.chat
    return me.last.chat if me.last is not None else None


def _whom(me: Participant, chat: str, now: float) -> PersonId | None:
    """The partner in `chat`, now or before. None if it was too long ago."""
    if isinstance(me.state, Chatting) and me.state.chat == chat:
        return me.state.partner
    return partner_in(me, chat, now)


def _accused(event: ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    """For `Feature.also_load`: the reported person, because their karma changes. `complain` checks whether it is too
    late."""
    whom = _whom(facts.me, event.token.partition(".")[0], 0.0)
    return (whom,) if whom is not None else ()


def _apart(
    facts: Facts, whom: PersonId, env: Env, reason: str
) -> tuple[tuple[Participant, ...], tuple[Say, ...], tuple[Block, ...]]:
    """Both sides after a block, their notices, and the block to record.

    If they are in a chat with each other, it ends.
    """
    me = facts.me
    told: tuple[Say, ...] = ()
    sides: tuple[Participant, ...] = (me,)
    if isinstance(me.state, Chatting) and me.state.partner == whom:
        sides = part(me, facts.partner, env, reason=reason, leaver=me.person)
        told = tell_left(sides)
    mine = refresh_ticket(block(sides[0], whom, env.now), env)
    return (mine, *sides[1:]), told, () if whom in me.blocked else (Block(me.person, whom),)


def block_now(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/block`"""
    me = facts.me
    chat = _chat(me)
    whom = _whom(me, chat, env.now) if chat is not None else None
    if whom is None:
        return Decision(effects=(Say(me.person, text("safety.nobody"), keys_for(me.state)),))
    if not isinstance(me.state, Chatting) and whom not in me.blocked:
        return Decision(effects=(_ask_to_block(me, env),))
    sides, told, blocks = _apart(facts, whom, env, "block")
    key = "safety.done" if type(sides[0].state) is type(me.state) else "safety.done_here"
    return Decision(sides, (Say(me.person, text(key), keys_for(sides[0].state)), *told), blocks)


def _ask_to_block(me: Participant, env: Env) -> Say:
    """Outside a chat, it is easy to be wrong about whom a command means. So it is said, and one press confirms it."""
    assert me.last is not None, "there is a last partner"
    yes = Button(text("after_chat.block"), BLOCK, me.last.chat)
    menu = Menu(((yes, Button(text("safety.cancel"), UNBLOCKED, me.last.chat)),))
    return Say(me.person, text("safety.block_last", ago=_ago(me.last.closed_at, env.now)), menu)


def _ago(at: float, now: float) -> Text:
    """How long ago something was: in minutes below two hours, in hours below two days, else in days."""
    minutes = max(1, int((now - at) / 60))
    if minutes < 2 * 60:
        return text("safety.ago_minutes", count=minutes)
    if minutes < 2 * 24 * 60:
        return text("safety.ago_hours", count=minutes // 60)
    return text("safety.ago_days", count=minutes // (24 * 60))


def not_blocked(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    return Decision(effects=(Answer(event.query), *in_place(event, text("safety.not_blocked"))))


def block_pressed(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    whom = _whom(facts.me, event.token, env.now)
    if whom is None:
        return too_old(event, facts.me, env.now)
    sides, told, blocks = _apart(facts, whom, env, "block")
    closed = in_place(event, text("safety.done"))
    return Decision(sides, (Answer(event.query), *closed, *_keys(facts.me, sides[0]), *told), blocks)


def _keys(before: Participant, after: Participant) -> tuple[Say, ...]:
    """Send the keyboard of the new state, if a button press ended a chat."""
    if type(before.state) is type(after.state):
        return ()
    return (Say(after.person, text("safety.chat_over"), keys_for(after.state)),)


def _reasons(chat: str) -> Menu:
    buttons = [Button(text(f"reasons.{reason}"), "complain", f"{chat}.{reason}") for reason in Complaint]
    rows = (tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))
    return Menu((*rows, (Button(text("safety.cancel"), "unreport", chat),)))


def _what_for(me: Participant, last: float | None = None, now: float = 0.0) -> Text:
    """The question for the reason. In a chat, it says that typed words still go to the partner. With `last`, when the
    last chat ended, it says that it is about that one."""
    if last is not None and not isinstance(me.state, Chatting):
        return text("safety.what_for_last", ago=_ago(last, now))
    return text("safety.what_for_here" if isinstance(me.state, Chatting) else "safety.what_for")


def report(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/report`: ask for the reason. As a reply to a message of the partner's, it is about that chat."""
    me, chosen = facts.me, facts.chosen
    if is_for_report(facts, env.now):
        return take_evidence(event, facts, env)
    if chosen is not None:
        # The question replies to the message, so Telegram brings the message again with the press.
        return Decision(effects=(Say(me.person, _what_for(me), _reasons(chosen.chat), event.reply_to),))
    chat = _chat(me)
    if chat is None:
        return Decision(effects=(Say(me.person, text("safety.nobody"), keys_for(me.state)),))
    last = me.last.closed_at if me.last is not None else None
    return Decision(effects=(Say(me.person, _what_for(me, last, env.now), _reasons(chat)),))


def report_pressed(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    if _whom(facts.me, event.token, env.now) is None:
        return too_old(event, facts.me, env.now)
    asked = in_place(event, _what_for(facts.me), _reasons(event.token))
    return Decision(effects=(Answer(event.query), *asked))


def cancel_report(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Cancel the report: nothing is filed. If it was opened from the question about the last chat, that question comes
    back."""
    me = facts.me
    back = in_place(event, text("safety.not_reported"))
    if last_partner(me, event.token) is not None and not isinstance(me.state, Chatting):
        back = ask_again(event, what_was_said(me), me, env.now)
    return Decision(effects=(Answer(event.query), *back))


def complain(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The reason has been chosen: file the report, once for each chat. The two never meet again. The reported person
    learns nothing."""
    chat, _, reason = event.token.partition(".")
    whom = _whom(facts.me, chat, env.now)
    if whom is None or reason not in set(Complaint):
        return too_old(event, facts.me, env.now, chat)
    sides, told, blocks = _apart(facts, whom, env, "report")
    me, *rest = sides
    first = chat not in complaints(me)
    closed = ask_for_words(event, chat, me.state) if first else _already(event, me)
    effects: tuple[Effect, ...] = (Answer(event.query), *closed, *_keys(facts.me, me), *told)
    if not first:
        return Decision(sides, effects, blocks)
    me = begin_comment(with_complaint(me, chat, Complaint(reason)), event, chat, env.now)
    me, evidence = first_of(facts.chosen, me, chat, whom)
    effects = (*effects, *evidence)
    filed = Complain(ChatId(chat), me.person, whom, Complaint(reason))
    accused = rest[0] if rest else at_hand(facts, whom)
    if accused is None:
        return Decision((me,), effects, (*blocks, filed))
    karma = rated(accused.karma, Rating.BAD, weight(me, accused, env.now), env.now)
    cost = karma_now(accused.karma, env.now) - karma.score
    filed = msgspec.structs.replace(filed, cost=cost, retaliates=retaliates(me, accused, chat, env.now))
    return Decision((me, msgspec.structs.replace(accused, karma=karma)), effects, (*blocks, filed))


def _already(event: ButtonPressed, me: Participant) -> tuple[Revise, ...]:
    """A second report about a chat is not filed. A double press leaves the question for a comment as it is."""
    asked = me.commenting
    if asked is not None and event.message is not None and asked.prompt == MessageRef(event.bot, event.message):
        return ()
    return in_place(event, text("safety.already"))


def _list(me: Participant, page: int, env: Env) -> tuple[Text, Menu | None]:
    """The blocks, newest first, by number and date: the list identifies nobody. VIPs also see the names that they had
    given these people as friends."""
    total = len(me.blocked)
    if not total:
        return text("safety.list_empty"), None
    page = max(0, min(page, (total - 1) // SHOWN))
    numbers = range(total - page * SHOWN, max(0, total - (page + 1) * SHOWN), -1)
    since = blocked_since(me)
    named = dict(me.block_names) if has_comforts(me, env) else {}
    labels = (_entry(each, since[each - 1], named.get(me.blocked[each - 1], "")) for each in numbers)
    rows = [(Button(label, "unblock", f"{each}.{total}"),) for each, label in zip(numbers, labels, strict=True)]
    paging = []
    if page > 0:
        paging.append(Button(text("safety.newer"), "blocked", str(page - 1)))
    if (page + 1) * SHOWN < total:
        paging.append(Button(text("safety.older"), "blocked", str(page + 1)))
    return text("safety.list", n=total), Menu((*rows, *((tuple(paging),) if paging else ())))


def _entry(number: int, since: float, name: str) -> Text:
    if name:
        return text("safety.unblock_named", name=name)
    if not since:
        return text("safety.unblock", number=number)
    return text("safety.unblock_since", number=number, day=day(since))


def show(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/blocked`"""
    said, menu = _list(facts.me, 0, env)
    return Decision(effects=(Say(facts.me.person, said, menu or keys_for(facts.me.state)),))


def turn_page(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    page = int(event.token) if re.fullmatch(r"[0-9]{1,6}", event.token) else 0
    return Decision(effects=(Answer(event.query), *in_place(event, *_list(facts.me, page, env))))


def unblock(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Remove a block. Numbers count from the oldest. If the list has changed since it was shown, the new list is shown
    instead."""
    me = facts.me
    number, _, total = event.token.partition(".")
    unchanged = re.fullmatch(r"[0-9]{1,6}", number) and total == str(len(me.blocked))
    if not unchanged or not 0 < int(number) <= len(me.blocked):
        changed = Answer(event.query, text("safety.list_changed"))
        return Decision(effects=(changed, *in_place(event, *_list(me, 0, env))))
    at = int(number) - 1
    removed = Block(me.person, me.blocked[at], blocked=False)
    me = refresh_ticket(unblocked(me, at), env)
    page = (len(me.blocked) - at) // SHOWN
    shown = in_place(event, *_list(me, page, env))
    return Decision((me,), (Answer(event.query, text("safety.unblocked")), *shown), (removed,))


def thank(event: ReportDecided, facts: Facts, env: Env) -> Decision:
    """The reporter hears whether something was done, and no more: the rest is about the other."""
    key = "safety.acted" if event.acted else "safety.not_acted"
    return Decision(effects=(Say(facts.me.person, text(key), priority=Priority.SYSTEM),))


feature = Feature(
    "safety",
    commands={"block": block_now, "report": report, "blocked": show},
    menu=(
        MenuCommand("report", "commands.report", 40),
        MenuCommand("block", "commands.block", 50),
        MenuCommand("blocked", "commands.blocked", 110),
    ),
    presses={
        BLOCK: block_pressed,
        REPORT: report_pressed,
        "complain": complain,
        "unreport": cancel_report,
        UNBLOCKED: not_blocked,
        "wordless": skip_comment,
        FOR_REPORT: add_held,
        "blocked": turn_page,
        "unblock": unblock,
    },
    events={ReportDecided: thank},
    awaits=awaited,
    open_to_barred=(
        *(report, report_pressed, complain, cancel_report),
        *(skip_comment, add_held, take_words, refuse_words, ask_which, ask_for_a_press, take_evidence),
    ),
    also_load={complain: _accused},
)
