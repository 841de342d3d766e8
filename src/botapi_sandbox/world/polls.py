"""Polls: sending, copying, stopping, counting votes. People vote through `people`."""

from __future__ import annotations

from botapi_sandbox.world.answers import Json, bad_request, unsupported
from botapi_sandbox.world.delivery import deliver, edited_markup, existing_chat
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.text import formatted

MOST_OPTIONS = 12
_EMPTY = {
    "total_voter_count": 0, "is_closed": False, "is_anonymous": True, "type": "regular",
    "allows_multiple_answers": False, "allows_revoting": True, "members_only": False,
}  # fmt: skip


@method("sendPoll")
def send_poll(request: Request) -> Json:
    """Send a poll or a quiz, without media."""
    params = request.params
    request.refuse_unsupported("media", "explanation_media", "country_codes", "allow_adding_options", "members_only")
    options = params["options"]
    if not 1 <= len(options) <= MOST_OPTIONS:
        raise bad_request(
            "poll must have at least 1 answer option" if not options else "poll can't have more than 12 options"
        )
    if any(option.get("media") for option in options):
        raise unsupported("media in poll options")
    question = params["question"].strip()
    if not question:
        raise bad_request("poll question must be non-empty")
    texts = [_text(request, option["text"], option, "text") for option in options]
    if any(not text for text, _ in texts):
        raise bad_request("poll options must be non-empty")
    wanted = params.get("type", "regular")
    if wanted not in ("regular", "quiz"):
        raise bad_request("unsupported poll type specified")
    poll = fresh(request.backend.rng.getrandbits(62), question, texts)
    text, entities = _text(request, question, params, "question")
    poll["question"] = text
    if entities:
        poll["question_entities"] = entities
    poll["type"] = wanted
    poll["is_anonymous"] = params.get("is_anonymous", True)
    poll["allows_multiple_answers"] = params.get("allows_multiple_answers", False)
    poll["allows_revoting"] = params.get("allows_revoting", wanted == "regular")
    poll["is_closed"] = params.get("is_closed", False)
    if wanted == "quiz":
        correct = params.get("correct_option_ids") or []
        if not correct or not all(0 <= each < len(options) for each in correct):
            raise bad_request("wrong correct option ID specified")
        poll["correct_option_ids"] = correct
        if params.get("explanation"):
            poll["explanation"], found = _text(request, params["explanation"], params, "explanation")
            if found:
                poll["explanation_entities"] = found
    for name in ("open_period", "close_date"):
        if params.get(name):
            poll[name] = params[name]
    return deliver(request, {"poll": poll})


def _text(request: Request, text: str, params: Json, name: str) -> tuple[str, list[Json]]:
    return formatted(
        text, params.get(f"{name}_parse_mode"), params.get(f"{name}_entities"), request.user, 300, "poll text"
    )


def fresh(number: int, question: str, options: list[tuple[str, list[Json]]]) -> Json:
    """A poll without votes."""
    made = []
    for index, (text, entities) in enumerate(options):
        option: Json = {"persistent_id": f"{number:x}{index:02d}", "text": text, "voter_count": 0}
        if entities:
            option["text_entities"] = entities
        made.append(option)
    return {"id": str(number), "question": question, "options": made, **_EMPTY}


def unvoted_copy(request: Request, poll: Json) -> Json:
    """A copy with a new id and no votes. Raises: Refusal, for a quiz if the bot does not know the answer."""
    if poll["type"] == "quiz" and not poll.get("correct_option_ids"):
        raise bad_request("the message can't be copied")
    options = [(option["text"], option.get("text_entities", [])) for option in poll["options"]]
    copy = fresh(request.backend.rng.getrandbits(62), poll["question"], options)
    dropped = ("id", "options", "total_voter_count", "is_closed", "close_date")
    return {**copy, **{key: value for key, value in poll.items() if key not in dropped}}


@method("stopPoll")
def stop_poll(request: Request) -> Json:
    """Close a poll that the bot sent."""
    chat = existing_chat(request, request.params["chat_id"])
    found = chat.messages.get(request.params["message_id"])
    if found is None or "poll" not in found.message:
        raise bad_request("message with poll to stop not found" if found is None else "message is not a poll")
    if found.outgoing or "forward_origin" in found.message:
        raise bad_request("poll can't be stopped")
    if found.message["poll"]["is_closed"]:
        raise bad_request("poll has already been closed")
    poll: Json = {**found.message["poll"], "is_closed": True}
    found.message = {**found.message, "poll": poll}
    found.message.pop("reply_markup", None)
    markup = edited_markup(request)
    if markup is not None:
        found.message["reply_markup"] = markup
    request.backend.show_edited(chat, request.bot, found)
    return poll


def voted(poll: Json, options: list[int], former: list[int]) -> Json:
    """The poll after one person's vote changed from `former` to `options` (indexes)."""
    counted = []
    for index, option in enumerate(poll["options"]):
        count = option["voter_count"] + (index in options) - (index in former)
        counted.append({**option, "voter_count": count})
    total = poll["total_voter_count"] + bool(options) - bool(former)
    return {**poll, "options": counted, "total_voter_count": total}
