"""A bot's profile: commands, name, descriptions, menu button."""

from __future__ import annotations

import re

import msgspec

from botapi_sandbox.world.answers import Json, bad_request
from botapi_sandbox.world.requests import Handler, Request, method
from botapi_sandbox.world.state import Bot

_COMMAND = re.compile(r"/?[a-z0-9_]{1,32}\Z")
_TEXTS = {"name": ("Name", 64), "description": ("Description", 512), "short_description": ("ShortDescription", 120)}


def _key_of(request: Request) -> str:
    language = request.params.get("language_code") or ""
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    return _key(request.params.get("scope") or {"type": "default"}, language)


def _key(scope: Json, language: str) -> str:
    return f"{msgspec.json.encode(scope, order='sorted').decode()} {language}"


def commands_for_everybody(bot: Bot) -> list[Json]:
    """The default command menu, for people whose language has no menu of its own."""
    return bot.commands.get(_key({"type": "default"}, ""), [])


@method("setMyCommands")
def set_my_commands(request: Request) -> bool:
    """Set at most 100 commands."""
    commands = request.params["commands"]
    if len(commands) > 100:
        raise bad_request("too many commands specified")
    for command in commands:
        if not _COMMAND.match(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
    request.bot.commands[_key_of(request)] = [
        {**command, "command": command["command"].removeprefix("/")} for command in commands
    ]
    return True


@method("getMyCommands")
def get_my_commands(request: Request) -> list[Json]:
    """Return the commands of exactly this scope and language."""
    return request.bot.commands.get(_key_of(request), [])


@method("deleteMyCommands")
def delete_my_commands(request: Request) -> bool:
    """Delete the commands; a wider scope then applies."""
    request.bot.commands.pop(_key_of(request), None)
    return True


def _setter(what: str, most: int) -> Handler:
    def set_text(request: Request) -> bool:
        text = request.params.get(what) or ""
        if len(text) > most:
            raise bad_request(f"bot {what} is too long")
        key = f"{what}:{request.params.get('language_code') or ''}"
        if text:
            request.bot.texts[key] = text
            if key == "name:":
                request.bot.first_name = text
        else:
            request.bot.texts.pop(key, None)
        return True

    return set_text


def _getter(what: str) -> Handler:
    def get_text(request: Request) -> Json:
        texts = request.bot.texts
        fallback = texts.get(f"{what}:", request.bot.first_name if what == "name" else "")
        return {what: texts.get(f"{what}:{request.params.get('language_code') or ''}", fallback)}

    return get_text


for _what, (_title, _most) in _TEXTS.items():
    method(f"setMy{_title}")(_setter(_what, _most))
    method(f"getMy{_title}")(_getter(_what))


@method("setChatMenuButton")
def set_chat_menu_button(request: Request) -> bool:
    """Set it for one chat, or for all chats."""
    button = request.params.get("menu_button") or {"type": "default"}
    request.bot.menu_buttons[str(request.params.get("chat_id") or "")] = button
    return True


@method("getChatMenuButton")
def get_chat_menu_button(request: Request) -> Json:
    """Return the button of one chat, else the general one."""
    buttons = request.bot.menu_buttons
    key = str(request.params.get("chat_id") or "")
    return buttons.get(key) or buttons.get("") or {"type": "commands"}
