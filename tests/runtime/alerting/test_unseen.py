"""How long a bot was not polled, over several holders of the duty."""

import msgspec
import pytest

from passerby.kernel.ids import BotId
from passerby.runtime.alerting.unseen import Seen, Unseen

BOT, OTHER = BotId(1), BotId(2)
LOOK_S, ALERT_S = 5, 90.0


class Duty:
    """Holders of the duty, one after another. Each reads what the one before kept."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.kept = msgspec.json.encode(Seen())
        self.told: set[str] = set()

    def hold(self, lives_s: int, polled: frozenset[BotId] = frozenset()) -> float | None:
        """Return the age that was told of the bot, if one was. `polled`: these are polled all the time."""
        seen, unseen, told = msgspec.json.decode(self.kept, type=Seen), Unseen(), None
        for at in range(0, lives_s, LOOK_S):
            reported: dict[int, float] = {bot: self.now for bot in polled if at}
            seen = unseen.add_reports((BOT, OTHER), seen, [reported], self.now)
            over = {bot: age for bot, age in unseen.ages(seen, self.told, ALERT_S, self.now).items() if age > ALERT_S}
            self.told = set(over)
            told = over.get(str(BOT), told)
            self.now += LOOK_S
        self.kept = msgspec.json.encode(seen)
        return told


def test_the_time_in_which_nothing_ran_counts_for_nobody() -> None:
    duty = Duty()
    for lives_s in (90, 20, 300):
        assert duty.hold(lives_s, frozenset({BOT, OTHER})) is None
        duty.now += 3600
    assert duty.hold(85) is None, "it has not watched for so long itself"
    assert duty.told == set()


def test_a_bot_that_stops_being_polled_is_told_after_ninety_seconds_with_its_true_age() -> None:
    duty = Duty()
    duty.hold(60, frozenset({BOT, OTHER}))
    duty.now += 1000
    told = duty.hold(100, frozenset({OTHER}))
    assert told is not None
    assert told > 1000 + ALERT_S
    assert duty.told == {str(BOT)}


@pytest.mark.parametrize("lives_s", [10, 20, 70])
def test_a_bot_that_nobody_polls_is_told_however_often_the_process_restarts(lives_s: int) -> None:
    duty = Duty()
    for _ in range(900 // lives_s):
        duty.hold(lives_s, frozenset({OTHER}))
    assert duty.told == {str(BOT)}, "and each process that follows knows it from its first look"
    assert duty.hold(LOOK_S) is not None
    assert duty.hold(20, frozenset({BOT, OTHER})) is not None, "until the bot is polled"
    assert duty.told == set()


@pytest.mark.parametrize("jump_s", [-7200, 7200])
def test_a_clock_that_jumps_neither_raises_an_alarm_nor_hides_one(jump_s: int) -> None:
    """Polls come every 50 s. Each report keeps the time of its poll by the clock of that moment."""
    now, polled, seen, unseen = 1_800_000_000.0, 1_800_000_000.0, Seen(), Unseen()
    told: list[tuple[int, float]] = []
    for at in range(0, 900, LOOK_S):
        now += LOOK_S + (jump_s if at == 300 else 0)
        if not at % 50 and at < 600:
            polled = now
        seen = unseen.add_reports((BOT,), seen, [{BOT: polled}], now)
        told += [(at, age) for age in unseen.ages(seen, (), ALERT_S, now).values() if age > ALERT_S]
    assert told[0][0] == 550 + ALERT_S + LOOK_S
    assert {at for at, _ in told} == set(range(645, 900, LOOK_S))


def test_a_clock_that_was_set_back_after_the_last_poll_hides_nothing() -> None:
    now, seen, unseen = 1_800_000_000.0, Seen(), Unseen()
    for at in range(0, 300, LOOK_S):
        now += LOOK_S - (7200 if at == 100 else 0)
        seen = unseen.add_reports((BOT,), seen, [{BOT: 1_800_000_050.0}], now)
    assert unseen.ages(seen, (), ALERT_S, now)[str(BOT)] > ALERT_S
