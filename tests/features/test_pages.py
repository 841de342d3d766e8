"""The pages that everybody may read at any time."""

import pytest

from passerby.features.pages import LISTED, UNLISTED
from passerby.kernel.decision import Decision
from passerby.kernel.participant import Profile
from passerby.kernel.rules import Filter, Rules
from tests.features.playbook import Playbook, says


@pytest.mark.parametrize("page", [*LISTED, *UNLISTED])
def test_a_page_can_be_read_in_every_state(page: str) -> None:
    talk = Playbook(Rules(minimum_age=21, free_filters=tuple(Filter)))
    idle, searching = talk.person(), talk.searching()
    chatting, _ = talk.pair(talk.person(), talk.person())
    for each in (idle, searching, chatting):
        assert each.writes(f"/{page}") == Decision(effects=(says(each, f"pages.{page}", minimum=21),))


def test_by_default_vip_is_said_to_be_of_no_need() -> None:
    ann = Playbook().person()
    assert ann.writes("/vip") == Decision(effects=(says(ann, "pages.vip", minimum=18),))


@pytest.mark.parametrize("free", [(), (Filter.GENDER,)])
def test_where_a_filter_is_kept_for_vips_nothing_is_said_to_be_open_to_everybody(free: tuple[Filter, ...]) -> None:
    ann = Playbook(Rules(free_filters=free)).person()
    assert ann.writes("/vip") == Decision(effects=(says(ann, "pages.vip_given", minimum=18),))


@pytest.mark.parametrize("page", LISTED)
def test_a_newcomer_reads_before_agreeing_and_gets_no_keys_that_do_nothing_yet(page: str) -> None:
    ann = Playbook().person(Profile(language="en"))
    assert ann.writes(f"/{page}") == Decision(effects=(says(ann, f"pages.{page}", None, minimum=18),))
