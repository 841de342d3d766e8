"""Routes for tests: the journal, the faults, the switches."""

from __future__ import annotations

from typing import Any

import msgspec

from botapi_sandbox.control.request import ControlError, ControlRequest, Routes
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.faults import Fault


class TestRoutes(Routes):
    """Routes that only tests and operators need."""

    def journal(self, request: ControlRequest) -> Json:
        """`?after=N`, `&brief=1`: `{"first", "last", "entries"}`, the entries after number N. See below."""
        try:
            after = int(request.query.get("after", 0))
        except ValueError:
            raise ControlError("after must be a number") from None
        entries = self._world.journal.after(after, brief=request.query.get("brief") == "1")
        return {"first": self._world.journal.first, "last": self._world.journal.last, "entries": entries}

    def faults(self, request: ControlRequest) -> list[Fault]:
        """The list of faults, with the counts that are left. See below."""
        return self._world.faults

    def put_faults(self, request: ControlRequest) -> list[Fault]:
        """Replaces the faults with this list."""
        given = request.items if request.items is not None else request.body.get("faults", [])
        self._world.faults = msgspec.convert(given, list[Fault])
        return self._world.faults

    def settings(self, request: ControlRequest) -> Any:
        """The switches. See below."""
        return self._world.switches

    def put_settings(self, request: ControlRequest) -> Any:
        """`{"<switch>": value}`: changes these switches."""
        return self._world.switch(request.body)
