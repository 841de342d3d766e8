"""Dialogues as data: what people do, and the whole decision that follows.

    talk = Playbook()
    ann, bob = talk.pair(talk.person(), talk.person())
    was = ann.value
    assert ann.writes("/profile") == Decision(effects=(says(ann, ...),))

Everything goes through the real router, features and catalogue. Decisions take effect in the world of the playbook as
in the live store: changes are stored with the next version, and chats that end lose their message map. The clock stands
still unless `later` moves it, and everybody was seen just now, so only the decision changes anything.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from passerby.dialogue.after_chat import look_back
from passerby.dialogue.keyboards import keys_for
from passerby.domain.evidence import may_concern, original_of
from passerby.domain.lifecycle import AT_ONCE_S, spoken
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Chosen, Counterpart, Decision, Env, Facts
from passerby.kernel.effect import Keyboard, Menu, Priority, Revise, Say
from passerby.kernel.event import (
    BotBlocked,
    BotUnblocked,
    ButtonPressed,
    DeliveryFailed,
    Event,
    MessageEdited,
    MessageReceived,
    Original,
    ReactionChanged,
    Refusal,
)
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId, search_of
from passerby.kernel.participant import (
    Blur,
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
from passerby.kernel.promo import Redemption, RedemptionOutcome
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from passerby.runtime.decide.router import Router
from tests.wording import catalogue

NOW = 1_800_000_000.0
RULES = Rules()
BOT, OTHER_BOT = BotId(1000001), BotId(1000002)
WORDS = catalogue()
SAME: Any = object()
"""For `says`: the keyboard of the person's current state."""


def grown_up(age: int = 30, gender: Gender = Gender.UNSAID) -> Profile:
    return Profile(consented_at=NOW, age=age, age_given_at=NOW, gender=gender, language="en")


class Playbook:
    def __init__(self, rules: Rules = RULES) -> None:
        self.router = Router(ALL, WORDS.key_with_label)
        self.env = Env(NOW, Random(7), rules, WORDS.places)
        self.people: dict[PersonId, Participant] = {}
        self.map: dict[MessageRef, Counterpart] = {}
        self.received: dict[MessageRef, ChatId] = {}
        self.anchors: dict[tuple[ChatId, PersonId], MessageRef] = {}
        self.redemptions: dict[str, Redemption] = {}
        """The records' data about promo codes."""
        self.redeemed: list[str] = []
        self.sponsored = False
        """Whether people should see the sponsor's channel."""
        self._last_message = 100
        self._last_person = 0

    def unblurred(self, *people: "Person") -> None:
        """Let these people see pictures at once, for a test about something else."""
        for each in people:
            each.prefers(blur=Blur.NEVER)

    def later(self, delay_s: float) -> None:
        self.env = msgspec.structs.replace(self.env, now=self.env.now + delay_s)

    def next_message(self) -> MessageId:
        self._last_message += 1
        return MessageId(self._last_message)

    def person(self, profile: Profile | None = None, *, bot: BotId = BOT) -> "Person":
        """An idle person who has answered everything, or has the given `profile`."""
        self._last_person += 1
        id_ = PersonId(self._last_person)
        told = grown_up() if profile is None else profile
        self.people[id_] = Participant(id_, 1, bot, (bot,), told, seen_at=self.env.now)
        return Person(self, id_, bot)

    def stranger(self, *, bot: BotId = BOT) -> "Person":
        """A person about whom nothing is known."""
        self._last_person += 1
        return Person(self, PersonId(self._last_person), bot)

    def searching(self, profile: Profile | None = None, *, bot: BotId = BOT) -> "Person":
        person = self.person(profile, bot=bot)
        person.writes("/search")
        return person

    def pair(self, one: "Person", other: "Person", *, anchored: bool = True) -> tuple["Person", "Person"]:
        """Two idle or searching people become a pair. Their notices have arrived, unless not `anchored`."""
        for each in (one, other):
            if isinstance(each.value.state, Idle):
                each.writes("/search")
        self.apply(introduce(one.value, other.value, self.env))
        if anchored:
            for each in (one, other):
                self.anchors[each.chat, each.person] = MessageRef(each.bot, self.next_message())
        return one, other

    def facts(self, person: PersonId, about: MessageRef | None) -> Facts:
        me = self.people.get(person, Participant(person))
        if isinstance(me.state, Searching):
            return Facts(me, anchor=self.anchors.get((search_of(person), person)))
        if not isinstance(me.state, Chatting):
            return Facts(me)
        other_side = self.map.get(about) if about is not None else None
        return Facts(me, self.people.get(me.state.partner), other_side, self.anchors.get((me.state.chat, person)))

    def chosen(self, event: Event, facts: Facts) -> Facts:
        """The facts with the evidence that the event names. `received` says what is proved."""
        at = original_of(event)
        chat = self.received.get(at) if at is not None else None
        if at is None or chat not in may_concern(event, facts.me, self.env.now):
            return facts
        content = event.original.content  # type: ignore[union-attr]
        return msgspec.structs.replace(facts, chosen=Chosen(chat, at, content))

    def happens(self, event: Event, about: MessageRef | None = None) -> Decision:
        facts = self.chosen(event, self.facts(event.person, about))
        decider = self.router.route(event, facts)
        also_load = self.router.also_load(decider, event, facts)
        at_hand = {event.person, facts.partner.person if facts.partner is not None else event.person}
        others = tuple(self.people[each] for each in also_load if each not in at_hand and each in self.people)
        facts = msgspec.structs.replace(facts, others=others)
        code = self.router.promo_code_in(decider, event, facts, self.env.now)
        if code is not None:
            self.redeemed.append(code)
            facts = msgspec.structs.replace(
                facts, redemption=self.redemptions.get(code, Redemption(RedemptionOutcome.UNKNOWN))
            )
        if self.router.names_bot(decider):
            facts = msgspec.structs.replace(facts, bot_name="our_bot")
        if self.sponsored and self.router.is_sponsored(decider, facts, lambda: self.env.now):
            facts = msgspec.structs.replace(facts, sponsored=True)
        decision = self.router.decide(decider, event, facts, self.env)
        self.apply(decision)
        return decision

    def apply(self, decision: Decision) -> None:
        for change in decision.changes:
            held = self.people.get(change.person)
            assert change.version == (held.version if held else 0), "a decision keeps the version that it was made on"
            self.people[change.person] = msgspec.structs.replace(change, version=change.version + 1)


