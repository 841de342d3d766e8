"""Nobody learns which bot their partner uses. The bot would reveal a language, a country or a brand.

Ann and Ben share a bot, Cat and Dan use one each. Whatever Ann and Cat do, both are told the same, and their partners
are shown the same: for every kind of content and every way to change it, files of every size, and every refusal by
Telegram.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from botapi_sandbox import Answer
from botapi_sandbox.world.answers import bad_request, refused
from passerby.adapters.botapi.content_sender import ContentSender
from passerby.adapters.botapi.errors import TABLE, Meaning
from passerby.adapters.botapi.methods import MEDIA
from passerby.adapters.botapi.transfer import DOWNLOAD_LIMIT
from passerby.domain.sanitise import REFUSED
from passerby.kernel.content import Kind
from passerby.kernel.event import Refusal
from tests.leaks.stage import FILES, Couple, Json, Left, Stage, staged
from tests.leaks.test_content_kinds import PICTURE, SPECIMENS, edits_of, rich, specimens
from tests.size import size

Line = tuple[object, ...]
Act = Callable[[Stage, Couple, int], None]
"""The acts of a person on their own message."""

SIZES = (DOWNLOAD_LIMIT, DOWNLOAD_LIMIT + 1, 50 * 2**20, 51 * 2**20, 2 * 2**30, 0)
FILE_KINDS = [kind for kind in MEDIA if kind not in (Kind.PHOTO, Kind.STICKER)]
BLOCKS: dict[str, Json] = {
    "photo": PICTURE,
    "video": {
        "type": "video",
        "video": {"file_id": "x", "file_unique_id": "y", "width": 1, "height": 1, "duration": 1},
    },
    "voice": {"type": "voice_note", "voice_note": {"file_id": "x", "file_unique_id": "y", "duration": 1}},
    "document": {"type": "document", "document": {"file_id": "x", "file_unique_id": "y"}},
    "something new": {"type": "hologram"},
}
WORDS = {"text": "my insta: ann_99"}


def told(left: Iterable[Left], couple: Couple, presses: set[str]) -> list[Line]:
    """Return what the acting person is told, without the parts that differ from chat to chat. `presses` are their
    own."""
    lines: list[Line] = []
    for part in left:
        for person, message in part.shown:
            if person == couple.me.id:
                rows = message.get("reply_markup", {}).get("inline_keyboard", ())
                buttons = [(each["text"], each["callback_data"].partition(":")[0]) for row in rows for each in row]
                lines.append((message.get("text"), buttons, "reply_to_message" in message))
        lines += [
            ("answer", request["params"].get("text"), request["params"].get("show_alert"))
            for request in part.requests
            if request["method"] == "answerCallbackQuery" and request["params"]["callback_query_id"] in presses
        ]
        lines += [
            (request["method"], len(request["params"].get("message_ids", ())))
            for request in part.requests
            if request["method"] == "deleteMessages" and request["params"].get("chat_id") == couple.me.id
        ]
    return lines


def shown(left: Iterable[Left], couple: Couple) -> list[Line]:
    """Return what the partner is shown: kind, words, formatting and reaction."""
    lines: list[Line] = []
    for part in left:
        for person, message in part.shown:
            if person == couple.partner.id:
                kind = next(
                    (each for each in (*FILES, "poll", "location", "contact", "rich_message") if each in message), ""
                )
                words = message.get("text"), message.get("caption")
                styles = [each["type"] for each in message.get("entities") or message.get("caption_entities") or ()]
                sticker_set = message.get("sticker", {}).get("set_name")
                lines.append((kind, *words, styles, sticker_set, "reply_to_message" in message))
        lines += [
            (request["method"], str(request["params"].get("reaction")))
            for request in part.requests
            if request["params"].get("chat_id") == couple.partner.id
            and request["method"] in ("setMessageReaction", "deleteMessages")
        ]
    return lines


class Play:
    """Both couples do the same at once. `different` lists the cases in which they saw different things."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.different: list[str] = []
        self.acts = 0
        self.noticed: set[str] = set()
        """Everything that the two acting people were told."""
        self._presses: dict[int, set[str]] = {couple.me.id: set() for couple in stage.couples}

    async def send(self, name: str, *messages: Json) -> list[int]:
        """Send the same for both couples, and answer every question with yes. Return the ids of the first messages."""
        sent = []
        for couple in self.stage.couples:
            first, *_ = [self.stage.send(couple.me, couple.bot, message) for message in messages]
            sent.append(first)
        await self._compare(name)
        return sent

    async def act(self, name: str, sent: list[int], act: Act) -> None:
        for couple, message in zip(self.stage.couples, sent, strict=True):
            act(self.stage, couple, message)
        await self._compare(name)

    async def _compare(self, name: str) -> None:
        left = [await self.stage.settled()]
        for couple in self.stage.couples:
            self._press(left[0], couple)
        left.append(await self.stage.settled())
        self.acts += 1
        seen = {
            "told": [told(left, couple, self._presses[couple.me.id]) for couple in self.stage.couples],
            "shown": [shown(left, couple) for couple in self.stage.couples],
        }
        for what, (one, other) in seen.items():
            if one != other:
                self.different.append(f"{name}, {what}: {one} on one bot, {other} across two")
        self.noticed |= {str(line[0]) for line in seen["told"][0]}

    def _press(self, left: Left, couple: Couple) -> None:
        for person, message in left.shown:
            if person == couple.me.id and "inline_keyboard" in message.get("reply_markup", {}):
                press = self.stage.world.phones.press(person, couple.bot, message["message_id"], 0, 0)
                self._presses[person].add(press)


