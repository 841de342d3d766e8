"""The pages that everybody can read at any time."""

from functools import reduce

import pytest

from passerby.features import ALL
from passerby.features.pages import LISTED, help_with
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Say
from passerby.kernel.feature import Feature
from passerby.kernel.money import Plan
from passerby.kernel.participant import Profile
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from passerby.runtime.decide.router import Router
from tests.features.playbook import WORDS, Playbook, says

OWN = reduce(
    lambda before, line: text("pages.lines", before=before, line=line),
    (text("sanctions.help"), text("my_data.help"), text("my_data.help_erase")),
)
HELP = text("pages.help_more", page=text("pages.help", minimum=18), lines=OWN)


@pytest.mark.parametrize("page", [each for each in LISTED if each != "help"])
def test_a_page_can_be_read_in_every_state(page: str) -> None:
    talk = Playbook(Rules(minimum_age=21))
    idle, searching = talk.person(), talk.searching()
    chatting, _ = talk.pair(talk.person(), talk.person())
    for each in (idle, searching, chatting):
        assert each.writes(f"/{page}") == Decision(effects=(says(each, f"pages.{page}", minimum=21),))


def test_the_privacy_page_says_whom_to_write_to_if_there_is_somebody() -> None:
    ann = Playbook(Rules(contact="privacy@example.org")).person()
    page = says(ann, "pages.privacy", minimum=18)
    assert ann.writes("/privacy").effects == (page, says(ann, "pages.contact", None, address="privacy@example.org"))


def test_help_can_be_read_in_every_state_and_shows_the_same_code_for_a_week() -> None:
    talk = Playbook()
    chatting, _ = talk.pair(talk.person(), talk.person())
    for each in (talk.person(), talk.searching(), chatting):
        (said,) = each.writes("/help").effects
        support = each.value.support
        assert support is not None
        page = HELP
        assert said == says(each, "pages.with_code", page=page, code=f"{support.code[:4]}-{support.code[4:]}")
        assert each.writes("/help") == Decision(effects=(said,))
        talk.later(7 * 86_400)
        each.writes("/help")
        assert each.value.support != support


@pytest.mark.parametrize("page", LISTED)
def test_a_newcomer_can_read_pages_and_gets_no_keyboard_yet(page: str) -> None:
    ann = Playbook().person(Profile(language="en"))
    shown = Say(ann.person, HELP) if page == "help" else says(ann, f"pages.{page}", None, minimum=18)
    assert ann.writes(f"/{page}") == Decision(effects=(shown,))


def test_help_names_the_commands_about_ones_own_data_and_appeals() -> None:
    for language in WORDS.languages:
        shown = WORDS.plain(HELP, language)
        assert [each for each in ("/appeal", "/mydata", "/deleteme") if each not in shown] == [], language


def test_help_names_what_is_sold_and_given_and_nothing_that_is_not() -> None:
    rules = Rules(plans=(Plan("week", 7, 75),), free_filters=(), referral_days=3)
    shown = WORDS.plain(Playbook(rules).person().writes("/help").effects[0].text, "en")  # type: ignore[union-attr]
    assert [each for each in ("/vip", "/gift", "/promo", "/invite", "/paysupport") if f"\n{each} – " not in shown] == []

    shown = WORDS.plain(Playbook().person().writes("/help").effects[0].text, "en")  # type: ignore[union-attr]
    assert [each for each in ("/vip", "/gift", "/promo", "/invite", "/paysupport") if each in shown] == []

    monthly = Rules(plans=(Plan("monthly", 30, 200, renews=True),), free_filters=())
    shown = WORDS.plain(Playbook(monthly).person().writes("/help").effects[0].text, "en")  # type: ignore[union-attr]
    assert "/vip" in shown
    assert "/gift" not in shown  # a subscription cannot be given


def test_only_one_feature_shows_help() -> None:
    second = Feature("second", help_page=help_with)
    with pytest.raises(ValueError, match="second"):
        Router((*ALL, second), WORDS.key_with_label)
    with pytest.raises(ValueError, match="help page"):
        Router((second, Feature("third", commands={"help": help_with(())})), WORDS.key_with_label)


def test_without_lines_of_features_help_is_the_page_alone() -> None:
    talk = Playbook()
    ann = talk.person(Profile(language="en"))
    asked = ann.message(Content(Kind.TEXT, text="/help"))
    shown = help_with(())(asked, talk.facts(ann.person, None), talk.env)
    assert shown == Decision(effects=(says(ann, "pages.help", None, minimum=18),))
