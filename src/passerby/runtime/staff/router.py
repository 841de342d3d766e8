"""Finds the decider of what staff do, and refuses what their role does not allow."""

from collections.abc import Iterable, Mapping

from passerby.dialogue.staff import refused
from passerby.domain.commands import command_in
from passerby.domain.team import may
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.staff import (
    Allowed,
    Permission,
    StaffDecider,
    StaffDecision,
    StaffFacts,
    StaffFeature,
    StaffRequest,
)
from passerby.kernel.text import text

HELP = "help"


class StaffRouter:
    def __init__(self, features: Iterable[StaffFeature]) -> None:
        """Raises: ValueError, if two features have the same key."""
        self._commands: dict[str, Allowed] = {}
        self._presses: dict[str, Allowed] = {}
        self._requests: dict[type[StaffRequest], Allowed] = {}
        strangers: list[StaffDecider] = []
        helps = []
        features = tuple(features)
        agreed = {kind: way for feature in features for kind, way in feature.agreed.items()}
        features += tuple(feature.seconds(agreed) for feature in features if feature.seconds is not None)
        self._awaits = [feature.awaits for feature in features if feature.awaits is not None]
        for feature in features:
            for table, keys in (
                (self._commands, feature.commands),
                (self._presses, feature.presses),
                (self._requests, feature.requests),
            ):
                for key, allowed in keys.items():
                    if key in table:
                        raise ValueError(f"{feature.name} has {key}, which another staff feature has, too")
                    table[key] = allowed  # type: ignore[index]
            if feature.stranger is not None:
                strangers.append(feature.stranger)
            if feature.help is not None:
                helps.append(feature.help)
        if len(strangers) != 1 or len(helps) != 1:
            raise ValueError("one staff feature answers strangers, and one gives help")
        self._stranger = strangers[0]
        self._help = helps[0](self.commands)
        self._commands[HELP] = Allowed(self._help)

    @property
    def commands(self) -> Mapping[str, Permission | None]:
        """All commands by name, with the permissions that they need."""
        return {name: allowed.needs for name, allowed in sorted(self._commands.items())} | {HELP: None}

    def decide(self, event: Event | StaffRequest, facts: StaffFacts, env: Env) -> StaffDecision:
        """The decision on what somebody did in the staff bot, or asked for elsewhere."""
        if facts.me is None:
            return self._stranger(event, facts, env)
        match event:
            case MessageReceived():
                allowed = self._for_message(event, facts)
            case ButtonPressed():
                allowed = self._presses.get(event.action, Allowed(_stale_button))
            case StaffRequest():
                allowed = self._requests[type(event)]
            case _:
                return StaffDecision()
        if not may(facts.me, allowed.needs):
            return refused(event, text("team.not_allowed"))
        return allowed.decider(event, facts, env)

    def _for_message(self, event: MessageReceived, facts: StaffFacts) -> Allowed:
        command = command_in(event.text)
        if command is not None:
            return self._commands.get(command, Allowed(self._help))
        awaited = (found for awaits in self._awaits if (found := awaits(event, facts)) is not None)
        return next(awaited, Allowed(self._help))


def _stale_button(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return StaffDecision(effects=(Answer(event.query),))
