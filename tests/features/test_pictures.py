"""Pictures from strangers arrive blurred, as their reader wishes."""

import pytest

from passerby.domain.pictures import blurs
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.effect import Relay, RelayEdit
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Blur, Chatting
from passerby.kernel.rules import Rules
from tests.features.playbook import NOW, OTHER_BOT, Person, Playbook

PICTURES = (Kind.PHOTO, Kind.LIVE_PHOTO, Kind.VIDEO, Kind.ANIMATION)


def picture(kind: Kind = Kind.PHOTO, unique: str = "u") -> Content:
    return Content(kind, "look", file=File("id", unique))


def couple() -> tuple[Playbook, Person, Person]:
    talk = Playbook()
    return talk, *talk.pair(talk.person(), talk.person(bot=OTHER_BOT))


def arrives(by: Person, *contents: Content) -> list[bool]:
    (relayed,) = by.sends(*contents).effects
    assert isinstance(relayed, Relay)
    assert not (relayed.copyable and any(each.spoiler for each in relayed.contents)), "a copy would show the picture"
    return [each.spoiler for each in relayed.contents]


@pytest.mark.parametrize("kind", PICTURES)
def test_the_first_pictures_from_a_stranger_are_blurred_and_later_ones_are_not(kind: Kind) -> None:
    talk, ann, _ = couple()
    assert arrives(ann, picture(kind)) == [True]
    talk.later(talk.env.rules.just_met_s)
    assert arrives(ann, picture(kind)) == [False]


@pytest.mark.parametrize(("blur", "first", "later"), [(Blur.ALWAYS, True, True), (Blur.NEVER, False, False)])
def test_the_reader_decides_not_the_sender(blur: Blur, first: bool, later: bool) -> None:
    talk, ann, ben = couple()
    ben.prefers(blur=blur)
    assert arrives(ann, picture()) == [first]
    assert arrives(ben, picture()) == [True], "ann has not changed anything"
    talk.later(talk.env.rules.just_met_s)
    assert arrives(ann, picture()) == [later]


@pytest.mark.parametrize("after_s", [0.0, 10_000.0])
def test_a_picture_that_its_sender_blurred_stays_blurred(after_s: float) -> None:
    talk, ann, _ = couple()
    talk.later(after_s)
    (relayed,) = ann.sends(Content(Kind.PHOTO, file=File("f", "u"), spoiler=True)).effects
    assert isinstance(relayed, Relay)
    assert relayed.contents[0].spoiler


def test_every_picture_of_an_album_is_blurred() -> None:
    _, ann, _ = couple()
    album = (picture(), Content(Kind.VIDEO, file=File("v", "v"), group="g"), picture(unique="w"))
    assert arrives(ann, *album) == [True, True, True]


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.VOICE, Kind.STICKER, Kind.DOCUMENT, Kind.VIDEO_NOTE])
def test_media_that_cannot_be_blurred_are_passed_on_as_they_are(kind: Kind) -> None:
    _, ann, _ = couple()
    assert arrives(ann, Content(kind, "words", file=File("f", "u"))) == [False]


@pytest.mark.parametrize(("detail", "copied"), [({"rebuilt": None}, False), ({"rebuilt": {"blocks": []}}, True)])
def test_rich_text_with_pictures_is_not_copied_unblurred(detail: dict[str, object], copied: bool) -> None:
    _, ann, _ = couple()
    (relayed,) = ann.sends(Content(Kind.RICH, "words", detail=detail)).effects
    assert isinstance(relayed, Relay)
    assert relayed.copyable is copied


@pytest.mark.parametrize(("sent_after_s", "spoiler"), [(10.0, True), (1_000.0, False)])
def test_a_picture_that_replaces_another_is_blurred_like_the_first(sent_after_s: float, spoiler: bool) -> None:
    talk, ann, _ = couple()
    talk.later(2_000.0)
    (edited,) = ann.edits(60, "", content=picture(unique="new"), sent_at=NOW + sent_after_s).effects
    assert isinstance(edited, RelayEdit)
    assert edited.content.spoiler is spoiler


def test_a_picture_that_waited_for_its_senders_confirmation_is_blurred() -> None:
    _, ann, _ = couple()
    message = ann.message(Content(Kind.PHOTO, "@somebody", file=File("f", "u")))
    *_, relayed = ann.presses("show", ann.chat, subject=message).effects
    assert isinstance(relayed, Relay)
    assert relayed.contents[0].spoiler


def test_a_caption_without_its_user_name_lets_the_picture_through_blurred() -> None:
    _, ann, _ = couple()
    ann.sends(Content(Kind.PHOTO, "@somebody", file=File("f", "u")))
    held = MessageRef(ann.bot, MessageId(ann.last_message))
    relayed = ann.edits(held.message, "", content=picture()).effects[0]
    assert isinstance(relayed, Relay)
    assert relayed.contents[0].spoiler


def test_without_a_known_reader_pictures_are_blurred() -> None:
    talk, ann, _ = couple()
    assert isinstance(ann.value.state, Chatting)
    assert blurs(None, ann.value.state, NOW + 9_999, talk.env)


def looked_at() -> tuple[Playbook, Person, Person]:
    talk = Playbook(Rules(pictures_looked_at=True))
    return talk, *talk.pair(talk.person(), talk.person(bot=OTHER_BOT))


def relayed(by: Person, *contents: Content) -> Relay:
    (found,) = by.sends(*contents).effects
    assert isinstance(found, Relay)
    return found


def test_a_model_looks_at_photos_that_would_arrive_without_blur_and_other_pictures_are_blurred_unseen() -> None:
    talk, ann, ben = looked_at()
    first = relayed(ann, picture())
    assert (first.look, first.contents[0].spoiler) == (False, True), "it is blurred anyway"
    talk.later(talk.env.rules.just_met_s)
    later = relayed(ann, picture())
    assert (later.look, later.contents[0].spoiler, later.copyable) == (True, False, True)
    for kind in (Kind.LIVE_PHOTO, Kind.VIDEO, Kind.ANIMATION):
        unseen = relayed(ann, picture(kind))
        assert (unseen.look, unseen.contents[0].spoiler) == (False, True), kind
    hidden = relayed(ann, Content(Kind.PHOTO, file=File("f", "u"), spoiler=True))
    assert (hidden.look, hidden.contents[0].spoiler) == (False, True)
    assert not relayed(ann, Content(Kind.TEXT, text="hello")).look
    ben.prefers(blur=Blur.NEVER)
    wished = relayed(ann, picture())
    assert (wished.look, wished.contents[0].spoiler) == (False, False), "who wants to see everything does"


def test_a_picture_that_an_edit_brings_is_blurred_where_a_model_looks() -> None:
    talk, ann, _ = looked_at()
    talk.later(talk.env.rules.just_met_s)
    relayed(ann, picture())
    (edit,) = ann.edits(ann.last_message, "", content=picture(unique="w")).effects
    assert isinstance(edit, RelayEdit)
    assert edit.content.spoiler


def test_without_the_setting_nobody_looks() -> None:
    talk, ann, _ = couple()
    talk.later(talk.env.rules.just_met_s)
    assert not relayed(ann, picture()).look