class Person:
    """A person with a phone, who uses `bot`."""

    def __init__(self, talk: Playbook, person: PersonId, bot: BotId) -> None:
        self.talk = talk
        self.person = person
        self.bot = bot
        self.last_message = MessageId(0)

    @property
    def value(self) -> Participant:
        return self.talk.people.get(self.person, Participant(self.person))

    @property
    def chat(self) -> ChatId:
        assert isinstance(self.value.state, Chatting)
        return self.value.state.chat

    def writes(self, words: str, **how: Any) -> Decision:
        return self.sends(Content(Kind.TEXT, words), **how)

    def sends(
        self,
        *contents: Content,
        sent_at: float | None = None,
        message: int | None = None,
        reply_to: int | None = None,
        quote: str | None = None,
        bot: BotId | None = None,
        answers: str = "",
        original: Content | None = None,
    ) -> Decision:
        """`original` is the content of the bot's message `reply_to`, if the reply is to one of those."""
        event = self.message(*contents, sent_at=sent_at, message=message, reply_to=reply_to, quote=quote, bot=bot)
        shown = Original(MessageId(reply_to or 0), original) if original is not None else None
        event = msgspec.structs.replace(event, answers=answers, original=shown)
        about = MessageRef(event.bot, event.reply_to) if event.reply_to is not None else None
        return self.talk.happens(event, about)

    def message(
        self,
        *contents: Content,
        sent_at: float | None = None,
        message: int | None = None,
        reply_to: int | None = None,
        quote: str | None = None,
        bot: BotId | None = None,
    ) -> MessageReceived:
        first = MessageId(message) if message is not None else self.talk.next_message()
        messages = (first, *(self.talk.next_message() for _ in contents[1:]))
        self.last_message = first
        return MessageReceived(
            self.person,
            bot or self.bot,
            messages,
            contents,
            self.talk.env.now if sent_at is None else sent_at,
            MessageId(reply_to) if reply_to is not None else None,
            quote,
            language="en",
        )

    def presses(
        self,
        action: str,
        token: str = "",
        *,
        message: int | None = 50,
        subject: MessageReceived | None = None,
        original: Original | None = None,
    ) -> Decision:
        on = MessageId(message) if message is not None else None
        about = MessageRef(subject.bot, subject.messages[0]) if subject is not None else None
        event = ButtonPressed(self.person, self.bot, "query", on, action, token, "en", subject, None, original)
        return self.talk.happens(event, about)

    def prefers(self, **preferences: Any) -> None:
        wishes = msgspec.structs.replace(self.value.preferences, **preferences)
        self.talk.people[self.person] = msgspec.structs.replace(self.value, preferences=wishes)

    def looks_back(self, action: str, **how: Any) -> Decision:
        """Press a button about the last chat."""
        assert self.value.last is not None
        return self.presses(action, self.value.last.chat, **how)

    def edits(
        self,
        message: int,
        words: str,
        *,
        at: float | None = None,
        content: Content | None = None,
        sent_at: float = 0.0,
    ) -> Decision:
        about = MessageRef(self.bot, MessageId(message))
        content = content or Content(Kind.TEXT, words)
        event = MessageEdited(self.person, *about, content, self.talk.env.now if at is None else at, sent_at)
        return self.talk.happens(event, about)

    def reacts(self, message: int, emoji: str | None) -> Decision:
        about = MessageRef(self.bot, MessageId(message))
        return self.talk.happens(ReactionChanged(self.person, *about, emoji), about)

    def blocks(self, bot: BotId | None = None, refused_at: float | None = None) -> Decision:
        return self.talk.happens(BotBlocked(self.person, bot or self.bot, refused_at))

    def unblocks(self, bot: BotId | None = None) -> Decision:
        return self.talk.happens(BotUnblocked(self.person, bot or self.bot))

    def fails_to_reach(self, partner: "Person", refusal: Refusal, *, message: int = 60, chat: str = "c") -> Decision:
        return self.talk.happens(
            DeliveryFailed(
                self.person, self.bot, MessageId(message), ChatId(chat), partner.person, partner.bot, refusal
            )
        )


