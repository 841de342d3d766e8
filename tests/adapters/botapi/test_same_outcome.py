"""A file that could not be moved between bots is refused on one bot as well: nobody learns which bot their partner
uses."""

import asyncio
from typing import Any

import pytest

from passerby.adapters.botapi.transfer import DOWNLOAD_LIMIT
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId
from passerby.ports.telegram import EditContent, Refused, SendContent
from tests.adapters.botapi.bot_api import READER, SENDER, TOKENS, A, B, Memory, content_call, fleet
from tests.adapters.botapi.stub import ok, refusal

KINDS = [Kind.VIDEO, Kind.LIVE_PHOTO, Kind.ANIMATION, Kind.AUDIO, Kind.VOICE, Kind.VIDEO_NOTE, Kind.DOCUMENT]
both = pytest.mark.parametrize("to", [A, B], ids=["one bot", "two bots"])


def large(kind: Kind, size: int = DOWNLOAD_LIMIT + 1) -> Content:
    return Content(kind, file=File("x-a", "x", size))


def outcome(outgoing: SendContent | EditContent, **options: Any) -> Refusal | list[str]:
    """Return why it was refused, or the methods that were called."""
    found = {int(A): 0, **options.pop("located", {})}

    async def scenario() -> Refusal | list[str]:
        async with fleet(**options) as (api, stub):
            if found[int(A)]:
                stub.answer("getFile", ok({"file_id": "x-a", "file_path": "x", "file_size": found[int(A)]}))
            elif found.get("refused"):
                stub.answer("getFile", refusal(400, "Bad Request: file is too big"))
            try:
                await api.send(outgoing)
            except Refused as refused:
                return refused.refusal
            return [request.method for request in stub.calls()]

    return asyncio.run(scenario())


@both
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_too_large_to_move_is_refused_on_each_bot(kind: Kind, to: BotId) -> None:
    assert outcome(content_call(large(kind), to=to)) is Refusal.TOO_LARGE


@both
def test_a_file_too_large_to_move_is_refused_even_if_the_other_bot_knows_it(to: BotId) -> None:
    files = Memory()
    files.ids["x", B] = files.ids["x", A] = "x-known"
    assert outcome(content_call(large(Kind.VIDEO), to=to), files=files) is Refusal.TOO_LARGE


@both
def test_a_file_too_large_to_move_is_refused_even_if_only_telegram_knows_its_size(to: BotId) -> None:
    untold = content_call(large(Kind.VIDEO, 0), to=to)
    assert outcome(untold, located={int(A): DOWNLOAD_LIMIT + 1}) is Refusal.TOO_LARGE
    assert outcome(untold, located={"refused": True}) is Refusal.TOO_LARGE


@both
def test_a_file_too_large_to_move_is_refused_in_an_album_and_in_an_edit(to: BotId) -> None:
    small = Content(Kind.PHOTO, file=File("p-a", "p", 3))
    assert outcome(content_call(small, large(Kind.VIDEO), to=to)) is Refusal.TOO_LARGE
    edit = EditContent(to, READER, MessageId(5), A, SENDER, large(Kind.VIDEO), False)
    assert outcome(edit) is Refusal.TOO_LARGE


def test_a_single_bot_or_one_with_its_own_server_sends_by_id() -> None:
    outgoing = content_call(large(Kind.VIDEO), to=A)
    assert outcome(outgoing, tokens={A: TOKENS[A]}) == ["sendVideo"]
    assert outcome(outgoing, unlimited_files=True) == ["sendVideo"]
