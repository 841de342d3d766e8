"""Accounts of a farm meet only each other. A person who may be a script is asked for one tap, and told why."""

import pytest

from passerby.dialogue.challenge import ask_for_picture
from passerby.domain.farms.challenge import CLEARED_S, PAUSE_S, PICTURES, TRUSTED_S
from passerby.domain.lifecycle import UNTIL_ANSWERED
from passerby.domain.pools import apart
from passerby.domain.sanctions import binding, is_bound
from passerby.kernel.decision import NOTHING, Decision
from passerby.kernel.effect import Answer, Revise, Say
from passerby.kernel.event import SearchDelayed
from passerby.kernel.ids import MessageId
from passerby.kernel.participant import Searching, Ticket, Watched
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import FarmSuspected, LiftOrdered, SanctionOrdered, SanctionOverturned
from passerby.kernel.text import text
from tests.features.playbook import NOW, OTHER_BOT, Person, Playbook

HOUR_S = 3600.0


def suspect(ann: Person, until: float = 0.0, farm: str = "feed") -> Decision:
    return ann.talk.happens(FarmSuspected(ann.person, ann.bot, ann.talk.env.now, until, farm if until else ""))


def ticket(ann: Person) -> Ticket:
    assert isinstance(ann.value.state, Searching)
    return ann.value.state.ticket


def watched(ann: Person) -> Watched:
    assert ann.value.watched is not None
    return ann.value.watched


def picks(ann: Person, *, right: bool) -> Decision:
    picture = watched(ann).picture
    return ann.presses("pick", str(picture if right else (picture + 1) % len(PICTURES)))


def test_an_account_of_a_farm_meets_only_others_and_is_not_told() -> None:
    talk = Playbook()
    ann, ben = talk.person(), talk.person()
    assert suspect(ann, talk.env.now + 24 * HOUR_S).effects == ()
    ann.writes("/search")
    ben.writes("/search")
    assert ticket(ann).pool == apart(ticket(ben).pool)


def test_a_search_that_is_under_way_moves_to_the_others() -> None:
    talk = Playbook()
    ann = talk.person()
    ann.writes("/search")
    before = ticket(ann)
    suspect(ann, talk.env.now + 24 * HOUR_S)
    assert (ticket(ann).pool, ticket(ann).since) == (apart(before.pool), before.since)


def test_being_apart_ends_by_itself_and_is_renewed_while_it_goes_on() -> None:
    talk = Playbook()
    ann = talk.person()
    suspect(ann, talk.env.now + 24 * HOUR_S)
    assert suspect(ann, talk.env.now + 24 * HOUR_S + 60) == NOTHING
    talk.later(12 * HOUR_S)
    assert suspect(ann, talk.env.now + 24 * HOUR_S).changes
    talk.later(24 * HOUR_S)
    ann.writes("/search")
    assert ticket(ann).pool == "adults"


def test_a_chat_goes_on_when_its_person_is_found_in_a_farm() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    state = ann.value.state
    suspect(ann, talk.env.now + 24 * HOUR_S)
    assert ann.value.state == state


def test_a_newcomer_is_left_alone() -> None:
    talk = Playbook()
    assert suspect(talk.stranger()) == NOTHING


@pytest.mark.parametrize("words", ["/search", "/next", "Find a partner"])
def test_nobody_is_found_until_the_right_picture_is_picked(words: str) -> None:
    talk = Playbook()
    ann = talk.person()
    decision = suspect(ann)
    assert decision.effects == ask_for_picture(ann.value)
    assert isinstance(decision.effects[0], Say)
    ann.writes("/search" if words.startswith("F") else words)
    assert ticket(ann).not_before == UNTIL_ANSWERED
    talk.later(5)
    assert picks(ann, right=True).effects == (
        Answer("query"),
        Revise(ann.person, MessageId(50), text("farms.passed")),
    )
    assert (ticket(ann).not_before, ticket(ann).since) == (0.0, NOW)


def test_a_search_repeats_the_question_and_so_does_a_long_wait() -> None:
    talk = Playbook()
    ann = talk.person()
    suspect(ann)
    (question,) = ask_for_picture(ann.value)
    assert question in ann.writes("/search").effects
    late = talk.happens(SearchDelayed(ann.person, ann.bot, ticket(ann).since, 3, None))
    assert late == Decision(effects=(question,))


def test_going_on_from_a_chat_repeats_the_question() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    suspect(ann)
    assert ask_for_picture(ann.value)[0] in ann.writes("/next").effects
    assert ticket(ann).not_before == UNTIL_ANSWERED


def test_a_person_who_passed_is_not_asked_again_for_a_day() -> None:
    talk = Playbook()
    ann = talk.person()
    suspect(ann)
    assert suspect(ann) == NOTHING
    picks(ann, right=True)
    talk.later(TRUSTED_S - 60)
    assert suspect(ann) == NOTHING
    talk.later(120)
    assert suspect(ann).changes


