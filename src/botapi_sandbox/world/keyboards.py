"""Keyboards: the rules that the schema does not contain, and the lookup of a button."""

from __future__ import annotations

import re

from botapi_sandbox.world.answers import Json, bad_request

MOST_BUTTONS = 100
MOST_KEYBOARD_BUTTONS = 300
_ACTIONS = (
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay", "disabled",
)  # fmt: skip
_STYLES = frozenset({"danger", "success", "primary"})
_URL = re.compile(r"(?:(?:https?|tg|ton|tonsite)://)?[^\s/]+(?:\.[^\s/]+)*(?:[/?#]\S*)?\Z", re.IGNORECASE)


def reply_markup(markup: Json, *, has_invoice: bool) -> Json:
    """Any markup that a message may have, without empty rows. Raises: Refusal."""
    if "inline_keyboard" in markup:
        return inline_markup(markup, has_invoice=has_invoice)
    if "keyboard" in markup:
        return _reply_keyboard(markup)
    return markup


def inline_markup(markup: Json, *, has_invoice: bool) -> Json:
    """An inline keyboard without empty rows. Raises: Refusal."""
    rows = [row for row in markup["inline_keyboard"] if row]
    if sum(map(len, rows)) > MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    for row_index, row in enumerate(rows):
        for column, button in enumerate(row):
            _check_inline(button)
            if button.get("pay") and ((row_index, column) != (0, 0) or not has_invoice):
                raise bad_request("BUTTON_TYPE_INVALID")
    return {"inline_keyboard": rows}


def _check_inline(button: Json) -> None:
    if not button["text"].strip():
        raise bad_request("can't parse inline keyboard button: Text must be non-empty")
    actions = [name for name in _ACTIONS if name in button and button[name] is not False]
    if not actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request("can't parse inline keyboard button: Exactly one of the optional fields must be used")
    if button.get("style") is not None and button["style"] not in _STYLES:
        raise bad_request("can't parse inline keyboard button: Invalid button style specified")
    url = button.get("url")
    if url is not None and (("." not in url and "://" not in url) or not _URL.match(url)):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _reply_keyboard(markup: Json) -> Json:
    rows = []
    for row in markup["keyboard"]:
        if any(not button["text"].strip() for button in row):
            raise bad_request("can't parse keyboard button: Text must be non-empty")
        if row:
            rows.append(row)
    if sum(map(len, rows)) > MOST_KEYBOARD_BUTTONS:
        raise bad_request("reply markup is too long")
    return {**markup, "keyboard": rows}


def button_at(message: Json, row: int, column: int) -> Json | None:
    """The inline button in this row and column, counted from 0."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    if 0 <= row < len(rows) and 0 <= column < len(rows[row]):
        button: Json = rows[row][column]
        return button
    return None
