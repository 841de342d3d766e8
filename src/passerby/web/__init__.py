"""Answers over HTTP: pages for operators, and Telegram's webhooks.

It is bare ASGI on uvicorn, in the same event loop as everything else. This package handles requests and answers; other
packages decide what a page shows and what an update does. No answer or log line names a path or quotes a request.
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
