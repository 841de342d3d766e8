"""The requests that a relay becomes: a copy, a send by id, a rebuilt message, or a refusal."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from passerby.adapters.botapi import BotApi
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import FloodWait, Refused, SendContent, Telegram
from tests.adapters.botapi.bot_api import READER, SENDER, TOKENS, A, B, Memory, content_call, fleet, photo
from tests.adapters.botapi.stub import Stub, refusal
from tests.staged import in_a_loop


def requests_of(
    outgoing: SendContent, files: Memory | None = None, tokens: Mapping[BotId, str] = TOKENS, **stored: bytes
) -> list[tuple[str, dict[str, Any]]]:
    """Return the adapter's calls, by method and members, if all goes well."""

    async def scenario() -> list[tuple[str, dict[str, Any]]]:
        async with fleet(files, tokens) as (api, stub):
            stub.files.update(stored)
            await api.send(outgoing)
            return [(request.method, request.members) for request in stub.calls()]

    return asyncio.run(scenario())


def refusal_of(outgoing: SendContent) -> Refusal:
    async def scenario() -> Refusal:
        async with fleet() as (api, stub):
            with pytest.raises(Refused) as caught:
                await api.send(outgoing)
            assert not stub.requests
            return caught.value.refusal

    return asyncio.run(scenario())


BOLD = Entity("bold", 0, 2)


def test_text_is_always_rebuilt_even_if_it_could_be_copied() -> None:
    mention = Entity("text_mention", 0, 2)
    text = Content(Kind.TEXT, "hi", (BOLD, mention), protected=True, effect="42")
    expected = {
        "chat_id": READER,
        "text": "hi",
        "entities": [{"type": "bold", "offset": 0, "length": 2}],
        "link_preview_options": {"is_disabled": True},
        "protect_content": True,
        "message_effect_id": "42",
    }
    for to in (A, B):
        assert requests_of(content_call(text, to=to, copyable=True)) == [("sendMessage", expected)]


def test_media_on_one_bot_is_sent_by_id_with_a_new_caption() -> None:
    content = photo(text="look", entities=(BOLD,), spoiler=True, caption_above=True)
    assert requests_of(content_call(content, to=A)) == [
        (
            "sendPhoto",
            {
                "chat_id": READER,
                "photo": "photo-a",
                "caption": "look",
                "caption_entities": [{"type": "bold", "offset": 0, "length": 2}],
                "show_caption_above_media": True,
                "has_spoiler": True,
            },
        )
    ]


def test_across_bots_a_known_file_is_sent_by_the_other_bots_id() -> None:
    files = Memory()
    files.ids["photo", B] = "photo-b"
    assert requests_of(content_call(photo(), copyable=True), files) == [
        ("sendPhoto", {"chat_id": READER, "photo": "photo-b"})
    ]


@pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.VIDEO, Kind.ANIMATION])
@pytest.mark.parametrize("to", [A, B])
def test_a_file_with_the_senders_name_is_uploaded_under_another_even_on_one_bot(kind: Kind, to: Any) -> None:
    content = Content(kind, file=File("x-a", "x", 3, "John Smith CV.pdf", "application/pdf"))

    async def scenario() -> None:
        files = Memory()
        async with fleet(files) as (api, stub):
            stub.files["x-a"] = b"abc"
            for _ in range(2):
                await api.send(content_call(content, to=to, copyable=True))
            first, second = stub.calls()[-2:]
            (name, uploaded) = first.files[kind.value]
            assert uploaded == b"abc"
            assert name == {"document": "document.pdf"}.get(kind, f"{kind.value}.mp4")
            assert second.members[kind.value] == files.ids["renamed:x", to] != "x-a"
            assert not [request for request in stub.requests if b"Smith" in request.raw]
            # The id that shows the name is not remembered for any bot.
            assert set(files.ids) == {("renamed:x", to)}

    asyncio.run(scenario())


def test_audio_is_never_sent_by_its_own_id_which_keeps_title_and_performer() -> None:
    content = Content(Kind.AUDIO, file=File("x-a", "x", 3, None, "audio/mpeg"), detail={"duration": 9})

    async def scenario() -> None:
        async with fleet() as (api, stub):
            stub.files["x-a"] = b"abc"
            await api.send(content_call(content, to=A, copyable=True))
            (sent,) = stub.calls("sendAudio")
            assert sent.files == {"audio": ("audio.mp3", b"abc")}
            assert sent.members == {"chat_id": str(READER), "duration": "9"}

    asyncio.run(scenario())


