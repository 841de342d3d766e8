"""Files: ids, kinds, size limits, downloads, albums, stickers."""

import pytest

from botapi_sandbox import Answer, Upload
from botapi_sandbox.world.files import image_size
from tests.botapi_sandbox.samples import GIF, JPEG, PNG, WEBP, png
from tests.botapi_sandbox.small_world import SmallWorld, small_world


def why(made: SmallWorld, method: str, **params: object) -> str:
    return made.refusal(method, chat_id=made.ann, **params)[1].removeprefix("Bad Request: ")


def document(made: SmallWorld, data: bytes = b"paper") -> dict[str, object]:
    sent = made.world.phones.upload(made.ann, made.bot.id, "document", Upload(data, "a.pdf"))
    found: dict[str, object] = sent["document"]
    return found


def test_a_file_id_belongs_to_one_bot_but_the_unique_id_is_shared() -> None:
    made = small_world()
    other = made.world.add_bot()
    mine = document(made)
    record = next(each for each in made.world.state.files.values() if each.name == "a.pdf")
    theirs = made.world.files.describe(other, record)
    assert isinstance(theirs, dict)
    assert mine["file_unique_id"] == theirs["file_unique_id"]
    assert mine["file_id"] != theirs["file_id"]
    assert why(made, "sendDocument", document=theirs["file_id"]) == "wrong file identifier/HTTP URL specified"
    foreign = made.refusal("getFile", file_id=theirs["file_id"])
    assert foreign == (400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    assert made.ask("sendDocument", chat_id=made.ann, document=mine["file_id"])["document"] == mine


def test_a_unique_id_cannot_send_a_file() -> None:
    made = small_world()
    unique = document(made)["file_unique_id"]
    assert why(made, "sendDocument", document=unique) == "wrong file identifier/HTTP URL specified"
    assert made.refusal("getFile", file_id=unique) == (400, "Bad Request: invalid file_id")


def test_a_file_of_one_kind_cannot_be_sent_as_another() -> None:
    made = small_world()
    photo = made.world.phones.send(made.ann, made.bot.id, {"photo": {}})["photo"][-1]["file_id"]
    assert why(made, "sendVideo", video=photo) == "can't use file of type Photo as Video"


def test_the_sandbox_never_downloads_a_url() -> None:
    made = small_world()
    assert why(made, "sendPhoto", photo="https://x.org/a.png") == "failed to get HTTP URL content"


def test_the_size_of_a_picture_comes_from_its_header() -> None:
    made = small_world()
    sent = made.ask("sendPhoto", {"photo": Upload(png(1000, 500), "a.png")}, chat_id=made.ann)
    sides = [(size["width"], size["height"]) for size in sent["photo"]]
    assert sides == [(90, 45), (320, 160), (800, 400), (1000, 500)]
    assert len({size["file_unique_id"] for size in sent["photo"]}) == 4


@pytest.mark.parametrize(
    ("data", "size"), [(PNG, (40, 30)), (GIF, (20, 10)), (WEBP, (1, 1)), (JPEG, (64, 48)), (b"x", None)]
)
def test_picture_headers_are_read(data: bytes, size: tuple[int, int] | None) -> None:
    assert image_size(data) == size


def test_uploads_above_the_size_limits_are_refused() -> None:
    made = small_world()
    big = made.refusal("sendPhoto", {"photo": Upload(b"x" * (10 * 2**20 + 1))}, chat_id=made.ann)[1]
    assert big == "Bad Request: file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes"
    long = made.refusal("sendPhoto", {"photo": Upload(png(2100, 100))}, chat_id=made.ann)[1]
    assert long == "Bad Request: PHOTO_INVALID_DIMENSIONS"
    empty = made.refusal("sendDocument", {"document": Upload(b"")}, chat_id=made.ann)[1]
    assert empty == "Bad Request: file must be non-empty"
    heavy = made.refusal("sendDocument", {"document": Upload(b"x" * (50 * 2**20 + 1))}, chat_id=made.ann)[1]
    assert heavy == "Bad Request: file is too big"


def test_files_above_20_megabytes_cannot_be_downloaded() -> None:
    made = small_world()
    for size, fits in ((20 * 2**20, True), (20 * 2**20 + 1, False)):
        sent = made.world.phones.send(made.ann, made.bot.id, {"document": {"file_size": size}})
        answer = made.answer("getFile", file_id=sent["document"]["file_id"])
        assert (answer.status == 200) is fits
    assert answer.json()["description"] == "Bad Request: file is too big"


def test_a_download_link_is_valid_for_an_hour() -> None:
    made = small_world()
    path = made.ask("getFile", file_id=document(made)["file_id"])["file_path"]
    assert path.startswith("documents/file_")
    assert made.world.fetch_file(made.bot.token, path) == (b"paper", "application/pdf")
    other = made.world.add_bot()
    assert isinstance(made.world.fetch_file(other.token, path), Answer)
    made.clock.pass_by(3600)
    assert isinstance(made.world.fetch_file(made.bot.token, path), Answer)


def test_the_oldest_file_bytes_are_dropped_above_a_limit() -> None:
    made = small_world(file_bytes_kept=100)
    old, new = document(made, b"a" * 60), document(made, b"b" * 60)
    assert made.refusal("getFile", file_id=old["file_id"])[1].endswith("temporarily unavailable")
    made.ask("getFile", file_id=new["file_id"])
    made.ask("sendDocument", chat_id=made.ann, document=old["file_id"])


def album(made: SmallWorld, *kinds: str) -> list[dict[str, str]]:
    items = []
    for kind in kinds:
        sent = made.world.phones.send(made.ann, made.bot.id, {kind: {}})[kind]
        items.append({"type": kind, "media": (sent[-1] if isinstance(sent, list) else sent)["file_id"]})
    return items


def test_an_album_has_two_to_ten_matching_items() -> None:
    made = small_world()
    items = album(made, "photo", "video", "audio", "document")
    assert len(made.ask("sendMediaGroup", chat_id=made.ann, media=items[:2])) == 2
    for wrong, reason in (
        (items[:1], "there must be 2-10 messages to send as an album"),
        ([], "there are no messages to send"),
        (items[:1] * 11, "there must be 2-10 messages to send as an album"),
        ([items[0], items[2]], "audio and documents can't be mixed with other media types in an album"),
    ):
        assert why(made, "sendMediaGroup", media=wrong) == reason


def test_an_album_with_one_bad_file_names_it_and_sends_nothing() -> None:
    made = small_world()
    items = album(made, "photo", "photo")
    items[1]["media"] = "nonsense"
    before = len(made.bot.chats[made.ann].messages)
    assert why(made, "sendMediaGroup", media=items).startswith("failed to send message #2 with the error message")
    assert len(made.bot.chats[made.ann].messages) == before


def test_every_bot_finds_sticker_sets_by_name() -> None:
    made = small_world()
    other = made.world.add_bot()
    mine = made.ask("getStickerSet", name="SandboxStickers")["stickers"]
    theirs = made.ask("getStickerSet", bot=other, name="SandboxStickers")["stickers"]
    assert [each["file_unique_id"] for each in mine] == [each["file_unique_id"] for each in theirs]
    assert not {each["file_id"] for each in mine} & {each["file_id"] for each in theirs}
    sent = made.ask("sendSticker", chat_id=made.ann, sticker=mine[0]["file_id"])
    assert sent["sticker"]["set_name"] == "SandboxStickers"
    assert made.refusal("getStickerSet", name="None") == (400, "Bad Request: STICKERSET_INVALID")


def test_custom_emoji_are_found_by_id() -> None:
    made = small_world()
    emoji = made.ask("getStickerSet", name="SandboxEmoji")["stickers"]
    wanted = [emoji[1]["custom_emoji_id"], "1"]
    assert made.ask("getCustomEmojiStickers", custom_emoji_ids=wanted) == [emoji[1]]


def test_a_bot_can_make_and_delete_its_own_sticker_set() -> None:
    made = small_world()
    name = f"mine_by_{made.bot.username}"
    stickers = [{"sticker": "attach://one", "format": "static", "emoji_list": ["😀"]}]
    made.ask(
        "createNewStickerSet",
        {"one": Upload(WEBP, "a.webp")},
        user_id=made.ann,
        name=name,
        title="T",
        stickers=stickers,
    )
    assert made.ask("getStickerSet", name=name)["stickers"][0]["emoji"] == "😀"
    assert made.ask("deleteStickerSet", name=name)
    assert made.refusal("deleteStickerSet", name="SandboxStickers")[0] == 400
