"""Wishes that a person keeps, to take them up again by one press: whom they want to meet, and in which languages.

A button carries the wishes themselves, so an old menu does what it shows.
"""

from typing import Final

import msgspec

from passerby.domain.entitlement import has_comforts
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button
from passerby.kernel.participant import Participant, Preferences
from passerby.kernel.text import Text, text

MOST_KEPT: Final = 5


def whom(wants: Preferences) -> Preferences:
    """The part of the wishes that is kept."""
    return Preferences(wants.genders, wants.age_min, wants.age_max, wants.other_languages)


def _key(wants: Preferences) -> str:
    ages = "" if wants.age_min is None else f"{wants.age_min}-{wants.age_max}"
    return f"{'+'.join(wants.genders)}~{ages}~{int(wants.other_languages)}"


def _kept(me: Participant, key: str) -> Preferences | None:
    return next((each for each in me.kept_wishes if _key(each) == key), None)


def keep(me: Participant, value: str, env: Env) -> Participant | None:
    wants = whom(me.preferences)
    if not has_comforts(me, env) or wants in me.kept_wishes or len(me.kept_wishes) >= MOST_KEPT:
        return None
    return msgspec.structs.replace(me, kept_wishes=(*me.kept_wishes, wants))


def take(me: Participant, value: str, env: Env) -> Participant | None:
    kept = _kept(me, value)
    if kept is None or not has_comforts(me, env):
        return None
    now = me.preferences
    return msgspec.structs.replace(
        me, preferences=msgspec.structs.replace(kept, icebreakers=now.icebreakers, blur=now.blur)
    )


def drop(me: Participant, value: str, env: Env) -> Participant:
    kept = _kept(me, value)
    return msgspec.structs.replace(me, kept_wishes=tuple(each for each in me.kept_wishes if each != kept))


def is_full(me: Participant) -> bool:
    return len(me.kept_wishes) >= MOST_KEPT


def described(wants: Preferences) -> tuple[Text, ...]:
    """Wishes in words."""
    genders = tuple(text(f"profile.gender_{each}") for each in wants.genders)
    ages: tuple[Text, ...] = ()
    if wants.age_min is not None and wants.age_max is not None:
        ages = (text("profile.age_range", low=wants.age_min, high=wants.age_max),)
    languages = () if wants.other_languages else (text("profile.own_languages_only"),)
    return (*(genders or (text("profile.anyone"),)), *ages, *languages)


def rows(me: Participant, env: Env) -> tuple[tuple[Button, ...], ...]:
    """A button for each of the kept wishes, with one that drops them; and one to keep those of now."""
    is_open, current = has_comforts(me, env), whom(me.preferences)

    def label(wants: Preferences) -> Text:
        said = text("profile.kept", wishes=described(wants))
        if not is_open:
            return text("profile.behind_lock", what=said)
        return text("profile.chosen", what=said) if wants == current else said

    def row(wants: Preferences) -> tuple[Button, ...]:
        gone = Button(text("profile.drop_kept"), "put", f"drop.{_key(wants)}")
        return Button(label(wants), "put", f"take.{_key(wants)}"), gone

    kept = tuple(map(row, me.kept_wishes))
    if current in me.kept_wishes or is_full(me):
        return kept
    more = text("profile.keep_wishes")
    return (*kept, (Button(more if is_open else text("profile.behind_lock", what=more), "put", "keep."),))
