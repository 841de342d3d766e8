"""Which notices the judge takes for the answer to a message or a command, and which it does not."""

from dataclasses import replace

import pytest

from simulated_people.judge import judge
from simulated_people.phrases import Asks, Said, asks
from simulated_people.verdict import Fault, Line
from tests.simulated_people.phones import ANN, cut_off, found, gone, got, left, next_, notice, stop, verdict, wrote
from tests.wording import shown as worded


def test_a_message_refused_with_a_notice_is_no_fault() -> None:
    said = verdict([found(1), left(3), wrote(4, "a"), notice(5)], [found(2), wrote(6), notice(7)])
    assert said.passed
    assert (said.sent, said.delivered, said.refused) == (1, 0, 1)


def test_one_answer_does_not_cover_two_messages() -> None:
    assert verdict([found(1), left(3), wrote(4, "a"), wrote(5, "b"), notice(6)]).lost == ["b of 1 (message 5)"]


def test_a_notice_with_a_count_answers_that_many_messages() -> None:
    lines = [found(1), left(3), *(wrote(4 + each, f"a{each}") for each in range(5))]
    assert verdict([*lines, replace(notice(9), answers=5)]).passed
    assert len(verdict([*lines, replace(notice(9), answers=4)]).lost) == 1


def test_a_counting_reply_answers_the_messages_after_the_one_it_replies_to() -> None:
    lines = [found(1), left(3), *(wrote(4 + each, f"a{each}") for each in range(5))]
    assert verdict([*lines, replace(notice(9, reply_to=4), answers=5)]).passed
    assert verdict([*lines, replace(notice(9, reply_to=5), answers=4)]).lost == ["a0 of 1 (message 4)"]
    assert len(verdict([*lines, replace(notice(9, reply_to=4), answers=4)]).lost) == 1


def test_one_notice_answers_all_items_of_an_album_and_nothing_else() -> None:
    items = [replace(wrote(id_, f"a{id_}"), album="x") for id_ in (4, 5)]
    assert verdict([found(1), left(3), *items, notice(6)]).passed
    assert verdict([found(1), left(3), *items, wrote(6, "b"), notice(7)]).lost == ["b of 1 (message 6)"]


def test_a_reply_to_one_message_does_not_answer_another() -> None:
    assert verdict([found(1), wrote(4, "a"), wrote(5, "b"), notice(6, reply_to=5)]).lost == ["a of 1 (message 4)"]


def test_a_partner_found_notice_answers_no_message() -> None:
    assert verdict([found(1), wrote(4, "a"), left(5)], [found(2)]).lost == ["a of 1 (message 4)"]


def test_a_message_that_telegram_still_has_is_unresolved_not_lost() -> None:
    said = verdict([found(1), wrote(4, "a", confirmed=False)])
    assert said.lost == []
    assert said.unresolved == ["a of 1 (message 4)"]


def test_a_notice_after_unblocking_does_not_answer_earlier_messages() -> None:
    ann = [found(1), wrote(4, "a"), wrote(5, "b"), gone(5), wrote(8), wrote(9), notice(10), notice(11)]
    said = verdict(ann, [found(2), left(6)])
    assert said.lost == []
    assert said.unheard == 2


def test_a_message_written_after_coming_back_needs_an_answer_again() -> None:
    ann = [found(1), wrote(4, "a"), gone(4), wrote(8), notice(9), wrote(10, "b")]
    assert verdict(ann, [found(2), got(5, "a"), left(6)]).lost == ["b of 1 (message 10)"]


def test_a_lost_connection_answers_the_last_messages() -> None:
    said = verdict([found(1), wrote(3, "a"), wrote(4), wrote(5, "b"), cut_off(6)], [found(2), cut_off(7)], kills=(5.5,))
    assert said.passed
    assert (said.sent, said.refused) == (2, 2)


def test_a_lost_connection_answers_a_command_however_old_but_no_old_message() -> None:
    late = replace(cut_off(5), at=5 + 88)
    fault = [Fault(2, 90)]
    assert judge({ANN: [wrote(3), late]}, fault).passed
    assert judge({ANN: [wrote(3, "a"), late]}, fault).lost == ["a of 1 (message 3)"]


def test_a_lost_connection_answers_no_command_that_was_handled_before_the_fault() -> None:
    """A later message has arrived, or has its own answer, and people's updates are handled in order."""
    ann, bob = [found(1), next_(3), wrote(4, "a"), cut_off(8)], [found(2), got(5, "a"), cut_off(8)]
    assert verdict(ann, bob, kills=(6,)).lost == ["a command of 1 (message 3)"]
    assert verdict(ann, bob, kills=(4.5,)).lost == []
    ann = [found(1), wrote(3), wrote(4, "a"), cut_off(8)]
    assert verdict(ann, bob, kills=(6,)).passed, "its answer may wait while a message passes"
    ann = [found(1), wrote(3), wrote(4, "a"), notice(7, reply_to=4), cut_off(8)]
    assert verdict(ann, [found(2), cut_off(8)], kills=(6,)).passed, "an unsent answer may be withdrawn"
    ann = [found(1), wrote(3), wrote(4, "a"), notice(5, reply_to=4), cut_off(8)]
    assert verdict(ann, [found(2), cut_off(8)], kills=(6,)).lost == ["a command of 1 (message 3)"]
    ann = [found(1), wrote(3, "a"), wrote(4), wrote(5, "b"), cut_off(8)]
    assert verdict(ann, [found(2), got(6, "a"), cut_off(8)], kills=(6,)).passed


