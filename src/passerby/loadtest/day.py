"""Calculates the load of a day's busiest hour from the number of people a day, and the bots that it needs.

In the steady state, the number of people present is the arrival rate times the time that one person stays (Little's
law). A person who is present searches or chats. In a chat, a person writes every few seconds, and a bot sends one
message for each. The bots also send notices around each chat.
"""

from dataclasses import dataclass

from simulated_people.habits import Habits, chat_s, mean

HOURS = (4, 3, 2, 1, 1, 1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 7, 8, 9, 10, 10, 8, 6)
"""How busy each hour is, relative to the others."""
BUSIEST = max(HOURS) / sum(HOURS)
HOUR_S = 3600.0

NOTICES_A_CHAT = 4.0
"""Notices to one person for a chat: the search begins, a partner was found, the chat is over, how was it."""
TELEGRAM_PER_S = 30.0
"""Messages a second that one bot may send to different people. Source: Bot API FAQ, "My bot is hitting limits"."""
FULLNESS = 0.6
"""The share of a bot's budget that should be in use on average. The rest is for peaks."""
QUICK_S = 2.0
"""About how long a successful search takes while many people search."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load of all people together. Rates are per second. `people`: how many are present at once."""

    people: float
    arrivals: float
    relays: float
    notices: float

    @property
    def sends(self) -> float:
        return self.relays + self.notices

    @property
    def bots(self) -> int:
        """How many bots are needed if each uses `FULLNESS` of Telegram's limit."""
        return max(1, -int(-self.sends // (TELEGRAM_PER_S * FULLNESS)))

    def times(self, factor: float) -> "Load":
        return Load(self.people * factor, self.arrivals * factor, self.relays * factor, self.notices * factor)


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest hour of a day with `daily` people. In the test, people come `factor` times as fast."""

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
        """The calculation, one line for each step."""
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
    """The load of this many people who stay, nearly all of them in chats."""
    chat = mean(lambda rng: chat_s(habits, rng))
    turn_s = chat + QUICK_S + 2.0
    share = chat / turn_s
    relays = people * share * _lines(habits) / habits.pause_s
    return Load(people, 0.0, relays, people * NOTICES_A_CHAT / turn_s)


def peak(daily: int, minutes: float, habits: Habits, factor: float | None = None) -> Peak:
    """`factor` None: the people of the hour come within `minutes`. Raises: ValueError, if there is no load."""
    if daily <= 0 or minutes <= 0 or (factor is not None and factor <= 0):
        raise ValueError("people, minutes and factor are more than nothing")
    chat = mean(lambda rng: chat_s(habits, rng))
    # A person whose partner left may go, too.
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
    """The average number of messages each time that a person writes."""
    return 1 + habits.bursts * 2
