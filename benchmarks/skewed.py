"""Makes people with uneven genders, languages and wishes, like real ones. All guesses are here. Seeded."""

from random import Random
from typing import NamedTuple

from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Preferences

LANGUAGES = (("en",), ("ru",), ("es",), ("en", "es"), ("en", "ru"), ("fa",), ("de", "en"), ("pt",))
LANGUAGE_WEIGHTS = (38, 22, 12, 8, 8, 5, 4, 3)
INTERESTS = ("music", "films", "books", "games", "anime", "art", "travel", "food", "sport", "nature", "memes", "study")


class Somebody(NamedTuple):
    person: PersonId
    gender: Gender
    age: int
    languages: tuple[str, ...]
    interests: tuple[str, ...]
    wants: Preferences
    vip: bool
    patience_s: float


def somebody(number: int, rng: Random) -> Somebody:
    gender = rng.choices((Gender.MALE, Gender.FEMALE, Gender.OTHER, Gender.UNSAID), (68, 26, 2, 4))[0]
    vip = rng.random() < 0.05
    filters = vip or rng.random() < 0.12
    genders: tuple[Gender, ...] = ()
    ages: tuple[int | None, int | None] = (None, None)
    age = min(80, 18 + int(rng.expovariate(1 / 9)))
    if filters:
        if rng.random() < 0.7:
            genders = (Gender.FEMALE,) if gender is Gender.MALE or rng.random() < 0.3 else (Gender.MALE,)
        if rng.random() < 0.4:
            ages = (max(18, age - 5), age + 5)
    interests = tuple(rng.sample(INTERESTS, rng.randint(1, 5))) if rng.random() < 0.33 else ()
    return Somebody(
        PersonId(number),
        gender,
        age,
        rng.choices(LANGUAGES, LANGUAGE_WEIGHTS)[0],
        interests,
        Preferences(genders, *ages, other_languages=rng.random() < 0.9),
        vip,
        rng.lognormvariate(4.4, 0.8),
    )
