"""Reads the addresses that operators write: of servers, and to listen on. It connects to nothing."""

import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit


class HostPort(NamedTuple):
    """The address of a listening server. `host` is a name or an IP address. An IPv6 address has no brackets."""

    host: str
    port: int


def split(text: str) -> SplitResult | None:
    """The parts of a URL. None if it is not a URL, or if no server can have the name in it."""
    try:
        url = urlsplit(text)
        _ = url.port  # raises ValueError if the port is not a number
        # Raises UnicodeError, a ValueError, if a part is empty or too long. Every connection asks for this form.
        (url.hostname or "").encode("idna")
    except ValueError:
        return None
    return None if re.search(r"\s", text) else url


def is_postgres(text: str) -> bool:
    """Whether this is the address of a PostgreSQL database."""
    url = split(text)
    return url is not None and url.scheme in {"postgres", "postgresql", "postgresql+asyncpg"} and bool(url.path[1:])


def redis_fault(text: str) -> str:
    """Return the problem with a Redis server's address. Empty if there is none. Forms: `adapters.redis.connect`."""
    scheme, _, rest = text.partition("://")
    login, _, place = rest.partition("?")[0].rpartition("@")
    kind = scheme.partition("+")[2]
    if scheme == "unix":
        return "" if place.startswith("/") and len(place) > 1 else "names no socket"
    if scheme.partition("+")[0] not in {"redis", "rediss"} or kind not in {"", "cluster", "sentinel"}:
        return "is none of memory://, redis://…, rediss://…, unix://…, redis+cluster://…, redis+sentinel://…"
    hosts, _, path = place.partition("/")
    each = hosts.split(",") if kind else [hosts]
    if re.search(r"\s", text) or not all(_has_host(f"redis://{host}") for host in each):
        return "names no server"
    if "/" in login or "#" in login:
        return "has a user or a password that must be percent-encoded"
    if kind == "sentinel" and not path.partition("/")[0]:
        return "does not name the master that the sentinels watch"
    database = path.partition("/")[2] if kind == "sentinel" else path
    return "" if re.fullmatch(r"\d*", database) else "has something other than a database's number at its end"


def _has_host(text: str) -> bool:
    url = split(text)
    return url is not None and bool(url.hostname) and "," not in url.netloc


def host_port(text: str) -> HostPort:
    """Read `host:port`. The host is empty, or the port 0, if it is missing."""
    host, separator, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host or re.search(r"[\s/]", host):
        host = ""
    return HostPort(host, int(port) if separator and re.fullmatch(r"[0-9]{1,5}", port) else 0)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_password(text: str) -> str:
    """A URL that may be shown: without user and password."""
    scheme, separator, rest = text.partition("://")
    return scheme + separator + rest.rpartition("@")[2]
