"""The two stores hold different values for a person."""

import msgspec
import pytest

from passerby.domain.reconcile import RECENT_KEPT, Difference, View, compare, in_doubt, mend, one_sided
from passerby.kernel.ids import BotId, ChatId, PersonId, PoolId
from passerby.kernel.participant import Chatting, Gender, Idle, LastChat, Met, Participant, Searching, State, Ticket
from passerby.kernel.spent import Spent

ANN, BEN, EVE, DAN = map(PersonId, (1, 2, 3, 4))
CHAT, OTHER = ChatId("first"), ChatId("second")
NOW = 1_000.0
GONE = Spent(2_000.0, 16)


def somebody(person: PersonId, version: int = 1, state: State | None = None, **more: object) -> Participant:
    return msgspec.structs.replace(Participant(person, version, BotId(7), state=state or Idle()), **more)


def chatting(partner: PersonId, chat: ChatId = CHAT) -> Chatting:
    return Chatting(chat, partner, 900.0)


def searching(person: PersonId, pool: str = "adults") -> Searching:
    return Searching(Ticket(person, PoolId(pool), 900.0, Gender.OTHER, 30))


@pytest.mark.parametrize(
    ("view", "difference"),
    [
        (View(somebody(ANN, 3), somebody(ANN, 3), is_carried=True), Difference.NONE),
        (View(somebody(ANN, 5), somebody(ANN, 3)), Difference.NONE),
        (View(somebody(ANN, 1), None), Difference.NONE),
        (View(None, somebody(ANN, 3)), Difference.NONE),
        (View(somebody(ANN, 5), somebody(ANN, 3), is_carried=True), Difference.RECORDS_ARE_OLDER),
        (View(somebody(ANN, 5), None, is_carried=True), Difference.RECORDS_ARE_OLDER),
        (View(Participant(ANN, 5), None, is_carried=True), Difference.NONE),
        (View(Participant(ANN, 6, spent=GONE), Participant(ANN, 5, spent=GONE), is_carried=True), Difference.NONE),
        (View(somebody(ANN, 3), somebody(ANN, 5)), Difference.LIVE_IS_OLDER),
        (View(somebody(ANN, 0), None), Difference.LIVE_IS_OLDER),
        (View(None, somebody(ANN, 3, chatting(BEN))), Difference.LIVE_IS_OLDER),
        (View(somebody(ANN, 3, chatting(BEN)), somebody(ANN, 3, chatting(EVE))), Difference.LIVE_IS_OLDER),
        (View(somebody(ANN, 3, searching(ANN)), somebody(ANN, 3, searching(ANN))), Difference.NONE),
        (View(somebody(ANN, 3, searching(ANN)), somebody(ANN, 3)), Difference.LIVE_IS_OLDER),
    ],
)
def test_a_difference_tells_which_store_has_lost_something(view: View, difference: Difference) -> None:
    assert compare(view) is difference


def test_partners_in_either_store_of_a_person_in_doubt_are_in_doubt_too() -> None:
    views = {
        ANN: View(somebody(ANN, 2, chatting(BEN)), somebody(ANN, 3, chatting(EVE, OTHER))),
        BEN: View(somebody(BEN, 2, chatting(ANN)), somebody(BEN, 2, chatting(ANN))),
        EVE: View(somebody(EVE, 2), somebody(EVE, 2)),
        DAN: View(somebody(DAN, 2), somebody(DAN, 2)),
    }
    assert in_doubt(views, [ANN]) == [{ANN, BEN, EVE}]
    assert in_doubt(views, [EVE, ANN]) == [{ANN, BEN, EVE}]
    assert in_doubt(views, [DAN, BEN]) == [{DAN}, {ANN, BEN, EVE}]
    assert in_doubt(views, [PersonId(99)]) == []
    assert in_doubt(views, []) == []


def test_a_person_in_doubt_leaves_their_chat_and_keeps_the_newest_profile() -> None:
    old = somebody(ANN, 2, chatting(BEN), blocked=(EVE,))
    new = somebody(ANN, 6, blocked=(DAN,), vip_until=77.0)
    assert mend(View(old, new), NOW) == somebody(ANN, 7, blocked=(DAN, EVE), vip_until=77.0)


def test_a_chat_that_ends_in_doubt_is_remembered_as_one_that_nobody_left() -> None:
    earlier = tuple(Met(PersonId(100 + number), 1.0) for number in range(RECENT_KEPT))
    mended = mend(View(somebody(ANN, 4, chatting(BEN), recent=earlier), None), NOW)
    assert mended == somebody(
        ANN,
        5,
        last=LastChat(CHAT, BEN, NOW, "lost", left=False),
        recent=(Met(BEN, NOW, chat=CHAT), *earlier[:-1]),
    )


def test_a_search_in_doubt_ends() -> None:
    assert mend(View(None, somebody(ANN, 4, searching(ANN))), NOW) == somebody(ANN, 5)


def test_a_view_combines_what_both_stores_say() -> None:
    view = View(somebody(ANN, 2, chatting(BEN)), somebody(ANN, 3, chatting(EVE, OTHER)))
    assert view.chats == {CHAT: BEN, OTHER: EVE}
    assert view.is_busy
    assert not View(somebody(ANN), None).is_busy
    assert View(somebody(ANN), somebody(ANN, 1, searching(ANN))).is_busy


def test_a_repaired_person_is_busy_only_until_the_records_are_updated() -> None:
    repaired = View(somebody(ANN, 4), somebody(ANN, 3, chatting(BEN)))
    assert repaired.is_busy
    assert not repaired.is_still_busy
    assert View(somebody(ANN, 3), somebody(ANN, 4, chatting(BEN))).is_still_busy


@pytest.mark.parametrize(
    ("ben", "alone"),
    [
        (chatting(ANN), set()),
        (Idle(), {ANN}),
        (chatting(EVE), {ANN, BEN}),
        (chatting(ANN, OTHER), {ANN, BEN}),
    ],
)
def test_a_chat_has_two_sides_or_its_people_are_in_doubt(ben: State, alone: set[PersonId]) -> None:
    views = {
        ANN: View(somebody(ANN, 2, chatting(BEN)), None),
        BEN: View(somebody(BEN, 2, ben), None),
        DAN: View(None, somebody(DAN, 2, chatting(EVE))),
    }
    assert one_sided(views) == alone
    assert one_sided({ANN: views[ANN]}) == {ANN}, "nothing is known about the partner"
