"""An erasure gives nobody a second time what everybody has once."""

import msgspec

from passerby.domain.money.promos import discount_of
from passerby.domain.money.spent import KEPT_S, MONTH_S, has_bought, has_used_before
from passerby.domain.personal_data import ERASED_AFTER_S
from passerby.features.my_data import ERASE
from passerby.kernel.event import ErasureDue
from passerby.kernel.journey import Step
from passerby.kernel.money import Wallet
from passerby.kernel.participant import DataRequests, Participant
from passerby.kernel.promo import Discount
from passerby.kernel.rules import Rules
from passerby.kernel.spent import Spent
from tests.features.playbook import NOW, Person, Playbook
from tests.features.test_journeys import said, wrote
from tests.features.test_promo import CHEAP, WEEK, start
from tests.features.test_referrals import ASKS, friend_of, link_of, real_chat, talks
from tests.features.test_vip import orders, pays, shop, wallet

TRIES = Rules(trial_days=3, free_filters=())


def erases(who: Person) -> None:
    """All of an erasure, from the command to the end."""
    who.writes("/deleteme")
    who.presses(ERASE)
    who.talk.later(ERASED_AFTER_S)
    for is_last in (False, True):
        who.talk.happens(ErasureDue(who.person, who.bot, is_last))
    assert who.value.is_blank


def comes_back(who: Person, start: str = "/start") -> None:
    who.writes(start)
    for action, token in (("agree", ""), ("age", "25"), ("gender", "female")):
        who.presses(action, token)


def test_nobody_gets_a_second_trial_after_one_erasure_or_two() -> None:
    talk = Playbook(TRIES)
    ann = talk.person()
    real_chat(ann, talk.person())
    assert ann.value.vip_until > NOW
    for _ in range(2):
        erases(ann)
        assert ann.value.vip_until == 0
        comes_back(ann)
        talk.pair(ann, bob := talk.person())
        wrote(ann, ann.chat)
        assert said(wrote(bob, bob.chat)) == ["journeys.trial"], "only the other one"
        assert ann.value.vip_until == 0


def test_a_friend_who_counted_is_no_new_friend_after_an_erasure() -> None:
    talk = Playbook(ASKS)
    ann = talk.person()
    friend, early = friend_of(ann), friend_of(ann)
    real_chat(friend, talk.person())
    assert talks(friend) == 1
    for each, invite in ((friend, ""), (early, link_of(ann).removeprefix("r_"))):
        erases(each)
        comes_back(each, f"/start {link_of(ann)}")
        journey = each.value.journey
        assert journey is not None
        assert journey.invite == invite, "somebody who never had a real chat had nothing yet"


def test_a_buyer_is_no_new_buyer_and_takes_no_second_refund_after_an_erasure() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    assert said(ann.presses("vip_refund", wallet(ann).charges[0].code)) == ["vip.refund_owed"]
    erases(ann)
    assert has_bought(ann.value)
    comes_back(ann)
    talk.people[ann.person] = msgspec.structs.replace(ann.value, wallet=Wallet(discount=Discount("HALF", 50)))
    assert discount_of(ann.value, talk.env.now) is None
    pays(ann, orders(ann), charge="c2")
    assert said(ann.presses("vip_refund_ask", wallet(ann).charges[-1].code)) == ["vip.no_refund_once"]
    talk.later(4 * MONTH_S)
    pays(ann, orders(ann), charge="c3")
    assert said(ann.presses("vip_refund_ask", wallet(ann).charges[-1].code)) == ["vip.refund_sure"]
    erases(ann)
    spent = ann.value.spent
    assert spent is not None
    assert (spent.steps & Step.PAID, spent.no_refund_until) == (Step.PAID, 0.0), "the limit is over"


def test_a_tombstone_has_no_time_finer_than_a_month_and_lasts_for_a_year() -> None:
    talk, ann = shop()
    pays(ann, orders(ann))
    ann.presses("vip_refund", wallet(ann).charges[0].code)
    erases(ann)
    assert ann.value == Participant(ann.person, ann.value.version, spent=ann.value.spent)
    spent = ann.value.spent
    assert spent is not None
    assert (spent.until % MONTH_S, spent.no_refund_until % MONTH_S) == (0, 0)
    assert 0 <= spent.until - talk.env.now - KEPT_S < MONTH_S
    assert spent == Spent(spent.until, Step.PAID, spent.no_refund_until)


def test_nothing_stays_of_somebody_who_had_nothing() -> None:
    talk = Playbook(TRIES)
    for ann in (talk.person(), talk.stranger()):
        erases(ann)
        assert ann.value == Participant(ann.person, ann.value.version)
        assert ann.value.requests != DataRequests()


def test_promo_codes_that_somebody_used_and_that_still_run_stay_used_after_an_erasure() -> None:
    soon = msgspec.structs.replace(WEEK, code="SOON", grant="g3", ends_at=NOW + 10)
    talk, ann = start(WEEK, CHEAP, soon)
    for code in ("SOON", "WELCOME", "CHEAP-30", "WELCOME"):
        ann.writes(f"/promo {code}")
    for _ in range(2):
        erases(ann)
        assert has_used_before(ann.value, "WELCOME")
        assert has_used_before(ann.value, "CHEAP-30")
        assert not has_used_before(ann.value, "SOON"), "it is over"
        comes_back(ann)
    assert not has_used_before(talk.person().value, "WELCOME")