def edit(content: Json) -> Act:
    return lambda stage, couple, message: stage.edit(couple.me, couple.bot, message, content)


def react(stage: Stage, couple: Couple, message: int) -> None:
    stage.world.phones.react(couple.me.id, couple.bot, message, "🔥")


def take_back(stage: Stage, couple: Couple, message: int) -> None:
    stage.world.phones.write(couple.me.id, couple.bot, "/delete", reply_to=message)


def answer(stage: Stage, couple: Couple, message: int) -> None:
    stage.world.phones.write(couple.me.id, couple.bot, "indeed", reply_to=message)


def played(play: Callable[[Play], Any], *, just_met: bool = False) -> Play:
    with staged(just_met=just_met) as stage:
        found = Play(stage)
        stage.loop.run_until_complete(play(found))
    return found


@pytest.mark.parametrize("just_met", [False, True], ids=["acquainted", "just met"])
def test_every_kind_and_every_action_on_it_ends_the_same_on_one_bot_and_two(just_met: bool) -> None:
    async def play(found: Play) -> None:
        for kind, specimen in specimens().items():
            sent = await found.send(kind, specimen)
            if kind in REFUSED:
                continue
            for name, change in edits_of(kind, specimen):
                await found.act(f"{kind}, {name}", sent, edit(change))
            place = "text" if kind is Kind.TEXT else "caption"
            await found.act(f"{kind}, with a name", sent, edit({**specimen, place: WORDS["text"]}))
            for act in (answer, react, take_back):
                await found.act(f"{kind}, {act.__name__}", sent, act)
        for label, block in BLOCKS.items():
            await found.send(
                f"rich text with {label}", {"rich_message": {"blocks": [*rich("x")["rich_message"]["blocks"], block]}}
            )
        held = await found.send("what is asked about", WORDS)
        await found.act("what is asked about, edited", held, edit({"text": "hello"}))
        await found.send("a sticker of a set", {"sticker": {"set_name": "cats_by_ann"}})
        emoji = {"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": "530"}
        await found.send("a custom emoji", {"text": "😀", "entities": [emoji]})
        albums = {"two": ({"photo": {}}, {"video": {}}), "large": ({"photo": {}}, {"video": {"file_size": 30 * 2**20}})}
        for number, (label, items) in enumerate(albums.items()):
            group = {"media_group_id": f"77{number}"}
            await found.send(f"an album, {label}", *({**item, **group} for item in items))

    found = played(play, just_met=just_met)
    assert found.different == []
    assert found.acts > 100
    assert len(found.noticed) > 8


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_a_file_of_any_size_ends_the_same_on_one_bot_and_across_two(kind: Kind) -> None:
    async def play(found: Play) -> None:
        for length in SIZES:
            sized: Json = {"file_size": length} if length else {"file_size": None}
            content = {kind.value: sized, **({"caption": "look"} if "caption" in SPECIMENS[kind] else {})}
            await found.send(f"{kind} of {length}", content)
            sent = await found.send(f"a small {kind}", SPECIMENS[kind])
            await found.act(f"{kind} becomes one of {length}", sent, edit({kind.value: sized, "caption": "another"}))

    found = played(play)
    assert found.different == []
    assert any("too large" in line for line in found.noticed)


