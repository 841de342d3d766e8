"""The people of a day: when they come, and with which wishes. All of these are guesses, kept in one place. Seeded.

The shapes are what operators of such bots report: three men for one woman, a peak in the evening, most chats over
within a minute, a few that last an hour, and little patience.
"""

from dataclasses import dataclass
from random import Random

from passerby.domain.ages import ADULTS
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Met, Preferences, Ticket

DAY_S = 86_400.0

HOURS = (4, 3, 2, 1, 1, 1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 7, 8, 9, 10, 10, 8, 6)
"""How busy each hour is, relative to the others."""

GENDERS = {Gender.MALE: 70, Gender.FEMALE: 22, Gender.OTHER: 3, Gender.UNSAID: 5}
LANGUAGES = {"ru": 48, "en": 22, "es": 10, "pt": 7, "fa": 6, "tr": 5, "de": 2}
SECOND_LANGUAGE = 0.25
INTERESTS = 40
"""The number of interests. The first ones are named far more often than the last."""
NAMES_INTERESTS = 0.6

VIP = 0.05
FILTERS_GENDER = {Gender.MALE: 0.6, Gender.FEMALE: 0.25, Gender.OTHER: 0.2, Gender.UNSAID: 0.2}
FILTERS_AGE = 0.3
"""The share among VIPs. Filters of other people do not count."""
ONLY_MY_LANGUAGES = 0.06

SEARCHES = 6
"""The average for one person. Most search a few times, some all evening."""
PATIENCE_S = 90.0
"""The median time before a person gives up."""


@dataclass(slots=True)
class Person:
    profile: Ticket
    arrives_at: float
    searches: int
    rng: Random
    recent: tuple[Met, ...] = ()

    def ticket(self, now: float) -> Ticket:
        profile = self.profile
        return Ticket(
            profile.person,
            profile.pool,
            now,
            profile.gender,
            profile.age,
            tuple(met for met in self.recent if now - met.at < (DAY_S if met.skipped else 1800.0)),
            (),
            profile.languages,
            profile.interests,
            profile.wants,
            profile.vip,
            profile.karma,
        )

    def patience_s(self) -> float:
        return self.rng.lognormvariate(0.0, 0.9) * PATIENCE_S

    def chat_s(self) -> float:
        """Half of the chats end within half a minute. One in ten lasts more than a quarter of an hour."""
        return min(2 * 3600.0, self.rng.lognormvariate(3.4, 1.9))

    def pause_s(self) -> float:
        return self.rng.expovariate(1 / 4.0) if self.rng.random() < 0.8 else self.rng.expovariate(1 / 600.0)


def _wishes(rng: Random, gender: Gender, age: int, vip: bool) -> Preferences:
    genders: tuple[Gender, ...] = ()
    low, high = None, None
    if vip and rng.random() < FILTERS_GENDER[gender]:
        genders = (Gender.MALE,) if gender is Gender.FEMALE or rng.random() < 0.08 else (Gender.FEMALE,)
    if vip and rng.random() < FILTERS_AGE:
        low, high = max(18, age - rng.randint(2, 8)), age + rng.randint(2, 10)
    return Preferences(genders, low, high, rng.random() >= ONLY_MY_LANGUAGES)


def _person(number: int, rng: Random) -> Person:
    gender = rng.choices(list(GENDERS), list(GENDERS.values()))[0]
    age = min(80, 18 + int(rng.expovariate(1 / 8)))
    languages = rng.choices(list(LANGUAGES), list(LANGUAGES.values()))
    if rng.random() < SECOND_LANGUAGE:
        languages += [each for each in rng.choices(list(LANGUAGES), list(LANGUAGES.values())) if each not in languages]
    interests: list[str] = []
    if rng.random() < NAMES_INTERESTS:
        drawn = (min(INTERESTS - 1, int(rng.expovariate(1 / 9))) for _ in range(rng.randint(1, 5)))
        interests = [f"tag{each}" for each in dict.fromkeys(drawn)]
    vip = rng.random() < VIP
    hour = rng.choices(range(24), HOURS)[0]
    return Person(
        Ticket(
            PersonId(number),
            ADULTS,
            0.0,
            gender,
            age,
            languages=tuple(languages),
            interests=tuple(interests),
            wants=_wishes(rng, gender, age, vip),
            vip=vip,
            karma=rng.choices([0.0, 1.5, -3.0, -6.0], [70, 22, 5, 3])[0],
        ),
        (hour + rng.random()) * 3600.0,
        1 + int(rng.expovariate(1 / (SEARCHES - 1))),
        Random(rng.getrandbits(64)),
    )


def people(count: int, seed: int) -> list[Person]:
    rng = Random(seed)
    return [_person(number, rng) for number in range(1, count + 1)]
