"""What this process answers over HTTP: pages for whoever runs it, and Telegram's webhooks.

Bare ASGI on uvicorn, in the same event loop as everything else. What a page shows and what an update causes lies
further in; here are only requests and answers. Nothing that is answered or logged names a path or quotes a request.
"""

from passerby.web.endpoints import Endpoint, endpoint_of
from passerby.web.pages import Pages, Watched
from passerby.web.serving import CannotListen, Listener, listen_on_socket, listen_on_tcp
from passerby.web.webhooks import Receiver, Webhooks

__all__ = [
    "CannotListen",
    "Endpoint",
    "Listener",
    "Pages",
    "Receiver",
    "Watched",
    "Webhooks",
    "endpoint_of",
    "listen_on_socket",
    "listen_on_tcp",
]
