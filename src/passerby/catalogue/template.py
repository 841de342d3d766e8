"""One wording, taken apart once so that saying it costs a `%` and no parsing.

Escaping happens here and nowhere else: arguments are escaped for Telegram's HTML as they are put in, and left alone
where tags cannot be shown (button labels, callback answers).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from string import Formatter

from passerby.kernel.text import Arg

_TAG = re.compile(r"</?[a-z][^<>]*>")


@dataclass(frozen=True, slots=True)
class Template:
    """`html` and `plain` are %-formats over `names`."""

    html: str
    plain: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """A key in one language: one template, or one a plural form, chosen by `form(n)`."""

    templates: tuple[Template, ...]
    form: Callable[[int], int] | None = None

    def template(self, args: Mapping[str, Arg]) -> Template:
        if self.form is None:
            return self.templates[0]
        counted = args["n"]
        assert isinstance(counted, int), "a plural counts something"
        return self.templates[self.form(counted)]


def compile_template(source: str) -> Template:
    """Take `"Hello, <b>{name}</b>"` apart. Doubled braces stand for themselves.

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
    """Every tag in order, attributes included: what must not change in translation."""
    return _TAG.findall(source)


def escape(arg: str | int) -> str | int:
    """Make an argument safe inside Telegram's HTML, in text and in attributes."""
    if isinstance(arg, int):
        return arg
    return arg.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
