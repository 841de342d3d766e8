"""The states of a person, and how they change.

There are three states, and nobody is ever in two of them:

    idle ──SEARCH──► searching ──PAIR──► chatting ──PART──► idle
      ▲                  │                   │
      └─────CANCEL───────┘                   └─AGAIN──► searching

A pair is two participants who are chatting with each other in the same chat. It begins and ends for both in one commit:
`pair` and `part` return both sides, and the live store takes both or neither. So both sides always agree, and no repair
job is needed.

PART and AGAIN also end a chat whose partner is already somewhere else, which a rebuild from the records could cause.
Then only one side changes.

`TABLE` is the whole state machine. A transition that it does not list is a bug in the caller. The caller knows the
state, and answers a wish that does not fit with a notice.
"""

from collections.abc import Iterable
from enum import Enum, auto

import msgspec

from passerby.domain.ages import age_now
from passerby.domain.entitlement import filter_used, is_vip, wishes_of
from passerby.domain.karma import karma_now
from passerby.domain.pools import apart, in_doubt, pool_of
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId, PoolId
from passerby.kernel.participant import (
    Chatting,
    Gender,
    Idle,
    LastChat,
    Met,
    Participant,
    Profile,
    Searching,
    State,
    Ticket,
)
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import SanctionKind

SEEN_EVERY_S = 3600.0
"""How old `seen_at` may become. If every message wrote it, every relay would change state."""


MET_FOR_S = 1800.0
"""How long somebody counts as met recently."""

SKIPPED_FOR_S = 86_400.0
AT_ONCE_S = 15.0
"""A person who leaves a chat within this time has skipped the other."""

RECENT_KEPT = 10

BOT_LOST = "bot_lost"
"""Why a chat ended whose person can no longer be reached, because their bot is lost."""

SLOWED_S = 60.0
"""How much later the search of a slowed person begins to count."""


UNTIL_ANSWERED = 1e12
"""Unix seconds, in the far future: JSON has no infinity."""


class Action(Enum):
    SEARCH = auto()
    CANCEL = auto()
    PAIR = auto()
    PART = auto()
    AGAIN = auto()


TABLE: dict[tuple[type[State], Action], type[State]] = {
    (Idle, Action.SEARCH): Searching,
    (Searching, Action.CANCEL): Idle,
    (Searching, Action.PAIR): Chatting,
    (Chatting, Action.PART): Idle,
    (Chatting, Action.AGAIN): Searching,
}


class IllegalTransition(AssertionError):
    """A decider asked for a transition that the table does not have."""


def _step(me: Participant, action: Action, state: State, last: LastChat | None = None) -> Participant:
    if TABLE.get((type(me.state), action)) is not type(state):
        raise IllegalTransition(type(me.state).__name__, action.name, type(state).__name__)
    return msgspec.structs.replace(me, state=state, last=last or me.last)


def arrive(me: Participant, bot: BotId, language: str, now: float, thread: MessageId | None = None) -> Participant:
    """The person wrote or did something in `bot`. From now on they are reached there, in this topic (None: the general
    one).

    Returns `me` itself if nothing changed. A chat follows its people from bot to bot. `language` is Telegram's (an IETF
    tag) and counts until the person has chosen one.
    """
    same = me.bot == bot and me.thread == thread
    heard = same and me.profile.language and now - me.seen_at < SEEN_EVERY_S
    if heard:
        return me
    profile = me.profile
    if language and not profile.language:
        profile = msgspec.structs.replace(profile, language=language)
    bots = me.bots if me.bots[:1] == (bot,) else (bot, *(other for other in me.bots if other != bot))
    if same and profile == me.profile and now - me.seen_at < SEEN_EVERY_S:
        return me
    return msgspec.structs.replace(me, bot=bot, bots=bots, profile=profile, seen_at=now, thread=thread)


def lose_bot(me: Participant, bot: BotId) -> Participant:
    """The person can no longer be reached through `bot`. The bot they used before it takes over, if there is one."""
    bots = tuple(other for other in me.bots if other != bot)
    current = me.bot if me.bot != bot else (bots[0] if bots else None)
    if bots == me.bots and current == me.bot:
        return me
    thread = me.thread if current == me.bot else None
    return msgspec.structs.replace(me, bot=current, bots=bots, thread=thread)


def make_ticket(me: Participant, env: Env) -> Ticket:
    """The request of a person, as pairing will see it. The profile must be complete."""
    profile = me.profile
    age = age_now(profile, env.now)
    return Ticket(
        person=me.person,
        pool=_pool(me, age, env.rules, env.now),
        since=env.now,
        gender=profile.gender or Gender.UNSAID,
        age=age,
        recent=tuple(
            Met(met.person, met.at, met.skipped)
            for met in me.recent
            if env.now - met.at < (SKIPPED_FOR_S if met.skipped else MET_FOR_S)
        ),
        blocked=me.blocked,
        languages=spoken(profile),
        interests=profile.interests,
        wants=wishes_of(me, env),
        vip=is_vip(me, env.now),
        karma=karma_now(me.karma, env.now),
        not_before=_not_before(me, env.now),
    )


