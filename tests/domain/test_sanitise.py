"""Everything that may be passed on from one stranger to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.sanitise import (
    FOUND_ANEW,
    KEPT,
    REFUSED,
    REVEALS_SENDER,
    Clean,
    bare_entities,
    opens_profile,
    sanitise,
)
from passerby.kernel.content import Content, Entity, Kind

PROFILE_LINKS = [
    "tg://user?id=5000000001",
    "tg:user?id=5000000001",
    "TG://USER?id=5000000001",
    " tg://resolve?domain=ann",
    "tg://openmessage?user_id=5000000001",
    "tg://contact?token=x",
    "http://t.me/ann",
    "https://t.me/ann",
    "https://T.ME/ann",
    "//t.me/ann",
    "t.me/ann",
    "t.me",
    "https://t.me:443/ann",
    "https://t.me./ann",
    "https://www.t.me/ann",
    "https://ann.t.me",
    "ann.t.me",
    "https://ann.t.me?text=hi",
    "https://x@t.me/ann",
    "https://telegram.me/ann",
    "https://telegram.dog/ann",
    "https://t.me/contact/x",
]
OTHER_LINKS = [
    "https://example.org/",
    "https://example.org/t.me/ann",
    "https://example.org/?to=https://t.me/ann",
    "https://chat.mentor",
    "https://start.me/p",
    "https://t.media/x",
    "https://not-telegram.me.example/",
    "mailto:someone@example.org",
    "https://t.me.example.org/",
]
UNMASKING = ["text_mention", "a type yet to come"]


def words(*entities: Entity) -> Content:
    return Content(Kind.TEXT, "some words here", entities)


@pytest.mark.parametrize("url", PROFILE_LINKS)
def test_a_link_that_opens_a_profile_is_removed_and_the_original_is_not_copied(url: str) -> None:
    bold = Entity("bold", 5, 5)
    assert sanitise(words(Entity("text_link", 0, 4, url=url), bold)) == Clean(words(bold), intact=False)


@pytest.mark.parametrize("url", OTHER_LINKS)
def test_other_links_stay(url: str) -> None:
    content = words(Entity("text_link", 0, 4, url=url))
    assert sanitise(content) == Clean(content, intact=True)


def test_a_link_without_an_address_is_removed() -> None:
    assert sanitise(words(Entity("text_link", 0, 4))) == Clean(words(), intact=False)


@pytest.mark.parametrize("type_", UNMASKING)
def test_a_hidden_mention_is_removed_and_the_original_is_not_copied(type_: str) -> None:
    assert sanitise(words(Entity(type_, 0, 4))) == Clean(words(), intact=False)


SAYS = {"pre": {"language": "en"}, "custom_emoji": {"custom_emoji_id": "1"}, "date_time": {"unix_time": 1}}


@pytest.mark.parametrize("type_", sorted(KEPT.keys() - {"text_link"}))
def test_formatting_stays(type_: str) -> None:
    content = words(Entity(type_, 0, 4, **SAYS.get(type_, {})))  # type: ignore[arg-type]
    assert sanitise(content) == Clean(content, intact=True)


@pytest.mark.parametrize("type_", sorted(KEPT.keys() - {"text_link"}))
def test_formatting_keeps_only_its_own_members(type_: str) -> None:
    said = SAYS.get(type_, {})
    content = words(Entity(type_, 0, 4, url="tg://user?id=5000000001", **said))  # type: ignore[arg-type]
    bare = words(Entity(type_, 0, 4, **said))  # type: ignore[arg-type]
    assert sanitise(content) == Clean(bare, intact=False)


@pytest.mark.parametrize("type_", sorted(FOUND_ANEW))
def test_entities_that_telegram_finds_again_are_not_passed_on(type_: str) -> None:
    assert sanitise(words(Entity(type_, 0, 4))) == Clean(words(), intact=True)


ENTITIES = st.builds(
    Entity,
    st.sampled_from(sorted(KEPT.keys() | FOUND_ANEW) + UNMASKING),
    st.integers(0, 10),
    st.integers(1, 5),
    url=st.sampled_from([None, *PROFILE_LINKS, *OTHER_LINKS]),
)


@given(st.lists(ENTITIES, max_size=6), st.sampled_from(Kind))
def test_sanitising_only_removes_entities_and_twice_equals_once(entities: list[Entity], kind: Kind) -> None:
    content = Content(kind, "words", tuple(entities))
    clean = sanitise(content)
    assert sanitise(clean.content).content == clean.content
    kept = clean.content.entities
    assert len(kept) <= len(entities)
    assert all(each.type in KEPT and (each.url is None or each.type == "text_link") for each in kept)
    taken = [each for each in entities if each not in kept]
    assert clean.intact == all(each.type in FOUND_ANEW for each in taken)


@pytest.mark.parametrize(
    ("detail", "intact"),
    [
        (None, True),
        ({"blocks": [{"type": "paragraph", "text": "hello"}]}, True),
        ({"blocks": [{"type": "paragraph", "text": [{"type": "bold", "text": "hello"}]}]}, True),
        ({"blocks": [{"type": "paragraph", "text": [{"type": "text_mention", "text": "hello"}]}]}, False),
        ({"blocks": [{"type": "list", "items": [{"blocks": ({"user": {"id": 1}},)}]}]}, False),
        ({"blocks": [{"type": "paragraph", "text": {"type": "url", "url": "https://t.me/ann"}}]}, False),
        ({"blocks": [{"type": "table", "rows": 3, "is_bordered": True}]}, True),
    ],
)
def test_rich_text_is_searched_at_every_depth(detail: dict[str, object] | None, intact: bool) -> None:
    content = Content(Kind.RICH, detail=detail)
    assert sanitise(content) == Clean(content, intact)


def test_other_kinds_are_not_searched_for_rich_text() -> None:
    content = Content(Kind.CONTACT, detail={"user": "may be shown if its sender says so"})
    assert sanitise(content).intact


def test_contacts_and_places_need_confirmation_but_are_not_refused() -> None:
    assert {Kind.CONTACT, Kind.LOCATION, Kind.VENUE} == REVEALS_SENDER
    assert not REVEALS_SENDER & set(REFUSED)


@pytest.mark.parametrize(
    ("entity", "kept"),
    [
        (Entity("pre", 0, 4, language="python"), Entity("pre", 0, 4, language="python")),
        (Entity("pre", 0, 4, language="t.me/ann"), Entity("pre", 0, 4)),
        (Entity("pre", 0, 4, language="x" * 65), Entity("pre", 0, 4)),
        (Entity("custom_emoji", 0, 4, custom_emoji_id="5368324170671202286"), None),
        (Entity("custom_emoji", 0, 4, custom_emoji_id="t.me/ann"), "gone"),
        (Entity("custom_emoji", 0, 4), None),
        (Entity("date_time", 0, 4, unix_time=5, date_time_format="wDT"), None),
        (Entity("date_time", 0, 4, unix_time=5, date_time_format="@ann"), Entity("date_time", 0, 4, unix_time=5)),
        (Entity("bold", 0, 4, language="t.me/ann"), Entity("bold", 0, 4)),
    ],
)
def test_a_member_with_an_unexpected_value_is_dropped(entity: Entity, kept: Entity | str | None) -> None:
    expected = (entity,) if kept is None else () if isinstance(kept, str) else (kept,)
    assert sanitise(words(entity)).content.entities == expected
    assert bare_entities((entity,)) == expected


def test_an_effect_is_a_number_or_none() -> None:
    plain = Content(Kind.TEXT, "hi", effect="5104841245755180586")
    assert sanitise(plain) == Clean(plain, intact=True)
    assert sanitise(Content(Kind.TEXT, "hi", effect="t.me/ann")) == Clean(Content(Kind.TEXT, "hi"), intact=False)


def test_a_link_that_is_too_long_to_read_is_dropped() -> None:
    assert not opens_profile("https://example.org/" + "x" * 2_000)
    assert opens_profile("https://example.org/" + "x" * 3_000)
    assert not opens_profile("https://exämple.org/")


def test_a_link_that_is_quoted_too_often_is_not_passed_on() -> None:
    assert opens_profile("https://t.me%252Fann")
    assert opens_profile("https://example.org/?to=%2525252525252Fann")
    assert not opens_profile("https://example.org/?to=%252Fann")


def linked(urls: list[str]) -> Content:
    entities = tuple(Entity("text_link", at, 1, url=url) for at, url in enumerate(urls))
    return Content(Kind.TEXT, "a" * len(urls), (*entities, Entity("bold", 0, 1)))


def test_a_hundred_links_of_a_usual_length_stay() -> None:
    content = linked([f"https://example.org/{'путь' * 15}/{at}" for at in range(100)])
    assert sanitise(content).content.entities == content.entities


@pytest.mark.parametrize("url", ["https://example.org/" + "\ufdfa" * 2000, "https://example.org/" + "%25" * 600])
def test_if_the_links_are_too_long_together_none_is_passed_on(url: str) -> None:
    clean = sanitise(linked([url] * 100))
    assert [entity.type for entity in clean.content.entities] == ["bold"]
    assert not clean.intact
    assert [entity.type for entity in sanitise(linked([url])).content.entities] == ["text_link", "bold"]


def test_a_rich_message_that_is_too_long_to_read_is_not_copied() -> None:
    def rich(count: int) -> Content:
        return Content(Kind.RICH, detail={"blocks": ["\ufdfa" * 1000] * count})

    assert sanitise(rich(32)).intact
    assert not sanitise(rich(40)).intact
