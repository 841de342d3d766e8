"""The documentation page about content kinds is true: each row is played on one bot and across two."""

from collections.abc import Callable
from typing import Any

import pytest

from passerby.adapters.botapi.kinds import Way, way
from passerby.domain.sanitise import REFUSED, REVEALS_SENDER, refusal
from passerby.kernel.content import Content, Kind
from tests.leaks.stage import Couple, Json, Left, Stage, staged
from tests.wording import catalogue

PLACE = {"latitude": 1.5, "longitude": 2.5}
POLL = {
    "id": "7", "question": "well?", "options": [{"persistent_id": n, "text": n, "voter_count": 0} for n in "12"],
    "total_voter_count": 0, "is_closed": False, "is_anonymous": False, "type": "regular",
    "allows_multiple_answers": False, "allows_revoting": True, "members_only": False,
}  # fmt: skip
PICTURE = {
    "type": "photo",
    "photo": [{"file_id": "x", "file_unique_id": "y", "width": 9, "height": 9}],
    "caption": {"text": "c"},
}


def rich(*words: str) -> Json:
    return {"rich_message": {"blocks": [{"type": "paragraph", "text": word} for word in words]}}


def tasks(text: str) -> Json:
    return {"checklist": {"title": text, "tasks": [{"id": 1, "text": "milk"}]}}


SPECIMENS: dict[Kind, Json] = {
    Kind.TEXT: {"text": "hi"},
    Kind.RICH: rich("hi"),
    Kind.CHECKLIST: tasks("shopping"),
    Kind.DICE: {"dice": {"emoji": "🎲", "value": 5}},
    Kind.POLL: {"poll": POLL},
    Kind.VENUE: {"venue": {"location": PLACE, "title": "Cafe", "address": "Street"}, "location": PLACE},
    Kind.LOCATION: {"location": {**PLACE, "live_period": 900}},
    Kind.CONTACT: {"contact": {"phone_number": "+1 000", "first_name": "Friend"}},
    Kind.STICKER: {"sticker": {"type": "regular", "is_animated": False, "is_video": False}},
    Kind.UNKNOWN: {"hologram": {}},
}
CAPTIONED = ("photo", "live_photo", "video", "animation", "audio", "voice", "document")
SPECIMENS |= {Kind(kind): {kind: {}, "caption": "look"} for kind in CAPTIONED}
SPECIMENS[Kind.VIDEO_NOTE] = {"video_note": {}}
REWORDED: dict[Kind, Json] = {
    Kind.TEXT: {"text": "hi there"},
    Kind.RICH: rich("hi", "there"),
    Kind.CHECKLIST: tasks("shopping list"),
    Kind.LOCATION: {"location": {**PLACE, "latitude": 1.6, "live_period": 900}},
}
NOT_SENDING = {"getFile", "getStickerSet", "answerCallbackQuery"}

Play = Callable[[Stage], Any]


@pytest.fixture(scope="module")
def seen() -> dict[tuple[Kind, str, int], tuple[list[str], list[str]]]:
    """Play everything. By kind, act and couple: the methods called for the partner's chat, and the notices to the
    sender."""
    found: dict[tuple[Kind, str, int], tuple[list[str], list[str]]] = {}

    def note(kind: Kind, act: str, left: list[Left], couples: tuple[Couple, ...]) -> None:
        for number, couple in enumerate(couples):
            methods = [
                request["method"]
                for part in left
                for request in part.requests
                if request["params"].get("chat_id") == couple.partner.id
            ]
            told = [message["text"] for part in left for person, message in part.shown if person == couple.me.id]
            found[kind, act, number] = ([each for each in methods if each not in NOT_SENDING], told)

    async def play(stage: Stage) -> None:
        for kind, specimen in specimens().items():
            left, ids = await _sent(stage, [specimen])
            note(kind, "new", left, stage.couples)
            if kind is Kind.RICH:
                blocks = {"rich_message": {"blocks": [*specimen["rich_message"]["blocks"], PICTURE]}}
                note(kind, "with files", (await _sent(stage, [blocks]))[0], stage.couples)
            if way(kind).grouped:
                album = [{**specimen, "media_group_id": f"9{len(found)}"}] * 2
                note(kind, "album", (await _sent(stage, album))[0], stage.couples)
            for act, edit in edits_of(kind, specimen):
                for couple, id_ in zip(stage.couples, ids, strict=True):
                    stage.edit(couple.me, couple.bot, id_, edit)
                note(kind, act, [await stage.settled()], stage.couples)

    with staged(just_met=False) as stage:
        stage.loop.run_until_complete(play(stage))
    return found


def specimens() -> dict[Kind, Json]:
    return SPECIMENS | {kind: {way(kind).fields[0]: {}} for kind in Kind if kind not in SPECIMENS}


def edits_of(kind: Kind, specimen: Json) -> list[tuple[str, Json]]:
    edits = [("reworded", REWORDED[kind])] if kind in REWORDED else []
    if "caption" in specimen:
        edits = [("reworded", {"caption": "look there"}), ("exchanged", {kind.value: {}, "caption": "look there"})]
    return edits


async def _sent(stage: Stage, messages: list[Json]) -> tuple[list[Left], list[int]]:
    ids = []
    for couple in stage.couples:
        first, *_ = [stage.send(couple.me, couple.bot, message) for message in messages]
        ids.append(first)
    left = [await stage.settled()]
    for couple in stage.couples:
        for person, message in left[0].shown:
            if person == couple.me.id and "inline_keyboard" in message.get("reply_markup", {}):
                stage.world.phones.press(person, couple.bot, message["message_id"], 0, 0)
    return [*left, await stage.settled()], ids


def _sentence(key: str) -> str:
    return catalogue().words(key)["en"]


@pytest.mark.parametrize("couple", [0, 1], ids=["one bot", "two bots"])
@pytest.mark.parametrize("kind", Kind)
def test_each_row_of_the_content_page_is_true(kind: Kind, couple: int, seen: Any) -> None:
    row: Way = way(kind)
    methods, told = seen[kind, "new", couple]
    if kind in REFUSED:
        assert (methods, told) == ([], [_sentence(REFUSED[kind])])
        return
    assert methods == [row.sent]
    assert (_sentence("chat.shown") in told) is (kind in REVEALS_SENDER)
    if row.grouped:
        assert seen[kind, "album", couple][0] == [row.grouped]
    if row.copied:
        methods, told = seen[kind, "with files", couple]
        refused = [_sentence("chat.failed_cannot_copy")]
        assert (methods, told) == ([], refused)
    edits = [method for act in ("reworded", "exchanged") for method in seen.get((kind, act, couple), ([],))[0]]
    assert edits == list(row.edits)


def test_the_content_page_is_true_about_polls_with_media() -> None:
    assert refusal(Content(Kind.POLL, detail={"has_media": True})) == "chat.refused_poll_media"
    assert refusal(Content(Kind.POLL, detail={})) is None
