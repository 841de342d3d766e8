"""The same as `transport`, but through a proxy named by the environment. It is slower, and rarely needed.

Where Telegram cannot be reached directly, `HTTPS_PROXY` and similar variables name a proxy. pyreqwest supports every
kind of proxy.
"""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError

from passerby.adapters.botapi import errors
from passerby.adapters.botapi.connection import Asker, Lost, Reply
from passerby.adapters.botapi.transport import CONNECT_S, IDLE_S


def is_proxied(base_url: str) -> bool:
    """Whether the environment says that this server is reached through a proxy."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    proxies = getproxies()
    return (parts.scheme in proxies or "all" in proxies) and not is_loopback(host) and not proxy_bypass(host)


def is_loopback(host: str) -> bool:
    """A proxy from the environment cannot reach a server on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def builder(base_url: str, max_connections: int) -> ClientBuilder:
    """Return the settings that every pyreqwest client here shares."""
    client = (
        ClientBuilder()
        .user_agent("passerby")
        .max_connections(max_connections)
        .connect_timeout(timedelta(seconds=CONNECT_S))
        .pool_timeout(timedelta(seconds=30))
        .pool_idle_timeout(timedelta(seconds=IDLE_S))
        .tcp_keepalive(timedelta(seconds=30))
        # A redirect or a Referer would carry the token somewhere else.
        .follow_redirects(False)
        .referer(False)
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
    )
    return client.no_proxy() if is_loopback(urlsplit(base_url).hostname or "") else client


class ProxiedTransport:
    """See `transport.Transport`. Here a head is the URL."""

    def __init__(self, base_url: str, *, max_connections: int, on_connected: Callable[[], None]) -> None:
        self._base = base_url
        self._on_connected = on_connected
        headers = {"Content-Type": "application/json"}
        self._http = builder(base_url, max_connections).default_headers(headers).build()

    def head(self, path: str) -> bytes:
        return f"{self._base}{path}".encode()

    def begin(self, head: bytes, body: bytes, timeout_s: float, asker: Asker) -> None:
        """Here, a request cannot be sent without a wait."""

    async def post(self, head: bytes, body: bytes, timeout_s: float) -> Reply:
        request = self._http.post(head.decode()).body_bytes(body).timeout(timedelta(seconds=timeout_s)).build()
        try:
            response = await request.send()
            return Reply(response.status, (await response.bytes()).to_bytes(), response.get_header("Retry-After"))
        except DetailedPyreqwestError as error:
            lost = errors.lost(error, sends=True)
        raise Lost(lost.reason, sent=lost.uncertain)

    async def aclose(self) -> None:
        await self._http.close()
