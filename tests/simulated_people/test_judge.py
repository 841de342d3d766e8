"""The judge with phones that are written by hand: correct chats pass, and each fault is found."""

from dataclasses import replace

from simulated_people.judge import judge
from simulated_people.phrases import Said
from simulated_people.verdict import Fault, Line
from tests.simulated_people.phones import (
    ANN,
    BOB,
    EVE,
    cut_off,
    found,
    gone,
    got,
    left,
    next_,
    notice,
    verdict,
    verdict_of_power_cut,
    wrote,
)


def test_a_chat_where_everything_arrives_has_no_faults() -> None:
    ann = [found(1), wrote(3, "a"), got(6, "b"), wrote(7, "c")]
    bob = [found(2), got(4, "a"), wrote(5, "b"), got(8, "c")]
    said = verdict(ann, bob)
    assert said.passed
    assert (said.sent, said.delivered, said.refused) == (3, 3, 0)
    assert said.partners == {ANN: BOB, BOB: ANN}


def test_a_delivery_into_a_chat_tied_to_another_is_misrouted() -> None:
    ann = [found(1), wrote(4, "a"), wrote(5, "b")]
    bob = [found(2), got(6, "a"), got(7, "b"), wrote(9, "x")]
    eve = [found(3), got(10, "x")]
    assert len(verdict(ann, bob, eve).misrouted) == 1


def test_a_delivery_after_the_chat_is_misrouted() -> None:
    said = verdict([found(1), wrote(4, "a")], [found(2), left(5), got(6, "a")])
    assert len(said.misrouted) == 1


def test_a_delivery_to_the_sender_is_misrouted() -> None:
    assert len(verdict([found(1), wrote(4, "a"), got(5, "a")]).misrouted) == 1


def test_a_message_written_right_after_leaving_must_reach_nobody() -> None:
    ann = [found(1), next_(4), Line(5, 4.1, mine=True, mark="a"), notice(6, Said.MOVED_ON), found(7)]
    assert len(verdict(ann, [], [found(8), got(9, "a")]).misrouted) == 1


def test_a_message_written_before_the_partner_found_notice_may_reach_the_partner() -> None:
    ann = [found(1), left(2), wrote(14, "a"), found(15)]
    said = verdict(ann, [found(8), got(16, "a")])
    assert said.misrouted == []
    assert said.ahead == 1


def test_a_second_message_before_the_first_is_reordered() -> None:
    ann = [found(1), wrote(4, "a"), wrote(5, "b")]
    assert len(verdict(ann, [found(2), got(6, "b"), got(7, "a")]).reordered) == 1


def test_a_kill_excuses_one_duplicate_but_not_two() -> None:
    ann = [found(1), wrote(4, "a"), wrote(5, "b")]
    once = verdict(ann, [found(2), got(6, "a"), got(8, "a"), got(9, "b")], kills=(7,))
    assert once.passed
    assert once.duplicated == once.most_duplicates == 1
    assert once.carried_over == 1
    twice = verdict(ann, [found(2), got(5, "a"), got(6, "b"), got(8, "a"), got(9, "b")], kills=(7,))
    assert twice.most_duplicates == 2
    assert not twice.passed


def test_a_duplicate_without_a_kill_is_a_fault() -> None:
    said = verdict([found(1), wrote(4, "a")], [found(2), got(6, "a"), got(8, "a")], kills=(1, 9))
    assert len(said.unprovoked) == 1
    assert not said.passed


def test_each_duplicate_is_counted_for_one_of_the_faults_between_the_two() -> None:
    """A fault may come before everything that the fault before it has undone has arrived again."""
    ann = [found(1), wrote(3, "a"), wrote(4, "b"), wrote(5, "c")]
    bob = [found(2), got(6, "a"), got(7, "b"), got(15, "a"), got(16, "b")]
    assert verdict(ann[:3], bob, kills=(10, 12)).passed
    assert verdict(ann[:3], bob, kills=(10,)).excess_duplicates == 1
    assert verdict(ann[:3], bob, kills=(2, 10)).excess_duplicates == 1, (
        "the first copies came long after the first kill"
    )
    assert verdict(ann[:3], bob, kills=(10, 15.5)).passed
    assert verdict(ann[:3], bob, kills=(10, 20)).excess_duplicates == 1
    more = [found(2), got(6, "a"), got(7, "b"), got(8, "a"), got(15, "b"), got(16, "a")]
    assert verdict(ann[:3], more, kills=(7.5, 12)).excess_duplicates == 1, "there are three duplicates and two kills"
    widest_first = [found(2), got(6, "a"), got(11, "b"), got(15, "a"), got(15, "b")]
    assert verdict(ann[:3], widest_first, kills=(8, 12)).passed


