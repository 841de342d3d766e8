"""The readers of a broadcast, its time, and its words."""

import msgspec
import pytest

from passerby.domain.broadcasts.fates import (
    BUSY_S,
    WEEK_S,
    Send,
    arm_of,
    fate,
    is_capped,
    languages_of,
    usual_time,
    variant_for,
)
from passerby.kernel.broadcast import (
    Audience,
    Broadcast,
    BroadcastState,
    Category,
    Got,
    Settled,
    Target,
    TargetState,
    Variant,
)
from passerby.kernel.content import Content, Kind
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Chatting, DataRequests, Participant, Profile
from passerby.kernel.sanction import Reason, Sanction, SanctionKind

NOW = 1_800_000_000.0
BOT, OTHER = BotId(1), BotId(2)
HELLO = Variant(Content(Kind.TEXT, "hello"))
ANN = Participant(
    PersonId(7),
    version=3,
    bot=BOT,
    bots=(BOT, OTHER),
    profile=Profile(consented_at=NOW, age=30, age_given_at=NOW, language="de"),
    seen_at=NOW,
)
CHATTING = Chatting(ChatId("c"), PersonId(8), NOW)
replace = msgspec.structs.replace


def running(**more: object) -> Broadcast:
    values: dict[str, object] = {"variants": (HELLO,), **more}
    return Broadcast(1, BroadcastState.RUNNING, 1, NOW, **values)  # type: ignore[arg-type]


def target(person: Participant | None = ANN, **more: object) -> Target:
    return Target(ANN.person, BOT, person, **more)  # type: ignore[arg-type]


def fate_of(
    broadcast: Broadcast, person: Participant | None = ANN, live: Participant | None = None, **more: object
) -> Send | Settled:
    return fate(broadcast, target(person, **more), live, lambda bot: True, NOW)


def settled_state(end: Send | Settled) -> TargetState:
    assert isinstance(end, Settled)
    return end.state


def test_a_person_who_is_idle_gets_it_through_the_bot_they_use() -> None:
    assert fate_of(running()) == Send(target(), BOT, HELLO, "A", "de", ANN)


def test_a_person_who_is_chatting_gets_it_afterwards_whatever_the_records_say() -> None:
    end = fate_of(running(), live=replace(ANN, version=4, state=CHATTING))
    assert end == Settled(ANN.person, TargetState.WAITING, BOT, NOW, due_at=NOW + BUSY_S)
    assert isinstance(fate_of(running(), replace(ANN, state=CHATTING), ANN), Send), "the chat is over"
    assert isinstance(fate_of(running(), replace(ANN, state=CHATTING), replace(ANN, version=2)), Settled), (
        "the live store is behind the records"
    )


def test_a_test_broadcast_goes_to_the_team_at_once_whatever_they_are_doing() -> None:
    test_broadcast = running(is_test=True, audience=Audience(people=(ANN.person,)), usual_hour=True)
    busy = replace(ANN, state=CHATTING, muted=("news",))
    assert isinstance(fate_of(test_broadcast, busy), Send)


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (None, TargetState.UNFIT),
        (replace(ANN, profile=Profile()), TargetState.UNFIT),
        (replace(ANN, requests=DataRequests(erase_at=NOW + 5)), TargetState.UNFIT),
        (
            replace(ANN, sanctions=(Sanction("s", SanctionKind.BANNED, Reason.SCAM, NOW - 1),)),
            TargetState.UNFIT,
        ),
        (replace(ANN, muted=("news",)), TargetState.MUTED),
        (replace(ANN, bots=(), bot=None), TargetState.UNREACHABLE),
    ],
)
def test_some_never_get_it(person: Participant | None, expected: TargetState) -> None:
    assert settled_state(fate_of(running(), person)) is expected


def test_nobody_can_turn_off_what_everybody_must_know() -> None:
    system = running(category=Category.SYSTEM, holdout_percent=50)
    got = (Got(Category.NEWS, NOW - 1),) * 9
    assert isinstance(fate_of(system, replace(ANN, muted=("system", "news")), got=got), Send)


@pytest.mark.parametrize(
    ("category", "until", "gets"),
    [
        (Category.PROMO, NOW + 1, False),
        (Category.PROMO, NOW, True),
        (Category.NEWS, NOW + 1, True),
    ],
)
def test_a_vip_gets_no_offers(category: Category, until: float, gets: bool) -> None:
    end = fate_of(running(category=category), replace(ANN, vip_until=until))
    assert isinstance(end, Send) is gets


def test_without_a_working_bot_of_theirs_they_wait_and_a_bot_they_blocked_is_never_used() -> None:
    gone = fate(running(), target(), None, lambda bot: False, NOW)
    assert gone == Settled(ANN.person, TargetState.WAITING, BOT, NOW, due_at=NOW + BUSY_S)
    sent = fate(running(), target(), None, lambda bot: bot == OTHER, NOW)
    assert isinstance(sent, Send)
    assert sent.bot == OTHER
    left = fate_of(running(), replace(ANN, bots=(OTHER,)))
    assert isinstance(left, Send)
    assert left.bot == OTHER


