"""Wordings that staff write are refused where Telegram would show their tags as letters."""

import pytest

from passerby.catalogue.template import Wording, compile_template
from passerby.catalogue.wordings import problems


def wording(text: str) -> Wording:
    return Wording((compile_template(text),), lambda number: 0)


@pytest.mark.parametrize("key", ["keys.search", "commands.vip", "intro.short"])
def test_a_text_that_shows_no_tags_refuses_them_in_one_sentence(key: str) -> None:
    assert problems(key, ["<b>VIP</b> and <i>more</i>"], wording("VIP")) == ["No tags can be shown here."]
    assert problems(key, ["VIP"], wording("VIP")) == []


def test_other_texts_may_have_tags() -> None:
    assert problems("chat.left", ["<b>VIP</b> and <i>more</i>"], wording("VIP")) == []
