"""From the people of a day to the load of its busiest hour, and what that asks of a fleet. Arithmetic, nothing else.

In the steady state as many people are here as come in the time that one stays (Little's law). Who is here searches or
chats; who chats writes every few seconds, and everything written is one message sent by a bot. Around each chat the
bots say something themselves, too.
"""

from dataclasses import dataclass

from simulated_people.habits import Habits, chat_s, mean

HOURS = (4, 3, 2, 1, 1, 1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 7, 8, 9, 10, 10, 8, 6)
"""How busy each hour is, against the others."""
BUSIEST = max(HOURS) / sum(HOURS)
HOUR_S = 3600.0

NOTICES_A_CHAT = 4.0
"""Of one person's: that the search has begun, that somebody was found, that the chat is over, how it was."""
TELEGRAM_PER_S = 30.0
"""Messages a second that one bot may send to different people. Source: Bot API FAQ, "My bot is hitting limits"."""
FULLNESS = 0.6
"""How much of a bot's budget should be in use on average, for arrivals are no steady stream."""
QUICK_S = 2.0
"""A search that finds somebody takes about as long while many search."""


@dataclass(frozen=True, slots=True)
class Load:
    """What people do together. Rates per second; `people`: how many are here at once."""

    people: float
    arrivals: float
    relays: float
    notices: float

    @property
    def sends(self) -> float:
        return self.relays + self.notices

    @property
    def bots(self) -> int:
        """How many bots have room for it, with Telegram's budget of each used to `FULLNESS`."""
        return max(1, -int(-self.sends // (TELEGRAM_PER_S * FULLNESS)))

    def times(self, factor: float) -> "Load":
        return Load(self.people * factor, self.arrivals * factor, self.relays * factor, self.notices * factor)


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest hour of a day with `daily` people, and how it is played: `factor` times as dense."""

    daily: int
    hourly: float
    visit_s: float
    real: Load
    factor: float
    minutes: float

    @property
    def played(self) -> Load:
        return self.real.times(self.factor)

    def told(self) -> list[str]:
        """The arithmetic, a line a step."""
        real, played = self.real, self.played
        come = f"{self.daily:,} people a day; {BUSIEST:.1%} of them come in the busiest hour: {self.hourly:,.0f}, "
        here = (
            f"A visit lasts {self.visit_s / 60:.1f} minutes on average, so {real.people:,.0f} people are here at once. "
        )
        write = f"They write {real.relays:.0f} messages a second; with the bots' own words, {real.sends:.0f} are sent."
        lines = [f"{come}or {real.arrivals:.2f} a second.", here + write]
        if self.factor == 1:
            lines.append(f"Played as it is, {self.minutes:g} minutes of the hour.")
        else:
            lines.append(
                f"Played {self.factor:g} times as dense, so that its people come in {60 / self.factor:g} minutes: "
                f"{played.arrivals:.1f} arrivals, {played.relays:.0f} relays and {played.sends:.0f} sends a second, "
                f"{played.people:,.0f} people at once. Everybody keeps their own pace. That is the busiest hour of "
                f"{self.daily * self.factor:,.0f} people a day."
            )
        return lines


def crowd(people: float, habits: Habits) -> Load:
    """The load of so many people who stay around, nearly all of them in chats."""
    chat = mean(lambda rng: chat_s(habits, rng))
    turn_s = chat + QUICK_S + 2.0
    share = chat / turn_s
    relays = people * share * _lines(habits) / habits.pause_s
    return Load(people, 0.0, relays, people * NOTICES_A_CHAT / turn_s)


def peak(daily: int, minutes: float, habits: Habits, factor: float | None = None) -> Peak:
    """`factor` None: the hour's people come within `minutes`. Raises: ValueError, for what is no load."""
    if daily <= 0 or minutes <= 0 or (factor is not None and factor <= 0):
        raise ValueError("people, minutes and factor are more than nothing")
    chat = mean(lambda rng: chat_s(habits, rng))
    # One who was left may go, too.
    goes_on = (habits.nexts + habits.searches_on) / 2
    chats = sum(goes_on**number for number in range(200))
    chats = min(chats, habits.searches)
    visit_s = chats * (chat + QUICK_S + 2.0)
    hourly = daily * BUSIEST
    arrivals = hourly / HOUR_S
    here = crowd(arrivals * visit_s, habits)
    real = Load(here.people, arrivals, here.relays, here.notices)
    return Peak(daily, hourly, visit_s, real, factor if factor is not None else 60 / minutes, minutes)


def _lines(habits: Habits) -> float:
    """Messages each time that somebody writes."""
    return 1 + habits.bursts * 2
