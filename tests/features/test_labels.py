"""A phone shows a keyboard until it gets a new one. Whatever label it still shows, the key works."""

import tomllib
from pathlib import Path

import pytest

import passerby
from passerby.dialogue.keyboards import CANCEL, FIND, HELLO, NEXT, STOP
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Relay
from passerby.kernel.participant import Idle, Searching
from tests.features.playbook import WORDS, Person, Playbook

EVER = tomllib.loads((Path(passerby.__file__).parent / "texts" / "labels.toml").read_text("utf-8"))
KEYS = (FIND, CANCEL, NEXT, STOP, HELLO)
PRESSED = [
    pytest.param(language, key, label, id=f"{language}-{key}-{at}")
    for language, labels in EVER.items()
    for key, known in labels.items()
    for at, label in enumerate(known)
]


def in_place_for(key: str, talk: Playbook) -> Person:
    """A person whose keyboard has this key."""
    ann = talk.person()
    if key == CANCEL:
        ann.writes("/search")
    elif key in (NEXT, STOP, HELLO):
        talk.pair(ann, talk.person())
        talk.later(60)
    return ann


def pressing(label: str, key: str) -> Decision:
    talk = Playbook()
    return in_place_for(key, talk).writes(label)


@pytest.mark.parametrize(("language", "key", "label"), PRESSED)
def test_every_label_that_a_key_ever_had_still_works(language: str, key: str, label: str) -> None:
    assert pressing(label, key) == pressing(WORDS.words(key)["en"], key)
    done = pressing(label, key)
    assert done.changes or key == HELLO, "it does something"
    assert any(isinstance(each, Relay) for each in done.effects) == (key == HELLO)


@pytest.mark.parametrize("language", WORDS.languages)
@pytest.mark.parametrize("key", KEYS)
def test_every_current_label_is_on_the_list_of_labels(language: str, key: str) -> None:
    assert WORDS.words(key)[language] in EVER[language][key]


@pytest.mark.parametrize("language", WORDS.languages)
def test_a_keyboard_in_another_language_keeps_working(language: str) -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    assert ann.value.profile.language == "en"
    for key, state in ((NEXT, Searching), (CANCEL, Idle), (FIND, Searching)):
        ann.writes(WORDS.words(key)[language])
        assert isinstance(ann.value.state, state), key