NOT_OF_A_MESSAGE = (Meaning.TOKEN, Meaning.CONFLICT, Meaning.SERVER)
UNREACHABLE = [row.fragment for row in TABLE if row.refusal is Refusal.UNREACHABLE]
REFUSALS = [row.fragment for row in TABLE if row.meaning not in NOT_OF_A_MESSAGE and row.fragment not in UNREACHABLE]


@contextmanager
def refusing(stage: Stage, description: str) -> Iterator[None]:
    """Let Telegram refuse every request for one of the partners."""
    ask = stage.world.call
    partners = {couple.partner.id for couple in stage.couples}

    def call(token: str, method: str, params: Any, files: Any = None) -> Answer:
        if params.get("chat_id") in partners and method.lower().startswith(("send", "copy", "edit", "set", "delete")):
            return refused(bad_request(description))
        return ask(token, method, params, files)

    stage.world.call = call  # type: ignore[method-assign]
    try:
        yield
    finally:
        stage.world.call = ask  # type: ignore[method-assign]


@pytest.mark.sized
def test_every_refusal_by_telegram_ends_the_same_on_one_bot_and_across_two() -> None:
    async def play(found: Play) -> None:
        for fragment in [*REFUSALS[:: size(12, 1)], "something that nobody has ever heard of"]:
            sent = {kind: await found.send(kind, SPECIMENS[kind]) for kind in (Kind.TEXT, Kind.PHOTO, Kind.VIDEO)}
            with refusing(found.stage, fragment):
                for kind in (Kind.TEXT, Kind.PHOTO, Kind.DOCUMENT, Kind.STICKER):
                    await found.send(f"{kind}: {fragment}", SPECIMENS[kind])
                await found.act(f"an edit: {fragment}", sent[Kind.TEXT], edit({"text": fragment}))
                await found.act(f"another file: {fragment}", sent[Kind.VIDEO], edit({"video": {}, "caption": fragment}))
                await found.act(f"a reaction: {fragment}", sent[Kind.PHOTO], react)
                await found.act(f"a reply: {fragment}", sent[Kind.PHOTO], answer)
                await found.act(f"taking back: {fragment}", sent[Kind.PHOTO], take_back)

    found = played(play)
    assert found.different == []
    assert len(found.noticed) > 4


@pytest.mark.parametrize("fragment", UNREACHABLE[:3])
def test_an_unreachable_partner_is_reported_the_same_on_one_bot_and_across_two(fragment: str) -> None:
    async def play(found: Play) -> None:
        with refusing(found.stage, fragment):
            await found.send(fragment, SPECIMENS[Kind.TEXT])
            await found.send(f"{fragment}, afterwards", SPECIMENS[Kind.PHOTO])

    found = played(play)
    assert found.different == []
    assert found.noticed


@pytest.mark.parametrize("name", ["_alone", "sets"])
def test_a_relay_that_can_do_more_on_one_bot_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two former bugs: a large file went by its id, and rich text with files was copied."""
    begin = ContentSender.__init__

    def lenient(self: Any, *args: Any, **more: Any) -> None:
        begin(self, *args, **{**more, "alone": True})

    async def play(found: Play) -> None:
        if name == "_alone":
            await found.send("video", {"video": {"file_size": 30 * 2**20}})
        else:
            await found.send("rich", {"rich_message": {"blocks": [*rich("x")["rich_message"]["blocks"], PICTURE]}})

    monkeypatch.setattr(ContentSender, "__init__", lenient)
    assert played(play).different