def says(to: Person, key: str, keyboard: Keyboard | None = SAME, *, of: State | None = None, **args: Any) -> Say:
    """A notice to a person. By default it has the keyboard of their current state, or of the state `of`."""
    rest = {name: args.pop(name) for name in ("reply_to", "priority", "anchors", "search") if name in args}
    if keyboard is SAME:
        keyboard = keys_for(of if of is not None else to.value.state)
    return Say(to.person, text(key, **args), keyboard, **rest)


def revises(to: Person, key: str, keyboard: Menu | None = None, *, message: int = 50, **args: Any) -> Revise:
    """The edit of the notice with the pressed button."""
    return Revise(to.person, MessageId(message), text(key, **args), keyboard)


def left(chat: Participant, *, reason: str, by: Person, at: float = NOW) -> LastChat:
    """The last chat of a participant who was in a chat: `chat` is the participant before it ended."""
    assert isinstance(chat.state, Chatting)
    return LastChat(chat.state.chat, chat.state.partner, at, reason, left=chat.person == by.person)


def ticket(of: Participant, *, since: float = NOW, recent: tuple[Met, ...] = (), pool: str = "adults") -> Ticket:
    """The ticket of somebody with this profile."""
    profile = of.profile
    assert profile.age is not None
    assert profile.gender is not None
    return Ticket(
        of.person,
        PoolId(pool),
        since,
        profile.gender,
        profile.age,
        tuple(Met(met.person, met.at, met.skipped) for met in recent),
        languages=spoken(profile),
        interests=profile.interests,
    )


def parted(
    was: Participant,
    *,
    reason: str,
    by: Person,
    at: float = NOW,
    state: Callable[[tuple[Met, ...]], State] | None = None,
    **fields: Any,
) -> Participant:
    """The value of `was`, a person in a chat, after it ended. `state` follows from the people they met recently."""
    assert isinstance(was.state, Chatting)
    skipped = was.person == by.person and at - was.state.opened_at < AT_ONCE_S
    recent = (Met(was.state.partner, at, skipped, was.state.chat), *was.recent)
    now = state(recent) if state is not None else Idle()
    return becomes(was, now, recent=recent, last=left(was, reason=reason, by=by, at=at), **fields)


def asks(of: Participant) -> Say:
    """The question about the chat that has just ended."""
    (question,) = look_back(of)
    return question


def becomes(was: Participant, state: State, **fields: Any) -> Participant:
    return msgspec.structs.replace(was, state=state, **fields)


__all__ = [
    "BOT",
    "NOW",
    "OTHER_BOT",
    "WORDS",
    "Chatting",
    "Idle",
    "Met",
    "Person",
    "Playbook",
    "Priority",
    "Searching",
    "asks",
    "becomes",
    "grown_up",
    "left",
    "parted",
    "revises",
    "says",
    "ticket",
]
