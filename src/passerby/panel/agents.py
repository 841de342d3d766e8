"""The kind of a browser, for the list of sessions. The browser's description of itself is not stored."""

from typing import Final

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def named(agent: str) -> str:
    """For example "Firefox on Android"."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "a browser")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "another system")
    return f"{browser} on {system}"
