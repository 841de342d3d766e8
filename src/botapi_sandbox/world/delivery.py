"""The steps for every message of a bot: may it write there, what does it reply to, which keyboard does it show.

Modules that make content (`sending`, `media`, `copying` ...) call `deliver`. Only `deliver` posts for a bot.
"""

from __future__ import annotations

from botapi_sandbox.world.answers import Json, bad_request, forbidden, unsupported
from botapi_sandbox.world.keyboards import inline_markup, reply_markup
from botapi_sandbox.world.requests import Request
from botapi_sandbox.world.state import Chat, ChatMessage
from botapi_sandbox.world.text import MOST_CAPTION, formatted, slice_utf16

_QUOTED_STYLES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler", "custom_emoji", "date_time"})
_UNSUPPORTED = (
    "business_connection_id",
    "direct_messages_topic_id",
    "ephemeral_message_parameters",
    "suggested_post_parameters",
)


def existing_chat(request: Request, chat_id: int | str | None, *, what: str = "chat") -> Chat:
    """A chat that this bot knows, even if it may not write there. Raises: Refusal 400."""
    chat = request.bot.chats.get(chat_id) if isinstance(chat_id, int) else None
    if chat is None:
        raise bad_request(f"{what} not found")
    return chat


def writable_chat(request: Request, chat_id: int | str | None = None) -> Chat:
    """The chat named in the request, if the bot may write there. Raises: Refusal with Telegram's reason."""
    chat_id = request.params.get("chat_id") if chat_id is None else chat_id
    backend, bot = request.backend, request.bot
    if isinstance(chat_id, int):
        if chat_id in backend.state.bots:
            raise forbidden("the bot can't send messages to the bot")
        person = backend.state.people.get(chat_id)
        chat = bot.chats.get(chat_id)
        if person is not None and person.deactivated:
            raise forbidden("user is deactivated")
        if chat is not None and chat.blocked:
            raise forbidden("bot was blocked by the user")
        if chat is not None and chat.started:
            return chat
        if chat is not None or (person is not None and backend.switches.unknown_person == "can't initiate"):
            raise forbidden("bot can't initiate conversation with a user")
    raise bad_request("chat not found")


def deliver(request: Request, content: Json, chat: Chat | None = None, *, accounted: bool = False) -> Json:
    """Send `content` to the chat of the request, with its reply, keyboard, protection and effect.

    `accounted`: the flood limits have already counted the message, as for the items of an album.
    Raises: Refusal. Then nothing was sent or counted.
    """
    params = request.params
    request.refuse_unsupported(*_UNSUPPORTED)
    chat = chat or writable_chat(request)
    content = {**content, **_topic(request, chat)}
    content = {**_reply(request, chat), **content} if "reply_parameters" in params else content
    if params.get("protect_content"):
        content["has_protected_content"] = True
    if "message_effect_id" in params:
        content["effect_id"] = _effect(params["message_effect_id"])
    markup = params.get("reply_markup")
    if markup is not None:
        markup = reply_markup(markup, has_invoice="invoice" in content)
        if "inline_keyboard" in markup:
            content["reply_markup"] = markup
    if request.backend.state.people[chat.person_id].refuses_voice and ("voice" in content or "video_note" in content):
        raise bad_request("VOICE_MESSAGES_FORBIDDEN")
    if not accounted:
        account_for(request, chat, 1)
    message = request.backend.post(request.bot, chat, content, outgoing=False)
    request.made.append(message["message_id"])
    if markup is not None and "inline_keyboard" not in markup:
        show_keyboard(request, chat, markup)
    return message


def _topic(request: Request, chat: Chat) -> Json:
    """The fields that name the topic. Raises: Refusal, if the topic is not open."""
    thread = request.params.get("message_thread_id")
    if not thread:
        return {}
    if not request.bot.topics:
        request.refuse_unsupported("message_thread_id")  # without topics: see Bot.topics
    if thread not in chat.topics:
        raise bad_request("message thread not found")
    return {"message_thread_id": thread, "is_topic_message": True}


