"""Clients for streaming files: pyreqwest, with a fixed address of the server.

By itself pyreqwest spends half of its time limit on a dead address before it tries the next one of the same family. So
it gets the address that works for calls (see `dialler`), and there is one client for each address.
"""

import asyncio

from pyreqwest.client import Client as Streaming

from passerby.adapters.botapi.dialler import Dialler
from passerby.adapters.botapi.proxied import builder, is_proxied
from passerby.adapters.botapi.transport import CONNECT_S, place_of
from passerby.ports.telegram import Unavailable

MOST = 8
"""How many addresses are kept; a server rarely has more."""


class StreamingClients:
    def __init__(self, base_url: str, max_connections: int, dialler: Dialler | None) -> None:
        """`dialler` None: requests go through a proxy, which looks up the server itself."""
        self._base = base_url
        self._max_connections = max_connections
        self._dialler = None if is_proxied(base_url) else dialler
        self._host, _ = place_of(base_url)
        self._clients: dict[str, Streaming] = {}

    async def get(self) -> Streaming:
        """Return a client for a transfer. Raises: Unavailable."""
        if self._dialler is None:
            return self._of("")
        failure = "no connection (time-out)"
        try:
            async with asyncio.timeout(CONNECT_S):
                return self._of(await self._dialler.best())
        except TimeoutError:
            pass
        except OSError as error:
            failure = f"no connection ({type(error).__name__})"
        raise Unavailable(failure, uncertain=False)

    def _of(self, ip: str) -> Streaming:
        client = self._clients.get(ip)
        if client is None:
            while len(self._clients) >= MOST:
                del self._clients[next(iter(self._clients))]  # transfers under way keep their client
            build = builder(self._base, self._max_connections)
            # Port 0 means the port that the URL names.
            client = self._clients[ip] = (
                build.resolve(self._host, ip, 0) if ip not in ("", self._host) else build
            ).build()
        return client

    async def aclose(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients.values()))
