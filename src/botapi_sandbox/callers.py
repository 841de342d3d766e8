"""Decides which requests are answered. Programs on this machine and the playground's own page are served; other web
pages in the same browser are refused.

A web page can make a browser send requests to a local port. It cannot hide this: browsers add `Origin` to everything
except plain loads, and `Sec-Fetch-Site` to every request. A page whose name resolves to 127.0.0.1 (DNS rebinding) sends
that name as `Host`.

    Host            an IP address, localhost, or a name this server was told (`--host`, `--allow-host`)
    Origin          if there is one: this very server
    Sec-Fetch-Site  if there is one: same-origin, or none (typed into the address bar). The page itself may be opened
                    through a link from anywhere
    Content-Type    of a body for /sandbox/: JSON, or multipart for files. A foreign page can send neither without a
                    preflight request
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from botapi_sandbox.addresses import host_of, is_loopback
from botapi_sandbox.wire import Scope, header

_OWN_SITE = ("", "same-origin", "none")


def refusal(scope: Scope, hosts: Collection[str], *, is_page: bool) -> str | None:
    """Why this request is refused, in one sentence, or None. `hosts` are further names of this server."""
    host = header(scope, b"host")
    if not _is_ours(host, hosts):
        return f"this server does not answer to the name {host!r}: use an IP address or localhost, or add --allow-host"
    origin = header(scope, b"origin")
    if origin and urlsplit(origin).netloc.lower() != host.lower():
        return "this server takes no requests from other web pages"
    if not is_page and header(scope, b"sec-fetch-site").lower() not in _OWN_SITE:
        return "this server takes no requests from other web pages"
    return None


def body_refusal(content_type: str) -> str | None:
    """Why a body for the control API is refused, or None."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("application/json", "multipart/form-data"):
        return None
    return "send the body as Content-Type: application/json, or multipart/form-data if it has files"


def _is_ours(host: str, hosts: Collection[str]) -> bool:
    if not host:
        return True  # HTTP/1.0, which browsers do not use
    name = host_of(f"//{host}")
    if is_loopback(name) or name in hosts:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True  # DNS rebinding needs a name, so an IP address is safe