def account_for(request: Request, chat: Chat, messages: int) -> None:
    """Count `messages` against the flood limits of the bot and the chat. Raises: Refusal 429."""
    backend = request.backend
    backend.limits.take(backend.switches, backend.now(), request.bot.id, chat.person_id, messages)


def show_keyboard(request: Request, chat: Chat, markup: Json) -> None:
    """Show a reply keyboard until it is replaced or removed. A forced reply also replaces it."""
    chat.keyboard = markup if "keyboard" in markup else None
    request.backend.show(chat, request.bot, {"type": "keyboard", "keyboard": chat.keyboard})


def captioned(request: Request, source: Json | None = None) -> Json:
    """The caption fields, from the parameters of the request or of one album item."""
    params = request.params if source is None else source
    content: Json = {}
    if params.get("caption"):
        caption, entities = formatted(
            params["caption"],
            params.get("parse_mode"),
            params.get("caption_entities"),
            request.user,
            MOST_CAPTION,
            "message caption",
        )
        if caption:
            content["caption"] = caption
            if entities:
                content["caption_entities"] = entities
            if params.get("show_caption_above_media"):
                content["show_caption_above_media"] = True
    return content


def edited_markup(request: Request) -> Json | None:
    """The inline keyboard given with an edit."""
    markup = request.params.get("reply_markup")
    return None if markup is None else inline_markup(markup, has_invoice=False)


def without_reply(message: Json) -> Json:
    """A message as it appears in the `reply_to_message` of another one."""
    return {key: value for key, value in message.items() if key not in ("reply_to_message", "external_reply")}


def _effect(effect_id: str) -> str:
    if not effect_id.isdigit():
        raise bad_request("invalid message effect identifier specified")
    return effect_id


def _reply(request: Request, chat: Chat) -> Json:
    parameters = request.params.get("reply_parameters")
    if not parameters or not parameters.get("message_id"):
        return {}
    if parameters.get("chat_id") not in (None, chat.person_id):
        raise unsupported("replies to another chat")
    found = chat.messages.get(parameters["message_id"])
    if found is None:
        if parameters.get("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")
    reply: Json = {"reply_to_message": without_reply(found.message)}
    if parameters.get("quote"):
        quote = _quote(request, found, parameters)
        if quote is None:
            if parameters.get("allow_sending_without_reply"):
                return {}
            raise bad_request("QUOTE_TEXT_INVALID")
        reply["quote"] = quote
    return reply


def _quote(request: Request, sent: ChatMessage, parameters: Json) -> Json | None:
    """The quote, if the message contains exactly this text with exactly these styles."""
    text, entities = formatted(
        parameters["quote"],
        parameters.get("quote_parse_mode"),
        parameters.get("quote_entities"),
        request.user,
        MOST_CAPTION,
        "quote",
    )
    kept = [entity for entity in entities if entity["type"] in _QUOTED_STYLES]
    quote = find_quote(sent.message, text, parameters.get("quote_position"))
    if quote is None or _bare(quote.get("entities", [])) != _bare(kept):
        return None
    return {**quote, "is_manual": True}


def _bare(entities: list[Json]) -> list[tuple[str, int, int]]:
    return [(entity["type"], entity["offset"], entity["length"]) for entity in entities]


def find_quote(message: Json, quote: str, near: int | None = None) -> Json | None:
    """The TextQuote for a part of a message's text or caption, or None."""
    text = message.get("text") or message.get("caption") or ""
    entities = message.get("entities") or message.get("caption_entities") or []
    places = []
    start = text.find(quote)
    while start >= 0:
        places.append(len(text[:start].encode("utf-16-le")) // 2)
        start = text.find(quote, start + 1)
    if not places or not quote:
        return None
    position = min(places, key=lambda place: abs(place - (near or 0)))
    size = len(quote.encode("utf-16-le")) // 2
    inside = []
    for entity in entities:
        begin, end = max(position, entity["offset"]), min(position + size, entity["offset"] + entity["length"])
        if begin < end and entity["type"] in _QUOTED_STYLES:
            inside.append({**entity, "offset": begin - position, "length": end - begin})
    found: Json = {"text": slice_utf16(text, position, size), "position": position}
    if inside:
        found["entities"] = inside
    return found
