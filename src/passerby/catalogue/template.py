"""One text of the catalogue, parsed when it is first used. After that, each use costs one string formatting.

Only this module escapes. It escapes arguments for Telegram's HTML. Where Telegram shows no tags (button labels,
callback answers), it leaves the tags out and the arguments as they are.
"""

import re
from collections.abc import Callable, Mapping
from html import unescape
from string import Formatter
from typing import NamedTuple

from passerby.kernel.text import Arg

_TAG = re.compile(r"</?[a-z][^<>]*>")


class Template(NamedTuple):
    """`html` and `plain` are %-formats over `names`."""

    html: str
    plain: str
    names: tuple[str, ...]


class Wording:
    """One key in one language: one template, or one for each plural form, chosen by `form(n)`."""

    __slots__ = ("_sources", "form", "templates")

    templates: tuple[Template, ...]
    form: Callable[[int], int] | None

    def __init__(
        self,
        templates: tuple[Template, ...] | None = None,
        form: Callable[[int], int] | None = None,
        *,
        sources: tuple[str, ...] = (),
    ) -> None:
        """`sources`, instead of templates: what a catalogue has. It is parsed when it is used first, because most
        wordings of a run are never used."""
        if templates is not None:
            self.templates = templates
        self.form = form
        self._sources = sources

    def __getattr__(self, name: str) -> tuple[Template, ...]:
        """Called only for what is not set yet: the templates. Raises: ValueError, if they cannot be parsed."""
        if name != "templates":
            raise AttributeError(name)
        self.templates = tuple(map(compile_template, self._sources))
        return self.templates

    def template(self, args: Mapping[str, Arg]) -> Template:
        if self.form is None:
            return self.templates[0]
        counted = args["n"]
        assert isinstance(counted, int), "a plural counts something"
        return self.templates[self.form(counted)]


def compile_template(source: str) -> Template:
    """Parse `"Hello, <b>{name}</b>"`. Doubled braces stand for single ones.

    Raises: ValueError, if a placeholder is anything but a bare name.
    """
    html, plain, names = [], [], []
    for literal, name, spec, conversion in Formatter().parse(source):
        literal = literal.replace("%", "%%")
        html.append(literal)
        plain.append(unescape(_TAG.sub("", literal)))
        if name is not None:
            if spec or conversion or not name.isidentifier():
                raise ValueError(f"a placeholder is a bare name, not {{{name}}}")
            html.append("%s")
            plain.append("%s")
            names.append(name)
    return Template("".join(html), "".join(plain), tuple(names))


def tags(source: str) -> list[str]:
    """All tags in order, with their attributes. A translation must not change them."""
    return _TAG.findall(source)


def escape(arg: str | int) -> str | int:
    """Make an argument safe inside Telegram's HTML, in text and in attributes."""
    if isinstance(arg, int):
        return arg
    return arg.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
