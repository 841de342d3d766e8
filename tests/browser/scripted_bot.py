"""A simple bot for the page: it greets, repeats texts, and describes other messages. It uses urllib and one thread.

On purpose it shares no code with the sandbox or Passerby.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

Json = dict[str, Any]
WAIT_S = 120.0

WELCOME_KEYBOARD = {
    "keyboard": [[{"text": "Echo me"}], [{"text": "Left"}, {"text": "Right"}]],
    "resize_keyboard": True,
    "input_field_placeholder": "Say something",
}
QUESTION = {
    "inline_keyboard": [
        [{"text": "Yes", "callback_data": "yes"}, {"text": "No", "callback_data": "no"}],
        [{"text": "Rules", "url": "https://example.com/rules"}],
    ]
}
FORMATTED = '<b>Bold</b> <i>italic</i> <tg-spoiler>secret</tg-spoiler> <code>code</code> <a href="https://example.com/">link</a>'
UPDATES = ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"]


class ScriptedBot:
    """Polls until `stop`. `seen` has every update. `api_url` is as in BOT_API_URL."""

    def __init__(self, api_url: str, token: str) -> None:
        self._url = f"{api_url}/bot{token}"
        self._stopping = threading.Event()
        self.seen: list[Json] = []
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="scripted bot")
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Raises: the error that ended it, if there was one."""
        self._stopping.set()
        self._thread.join()
        self.check()

    def check(self) -> None:
        """Raises: the error that ended the thread, if there was one."""
        if self.failure is not None:
            raise self.failure

    def heard_from(self, person: int) -> list[Json]:
        """One person's messages, oldest first."""
        messages = [update["message"] for update in self.seen if "message" in update]
        return [message for message in messages if message["from"]["id"] == person]

    def wait_for(self, person: int, messages: int) -> list[Json]:
        """Wait for this many messages from one person, and return all their messages. Raises: TimeoutError."""
        deadline = time.monotonic() + WAIT_S
        while len(heard := self.heard_from(person)) < messages:
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(heard)} messages of {messages} within {WAIT_S} s")
            time.sleep(0.02)
        return heard

    def call(self, method: str, **params: object) -> Any:
        """Call the Bot API. Raises: RuntimeError with the answer's description."""
        request = urllib.request.Request(
            f"{self._url}/{method}", json.dumps(params).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)["result"]
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(f"{method}: {error.read().decode()}") from None

    def say(self, person: int, text: str, **params: object) -> Json:
        sent: Json = self.call("sendMessage", chat_id=person, text=text, **params)
        return sent

    def _run(self) -> None:
        offset = 0
        try:
            while not self._stopping.is_set():
                for update in self.call("getUpdates", offset=offset, timeout=1, allowed_updates=UPDATES):
                    offset = update["update_id"] + 1
                    self.seen.append(update)
                    self._answer(update)
        except BaseException as error:  # noqa: BLE001 - kept for the test's own thread, which raises it in stop()
            self.failure = error

    def _answer(self, update: Json) -> None:
        if message := update.get("message"):
            self._answer_message(message)
        elif edited := update.get("edited_message"):
            self.say(edited["chat"]["id"], f"You made it: {edited.get('text') or edited.get('caption')}")
        elif query := update.get("callback_query"):
            self._answer_press(query)
        elif reaction := update.get("message_reaction"):
            faces = "".join(each["emoji"] for each in reaction["new_reaction"])
            self.say(reaction["chat"]["id"], f"You reacted: {faces or 'no more'}")

    def _answer_press(self, query: Json) -> None:
        choice, message = query["data"], query["message"]
        self.call(
            "answerCallbackQuery", callback_query_id=query["id"], text=f"You chose {choice}", show_alert=choice == "no"
        )
        if choice == "yes":
            self.call(
                "editMessageText", chat_id=message["chat"]["id"], message_id=message["message_id"], text="Settled."
            )

    def _answer_message(self, message: Json) -> None:
        person, text = message["chat"]["id"], message.get("text")
        if text is None:
            self.call("copyMessage", chat_id=person, from_chat_id=person, message_id=message["message_id"])
        elif text.startswith("/start"):
            self.say(person, f"Welcome, {message['from']['first_name']}", reply_markup=WELCOME_KEYBOARD)
        elif text == "ask":
            self.say(person, "Shall we?", reply_markup=QUESTION)
        elif text == "format":
            self.say(person, FORMATTED, parse_mode="HTML")
        elif text == "hide":
            self.say(person, "Hidden", reply_markup={"remove_keyboard": True})
        else:
            replied = message.get("reply_to_message")
            about = f" (to: {replied.get('text')})" if replied else ""
            self.say(person, f"Echo: {text}{about}", entities=_moved(message.get("entities", []), len("Echo: ")))


def _moved(entities: list[Json], by: int) -> list[Json]:
    return [{**entity, "offset": entity["offset"] + by} for entity in entities]