def test_a_name_that_we_gave_ourselves_need_not_be_hidden() -> None:
    content = Content(Kind.VIDEO, file=File("x-a", "x", 3, "video.mp4", "video/mp4"))
    assert requests_of(content_call(content, to=A, copyable=True))[0][0] == "sendVideo"


@pytest.mark.parametrize(("mime", "hidden"), [("application/zip", False), (None, False), ("application/x-ann", True)])
def test_an_unknown_type_is_hidden_like_a_name(mime: str | None, hidden: bool) -> None:
    content = Content(Kind.DOCUMENT, file=File("x-a", "x", 3, None, mime))
    first, *_ = requests_of(content_call(content, to=A, copyable=True), **{"x-a": b"abc"})
    assert (first[0] == "getFile") is hidden


@pytest.mark.parametrize(
    ("name", "mime", "given"),
    [
        ("Ann.pdf", "application/pdf", "document.pdf"),
        ("Ann.PDF", "application/pdf", "document.pdf"),
        ("Ann.pdf", "text/plain", "document"),
        ("Ann.smith", "application/pdf", "document"),
        ("archive.exe", "application/x-msdownload", "document"),
        ("Ann", "application/pdf", "document"),
        ("no mime.zip", None, "document"),
    ],
)
def test_a_document_keeps_only_a_harmless_ending_that_fits_its_type(name: str, mime: str | None, given: str) -> None:
    async def scenario() -> None:
        async with fleet() as (api, stub):
            stub.files["x-a"] = b"abc"
            await api.send(content_call(Content(Kind.DOCUMENT, file=File("x-a", "x", 3, name, mime))))
            (sent,) = stub.calls("sendDocument")
            assert sent.files["document"][0] == given
            assert sent.members["disable_content_type_detection"] is True

    asyncio.run(scenario())


def test_the_answer_teaches_the_file_id_for_both_directions() -> None:
    files = Memory()
    requests = requests_of(content_call(photo()), files, **{"photo-a": b"abc"})
    assert [method for method, _ in requests] == ["getFile", "photo-a", "sendPhoto"]
    assert files.ids == {("photo", B): f"photo-101-of-{B}", ("photo", A): "photo-a"}


@in_a_loop
async def test_a_wrong_id_is_forgotten_and_the_file_is_moved_once() -> None:
    files = Memory()
    files.ids["photo", B] = "stale"
    async with fleet(files) as (api, stub):
        stub.files["photo-a"] = b"abc"
        stub.answer("sendPhoto", refusal(400, "Bad Request: wrong file identifier/HTTP URL specified"))
        await api.send(content_call(photo()))
        assert [request.method for request in stub.calls()] == ["sendPhoto", "getFile", "photo-a", "sendPhoto"]
        assert files.ids["photo", B] == f"photo-101-of-{B}"


def test_a_file_that_stays_wrong_is_refused() -> None:
    wrong = refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")

    async def scenario() -> None:
        async with fleet() as (api, stub):
            stub.answer("sendPhoto", wrong, wrong)
            with pytest.raises(Refused) as caught:
                await api.send(content_call(photo(), to=A))
            assert caught.value.refusal is Refusal.CANNOT_COPY

    asyncio.run(scenario())


def sticker(**detail: Any) -> Content:
    return Content(Kind.STICKER, file=File("st-a", "st", 3), detail={"format": "static", **detail})


@pytest.mark.parametrize(
    ("form", "name"), [("static", "sticker.webp"), ("animated", "sticker.tgs"), ("video", "sticker.webm")]
)
@in_a_loop
async def test_a_sticker_whose_set_is_gone_is_moved(form: str, name: str) -> None:
    async with fleet() as (api, stub):
        stub.files["st-a"] = b"abc"
        stub.answer("getStickerSet", refusal(400, "Bad Request: STICKERSET_INVALID"))
        await api.send(content_call(sticker(set_name="cats", format=form)))
        (sent,) = stub.calls("sendSticker")
        assert sent.files == {"sticker": (name, b"abc")}


@pytest.mark.parametrize("copyable", [True, False])
def test_a_dice_is_shown_as_text_and_not_rolled_again(copyable: bool) -> None:
    dice = Content(Kind.DICE, detail={"emoji": "🎲", "value": 4})
    ((method, members),) = requests_of(content_call(dice, to=A, copyable=copyable))
    assert (method, members["text"]) == ("sendMessage", "🎲 4")


