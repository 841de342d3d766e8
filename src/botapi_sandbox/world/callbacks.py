"""Callback queries: the bot can answer a press once, and only for a limited time."""

from __future__ import annotations

from botapi_sandbox.world.answers import bad_request
from botapi_sandbox.world.requests import Request, method

TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


@method("answerCallbackQuery")
def answer_callback_query(request: Request) -> bool:
    """The phone shows the text as a notice, or as an alert."""
    backend, params = request.backend, request.params
    press = backend.state.presses.get(params["callback_query_id"])
    if press is None or press.bot_id != request.bot.id:
        raise bad_request(TOO_OLD)
    del backend.state.presses[press.id]
    if backend.now() > press.at + backend.switches.callback_answer_s:
        raise bad_request(TOO_OLD)
    # Telegram opens only t.me/<bot>?start= links, and games, which the sandbox does not have.
    own_link = f"t.me/{request.bot.username}?start="
    if params.get("url") and not params["url"].startswith((own_link, f"https://{own_link}")):
        raise bad_request("URL_INVALID")
    backend.show(
        backend.chat(request.bot, press.person_id),
        request.bot,
        {
            "type": "callback_answer",
            "callback_query_id": press.id,
            "text": params.get("text") or None,
            "show_alert": bool(params.get("show_alert")),
            "url": params.get("url"),
        },
    )
    return True


@method("answerInlineQuery", "answerShippingQuery", "answerWebAppQuery")
def answer_unasked(request: Request) -> bool:
    """The sandbox never sends these queries, so no id is valid."""
    raise bad_request(TOO_OLD)
