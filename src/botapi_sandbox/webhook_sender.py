"""Sends webhook requests: asks the core what is due, posts it, and reports the result. The core decides everything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from botapi_sandbox.world import World
from botapi_sandbox.world.webhooks import Delivery

ANSWER_WITHIN_S = 60.0
MOST_REPLY = 2**20


class WebhookSender:
    """One loop per bot that has a webhook."""

    def __init__(self, world: World, tasks: asyncio.TaskGroup) -> None:
        self._world = world
        self._tasks = tasks
        self._wakes: dict[int, asyncio.Event] = {}
        self._loops: dict[int, asyncio.Task[None]] = {}
        self._client: Client | None = None
        self._stops: list[Callable[[], None]] = []

    def start(self) -> None:
        """Start the loops of the bots that already have a webhook."""
        self._stops.append(self._world.on_webhook(self._changed))
        for bot_id in self._world.state.bots:
            self._changed(bot_id)

    def stop(self) -> None:
        """End all loops. Requests in flight are delivered again after a restart."""
        for stop in self._stops:
            stop()
        for loop in self._loops.values():
            loop.cancel()

    def _changed(self, bot_id: int) -> None:
        wake = self._wakes.get(bot_id)
        if wake is not None:
            wake.set()
        elif self._world.state.bots[bot_id].queue.webhook is not None:
            wake = self._wakes[bot_id] = asyncio.Event()
            self._stops.append(self._world.on_update(bot_id, wake.set))
            self._loops[bot_id] = self._tasks.create_task(self._loop(bot_id, wake))

    async def _loop(self, bot_id: int, wake: asyncio.Event) -> None:
        in_flight: set[asyncio.Task[None]] = set()
        try:
            while True:
                wake.clear()
                for delivery in self._world.webhooks.due(bot_id):
                    task = self._tasks.create_task(self._deliver(delivery, wake))
                    in_flight.add(task)
                    task.add_done_callback(in_flight.discard)
                due = self._world.webhooks.next_due(bot_id)
                wait_s = None if due is None else max(0.0, due - self._world.now()) + 0.001
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), wait_s)
        finally:
            for task in in_flight:
                task.cancel()

    async def _deliver(self, delivery: Delivery, wake: asyncio.Event) -> None:
        status: int | None = None
        retry_after_s: float | None = None
        error: str | None = None
        reply: dict[str, Any] | None = None
        try:
            request = (
                self._http()
                .post(delivery.url)
                .header("Content-Type", "application/json")
                .header("User-Agent", "botapi_sandbox")
                .body_bytes(delivery.body)
            )
            if delivery.secret:
                request = request.header("X-Telegram-Bot-Api-Secret-Token", delivery.secret)
            response = await request.build().send()
            status = response.status
            after = response.headers.get("retry-after")
            retry_after_s = float(after) if after is not None and after.isdigit() else None
            body = bytes(await response.bytes())
            if 200 <= status < 300 and body[:1] == b"{" and len(body) <= MOST_REPLY:
                reply = _reply(body)
        except PyreqwestError as failure:
            error = f"Connection failed: {type(failure).__name__}" if status is None else None
        self._world.webhooks.answered(delivery, status, retry_after_s=retry_after_s, error=error, reply=reply)
        wake.set()

    def _http(self) -> Client:
        if self._client is None:
            timeout = timedelta(seconds=ANSWER_WITHIN_S)
            self._client = ClientBuilder().timeout(timeout).no_proxy().follow_redirects(False).build()
        return self._client


def _reply(body: bytes) -> dict[str, Any] | None:
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return decoded if isinstance(decoded, dict) else None
