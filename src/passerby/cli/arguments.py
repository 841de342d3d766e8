"""Says in one sentence what is wrong with an argument: Typer and pydantic take four lines of their own words for it."""

import re
from collections.abc import Callable
from typing import Any, Final

from typer.exceptions import TyperException

_RULES: Final[tuple[tuple[str, str], ...]] = (
    (r"Input should be a valid integer\b.*", "must be a whole number"),
    (r"Input should be a valid (?:number|float)\b.*", "must be a number"),
    (r"Input should be greater than or equal to (.+)", r"must be at least \1"),
    (r"Input should be less than or equal to (.+)", r"must be at most \1"),
    (r"Input should be greater than (.+)", r"must be more than \1"),
    (r"Input should be less than (.+)", r"must be less than \1"),
    (r"Input should be (.+)", r"must be \1"),
)
_ALONE: Final[tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]] = (
    (r"No such command ('.*?')\..*", r"there is no command \1"),
    (r"No such option: ([^\s.]+).*", r"there is no option \1"),
    # They are not repeated: somebody may have pasted a token.
    (r"Got unexpected extra arguments?\b.*", "there are more arguments than it takes"),
    (r"Option '(.+?)' requires (?:an argument|\d+ arguments).*", r"\1 needs a value"),
    (r"Option '(.+?)' does not take a value.*", r"\1 takes no value"),
)


def is_help(error: TyperException) -> bool:
    """Whether a group of commands was named without one of them: its help is the answer."""
    return type(error).__name__ == "NoArgsIsHelpError"


def sentence(error: TyperException) -> str:
    """Return a sentence: the command, the problem, and how to see the arguments."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "passerby"
    return f"{command}: {_problem(error)}; see {command} --help"


def _problem(error: TyperException) -> str:
    said = " ".join(str(getattr(error, "message", "")).split()).removeprefix("Value error, ").rstrip(".")
    name = _name(getattr(error, "param", None))
    if type(error).__name__ == "MissingParameter":
        return f"{name} is missing"
    for pattern, plain in _ALONE:
        if re.fullmatch(pattern, said + "."):
            return re.sub(pattern, plain, said + ".", count=1)
    for pattern, plain in _RULES:
        if re.fullmatch(pattern, said):
            return f"{name} {re.sub(pattern, plain, said, count=1)}".lstrip()
    return f"{name}: {said}" if name else said


def _name(param: Any) -> str:
    """How a person knows it: `--days`, or the name of the argument in the help."""
    if param is None:
        return ""
    options = [each for each in param.opts if each.startswith("--")]
    return str(options[0] if options else param.name)
