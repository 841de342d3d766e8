"""Decides about a chat when a message cannot be delivered, or when somebody blocks the bot or comes back to it."""

from typing import assert_never

import msgspec

from passerby.dialogue.after_chat import tell_left
from passerby.dialogue.keyboards import keys_for
from passerby.domain.lifecycle import BOT_LOST, arrive, cancel, lose_bot, part
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import Attempt, BotBlocked, BotLost, BotUnblocked, DeliveryFailed, Refusal
from passerby.kernel.participant import Chatting, Idle, Participant, Searching, State
from passerby.kernel.text import text

SENTENCES = {
    Refusal.UNREACHABLE: "chat.failed_left",
    Refusal.LEFT: "chat.failed_left",
    Refusal.KIND_REFUSED: "chat.failed_kind_refused",
    Refusal.CANNOT_COPY: "chat.failed_cannot_copy",
    Refusal.TOO_LARGE: "chat.failed_too_large",
    Refusal.TOO_LONG: "chat.failed_too_long",
    Refusal.UNCERTAIN: "chat.failed_uncertain",
    Refusal.EXPIRED: "chat.failed_expired",
    Refusal.BOT_LOST: "chat.failed_broken",
    Refusal.BROKEN: "chat.failed_broken",
    Refusal.FATAL: "chat.failed_fatal",
}
"""The texts. A partner who blocked the bot and one who left give the same text, so nobody learns which it was."""

FOLLOWING = {Attempt.EDIT: "chat.edit_failed", Attempt.DELETE: "chat.delete_failed"}
ENDED = frozenset({Refusal.UNREACHABLE, Refusal.LEFT})


def undelivered(event: DeliveryFailed, facts: Facts, env: Env) -> Decision:
    """Tell `me` why something did not arrive. A failed reaction is not reported."""
    if event.attempt is Attempt.REACT or (event.attempt is not Attempt.RELAY and event.refusal in ENDED):
        return NOTHING
    key = FOLLOWING.get(event.attempt) or SENTENCES[event.refusal]
    if event.attempt is Attempt.DELETE and event.refusal is Refusal.EXPIRED:
        key = "chat.delete_too_late"
    said = text("chat.failed_many", n=event.count) if event.count > 1 else text(key)
    reply_to = event.message if facts.me.bot == event.bot else None
    return Decision(effects=(Say(facts.me.person, said, reply_to=reply_to),))


def unreachable(event: BotBlocked, facts: Facts, env: Env) -> Decision:
    """`me` blocked a bot. If they chat through it, they have left: their partner does not have to wait.

    A refusal that arrives late may be about a block that is over. A chat or search that began after the refused send
    shows that it is over, or will be refused itself.
    """
    me = lose_bot(facts.me, event.bot)
    if me is facts.me or (event.refused_at is not None and _began_after(event.refused_at, me.state)):
        return NOTHING
    return _gone(me, facts, env, "blocked") if facts.me.bot == event.bot else Decision((me,))


def bot_lost(event: BotLost, facts: Facts, env: Env) -> Decision:
    """A bot that `me` used is lost. Another bot that they have started takes over. Without one, nobody can reach
    them."""
    me = lose_bot(facts.me, event.bot)
    if me is facts.me:
        return NOTHING
    if me.bot is None:
        return _gone(me, facts, env, BOT_LOST)
    if facts.me.bot != event.bot or isinstance(me.state, Idle):
        return Decision((me,))
    return Decision((me,), (Say(me.person, text("chat.moved_here"), keys_for(me.state)),))


def _gone(me: Participant, facts: Facts, env: Env, reason: str) -> Decision:
    match me.state:
        case Searching():
            return Decision((cancel(me),))
        case Chatting():
            sides = part(me, facts.partner, env, reason=reason, leaver=me.person)
            return Decision(sides, tell_left(sides))
        case Idle():
            return Decision((me,))
        case _:
            assert_never(me.state)


def _began_after(at: float, state: State) -> bool:
    match state:
        case Searching(ticket=ticket):
            return ticket.since > at
        case Chatting(opened_at=opened_at):
            return opened_at > at
        case _:
            return False


def reachable(event: BotUnblocked, facts: Facts, env: Env) -> Decision:
    """`me` started a bot again. If they use another one now, it is only one more way to reach them.

    Telegram tells this also of newcomers, before their /start. We wait for the /start: it names their language and the
    link by which they came, and a person whom we have seen before does not count as a newcomer.
    """
    me = facts.me
    if not me.seen_at:
        return NOTHING
    if me.bot is None:
        me = arrive(me, event.bot, "", env.now)
    elif event.bot not in me.bots:
        me = msgspec.structs.replace(me, bots=(*me.bots, event.bot))
    return Decision((me,)) if me is not facts.me else NOTHING