def test_a_server_may_handle_the_first_one_right_after_the_kill() -> None:
    ann, bob = [found(1), wrote(4, "a")], [found(2), got(6, "a"), got(13, "a")]
    soon, late = ([Fault(at, at)] for at in (4.5, 3.5))
    assert judge({ANN: ann, BOB: bob}, soon).passed
    assert judge({ANN: ann, BOB: bob}, late).unprovoked, "the next process has sent it twice"
    assert judge({ANN: ann, BOB: [*bob, got(14, "a")]}, soon).excess_duplicates == 1


def test_a_match_announced_twice_is_a_duplicate() -> None:
    said = verdict([found(1), found(4), wrote(5, "a")], [found(2), got(6, "a")], kills=(3,))
    assert said.passed
    assert said.duplicated == 1


def test_a_chat_that_is_over_for_one_side_only_is_a_fault() -> None:
    said = verdict([found(1), wrote(3, "a")], [found(2), got(4, "a"), left(5)])
    assert said.lost == ["the end of chat 1 on the phone of 1"]


def test_a_match_announced_again_after_refusals_is_the_same_match() -> None:
    ann = [found(1), wrote(2, "a"), notice(3, reply_to=2), found(5), wrote(6, "b")]
    said = verdict(ann, [found(4), got(7, "b")], kills=(4,))
    assert said.passed
    assert said.duplicated == 1


def test_two_chats_without_an_end_between_them_are_two() -> None:
    said = verdict([found(1), wrote(3, "a"), found(5), wrote(6, "b")], [found(2), got(4, "a")], [found(5), got(7, "b")])
    assert said.misrouted


def test_a_message_whose_sender_was_not_told_may_come_twice() -> None:
    unsure = Line(4, 4, mine=False, mark="a", unsure=True)
    said = verdict([found(1), wrote(3, "a")], [found(2), unsure, got(5, "a")])
    assert said.passed
    assert said.duplicated == 1


def test_a_person_who_blocks_the_bot_has_left_and_need_not_be_told() -> None:
    ann = [found(1), wrote(4, "a"), wrote(5, "b"), gone(5)]
    said = verdict(ann, [found(2), got(6, "a"), left(7)])
    assert said.passed
    assert (said.sent, said.delivered, said.unheard) == (2, 1, 1)


def test_the_partner_of_a_person_who_blocks_the_bot_must_be_told() -> None:
    said = verdict([found(1), wrote(4, "a"), gone(4)], [found(2), got(6, "a")])
    assert said.lost == ["the end of chat 1 on the phone of 2"]


def test_a_message_after_a_block_unknown_to_the_product_is_not_misrouted() -> None:
    ann, bob = [found(1), wrote(3, "a"), left(8)], [found(2), wrote(4, "b"), gone(4), wrote(5), got(6, "a"), notice(7)]
    said = verdict([*ann[:2], got(6, "b"), ann[2]], bob)
    assert said.misrouted == []
    assert said.delivered == 2


def test_a_message_after_a_block_known_to_the_product_is_misrouted() -> None:
    ann, bob = [found(1), wrote(3, "a"), left(8)], [found(2), wrote(4), gone(4), wrote(5), notice(6), got(7, "a")]
    assert len(verdict(ann, bob).misrouted) == 1


def test_a_message_to_a_person_who_was_cut_off_is_a_fault() -> None:
    said = verdict([found(1), wrote(3, "a"), wrote(6, "b")], [found(2), got(4, "a"), cut_off(5), got(7, "b")])
    assert said.after_the_end == ["b: to 2, who is in no chat any more"]
    assert said.misrouted


def test_a_message_to_a_person_in_another_chat_by_now_is_a_fault() -> None:
    ann = [found(1), wrote(3, "a"), wrote(4, "b"), wrote(8, "c")]
    bob = [found(2), got(5, "a"), got(6, "b"), left(7), found(8), got(9, "c")]
    assert verdict(ann, bob).after_the_end == ["c: to 2, who is in another chat by now"]


def test_one_chat_that_reaches_two_people_is_a_fault() -> None:
    said = verdict([found(1), wrote(3, "a"), wrote(6, "b")], [found(2), got(4, "a")], [found(5), got(7, "b")])
    assert said.split == [f"chat ({ANN}, 1) reaches [{BOB}, {EVE}]"]
    assert said.misrouted


def test_a_person_who_blocked_the_bot_was_not_told_that_the_chat_is_over() -> None:
    gone = Line(2, 4, mine=False, gone=True)
    assert verdict([found(1), wrote(3, "a")], [found(2), gone, got(5, "a")]).after_the_end == []