def pool_at(me: Participant, rules: Rules, now: float) -> PoolId | None:
    """The pool in which the person would search now. None: they have not given their age."""
    return _pool(me, age_now(me.profile, now), rules, now) if me.profile.age is not None else None


def _pool(me: Participant, age: int, rules: Rules, now: float) -> PoolId:
    """The pool of a person. Accounts of a farm meet only each other, and so do people whose age is in doubt."""
    pool = pool_of(age, me.bot, spoken(me.profile), rules)
    if _is_bound(me, SanctionKind.AGE_DOUBT, now):
        pool = in_doubt(pool)
    return apart(pool) if me.watched is not None and now < me.watched.apart_until else pool


def _is_bound(me: Participant, kind: SanctionKind, now: float) -> bool:
    return any(each.kind is kind and (each.until is None or now < each.until) for each in me.sanctions)


def _not_before(me: Participant, now: float) -> float:
    """When the search of a person begins to count: later for those who are slowed, 0 for all others.

    For those who have to pick a picture first, it does not begin to count until they have done so.
    """
    if me.watched is not None and me.watched.asked_at:
        return UNTIL_ANSWERED
    return now + SLOWED_S if _is_bound(me, SanctionKind.SLOW, now) else 0.0


def spoken(profile: Profile) -> tuple[str, ...]:
    """The languages that somebody chats in. Until they choose, it is the language of their Telegram."""
    if profile.languages or profile.talks_anyhow or not profile.language:
        return profile.languages
    return (profile.language.lower().replace("_", "-").partition("-")[0],)


def written_to_in(profile: Profile, language: str) -> Profile:
    """The profile of somebody whom we write to in `language` from now on. The languages they chat in, and so the people
    they meet, stay the same."""
    talked = spoken(profile)
    return msgspec.structs.replace(profile, language=language, languages=talked, talks_anyhow=not talked)


def _met(side: Participant, state: Chatting, now: float, leaver: PersonId) -> tuple[Met, ...]:
    """The latest partners after a chat, the newest first. A person who left at once has skipped the other."""
    skipped = side.person == leaver and now - state.opened_at < AT_ONCE_S
    return (Met(state.partner, now, skipped, state.chat), *side.recent)[:RECENT_KEPT]


def search(me: Participant, env: Env) -> Participant:
    """Start searching. The profile must be complete and the person reachable."""
    return _step(filter_used(me, env), Action.SEARCH, Searching(make_ticket(me, env)))


def refresh_ticket(me: Participant, env: Env) -> Participant:
    """Update the ticket of a searching person from their profile. They keep their place in the queue."""
    if not isinstance(me.state, Searching):
        return me
    ticket = msgspec.structs.replace(make_ticket(me, env), since=me.state.ticket.since)
    if ticket.not_before != UNTIL_ANSWERED and me.state.ticket.not_before != UNTIL_ANSWERED:
        ticket = msgspec.structs.replace(ticket, not_before=me.state.ticket.not_before)
    return msgspec.structs.replace(filter_used(me, env), state=Searching(ticket))


def is_in_search(state: State, since: float) -> bool:
    """Whether a person in this state is still in the search that began at `since`, in Unix seconds."""
    return isinstance(state, Searching) and state.ticket.since == since


def cancel(me: Participant) -> Participant:
    return _step(me, Action.CANCEL, Idle())


def pair(one: Participant, other: Participant, chat: ChatId, now: float) -> tuple[Participant, Participant]:
    """Pair two searching people."""
    assert one.person != other.person, "nobody is paired with themselves"
    return (
        _step(one, Action.PAIR, Chatting(chat, other.person, now)),
        _step(other, Action.PAIR, Chatting(chat, one.person, now)),
    )


def together(one: Participant, other: Participant | None) -> bool:
    """Whether both are in the same chat with each other, according to both."""
    return (
        other is not None
        and isinstance(one.state, Chatting)
        and isinstance(other.state, Chatting)
        and one.state.chat == other.state.chat
        and one.state.partner == other.person
        and other.state.partner == one.person
    )


def part(
    me: Participant, partner: Participant | None, env: Env, *, reason: str, leaver: PersonId, again: bool = False
) -> tuple[Participant, ...]:
    """End the chat of `me` for both sides. With `again`, `me` starts searching at once.

    `reason` is a word for the operator's statistics ("next", "stop", "blocked"). `leaver` is the person who caused it.
    """
    assert isinstance(me.state, Chatting), "only a chat can end"
    chat, now = me.state.chat, env.now
    sides: Iterable[Participant] = (me, partner) if partner is not None and together(me, partner) else (me,)
    ended = []
    for side in sides:
        assert isinstance(side.state, Chatting), "`together` has seen to it"
        last = LastChat(chat, side.state.partner, now, reason, left=side.person == leaver)
        met = msgspec.structs.replace(side, recent=_met(side, side.state, now, leaver))
        ended.append(_step(met, Action.PART, Idle(), last))
    if again:
        met = filter_used(msgspec.structs.replace(me, recent=ended[0].recent), env)
        ended[0] = _step(met, Action.AGAIN, Searching(make_ticket(ended[0], env)), ended[0].last)
    return tuple(ended)
