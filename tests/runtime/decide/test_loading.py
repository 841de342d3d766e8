"""Each event is routed once, and the facts for its decider are loaded."""

from typing import Any

import pytest

from passerby.kernel.decision import Decider, Facts
from passerby.kernel.event import Event
from passerby.runtime.decide.router import Router
from tests.runtime.virtual import run
from tests.runtime.world import ANN, Bench, somebody, written


@pytest.mark.parametrize("words", ["/search", "/help", "hello", "/nonsense"])
def test_each_message_is_routed_once(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    routed: list[Event] = []
    route = Router.route

    def counted(self: Any, event: Event, facts: Facts) -> Decider | None:
        routed.append(event)
        return route(self, event, facts)

    monkeypatch.setattr(Router, "route", counted)

    async def main() -> None:
        bench = Bench()
        await bench.put(somebody(ANN))
        bench.happens(written(ANN, words))
        await bench.quiet()
        assert bench.telegram.sent
        await bench.close()

    run(main())
    assert len(routed) == 1
