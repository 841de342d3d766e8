"""The status of one worker, for operators: whether it is ready, what it holds, and what it knows of the others."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from passerby import __version__
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records, RecordsLost
from passerby.runtime.membership.report import read_report
from passerby.runtime.worker import Worker
from passerby.telemetry import logs

ANSWER_WITHIN_S = 2.0


class WorkerStatus:
    """`role` and `name` are those that the process was started with. `serves`: the bots, and their Bot API server."""

    def __init__(
        self,
        worker: Worker,
        store: LiveStore,
        records: Records,
        name: str,
        role: str,
        serves: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self._worker = worker
        self._store = store
        self._records = records
        self._name = name
        self._role = role
        self._serves = serves

    async def unready(self) -> Sequence[str]:
        """The reasons why updates should go to another worker.

        The records are no reason: without them, only people whom the live store does not know have to wait.
        """
        reasons = []
        if not self._worker.is_ready:
            reasons.append("it is starting, or stopping")
        elif not self._worker.membership.is_assured:
            reasons.append("it is not sure of its leases")
        live = await self._live()
        if live != "ok":
            reasons.append(f"the live store {live}")
        return reasons

    async def status(self) -> Mapping[str, object]:
        live, records = await asyncio.gather(self._live(), self._recorded())
        report, members = self._worker.report(), self._worker.membership.members
        return {
            "name": self._name,
            "role": self._role,
            "serves": dict(self._serves),
            "pid": os.getpid(),
            "version": __version__,
            "worker": self._worker.id,
            "since": report.since,
            "assured": self._worker.membership.is_assured,
            "figures": msgspec.to_builtins(report.figures),
            "idle_bots": report.idle_bots,
            "doubted_bots": report.doubted_bots,
            "stores": {"live": live, "records": records},
            "workers": {worker: msgspec.to_builtins(read_report(blob)) for worker, blob in members.workers.items()},
            "holders": dict(members.holders),
        }

    async def _live(self) -> str:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._store.figures()
        except TimeoutError:
            return "takes long to answer"
        except LiveStoreLost as error:
            return f"does not answer ({logs.name_of(error)})"
        return "ok"

    async def _recorded(self) -> str:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._records.applied("")
        except TimeoutError:
            return "takes long to answer"
        except RecordsLost as error:
            return f"does not answer ({logs.name_of(error)})"
        return "ok"
