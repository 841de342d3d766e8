"""A decision becomes one commit: participants, their notices, the facts for the records, the updates that are done.

Deciders describe participants, and name the opinions to record. Everything that always follows from a participant's
change is derived here, so that no feature can forget it: that the person changed, that a chat has opened, that it has
closed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, assert_never

import msgspec

from passerby.domain.journeys import gone_on, new_steps
from passerby.domain.lifecycle import is_in_search
from passerby.domain.money.referrals import reached
from passerby.domain.sanctions import binds
from passerby.kernel.decision import Decision, Facts
from passerby.kernel.effect import (
    Answer,
    AskStaff,
    Attach,
    Discard,
    Explain,
    Owe,
    Priority,
    React,
    Relay,
    RelayDelete,
    RelayEdit,
    RelayEffect,
    Revise,
    Say,
)
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId, UpdateRef
from passerby.kernel.opinion import Block, Complain, Opinion, Rate
from passerby.kernel.participant import Chatting, Participant, Searching
from passerby.ports.facts import (
    BlockChanged,
    ChatClosed,
    ChatOpened,
    ChatRated,
    ComplaintExplained,
    ComplaintFiled,
    EvidenceKept,
    Fact,
    PaymentCaseOpened,
    PersonChanged,
    PersonErased,
    ReferralReached,
    SanctionChanged,
    SanctionLifted,
    StepReached,
)
from passerby.ports.leases import NOBODY, Fence, WorkerId
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit
from passerby.runtime.decide.money_facts import ledger_fact, money_changed


class CommitPlan(msgspec.Struct, frozen=True, gc=False):
    """The result of settling a decision. `commit` is None if there is nothing to store. `owed` notices are stored now
    and said later. `ended` chats and `over` searches (the person, and the ticket's `since`) end with it."""

    commit: Commit | None
    notices: tuple[Notice, ...]
    relay_effects: tuple[tuple[RelayEffect, BotId], ...]
    best_effort: tuple[Answer | Discard, ...]
    ended: tuple[ChatId, ...]
    owed: tuple[Notice, ...] = ()
    over: tuple[tuple[PersonId, float], ...] = ()


def participants_in(facts: Facts) -> dict[PersonId, Participant]:
    """All people in the facts, by id."""
    people = {each.person: each for each in facts.others} if facts.others else {}
    if facts.partner is not None:
        people[facts.partner.person] = facts.partner
    people[facts.me.person] = facts.me
    return people


def plan_alone(decision: Decision, facts: Facts) -> CommitPlan | None:
    """The same plan as of `plan_commit`, for a decision that only passes a message on to the partner, like nearly all.
    There is nothing to store. None for other decisions."""
    effects, partner = decision.effects, facts.partner
    if len(effects) != 1 or decision.changes or decision.opinions or decision.ledger:
        return None
    if partner is None or decision.erases is not None:
        return None
    effect = effects[0]
    if type(effect) is not Relay or effect.to != partner.person or partner.bot is None:
        return None
    relayed = effect if partner.thread is None else _in_topic(effect, partner.thread)
    return CommitPlan(None, (), ((relayed, partner.bot),), (), ())


def plan_commit(
    decision: Decision,
    before: Mapping[PersonId, Participant],
    *,
    now: float,
    name: Callable[[int], str],
    refs: tuple[UpdateRef, ...] = (),
    sent: tuple[str, ...] = (),
    owner: WorkerId = NOBODY,
    fences: tuple[Fence, ...] = (),
    seen: tuple[tuple[PersonId, int], ...] = (),
    seal: Callable[[str], bytes] | None = None,
    keep: Callable[[Attach, float], EvidenceKept] | None = None,
) -> CommitPlan:
    """Turn a decision into what is stored and what is sent.

    - `before`: the participants that the decision was made on.
    - `name(i)`: the name of the i-th notice. Its id is this name and its text key. So a second decision on the same
      update gives the same notice the same id, and a different notice a different id. The first decision may have left
      its notices in the outbox before its process died.
    - `refs`: the updates. The commit makes them done, unless there is a relay effect: then its delivery does.
    - `owner`: the worker that sends the notices. `fences`: the leases that the commit depends on.
    - `seen`: people, and the versions that were read. If one has changed, the commit is stale.
    - `seal`: encrypts words that are stored for later. `keep`: encrypts evidence.
    """
    after: dict[PersonId, Participant] = {}
    puts: tuple[Participant, ...] = ()
    facts: tuple[Fact, ...] = ()
    ended: tuple[ChatId, ...] = ()
    if decision.changes:
        after = {change.person: change for change in decision.changes}
        puts = tuple([_put(before[each.person], each, now) for each in decision.changes])
        facts, ended = _derive(puts, before, now)
    if decision.opinions:
        facts = (*facts, *(_recorded(opinion, now) for opinion in decision.opinions))
    if decision.ledger:
        facts = (*facts, *(ledger_fact(each, now) for each in decision.ledger))
    if decision.erases is not None:
        # The last fact, so that it removes what the others say, too.
        value = after[decision.erases]
        is_gone = value.is_blank and value.spent is None
        left = None if is_gone or value.profile.consented_at is not None else value
        facts = (*facts, PersonErased(decision.erases, not value.is_blank, now, left))
    notices: list[Notice] = []
    owed: list[Notice] = []
    relay_effects: list[tuple[RelayEffect, BotId]] = []
    best_effort: list[Answer | Discard] = []
    for effect in decision.effects:
        match effect:
            case Relay() | RelayEdit() | React() | RelayDelete():
                reader = after.get(effect.to) or before[effect.to]
                assert reader.bot is not None, "a chat with somebody unreachable has ended"
                in_topic = effect if reader.thread is None else _in_topic(effect, reader.thread)
                relay_effects.append((in_topic, reader.bot))
            case Answer() | Discard():
                best_effort.append(effect)
            case Say() | Revise():
                bot = _bot_of(effect.to, after, before)
                if bot is not None:
                    notice = _notice(effect, f"{name(len(notices))}:{effect.text.key}", bot, now)
                    notices.append(_in_topic(notice, _thread_of(effect.to, after, before)))
            case Owe(to=to):
                bot = _bot_of(to, after, before)
                if bot is not None:
                    owed.append(Notice(effect.name, to, bot, effect.text, Priority.COMMAND, now))
            case Explain():
                assert seal is not None, "only a person explains"
                facts = (*facts, ComplaintExplained(effect.chat, effect.by, seal(effect.words), now))
            case AskStaff():
                assert seal is not None, "only a person asks"
                facts = (*facts, PaymentCaseOpened(effect.by, effect.case, seal(effect.words), now))
            case Attach():
                assert keep is not None, "only a person chooses evidence"
                facts = (*facts, keep(effect, now))
            case _:
                assert_never(effect)
    done = () if relay_effects else refs
    commit = None
    if puts or notices or owed or sent or done or decision.ledger:
        unchanged = tuple(each for each in seen if each[0] not in after) if notices or relay_effects else ()
        commit = Commit(puts, ended, (*notices, *owed), facts, done, sent, owner, fences, unchanged)
    over = _over(puts, before) if puts else ()
    return CommitPlan(commit, tuple(notices), tuple(relay_effects), tuple(best_effort), ended, tuple(owed), over)


def _put(before: Participant, after: Participant, now: float) -> Participant:
    """The value to store: the next version, and the journey as far as it goes now."""
    return msgspec.structs.replace(after, version=after.version + 1, journey=gone_on(before, after, now))


T = TypeVar("T", Notice, RelayEffect)


def _in_topic(sent: T, thread: MessageId | None) -> T:
    """Address every message to the topic where its reader wrote last."""
    if thread is None or not isinstance(sent, Notice | Relay | RelayEdit):
        return sent
    return msgspec.structs.replace(sent, thread=thread)


def _thread_of(
    person: PersonId, after: Mapping[PersonId, Participant], before: Mapping[PersonId, Participant]
) -> MessageId | None:
    return (after.get(person) or before[person]).thread


def _bot_of(
    person: PersonId, after: Mapping[PersonId, Participant], before: Mapping[PersonId, Participant]
) -> BotId | None:
    return (after.get(person) or before[person]).bot


def _notice(effect: Say | Revise, id_: str, bot: BotId, now: float) -> Notice:
    if isinstance(effect, Revise):
        return Notice(
            id_,
            effect.to,
            bot,
            effect.text,
            Priority.COMMAND,
            now,
            effect.keyboard,
            revises=effect.message,
            search=effect.search,
        )
    return Notice(
        id_,
        effect.to,
        bot,
        effect.text,
        effect.priority,
        now,
        effect.keyboard,
        reply_to=effect.reply_to,
        anchors=effect.anchors,
        bill=effect.bill,
        search=effect.search,
    )


def _derive(
    puts: Iterable[Participant], before: Mapping[PersonId, Participant], now: float
) -> tuple[tuple[Fact, ...], tuple[ChatId, ...]]:
    facts: list[Fact] = []
    ended: dict[ChatId, None] = {}
    opened: dict[ChatId, Participant] = {}
    for put in puts:
        facts.append(PersonChanged(put, now))
        if put.sanctions != before[put.person].sanctions:
            facts += _sanctions_changed(before[put.person], put, now)
        if put.wallet is not before[put.person].wallet:
            facts += money_changed(before[put.person], put, now)
        if put.journey is not before[put.person].journey:
            facts += _steps_reached(before[put.person], put, now)
        was = before[put.person].state
        if isinstance(was, Chatting) and _chat_of(put) != was.chat and was.chat not in ended:
            ended[was.chat] = None
            by = put.last.reason if put.last is not None else ""
            leaver = put.person if put.last is not None and put.last.left else was.partner
            facts.append(ChatClosed(was.chat, leaver, by, now))
        state = put.state
        if isinstance(state, Chatting) and _chat_of(before[put.person]) != state.chat:
            other = opened.pop(state.chat, None)
            if other is None:
                opened[state.chat] = put
            else:
                facts.append(_chat_opened(state, other, put))
    assert not opened, "a chat opens for two"
    return tuple(facts), tuple(ended)


def _over(puts: Iterable[Participant], before: Mapping[PersonId, Participant]) -> tuple[tuple[PersonId, float], ...]:
    """The searches that end with these values, each with its ticket's `since`."""
    over = []
    for put in puts:
        was = before[put.person].state
        if isinstance(was, Searching) and not is_in_search(put.state, was.ticket.since):
            over.append((put.person, was.ticket.since))
    return tuple(over)


def _sanctions_changed(before: Participant, after: Participant, now: float) -> list[Fact]:
    """The facts about sanctions that began, were appealed or were lifted. Those that are over may just be forgotten."""
    known, kept = set(before.sanctions), {each.id for each in after.sanctions}
    changed: list[Fact] = [SanctionChanged(after.person, each, now) for each in after.sanctions if each not in known]
    lifted = [each for each in before.sanctions if each.id not in kept and binds(each, now)]
    return [*changed, *(SanctionLifted(each.id, now, after.person) for each in lifted)]


def _steps_reached(before: Participant, after: Participant, now: float) -> list[Fact]:
    journey = after.journey
    if journey is None:
        return []
    where = (journey.source, journey.bot, journey.language, journey.began_at)
    steps: list[Fact] = [StepReached(*where, step, now) for step in new_steps(before, after)]
    token = reached(before, after)
    return [*steps, ReferralReached(after.person, token, now)] if token else steps


def _chat_of(person: Participant) -> ChatId | None:
    return person.state.chat if isinstance(person.state, Chatting) else None


def _recorded(opinion: Opinion, now: float) -> Fact:
    match opinion:
        case Rate():
            return ChatRated(opinion.chat, opinion.by, opinion.rating, now)
        case Complain():
            return ComplaintFiled(
                opinion.chat, opinion.by, opinion.whom, opinion.reason, now, opinion.cost, opinion.retaliates
            )
        case Block():
            return BlockChanged(opinion.by, opinion.whom, opinion.blocked, now)
        case _:
            assert_never(opinion)


def _chat_opened(state: Chatting, one: Participant, other: Participant) -> ChatOpened:
    assert one.bot is not None, "nobody unreachable is paired"
    assert other.bot is not None, "nobody unreachable is paired"
    return ChatOpened(state.chat, one.person, other.person, one.bot, other.bot, state.opened_at)
