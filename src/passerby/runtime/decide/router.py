"""Finds the decider of an event.

For a message, in this order: a command at its very start; the open question of a newcomer; the label of a reply key,
exactly, in any language; a message that begins like a command but is none; a message that the person was asked for;
otherwise the decider for the person's state. A command word inside a sentence is a sentence.

`decide` is as pure as the deciders: it adds only what holds for every feature. A person is reached through the bot that
they were last heard of on. A suspended or banned person reaches only what is open to them.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

import msgspec

from passerby.domain.commands import command_in, slip_in
from passerby.domain.lifecycle import arrive
from passerby.domain.sanctions import bar
from passerby.kernel.content import Kind
from passerby.kernel.decision import NOTHING, Decider, Decision, Env, Facts
from passerby.kernel.effect import Answer
from passerby.kernel.event import ButtonPressed, Event, MessageReceived, Overrun
from passerby.kernel.feature import LAST, AlsoLoad, CodeReader, Feature, HelpLine, MenuCommand
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Searching, State

_BY_HAND: Final = (MessageReceived, ButtonPressed)
_TEXT: Final = Kind.TEXT  # to look it up in its class costs as much as a call

KeyWithLabel = Callable[[str], str | None]
"""The text key of the reply key with exactly this label, in any language."""


class Router:
    def __init__(self, features: Iterable[Feature], key_with_label: KeyWithLabel) -> None:
        """Raises: ValueError, if two features have the same key."""
        self._key_with_label = key_with_label
        self._commands: dict[str, Decider] = {}
        self._words: dict[str, Decider] = {}
        self._presses: dict[str, Decider] = {}
        self._messages: dict[type[State], Decider] = {}
        self._events: dict[type[Event], Decider] = {}
        self._open: set[Decider] = set()
        self._newcomer: Decider | None = None
        self._barred: Decider | None = None
        self._open_to_barred: set[Decider] = set()
        self._unknown: Decider | None = None
        self._awaits: list[Callable[[MessageReceived, Facts], Decider | None]] = []
        self._also_load: dict[Decider, AlsoLoad] = {}
        self._redeems: dict[Decider, CodeReader] = {}
        self._name_bot: set[Decider] = set()
        self._sponsored: set[Decider] = set()
        unknown: Callable[[Collection[str]], Decider] | None = None
        help_page: Callable[[tuple[HelpLine, ...]], Decider] | None = None
        barred: Callable[[tuple[str, ...]], Decider] | None = None
        menu: list[MenuCommand] = []
        lines: list[HelpLine] = []
        for feature in features:
            for table, keys in (
                (self._commands, feature.commands),
                (self._words, feature.words),
                (self._presses, feature.presses),
                (self._messages, feature.messages),
                (self._events, feature.events),
            ):
                for key, decider in keys.items():
                    if key in table:
                        raise ValueError(f"{feature.name} has {key}, which another feature has, too")
                    table[key] = decider  # type: ignore[index]
            self._also_load.update(feature.also_load)
            self._redeems.update(feature.redeems)
            self._name_bot.update(feature.names_bot)
            self._sponsored.update(feature.sponsored)
            menu += feature.menu
            lines += feature.help
            if feature.open_to_all:
                self._open.update(feature.commands.values(), feature.presses.values())
            self._open_to_barred.update(feature.open_to_barred)
            if feature.barred is not None:
                if barred is not None:
                    raise ValueError(f"{feature.name} is the second to answer people who are barred")
                barred = feature.barred
            if feature.newcomer is not None:
                if self._newcomer is not None:
                    raise ValueError(f"{feature.name} is the second to greet newcomers")
                self._newcomer = feature.newcomer
            if feature.awaits is not None:
                self._awaits.append(feature.awaits)
            if feature.unknown is not None:
                if unknown is not None:
                    raise ValueError(f"{feature.name} is the second to answer unknown commands")
                unknown = feature.unknown
            if feature.help_page is not None:
                if help_page is not None:
                    raise ValueError(f"{feature.name} is the second to show help")
                help_page = feature.help_page
        if help_page is not None:
            if "help" in self._commands:
                raise ValueError("/help is answered by a feature that has no help page")
            shown = help_page(tuple(sorted(lines, key=lambda each: (each.place, each.line))))
            self._commands["help"] = shown
            self._open.add(shown)
            self._open_to_barred.add(shown)
        self.menu = tuple(sorted(menu, key=lambda command: (command.place, command.name)))
        """The menu of every bot, in order, whatever the rules."""
        for command in self.menu:
            if command.name not in self._commands:
                raise ValueError(f"the menu has /{command.name}, which no feature answers")
        if unknown is not None:
            self._unknown = unknown(self.commands)
        places = {command.name: command.place for command in menu}
        still = [name for name, decider in self._commands.items() if decider in self._open_to_barred]
        self.open_to_barred = tuple(sorted(still, key=lambda name: (places.get(name, LAST), name)))
        """The commands that a suspended or banned person can use, in the order of the menu."""
        if barred is not None:
            self._barred = barred(self.open_to_barred)
        self.asking = frozenset[Decider | None]({*self._name_bot, *self._also_load, *self._redeems, *self._sponsored})
        """The deciders that may need more than the facts of the person and their partner."""

    @property
    def commands(self) -> frozenset[str]:
        return frozenset(self._commands)

    def is_for_us(self, event: Event) -> bool:
        """Whether an event is a command, a button or a reply key, and not a message for a partner."""
        if isinstance(event, MessageReceived):
            words = event.text
            return words.startswith("/") or (words != "" and self._key_with_label(words) is not None)
        return isinstance(event, ButtonPressed)

    def also_load(self, decider: Decider | None, event: Event, facts: Facts) -> tuple[PersonId, ...]:
        """The people whom the decider needs besides the person and their partner."""
        asked = self._also_load.get(decider) if decider is not None else None
        return asked(event, facts) if asked is not None else ()

    def names_bot(self, decider: Decider | None) -> bool:
        """Whether the decider needs the bot's username."""
        return decider in self._name_bot

    def promo_code_in(self, decider: Decider | None, event: Event, facts: Facts, now: float) -> str | None:
        """The promo code that the person uses with the event, if they may."""
        asked = self._redeems.get(decider) if decider is not None else None
        return asked(event, facts, now) if asked is not None and bar(facts.me, now) is None else None

    def is_enough(self, decider: Decider | None, event: Event, facts: Facts, now: Callable[[], float]) -> bool:
        """Whether the decider needs nothing besides the facts of the person and their partner."""
        if decider in self._name_bot:
            return False
        if decider not in self._also_load and decider not in self._redeems:
            return True
        return not self.also_load(decider, event, facts) and self.promo_code_in(decider, event, facts, now()) is None

    def is_sponsored(self, decider: Decider | None, facts: Facts, now: Callable[[], float]) -> bool:
        """Whether the decider needs to know if the person should see the sponsor's channel."""
        if decider not in self._sponsored:
            return False
        return not isinstance(facts.me.state, Searching) and bar(facts.me, now()) is None

    def decide(self, decider: Decider | None, event: Event, facts: Facts, env: Env) -> Decision:
        """The decision of the decider that `route` found."""
        before = me = facts.me
        if type(event) is MessageReceived or type(event) is ButtonPressed or type(event) is Overrun:
            thread = before.thread if isinstance(event, Overrun) else event.thread
            me = arrive(before, event.bot, event.language, env.now, thread)
            if me is not before:
                facts = msgspec.structs.replace(facts, me=me)
        if me.sanctions and me_is_barred(event, facts, env) and decider not in self._open_to_barred:
            decider = self._barred
        decision = decider(event, facts, env) if decider is not None else NOTHING
        if me is not before and all(change.person != me.person for change in decision.changes):
            decision = msgspec.structs.replace(decision, changes=(me, *decision.changes))
        return decision

    def route(self, event: Event, facts: Facts) -> Decider | None:
        """The decider that the event belongs to; None if there is nothing to decide."""
        if type(event) is ButtonPressed:
            return self._unless_newcomer(self._presses.get(event.action, _stale_button), facts)
        if type(event) is not MessageReceived:
            return self._events.get(type(event))
        first = event.contents[0]
        words = first.text if first.kind is _TEXT else ""  # `event.text`, without a call
        is_plain = words[:1].isalnum()  # like nearly every message; then it begins with no command
        command = None if is_plain else command_in(words)
        if command is not None and (decider := self._commands.get(command)) is not None:
            return self._unless_newcomer(decider, facts)
        me = facts.me.profile
        if me.consented_at is None or me.age is None or me.gender is None:  # `complete`, without a call
            return self._newcomer
        if words:
            key = self._key_with_label(words)
            if key is not None and (decider := self._words.get(key)) is not None:
                return decider
        if self._unknown is not None and not is_plain:
            is_slip = command is not None or slip_in(words, self._commands) is not None
            if is_slip:
                return self._unknown
        for awaits in self._awaits:
            if (decider := awaits(event, facts)) is not None:
                return decider
        return self._messages.get(type(facts.me.state))

    def _unless_newcomer(self, decider: Decider, facts: Facts) -> Decider | None:
        if facts.me.profile.complete or decider in self._open:
            return decider
        return self._newcomer


def me_is_barred(event: Event, facts: Facts, env: Env) -> bool:
    """Whether a person who is suspended or banned did this."""
    by_hand = bool(facts.me.sanctions) and isinstance(event, _BY_HAND)
    return by_hand and bar(facts.me, env.now) is not None


def _stale_button(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """A button of a former release: its spinner stops, nothing else."""
    return Decision(effects=(Answer(event.query),))
