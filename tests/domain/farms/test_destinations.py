"""Where a message leads is one hash, however it is written."""

import pytest

from passerby.domain.farms.destinations import MOST, destinations

KEY = b"today"


def plain(text: str) -> set[int]:
    return {*destinations(KEY, text).plain}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("write me @ann_99 please", "t.me/ann_99"),
        ("write me @ann_99 please", "insta: ann_99 ok"),
        ("write me @ann_99 please", "my insta is ann_99"),
        ("write me @ann_99 please", "https://telegram.me/ann_99?start=x now"),
        ("look at hot-anna.xyz/me", "my photos: HTTPS://www.hot-anna.xyz/you, bye"),
        ("look at hot-anna.xyz/me", "room7.hot-anna.xyz"),
        ("look at best.co.uk/a", "www.best.co.uk/b"),
        ("card 4276 1234 5678 9012", "my card: 4276-1234-5678-9012 thanks"),
        ("call +49 170 1234567", "0049 (170) 123 45 67 call"),
        ("ann@example.org", "mail ann@example.org!"),
        ("hot-anna.xyz", "hоt-аnnа.xyz"),  # Cyrillic letters that look the same
        ("my mail is ann at gmail dot com", "ann(at)gmail(dot)com"),
        ("join t.me/joinchat/AAbb", "t.me/joinchat/AAbb quickly"),
        ("t.me/ann_99/", "@ann_99"),
        ("call +49 170 1234567", "four nine one seven zero one two 3 four five six seven is me"),
        ("ноль один семь 0 uno dos tres vier fünf", "my number is zero one seven zero one two three four five"),
    ],
)
def test_one_place_in_two_spellings_is_one_destination(one: str, other: str) -> None:
    assert plain(one) & plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("@ann_99 here", "@ann_98 here"),
        ("youtube.com/watch?v=aaaa", "vimeo.com/watch?v=aaaa"),
        ("t.me/joinchat/AAbb", "t.me/joinchat/CCdd"),
        ("best.co.uk", "worst.co.uk"),
        ("call +49 170 1234567", "call +49 170 1234568"),
        ("one seven zero one two two four", "one seven zero one two two five"),
    ],
)
def test_two_places_are_two_destinations(one: str, other: str) -> None:
    assert plain(one)
    assert not plain(one) & plain(other)


def test_a_video_is_a_destination_of_its_own_beside_its_site() -> None:
    one, other = plain("youtube.com/watch?v=aaaa"), plain("youtube.com/watch?v=bbbb")
    assert one & other
    assert one - other


@pytest.mark.parametrize(
    "words", ["", "hi", "m 24 u?", "hello.how are you", "I'm 1.80 m, 24 years", "telegram is nice", "open t.me now"]
)
def test_ordinary_words_lead_nowhere(words: str) -> None:
    assert plain(words) == set()


def test_a_word_that_looks_like_a_name_counts_as_odd() -> None:
    found = destinations(KEY, "find lena_sunny22 there")
    assert (found.plain, len(found.odd)) == ((), 1)
    assert destinations(KEY, "sunny22lena is me").odd != found.odd


def test_a_destination_is_not_odd_as_well() -> None:
    assert destinations(KEY, "@ann_99").odd == ()


def test_a_message_full_of_links_has_a_few_destinations() -> None:
    found = destinations(KEY, " ".join(f"site{number}.xyz/page{number}" for number in range(100)))
    assert (len(found.plain), len(found.odd)) == (MOST, MOST)


def test_another_days_key_gives_other_hashes() -> None:
    assert destinations(b"tomorrow", "@ann_99") != destinations(KEY, "@ann_99")