def test_the_person_s_language_is_used_and_without_one_for_all_languages_the_others_get_nothing() -> None:
    german, english = replace(HELLO, language="de"), replace(HELLO, language="en")
    assert variant_for((HELLO, german), "de-AT", "A") == german
    assert variant_for((HELLO, german), "fr", "A") == HELLO
    assert variant_for((german,), "fr", "A") is None
    assert settled_state(fate_of(running(variants=(english,)))) is TargetState.UNFIT


def test_two_versions_are_shared_out_and_a_person_always_has_the_same_one() -> None:
    both = running(variants=(HELLO, replace(HELLO, arm="B")))
    arms = [arm_of(both, Target(PersonId(number), BOT, ANN)) for number in range(1_000)]
    assert arms == [arm_of(both, Target(PersonId(number), BOT, ANN)) for number in range(1_000)]
    assert 400 < arms.count("B") < 600
    assert {arm_of(running(), Target(PersonId(number), BOT, ANN)) for number in range(9)} == {"A"}


def test_the_group_for_comparison_is_of_the_size_asked_for_and_gets_nothing() -> None:
    compared = running(holdout_percent=20)
    ends = [fate(compared, Target(PersonId(number), BOT, ANN), None, lambda bot: True, NOW) for number in range(1_000)]
    held_out = [each for each in ends if isinstance(each, Settled)]
    assert {(each.state, each.arm) for each in held_out} == {(TargetState.HELD_OUT, "-")}
    assert 150 < len(held_out) < 250


@pytest.mark.parametrize(
    ("category", "got", "capped"),
    [
        (Category.NEWS, (), False),
        (Category.NEWS, (Got(Category.PROMO, NOW - 5),), False),
        (Category.NEWS, (Got(Category.PROMO, NOW - 5), Got(Category.NEWS, NOW - 9)), True),
        (Category.NEWS, (Got(Category.SYSTEM, NOW - 5), Got(Category.NEWS, NOW - 9)), False),
        (Category.NEWS, (Got(Category.PROMO, NOW - WEEK_S), Got(Category.NEWS, NOW - WEEK_S)), False),
        (Category.PROMO, (Got(Category.PROMO, NOW - 5),), True),
        (Category.PROMO, (Got(Category.NEWS, NOW - 5),), False),
        (Category.COMEBACK, (Got(Category.COMEBACK, NOW - 9 * WEEK_S), Got(Category.COMEBACK, NOW - 3 * WEEK_S)), True),
        (
            Category.COMEBACK,
            (Got(Category.COMEBACK, NOW - 30 * WEEK_S), Got(Category.COMEBACK, NOW - 3 * WEEK_S)),
            False,
        ),
    ],
)
def test_a_person_gets_two_a_week_one_offer_a_week_and_two_reminders_until_they_are_back(
    category: Category, got: tuple[Got, ...], capped: bool
) -> None:
    seen_at = NOW - 20 * WEEK_S
    assert is_capped(category, got, seen_at, NOW) is capped
    end = fate_of(running(category=category), replace(ANN, seen_at=seen_at), got=got)
    assert isinstance(end, Settled) is capped


def test_the_usual_hour_is_the_one_at_which_most_chats_began() -> None:
    midnight = NOW - NOW % 86_400
    for hour in range(24):
        at = midnight + hour * 3600 + 1800
        assert usual_time((hour, hour, (hour + 5) % 24), at) == at
        assert usual_time((hour,), at - 3 * 3600) == at
        assert usual_time((hour,), at + 3600) == at + 86_400
        assert usual_time((hour,), at + 1700) == at + 1700, "it has just been"


def test_a_person_waits_for_their_hour_once() -> None:
    gentle = running(usual_hour=True)
    hour = int(NOW // 3600) % 24
    end = fate_of(gentle, hours=((hour + 6) % 24,))
    assert isinstance(end, Settled)
    assert (end.state, end.is_planned) == (TargetState.WAITING, True)
    assert NOW + 5 * 3600 < end.due_at < NOW + 7 * 3600
    assert isinstance(fate_of(gentle, hours=((hour + 6) % 24,), is_planned=True), Send)
    assert isinstance(fate_of(gentle), Send), "without chats, it is the hour at which they were here last"


def test_a_broadcast_without_a_message_for_all_languages_reaches_only_the_languages_of_its_messages() -> None:
    german, french = Variant(HELLO.content, "de"), Variant(HELLO.content, "fr")

    assert languages_of((german, french)) == {"de", "fr"}
    assert languages_of((german, HELLO)) == frozenset(), "everybody can get it"