def test_notices_repeated_in_order_after_a_power_cut_change_no_chat() -> None:
    ann = [left(7), found(8), wrote(9, "a"), left(12), found(13), wrote(14, "b")]
    bob = [found(8), got(10, "a"), got(15, "b")]
    said = verdict_of_power_cut(10, ann, bob)
    assert said.passed
    assert said.duplicated == 1
    assert said.partners == {ANN: BOB, BOB: ANN}


def test_a_match_announced_in_other_words_is_another_match() -> None:
    ann = [left(7), found(8), wrote(9, "a"), left(12), replace(found(13), words="another"), wrote(14, "b")]
    said = verdict_of_power_cut(10, ann, [found(8), got(10, "a"), left(11)], [found(13), got(15, "b")])
    assert said.passed
    assert said.partners == {ANN: EVE, EVE: ANN}


def test_a_match_announced_again_in_the_same_words_after_a_fault_is_a_duplicate() -> None:
    finding = replace(found(1), words="hello")
    ann = [finding, wrote(3, "a"), got(6, "b"), replace(finding, id=8, at=8), wrote(9, "c")]
    bob = [found(2), got(4, "a"), wrote(5, "b"), got(10, "c")]
    assert verdict(ann, bob, kills=(7,)).duplicated == 1
    assert verdict(ann, bob, kills=(7,)).passed
    assert not verdict(ann, bob).passed


def test_older_notices_repeated_before_a_lost_connection_change_no_chat() -> None:
    older, newer = replace(found(8), words="older"), replace(found(10), words="newer")
    ann = [left(7), older, left(9), newer, replace(older, id=12, at=12), cut_off(13)]
    said = verdict_of_power_cut(10.5, ann)
    assert said.passed
    assert said.duplicated == 1


def test_a_connection_lost_in_the_next_fault_makes_no_earlier_match_a_repetition() -> None:
    older = replace(found(8), words="older")
    ann = [older, left(9), replace(older, id=12, at=12), wrote(13, "a"), cut_off(17)]
    bob = [found(12), got(14, "a"), cut_off(17)]
    said = judge({ANN: ann, BOB: bob}, [Fault(10, 10, 2, 3.0), Fault(16, 16, 2, 3.0)])
    assert said.passed
    assert (said.delivered, said.duplicated) == (1, 0)


def test_a_new_chat_that_begins_in_the_words_of_an_older_one_is_new() -> None:
    """Both openings are the same question, by chance. Eve's messages show which chat it is."""
    ann = [found(7), got(8, "a"), left(9), found(13), got(15, "b"), left(16)]
    bob, eve = [found(7), wrote(8, "a"), left(9)], [found(13), wrote(14, "b"), left(16)]
    said = verdict_of_power_cut(10, ann, bob, eve)
    assert said.passed
    assert said.duplicated == 0


def test_a_partner_found_right_after_another_one_that_was_undone_is_another_partner() -> None:
    """Ann got nothing from Bob, and nobody could tell her that their chat was undone. Eve has her messages since."""
    ann = [found(8), wrote(9, "a"), found(13), wrote(14, "b")]
    said = verdict_of_power_cut(11, ann, [found(8), got(10, "a"), left(12)], [found(13), got(15, "b")])
    assert not said.misrouted
    assert not said.split
    assert said.lost == ["the end of chat 1 on the phone of 1"]
    assert verdict(ann, [found(8), got(10, "a"), left(12)], [found(13), got(15, "b")], kills=(11,)).split
    once = verdict_of_power_cut(11, ann, [found(8), got(10, "a"), got(15, "b")])
    assert once.passed, "both messages reach the same chat, so it was told twice"


def test_notices_from_long_before_a_power_cut_are_not_repetitions() -> None:
    ann = [left(2), found(3), wrote(4, "a"), left(12), found(13), wrote(14, "b")]
    bob = [found(3), got(5, "a"), got(15, "b")]
    assert verdict_of_power_cut(11, ann, bob).misrouted


def test_a_power_cut_excuses_its_stated_number_of_duplicates() -> None:
    ann = [found(1), wrote(3, "a"), wrote(4, "b"), wrote(5, "c")]
    bob = [found(2), got(6, "a"), got(7, "b"), got(8, "c"), got(10, "a"), got(11, "b")]
    assert verdict_of_power_cut(9, ann, bob).passed
    assert verdict_of_power_cut(9, ann, [*bob, got(12, "c")]).excess_duplicates == 1


def test_nobody_hears_of_a_search_while_they_are_in_a_chat() -> None:
    ann = [wrote(1), found(2), notice(3, Said.SEARCHING), wrote(5, "a")]
    said = verdict(ann, [found(4), got(6, "a")])
    assert said.late_searches == [f"message 3 on the phone of {ANN}"]
    assert not said.passed
    assert verdict([wrote(1), found(2), left(3), notice(4, Said.SEARCHING)], [found(5), left(6)]).passed
