"""Connects to a server with several addresses, some of which may be dead. Source: RFC 8305, "Happy Eyeballs".

Addresses are tried one after the other: each one a quarter of a second after the one before it, or at once if that one
has failed. The first connection wins and the others are dropped. The next time, an address that worked is tried first,
and an address that failed or was too slow goes last for a while. IPv6 and IPv4 take turns, so a family without a route
costs one such pause.

All callers that wait for a name share one look-up. While the resolver fails or hangs, its last answer is used.
"""

import asyncio
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Any, NamedTuple

DELAY_S = 0.25
"""Source: RFC 8305, section 8: Connection Attempt Delay."""

FRESH_S = 30.0
"""How long an answer of the resolver is used before it is asked again."""

STALE_WAIT_S = 0.5
"""How long to wait for a new answer if there is an older one."""

DEMOTED_S = 300.0
TRUSTED_S = 60.0
"""An address that worked this recently is assumed to work."""


class Address(NamedTuple):
    family: int
    kind: int
    protocol: int
    place: Any
    """The address for a socket of this family: (ip, port), or four values for IPv6."""

    @property
    def ip(self) -> str:
        return str(self.place[0])


class Dialler:
    """Connects to one host and port. Belongs to the event loop that first uses it."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._known: list[Address] = []
        self._known_at = float("-inf")
        self._lookup: asyncio.Task[list[Address]] | None = None
        self._winner: Address | None = None
        self._won_at = float("-inf")
        self._demoted: dict[Address, float] = {}

    async def connect(self) -> tuple[socket.socket, Address]:
        """Return a connected socket and its address. Raises: OSError. The caller limits the time."""
        loop = asyncio.get_running_loop()
        order = self._ordered(await self._addresses(), loop.time())
        if len(order) == 1:
            only = await _attempt(order[0])
            self._note(order[0], (), loop.time())
            return only, order[0]
        attempts: dict[asyncio.Task[socket.socket], Address] = {}
        failure: OSError = OSError("the name has no address")
        try:
            while order or attempts:
                if order:
                    address = order.pop(0)
                    attempts[asyncio.ensure_future(_attempt(address))] = address
                done, _ = await asyncio.wait(
                    attempts, timeout=DELAY_S if order else None, return_when=asyncio.FIRST_COMPLETED
                )
                for attempt in done:
                    address = attempts.pop(attempt)
                    error = attempt.exception()
                    if error is None:
                        self._note(address, list(attempts.values()), loop.time())
                        return attempt.result(), address
                    self.demote(address)
                    if not isinstance(error, OSError):
                        raise error
                    failure = error
        finally:
            await _drop(attempts)
        raise failure

    async def best(self) -> str:
        """Return an IP address of the host that works, as far as known. Raises: OSError. The caller limits the time."""
        loop = asyncio.get_running_loop()
        if self._winner is not None and loop.time() - self._won_at < TRUSTED_S:
            return self._winner.ip
        connected, address = await self.connect()
        connected.close()
        return address.ip

    def demote(self, address: Address) -> None:
        """Note that this address failed. For a while, the others are tried first."""
        self._demoted[address] = asyncio.get_running_loop().time() + DEMOTED_S
        if self._winner == address:
            self._winner = None

    def aclose(self) -> None:
        if self._lookup is not None:
            self._lookup.cancel()
            self._lookup = None

    def _note(self, winner: Address, losers: Iterable[Address], now: float) -> None:
        self._winner, self._won_at = winner, now
        self._demoted.pop(winner, None)
        for loser in losers:
            self._demoted[loser] = now + DEMOTED_S

    def _ordered(self, addresses: list[Address], now: float) -> list[Address]:
        """Return the order of attempts: first the address that worked last, then the families in turn, then addresses
        that failed lately."""
        self._demoted = {address: until for address, until in self._demoted.items() if until > now}
        families: dict[int, list[Address]] = {}
        for address in addresses:
            families.setdefault(address.family, []).append(address)
        alternating = [each for each in chain.from_iterable(zip_longest(*families.values())) if each is not None]
        return sorted(alternating, key=lambda each: (each in self._demoted, each != self._winner))

    async def _addresses(self) -> list[Address]:
        loop = asyncio.get_running_loop()
        literal = _literal(self._host, self._port)
        if literal is not None:
            return [literal]
        if self._known and loop.time() - self._known_at < FRESH_S:
            return list(self._known)
        if self._lookup is None:
            self._lookup = asyncio.ensure_future(self._look_up())
            self._lookup.add_done_callback(self._looked_up)
        lookup = asyncio.shield(self._lookup)
        if not self._known:
            return list(await lookup)
        try:
            async with asyncio.timeout(STALE_WAIT_S):
                return list(await lookup)
        except (OSError, TimeoutError):
            return list(self._known)

    async def _look_up(self) -> list[Address]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        self._known = list(dict.fromkeys(Address(each[0], each[1], each[2], each[4]) for each in found))
        self._known_at = loop.time()
        return self._known

    def _looked_up(self, lookup: "asyncio.Task[list[Address]]") -> None:
        if self._lookup is lookup:
            self._lookup = None
        if not lookup.cancelled():
            lookup.exception()  # a waiting caller has got it


async def _attempt(address: Address) -> socket.socket:
    made = socket.socket(address.family, address.kind, address.protocol)
    try:
        made.setblocking(False)
        with suppress(BlockingIOError):
            made.connect(address.place)
            return made
        await _writable(made)
        if fault := made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(fault, os.strerror(fault))
    except BaseException:
        made.close()
        raise
    return made


async def _writable(connecting: socket.socket) -> None:
    """Wait until the socket is connected or has failed. We do not use `sock_connect`: uvloop's would look the address
    up again."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    loop.add_writer(connecting, lambda: None if ended.done() else ended.set_result(None))
    try:
        await ended
    finally:
        loop.remove_writer(connecting)


async def _drop(attempts: Iterable["asyncio.Task[socket.socket]"]) -> None:
    """Cancel the attempts that have not won. If one connects at this moment, it is closed."""
    for attempt in attempts:
        attempt.cancel()
    for ended in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(ended, socket.socket):
            ended.close()


def _literal(host: str, port: int) -> Address | None:
    """Return the address of a host that is given as an IP address."""
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    if version == 4:
        return Address(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, (host, port))
    if "%" in host:
        return None  # the resolver converts the scope to a number
    return Address(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, (host, port, 0, 0))