OPTIONS = [{"text": "yes", "text_entities": []}, {"text": "no", "text_entities": []}]


def poll(**detail: Any) -> Content:
    return Content(Kind.POLL, detail={"question": "well?", "options": OPTIONS, **detail})


def test_a_poll_is_rebuilt_as_an_anonymous_one() -> None:
    regular = poll(type="regular", allows_multiple_answers=True)
    assert requests_of(content_call(regular, to=A, copyable=True)) == [
        (
            "sendPoll",
            {
                "chat_id": READER,
                "question": "well?",
                "options": OPTIONS,
                "allows_multiple_answers": True,
                "is_anonymous": True,
            },
        )
    ]


def test_a_quiz_stays_a_quiz_only_if_its_answer_is_known() -> None:
    ((_, known),) = requests_of(content_call(poll(type="quiz", correct_option_ids=[1], explanation="because")))
    assert (known["type"], known["correct_option_ids"], known["explanation"]) == ("quiz", [1], "because")
    ((_, unknown),) = requests_of(content_call(poll(type="quiz")))
    assert "type" not in unknown
    assert "explanation" not in unknown


@pytest.mark.parametrize(
    ("content", "method", "members"),
    [
        (
            Content(Kind.LOCATION, detail={"latitude": 1.5, "longitude": 2.5, "live_period": 60}),
            "sendLocation",
            {"latitude": 1.5, "longitude": 2.5, "live_period": 60},
        ),
        (
            Content(
                Kind.VENUE,
                detail={"location": {"latitude": 1.5, "longitude": 2.5}, "title": "Cafe", "address": "Street 1"},
            ),
            "sendVenue",
            {"latitude": 1.5, "longitude": 2.5, "title": "Cafe", "address": "Street 1"},
        ),
        (
            Content(Kind.CONTACT, detail={"phone_number": "+1", "first_name": "Ann"}),
            "sendContact",
            {"phone_number": "+1", "first_name": "Ann"},
        ),
        (
            Content(Kind.RICH, detail={"rebuilt": {"blocks": [{"type": "divider"}]}, "copyable": False}),
            "sendRichMessage",
            {"rich_message": {"blocks": [{"type": "divider"}]}},
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Content) else None,
)
def test_kinds_without_a_file_are_rebuilt(content: Content, method: str, members: dict[str, Any]) -> None:
    assert requests_of(content_call(content, to=A, copyable=True)) == [(method, {"chat_id": READER, **members})]


def test_a_single_bot_copies_a_rich_message_with_files() -> None:
    rich = Content(Kind.RICH, detail={"rebuilt": None, "copyable": True})
    common = {"protect_content": True, "message_effect_id": "7"}
    alone = {A: TOKENS[A]}
    assert requests_of(content_call(replace(rich, protected=True, effect="7"), to=A, copyable=True), tokens=alone) == [
        ("copyMessage", {"chat_id": READER, "from_chat_id": SENDER, "message_id": 10, **common})
    ]


@pytest.mark.parametrize("faithful", [True, False])
def test_a_rich_message_without_files_is_rebuilt(faithful: bool) -> None:
    rich = Content(Kind.RICH, detail={"rebuilt": {"blocks": []}, "copyable": faithful})
    assert requests_of(content_call(rich, to=A, copyable=True))[0][0] == "sendRichMessage"


@pytest.mark.parametrize("to", [A, B])
@pytest.mark.parametrize(("faithful", "copyable"), [(False, True), (True, False), (True, True)])
def test_among_several_bots_a_rich_message_with_files_is_refused_on_each(
    faithful: bool, copyable: bool, to: Any
) -> None:
    rich = Content(Kind.RICH, detail={"rebuilt": None, "copyable": faithful})
    assert refusal_of(content_call(rich, to=to, copyable=copyable)) is Refusal.CANNOT_COPY


@pytest.mark.parametrize(
    "kind",
    [
        Kind.GAME,
        Kind.STORY,
        Kind.PAID_MEDIA,
        Kind.INVOICE,
        Kind.GIVEAWAY,
        Kind.SERVICE,
        Kind.UNKNOWN,
        Kind.RICH,
    ],
)
@pytest.mark.parametrize("to", [A, B])
def test_kinds_that_cannot_be_relayed_are_refused_before_any_call(kind: Kind, to: Any) -> None:
    assert refusal_of(content_call(Content(kind), to=to, copyable=True)) is Refusal.CANNOT_COPY


def test_a_file_above_the_download_limit_is_refused_before_any_call() -> None:
    huge = Content(Kind.VIDEO, file=File("x", "x", 20 * 2**20 + 1))
    assert refusal_of(content_call(huge)) is Refusal.TOO_LARGE


@in_a_loop
async def test_an_album_is_one_call_with_known_ids_and_uploads() -> None:
    files = Memory()
    files.ids["one", B] = "one-b"
    async with fleet(files) as (api, stub):
        stub.files["two-a"] = b"22"
        album = (
            photo("one-a", "one", text="hi", entities=(BOLD,), group="g"),
            Content(Kind.VIDEO, file=File("two-a", "two", 2), group="g", spoiler=True, detail={"width": 8}),
        )
        messages = await api.send(content_call(*album, reply_to=3))
        assert len(messages) == 2
        (sent,) = stub.calls("sendMediaGroup")
        assert sent.members == {
            "chat_id": str(READER),
            "reply_parameters": {"message_id": 3},
            "media": [
                {
                    "type": "photo",
                    "media": "one-b",
                    "caption": "hi",
                    "caption_entities": [{"type": "bold", "offset": 0, "length": 2}],
                },
                {
                    "type": "video",
                    "media": "attach://file0",
                    "width": 8,
                    "has_spoiler": True,
                    "supports_streaming": True,
                },
            ],
        }
        assert sent.files == {"file0": ("video.mp4", b"22")}
        assert files.ids["two", B].startswith("video-")


def test_an_album_on_one_bot_is_sent_by_ids_because_copies_may_arrive_in_part() -> None:
    album = (photo("one-a", "one"), photo("two-a", "two"))
    ((method, members),) = requests_of(content_call(*album, to=A, copyable=True))
    assert method == "sendMediaGroup"
    assert [entry["media"] for entry in members["media"]] == ["one-a", "two-a"]


def test_a_live_photo_is_sent_with_its_still_image() -> None:
    live = Content(Kind.LIVE_PHOTO, file=File("l-a", "l", 3), detail={"photo": {"file_id": "s-a", "unique": "s"}})
    ((_, members),) = requests_of(content_call(live, to=A))
    assert members == {"chat_id": READER, "live_photo": "l-a", "photo": "s-a"}

    async def scenario() -> None:
        async with fleet() as (api, stub):
            stub.files.update({"l-a": b"abc", "s-a": b"de"})
            await api.send(content_call(live))
            (sent,) = stub.calls("sendLivePhoto")
            assert sent.files == {"live_photo": ("live_photo.mp4", b"abc"), "photo": ("photo.jpg", b"de")}

    asyncio.run(scenario())


def test_a_lost_store_costs_an_upload_but_no_message() -> None:
    class Lost(Memory):
        async def file_id(self, unique: str, bot: Any) -> str | None:
            raise LiveStoreLost

        async def remember_file(self, unique: str, bot: Any, file_id: str | None) -> None:
            raise LiveStoreLost

    requests = requests_of(content_call(photo()), Lost(), **{"photo-a": b"abc"})
    assert requests[-1][0] == "sendPhoto"


@in_a_loop
async def test_an_upload_whose_reply_target_is_gone_is_repeated_without_it() -> None:
    async with fleet() as (api, stub):
        stub.files["photo-a"] = b"abc"
        stub.answer("sendPhoto", refusal(400, "Bad Request: message to be replied not found"))
        await api.send(content_call(photo(), reply_to=3))
        first, second = stub.calls("sendPhoto")
        assert first.members["reply_parameters"] == {"message_id": 3}
        assert "reply_parameters" not in second.members
        assert second.files["photo"][1] == b"abc"


@pytest.mark.parametrize("content", [Content(Kind.TEXT, "hi"), photo()], ids=["text", "photo"])
def test_a_flood_wait_passes_through(content: Content) -> None:
    async def scenario() -> None:
        async with fleet() as (api, stub):
            flooded(stub)
            with pytest.raises(FloodWait) as caught:
                await api.send(content_call(content, to=A))
            assert caught.value.retry_after_s == 3

    def flooded(stub: Stub) -> None:
        for method in ("sendMessage", "sendPhoto"):
            stub.answer(method, refusal(429, "Too Many Requests: retry after 3", retry_after=3))

    asyncio.run(scenario())


def test_the_port_is_satisfied() -> None:
    def takes(_: Telegram) -> None:
        pass

    async def scenario() -> None:
        async with fleet() as (api, _):
            assert isinstance(api, BotApi)
            takes(api)
            assert api.bots == (A, B)

    asyncio.run(scenario())
