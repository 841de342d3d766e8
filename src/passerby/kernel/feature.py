"""A feature: one ability, as a table from events to the functions that decide."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from passerby.kernel.decision import Decider, Facts
from passerby.kernel.event import Event, MessageReceived
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import State
from passerby.kernel.rules import Rules

AlsoLoad = Callable[[Any, Facts], tuple[PersonId, ...]]
"""Pure: (event, facts) -> the other people that the decision is about. It finds them in `Facts.others`."""

CodeReader = Callable[[Any, Facts, float], str | None]
"""Pure: (event, facts, now) -> the promo code that the person uses with it; None: none, or they may not try now."""


LAST = 1_000
"""The place of commands that have no other one."""


def always(rules: Rules) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class MenuCommand:
    """A command in the menu of every bot. `description` is the text key of what the menu says about it. Under other
    rules than `when` wants, the menu leaves it out.

    The menu is sorted by `place`, then by name. Without a place, a command comes after those that have one.
    """

    name: str
    description: str
    place: int = LAST
    when: Callable[[Rules], bool] = always


@dataclass(frozen=True, slots=True)
class HelpLine:
    """The line of `/help` about a command of a feature: `line` is a text key, and the line begins with the command.

    Lines are sorted by `place`, then by key. Under other rules than `when` wants, a line is left out.
    """

    line: str
    place: int = LAST
    when: Callable[[Rules], bool] = always


@dataclass(frozen=True, slots=True)
class Feature:
    """The table of one ability: which decider handles which event. Two features cannot have the same word, command or
    button.

    - `commands`: names without the slash. Aliases are further entries.
    - `menu`: those of its commands that a bot's menu shows.
    - `help`: what `/help` says about its commands, besides the page itself.
    - `help_page`: gets the lines of all features, in order, and makes the decider of `/help`. Only one feature has it.
    - `words`: text keys of reply-keyboard buttons. Their labels match exactly, in every language.
    - `awaits`: returns the decider for a message that the person was asked for, or None. It comes before the deciders
      below.
    - `unknown`: gets the names of all commands, and makes the decider for messages that look like a command but are
      none. Only one feature has it.
    - `presses`: actions of inline buttons.
    - `messages`: everything else that a person writes in that state.
    - `events`: everything that is not a message or a press.
    - `newcomer`: everything that a person does before they have answered the first questions. Only one feature has it.
    - `barred`: gets the names of the commands that are open to a suspended or banned person, and makes the decider of
      everything else that they do. Only one feature has it.
    - `open_to_barred`: the deciders that such a person reaches in spite of that.
    - `open_to_all`: newcomers may use its commands and presses, too.
    - `redeems`: the deciders that find out in `Facts.redemption` whether a promo code is the person's now.
    - `names_bot`: the deciders that find the bot's username in `Facts.bot_name`.
    - `sponsored`: the deciders that find out in `Facts.sponsored` whether the person should see the sponsor's channel.
    - `also_load`: the deciders that look at, or change, more people than a person and their partner.
    """

    name: str
    commands: Mapping[str, Decider] = field(default_factory=dict)
    menu: tuple[MenuCommand, ...] = ()
    help: tuple[HelpLine, ...] = ()
    help_page: Callable[[tuple[HelpLine, ...]], Decider] | None = None
    words: Mapping[str, Decider] = field(default_factory=dict)
    presses: Mapping[str, Decider] = field(default_factory=dict)
    messages: Mapping[type[State], Decider] = field(default_factory=dict)
    events: Mapping[type[Event], Decider] = field(default_factory=dict)
    newcomer: Decider | None = None
    awaits: Callable[[MessageReceived, Facts], Decider | None] | None = None
    unknown: Callable[[Collection[str]], Decider] | None = None
    barred: Callable[[tuple[str, ...]], Decider] | None = None
    open_to_barred: Collection[Decider] = ()
    open_to_all: bool = False
    also_load: Mapping[Decider, AlsoLoad] = field(default_factory=dict)
    redeems: Mapping[Decider, CodeReader] = field(default_factory=dict)
    names_bot: Collection[Decider] = ()
    sponsored: Collection[Decider] = ()