def test_a_lost_connection_answers_no_command_from_long_before_the_fault_or_before_an_earlier_one() -> None:
    late = replace(cut_off(5), at=105)
    assert judge({ANN: [wrote(3), late]}, [Fault(63, 104)]).passed
    assert judge({ANN: [wrote(3), late]}, [Fault(64, 104)]).lost == ["a command of 1 (message 3)"]
    ann = [wrote(3), replace(cut_off(5), at=90), cut_off(95)]
    assert judge({ANN: ann}, [Fault(80, 80), Fault(94, 94)]).lost == ["a command of 1 (message 3)"]
    assert judge({ANN: [wrote(3), cut_off(5)]}, []).lost == ["a command of 1 (message 3)"]


def test_a_lost_connection_does_not_answer_messages_long_before_or_after_it() -> None:
    assert verdict([found(1), wrote(3, "a"), cut_off(90)]).lost == ["a of 1 (message 3)"]
    assert verdict([found(1), cut_off(3), wrote(4, "a")]).lost == ["a of 1 (message 4)"]


def test_a_notice_after_a_lost_connection_answers_only_later_messages() -> None:
    assert verdict([found(1), wrote(3, "a"), cut_off(4), wrote(5, "b"), notice(6)], kills=(3.5,)).passed


def test_a_lost_connection_ends_the_chat_on_both_sides() -> None:
    said = verdict([found(1), wrote(3, "a"), cut_off(5)], [found(2), got(4, "a")])
    assert said.lost == ["the end of chat 1 on the phone of 2"]


def test_each_fault_is_told_once() -> None:
    ann, bob = [found(1), wrote(3, "a"), cut_off(5)], [found(2), got(4, "a"), cut_off(5)]
    assert verdict(ann, bob, kills=(4.5,)).passed
    assert verdict([*ann, cut_off(7)], bob, kills=(4.5,)).told_again
    assert verdict([*ann, cut_off(7)], bob, kills=(4.5, 6)).passed
    assert verdict(ann, bob).told_again, "nothing has happened"
    late = replace(cut_off(5), at=5 + 88)
    assert verdict([*ann[:2], late], bob, kills=(4.5,)).told_again


def test_messages_that_only_a_lost_connection_answers_are_counted() -> None:
    ann = [found(1), wrote(3, "a"), wrote(4, "b"), notice(5, reply_to=4), cut_off(6)]
    said = verdict(ann, [found(2), cut_off(6)], kills=(2.5,))
    assert (said.refused, said.cut_off) == (2, 1)


def test_a_key_asks_for_the_same_as_its_command() -> None:
    keys = {"/search": "keys.find", "/next": "keys.next", "/stop": "keys.stop"}
    assert {words: asks(words) for words in keys} == {words: asks(worded(key)) for words, key in keys.items()}
    assert asks(worded("keys.cancel")) is Asks.STOP
    assert asks("/stopping") is asks("/help") is asks("hello") is None


def test_a_search_that_finds_somebody_at_once_needs_no_other_answer() -> None:
    ann = [wrote(1), found(2), wrote(4, "a"), stop(6)]
    bob = [found(3), got(5, "a"), left(8)]
    said = verdict([*ann, left(7)], bob)
    assert said.lost == [f"a command of {ANN} (message 6)"], "the end of a search answers no other command"
    again = [wrote(9), notice(10, Said.SEARCHING), wrote(11), notice(12, Said.STILL_SEARCHING)]
    assert verdict([*ann, notice(7, Said.LEFT), *again], bob).passed


def test_a_search_that_is_cancelled_at_once_needs_no_other_answer() -> None:
    for first in (wrote(1), next_(1)):
        assert verdict([first, stop(2), notice(3, Said.ENDED)]).passed
        said = verdict([first, stop(2), stop(3), notice(4, Said.ENDED)])
        assert said.lost == [f"a command of {ANN} (message 3)"]


@pytest.mark.parametrize("end", [found(5), notice(5, Said.ENDED)])
def test_every_command_for_a_search_that_is_over_is_answered_by_its_end(end: Line) -> None:
    assert verdict([wrote(1), next_(2), wrote(3), next_(4), end]).lost == []
    some = [wrote(1), notice(2, Said.SEARCHING), next_(3), notice(4, Said.STILL_SEARCHING), end]
    assert verdict(some).lost == [], "or by an answer of its own"
    assert verdict([*some, next_(6)]).lost == [f"a command of {ANN} (message 6)"]


def test_the_end_of_a_search_answers_no_stop() -> None:
    assert verdict([wrote(1), stop(2), found(3)]).lost == [f"a command of {ANN} (message 2)"]
    assert verdict([wrote(1), stop(2), found(3), notice(4, Said.STILL_CHATTING)]).lost == []


@pytest.mark.parametrize("asked", [wrote(3), next_(3)])
@pytest.mark.parametrize("end", [found(6), notice(6, Said.ENDED)])
def test_the_end_of_a_search_answers_no_command_in_a_chat_that_goes_on(asked: Line, end: Line) -> None:
    answered = notice(6, Said.ENDED) if end.notice is Said.ENDED else end
    assert f"a command of {ANN} (message 3)" in verdict([found(1), asked, replace(answered, answers=0)]).lost
    assert verdict([found(1), asked, left(5), replace(answered, answers=0)]).lost == [], "the chat was over"


def test_a_search_that_begins_with_next_needs_no_other_answer_either() -> None:
    """Their partner had just left."""
    ann = [found(1), wrote(3, "a"), next_(5), left(6), found(7)]
    bob = [found(2), got(4, "a"), stop(5), notice(6, Said.LEFT), wrote(7), found(8)]
    assert verdict(ann, bob).passed
