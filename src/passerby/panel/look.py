"""Renders pages: the templates, their filters, and the frame around every page."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from passerby.domain.small_numbers import count, people
from passerby.ops.counting import counted
from passerby.panel import charts
from passerby.panel.bot_names import BotNames
from passerby.panel.http import Answer
from passerby.panel.visit import Page, Visit

_HERE: Final = Path(__file__).parent
_KINDS: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def seconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h" if value < 172_800 else f"{value / 86_400:.0f} days"


def percent(value: float | None) -> str:
    """A share of 1."""
    return "–" if value is None else f"{value * 100:.1f} %"


_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0
"""The years 1 and 9999, in Unix seconds: what a date can say."""


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(max(_FIRST, min(at, _LAST)), UTC)


def moment(at: float | None) -> str:
    return "–" if not at else _utc(at).strftime("%Y-%m-%d %H:%M:%S UTC")


def exact(at: float) -> str:
    """A moment for other programs (source: ISO 8601)."""
    return _utc(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def clock(at: float | None) -> str:
    return "–" if not at else _utc(at).strftime("%H:%M:%S UTC")


def day(number: int) -> str:
    """`number` in days since 1970."""
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%d")


def ticked(text: str) -> Markup:
    """Show the text between backticks as code."""
    parts = text.split("`")
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 and place < len(parts) - 1 else part
        for place, part in enumerate(parts)
    )


class Look:
    """`pages` are the entries of the menu."""

    def __init__(self, pages: Sequence[Page], names: BotNames) -> None:
        self._pages = pages
        self.bot_name = names.name
        self._files = {path.name: path.read_bytes() for path in sorted((_HERE / "static").iterdir())}
        self._marks = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self._files.items()}
        environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for each in (count, counted, people, seconds, percent, moment, clock, day, ticked):
            environment.filters[each.__name__] = each
        environment.filters["bot"] = self._bot
        environment.filters["bot_name"] = self.bot_name
        environment.globals["chart"] = charts
        environment.globals["static"] = self.address_of
        self._environment = environment

    def _bot(self, bot: int | str) -> Markup:
        """A bot by its name. Its number is shown when somebody points at it."""
        return Markup('<span class="bot" title="{}">{}</span>').format(bot, self.bot_name(bot))

    def address_of(self, name: str) -> str:
        return f"/static/{self._marks[name]}/{name}"

    def file(self, rest: str) -> Answer | None:
        """`rest`: what follows /static/."""
        mark, _, name = rest.partition("/")
        if self._marks.get(name) != mark:
            return None
        kind = _KINDS.get(Path(name).suffix, "text/plain; charset=utf-8")
        return Answer(self._files[name], kind=kind, keeps=True)

    def page_of(self, path: str) -> Page:
        """The entry of the menu that `path` belongs to, or else the first one."""
        found = (page for page in self._pages if path == page.path or path.startswith(page.path.rstrip("/") + "/"))
        return max(found, key=lambda page: len(page.path), default=self._pages[0])

    def page(
        self, visit: Visit, template: str, values: Mapping[str, Any], status: int = 200, *, at: str = ""
    ) -> Answer:
        """`at`: the page's own address, if it is not an entry of the menu."""
        menu = [page for page in self._pages if visit.me is not None and visit.may(page.needs)]
        here = visit.request.path
        current = next((page for page in menu[::-1] if here == page.path or here.startswith(page.path + "/")), None)
        body = self._environment.get_template(template).render(
            visit=visit, csrf=visit.csrf, menu=menu, current=current, here=here, now=visit.now, **values
        )
        return Answer(body.encode(), status, at=at or self.page_of(here).path)
