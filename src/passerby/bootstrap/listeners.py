"""Opens the addresses on which this process answers: for operators, and for Telegram's webhooks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from passerby.adapters.botapi.webhook_api import arrival
from passerby.kernel.ids import BotId
from passerby.runtime.worker import Worker
from passerby.runtime.worker_status import WorkerStatus
from passerby.settings import Settings, WrongSetting
from passerby.telemetry import logs, metrics
from passerby.web import CannotListen, Listener, Pages, Webhooks, listen_on_socket, listen_on_tcp
from passerby.web.endpoints import endpoint_of


class Listeners:
    """Operators' pages on a socket and perhaps a port, and the address that receives webhooks.

    It outlasts the incarnations of the worker. The webhook address is only open while a worker takes updates: if
    several processes share the port, new connections then reach the others.
    """

    def __init__(self, settings: Settings, keys: tuple[bytes, ...], name: str, *, webhooks: bool) -> None:
        self._keys = keys
        self._pages = Pages(metrics.exposition)
        self._webhooks = Webhooks((endpoint_of(bot, key) for key in keys for bot in settings.tokens), arrival)
        self._endpoint = settings.webhook_address if webhooks else None
        self._listeners: list[Listener] = []
        self._at_endpoint: Listener | None = None
        listen: list[tuple[str, Callable[[], Listener]]] = [
            ("RUN_DIR", lambda: listen_on_socket(self._pages, settings.run_path / f"{name}.sock"))
        ]
        if (address := settings.metrics_address) is not None:
            listen.append(("METRICS_LISTEN", lambda: listen_on_tcp(self._pages, *address, or_next=True)))
        for setting, begin in listen:
            try:
                listener = begin()
            except CannotListen as error:
                logs.record("pages.unavailable", "warning", setting=setting, reason=str(error))
            else:
                self._listeners.append(listener)
                logs.record("pages.listening", "debug", setting=setting, address=listener.address)

    def know_bots(self, bots: Iterable[BotId]) -> None:
        """Also receive the updates of these bots."""
        self._webhooks.know(endpoint_of(bot, key) for key in self._keys for bot in bots)

    def begin(self, app: Worker, worker_status: WorkerStatus) -> None:
        """A worker takes updates now. Raises: WrongSetting."""
        self._pages.watched = worker_status
        self._webhooks.open(app)
        if self._endpoint is not None and self._at_endpoint is None:
            try:
                self._at_endpoint = listen_on_tcp(self._webhooks, *self._endpoint, shared=True)
            except CannotListen as error:
                raise WrongSetting("WEBHOOK_LISTEN", str(error), "name an address that is free") from None
            logs.record("webhook.listening", "debug", address=self._at_endpoint.address)

    def end(self, lapsed: bool) -> None:
        """The worker takes no more updates. `lapsed`: another worker begins soon; otherwise the process ends."""
        if lapsed:
            self._webhooks.abandon()
            return
        self._webhooks.close()
        if self._at_endpoint is not None:
            self._at_endpoint.refuse()

    async def aclose(self) -> None:
        self._webhooks.abandon()
        if self._at_endpoint is not None:
            self._listeners.append(self._at_endpoint)
        await asyncio.gather(*(listener.aclose() for listener in self._listeners))


@asynccontextmanager
async def listening(
    settings: Settings, keys: tuple[bytes, ...], name: str, *, webhooks: bool
) -> AsyncIterator[Listeners]:
    """`keys`: this installation's key, then former ones. `webhooks`: this process receives them."""
    listeners = Listeners(settings, keys, name, webhooks=webhooks)
    try:
        yield listeners
    finally:
        await listeners.aclose()
