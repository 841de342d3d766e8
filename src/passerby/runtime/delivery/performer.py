"""Tells queues what has happened, and performs the commands that they answer with.

Events are handled one after another. An event that comes of a command waits until the commands before it are
performed.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from passerby.domain.delivery.commands import Command
from passerby.domain.delivery.events import Event
from passerby.ports.clock import Clock
from passerby.runtime.delivery.courier_queue import CourierQueue
from passerby.runtime.tasks import Background

Perform = Callable[[CourierQueue, Any, float], Event | None]
"""Performs one kind of command for a queue, at a time in monotonic seconds. Returns what came of it, if that is known
already: the queue hears of it before all other events."""


class Performer:
    def __init__(self, background: Background, clock: Clock) -> None:
        self.perform: dict[type[Command], Perform] = {}
        """How each kind of command is performed. It is filled later, because these functions call `feed`."""
        self._background = background
        self._clock = clock
        self._events: deque[tuple[CourierQueue, Event]] = deque()
        self._is_performing = False
        self._abandoned = False

    def feed(self, queue: CourierQueue, event: Event) -> None:
        """Tell a queue what has happened, and perform what it commands. Raises nothing."""
        if self._abandoned:
            return
        events = self._events
        if self._is_performing:
            events.append((queue, event))
            return
        if events:
            events.append((queue, event))
            queue, event = events.popleft()
        self._is_performing = True
        try:
            now, perform = self._clock.monotonic(), self.perform
            while True:
                answer: Event | None = None
                try:
                    for command in queue.handle(event, now):
                        answer = perform[type(command)](queue, command, now) or answer
                except Exception as error:  # noqa: BLE001  # one queue's bug does not stop the others
                    self._background.report(error)
                if (answer is None and not events) or self._abandoned:
                    return
                if answer is not None:
                    event = answer
                else:
                    queue, event = events.popleft()
        finally:
            self._is_performing = False

    def feed_first(self, queue: CourierQueue, event: Event) -> None:
        """Like `feed`, but the event goes before all others that wait. It is for an answer that is there at once.

        A queue that hears of another delivery before the answer asks again.
        """
        if self._is_performing:
            self._events.appendleft((queue, event))
        else:
            self.feed(queue, event)

    def abandon(self) -> None:
        """Handle no further event."""
        self._abandoned = True
