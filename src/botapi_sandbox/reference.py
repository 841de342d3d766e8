"""Writes docs/reference/sandbox.md from the code: `python -m botapi_sandbox.reference > docs/reference/sandbox.md`."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap

from botapi_sandbox import cli, control
from botapi_sandbox.world import faults, journal, switches
from botapi_sandbox.world.methods import HANDLERS
from botapi_sandbox.world.schema import bot_api_schema

_HEAD = """\
# The sandbox

A Bot API server for people without a token. It behaves like Telegram where that matters to a bot, and checks every
request against the schema of {version}. One process, one port: the Bot API at `/bot<token>/<method>`, downloads at
`/file/bot<token>/<path>`, the playground page at `/`, and the control API under `/sandbox/`.

This page is generated: `python -m botapi_sandbox.reference`.

## Starting it

`passerby sandbox`, or `python -m botapi_sandbox`. It prints where it listens and the pretended tokens.

{arguments}

Exit codes: 0 after SIGINT or SIGTERM, 2 for a wrong argument, a taken port or an unreadable state file.

## The control API

JSON in and out. A refusal is `{{"ok": false, "error": "<sentence>"}}` with a 4xx status. A *person* is a pretend
Telegram user; `{{bot}}` is a bot's id.

| | |
|-|-|
{routes}

`acts` is for crowds: a list of what people do, as `{{"person", "bot", "act", ...}}` with the fields of the route of
that name, done in their order with nothing between. The answer has an object for each: `{{"message_id"}}` if a message
came of it, `{{"error"}}` if it could not be done.

A *PhoneMessage* is the Bot API Message as that bot sees it, with `outgoing` (the person wrote it) and
`reactions: {{"mine", "bot"}}` (an emoji or null). Content for `send` may describe a file instead of holding one:
`{{"voice": {{"duration": 3, "file_size": 30000000}}}}`; the sandbox makes bytes, ids and missing facts.

Events come as `data: <JSON>`, each with `type`, `person`, `bot` and `at` (unix seconds):

| type | more fields |
|-|-|
| `message`, `edited` | `message`: the PhoneMessage |
| `deleted` | `message_id` |
| `keyboard` | `keyboard`: the reply keyboard that is shown now, or null |
| `reactions` | `message_id`, `reactions` |
| `callback_answer` | `callback_query_id`, `text`, `show_alert`, `url` |
| `chat_action` | `action` |
| `draft` | `draft_id`, `text` |
| `payment` | `query_id`, `status`, `error` |

## Switches

`GET` and `POST /sandbox/settings`.

{switches}

## Faults

{faults}

## The journal

{journal}

## What it does not do

Groups, channels, business accounts, topics, inline mode, games, gifts, stories and passport. The methods it knows:
{methods}.
Any other of the schema is answered with 400 "the sandbox does not do ... yet".

Where it differs from Telegram on purpose: unknown parameters are refused (`strict`); a webhook may be plain HTTP on any
port; files given by URL are never fetched ("failed to get HTTP URL content"); paid media cannot be bought; smaller
renditions of a photo have the bytes of the whole.
"""


def page() -> str:
    """The Markdown."""
    return _HEAD.format(
        version=bot_api_schema().version,
        arguments=_arguments(),
        routes=_routes(),
        switches=_switches(),
        faults=_docstring(faults),
        journal=_docstring(journal),
        methods=_methods(),
    )


def _arguments() -> str:
    return "\n".join(f"- `{name}`: {text}" for name, text in cli.arguments())


def _routes() -> str:
    lines = []
    for verb, path, group, name in control.ROUTES:
        shown = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path)
        told = (inspect.getdoc(getattr(group, name)) or "").partition("\n\n")[0]
        lines.append(f"| `{verb} /sandbox{shown}` | {told} |")
    return "\n".join(lines)


def _switches() -> str:
    """Names, defaults and the docstrings under the fields."""
    (declared,) = (
        node for node in ast.parse(inspect.getsource(switches)).body
        if isinstance(node, ast.ClassDef) and node.name == "Switches"
    )  # fmt: skip
    lines: list[str] = []
    for node in declared.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            default = getattr(switches.Switches(), node.target.id)
            lines.append(f"- `{node.target.id}` (`{str(default).lower() if isinstance(default, bool) else default}`)")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and lines:
            lines[-1] += ": " + " ".join(str(node.value.value).split())
    return "\n".join(lines)


def _docstring(module: object) -> str:
    text = inspect.getdoc(module) or ""
    return text.partition("\n\n")[2]


def _methods() -> str:
    names = [method.name for key, method in bot_api_schema().requests.methods.items() if key in HANDLERS]
    return textwrap.fill(", ".join(["getUpdates", *names]), 117)


if __name__ == "__main__":
    sys.stdout.write(page())