def test_a_wrong_picture_brings_another_question_and_the_third_a_pause() -> None:
    talk = Playbook()
    ann = talk.person()
    suspect(ann)
    for _ in range(3):
        decision = picks(ann, right=False)
        assert decision.effects[0] == Answer("query", text("farms.wrong"), alert=True)
        assert isinstance(decision.effects[1], Revise)
    assert picks(ann, right=True) == Decision(effects=(Answer("query", text("farms.wait"), alert=True),))
    talk.later(PAUSE_S)
    assert picks(ann, right=True).changes
    assert watched(ann) == Watched(passed_at=talk.env.now)


def test_a_forged_picture_is_a_wrong_one() -> None:
    talk = Playbook()
    ann = talk.person()
    suspect(ann)
    ann.presses("pick", "²", message=None)
    assert watched(ann).wrong == 1


def test_an_old_question_is_closed() -> None:
    talk = Playbook()
    ann = talk.person()
    assert ann.presses("pick", "1").effects[0] == Answer("query")
    assert ann.presses("pick", "1", message=None).effects == (Answer("query"),)


def test_passing_does_not_end_being_apart() -> None:
    talk = Playbook()
    ann = talk.person()
    until = talk.env.now + 24 * HOUR_S
    suspect(ann, until)
    suspect(ann)
    picks(ann, right=True)
    assert (watched(ann).apart_until, watched(ann).farm) == (until, "feed")


def test_a_slowed_person_stays_slowed_after_the_question() -> None:
    talk = Playbook()
    ann = talk.person()
    ann.writes("/search")
    suspect(ann)
    assert ticket(ann).not_before == UNTIL_ANSWERED
    ann.presses("put", "gender.male")
    assert ticket(ann).not_before == UNTIL_ANSWERED
    picks(ann, right=True)
    assert ticket(ann).not_before == 0.0


@pytest.mark.parametrize("by_appeal", [False, True])
def test_a_person_whom_staff_free_of_one_farm_measure_is_free_of_all_for_a_week(by_appeal: bool) -> None:
    talk = Playbook()
    ann, ben = talk.person(), talk.person()
    end = talk.env.now + 24 * HOUR_S

    def measured(day: str) -> None:
        for kind in (SanctionKind.LINKS_OFF, SanctionKind.SLOW):
            measure = Sanction(f"{kind}{day}", kind, Reason.SPAM, NOW, end, rule="farm")
            talk.happens(SanctionOrdered(ann.person, ann.bot, measure))
        suspect(ann, end)

    measured("1")
    other = Sanction("case", SanctionKind.MEDIA_OFF, Reason.RUDE, NOW, end, by=1)
    talk.happens(SanctionOrdered(ann.person, ann.bot, other))
    ann.writes("/search")
    ben.writes("/search")
    assert ticket(ann).pool == apart(ticket(ben).pool)
    links_off = ann.value.sanctions[0]
    if by_appeal:
        talk.happens(SanctionOverturned(ann.person, ann.bot, links_off))
    else:
        talk.happens(LiftOrdered(ann.person, ann.bot, links_off.id))
    assert ticket(ann).pool == ticket(ben).pool
    assert [each.id for each in binding(ann.value, NOW)] == ["case"], "only what it was about is lifted"
    measured("2")
    assert suspect(ann) == NOTHING
    assert ticket(ann).pool == ticket(ben).pool
    assert [each.id for each in binding(ann.value, NOW)] == ["case"]

    talk.later(CLEARED_S)
    end = talk.env.now + 24 * HOUR_S
    measured("3")
    assert is_bound(ann.value, SanctionKind.LINKS_OFF, talk.env.now)
    assert watched(ann).apart_until == end


def test_accounts_that_staff_free_with_their_farm_lose_every_measure_even_late_ones() -> None:
    talk = Playbook()
    ann, ben = talk.person(), talk.person()
    slow = Sanction("slow", SanctionKind.SLOW, Reason.SPAM, NOW, NOW + HOUR_S, rule="farm", evidence="farm a slow")
    links = Sanction("links", SanctionKind.LINKS_OFF, Reason.SPAM, NOW, NOW + HOUR_S, rule="farm", evidence="farm a")
    talk.happens(SanctionOrdered(ann.person, ann.bot, slow))
    talk.happens(SanctionOrdered(ann.person, ann.bot, links))
    suspect(ann, NOW + HOUR_S)
    freed = LiftOrdered(ann.person, ann.bot, "farm")
    assert talk.happens(freed).effects == (Say(ann.person, text("sanctions.lifted")),)
    assert binding(ann.value, NOW) == ()
    assert watched(ann).apart_until == 0.0
    assert talk.happens(freed) == NOTHING, "they are told once"
    assert suspect(ann, NOW + HOUR_S) == NOTHING
    assert talk.happens(LiftOrdered(ben.person, ben.bot, "farm")).effects == (), "nothing was done to them"
    assert suspect(ben, NOW + HOUR_S) == NOTHING
