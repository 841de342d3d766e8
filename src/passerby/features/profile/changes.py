"""Changes the profile and the preferences. A searching person keeps their place, and searches with the new wishes."""

from collections.abc import Callable

import msgspec

from passerby.dialogue.keyboards import keys_for
from passerby.domain.ages import age_in, age_now
from passerby.domain.commands import words_after
from passerby.domain.entitlement import has_comforts, may_filter
from passerby.domain.lifecycle import refresh_ticket, spoken, written_to_in
from passerby.domain.tastes import (
    INTERESTS,
    LANGUAGES,
    MOST_INTERESTS,
    MOST_LANGUAGES,
    WORD_LENGTH,
    WRITTEN_IN,
    interests_in,
    language_in,
)
from passerby.features.profile.kept_wishes import drop, keep, take
from passerby.features.profile.menus import (
    AGES_WANTED,
    BACK,
    WANTED,
    allowed,
    card,
    choose_language,
    country_button,
    in_place,
    key_of_word,
    languages_of,
    own_words,
    page_of_interest,
)
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.participant import Blur, Gender, Participant, Preferences, Profile
from passerby.kernel.rules import Filter
from passerby.kernel.text import text

Change = Callable[[Participant, str, Env], Participant | None]
"""Returns the changed person. None if the value is not allowed."""


def _profile(me: Participant, **changes: object) -> Participant:
    profile: Profile = msgspec.structs.replace(me.profile, **changes)
    return msgspec.structs.replace(me, profile=profile)


def _wants(me: Participant, **changes: object) -> Participant:
    wants: Preferences = msgspec.structs.replace(me.preferences, **changes)
    return msgspec.structs.replace(me, preferences=wants)


def _switched(chosen: tuple[str, ...], one: str, most: int) -> tuple[str, ...] | None:
    """The chosen values with `one` removed or added. None if there is no room."""
    if one in chosen:
        return tuple(each for each in chosen if each != one)
    return (*chosen, one) if len(chosen) < most else None


def _gender(me: Participant, value: str, env: Env) -> Participant | None:
    return _profile(me, gender=Gender(value)) if value in set(Gender) else None


def _age(me: Participant, value: str, env: Env) -> Participant | None:
    age, now = age_in(value, env.rules), age_now(me.profile, env.now)
    if age is None or not allowed(age, now, env.rules):
        return None
    return me if age == now else _profile(me, age=age, age_given_at=env.now)


def _langs(me: Participant, value: str, env: Env) -> Participant | None:
    languages = _switched(spoken(me.profile), value, MOST_LANGUAGES) if value in LANGUAGES else None
    return _profile(me, languages=languages) if languages else None


def _tags(me: Participant, value: str, env: Env) -> Participant | None:
    interests = _switched(me.profile.interests, value, MOST_INTERESTS) if value in INTERESTS else None
    return _profile(me, interests=interests) if interests is not None else None


def _own(me: Participant, value: str, env: Env) -> Participant:
    """The person without their own word that the button stands for."""
    gone = {each for each in own_words(me) if key_of_word(each) == value}
    return _profile(me, interests=tuple(each for each in me.profile.interests if each not in gone))


def _country(me: Participant, value: str, env: Env) -> Participant | None:
    return _profile(me, country=value) if not value or env.places.exactly(value) == value else None


def _want(me: Participant, value: str, env: Env) -> Participant | None:
    if not value:
        return _wants(me, genders=())
    if value not in WANTED or not may_filter(me, Filter.GENDER, env):
        return None
    genders = _switched(me.preferences.genders, Gender(value), len(WANTED))
    return _wants(me, genders=genders)


def _ages(me: Participant, value: str, env: Env) -> Participant | None:
    if not value:
        return _wants(me, age_min=None, age_max=None)
    found = next(((low, high) for low, high in AGES_WANTED if value == f"{low}-{high}"), None)
    if found is None or not may_filter(me, Filter.AGE, env):
        return None
    return _wants(me, age_min=found[0], age_max=found[1])


def _other(me: Participant, value: str, env: Env) -> Participant | None:
    return _wants(me, other_languages=not me.preferences.other_languages)


def _ice(me: Participant, value: str, env: Env) -> Participant | None:
    return _wants(me, icebreakers=not me.preferences.icebreakers)


def _blur(me: Participant, value: str, env: Env) -> Participant | None:
    if value not in set(Blur) or (value == Blur.NEVER and not has_comforts(me, env)):
        return None
    return _wants(me, blur=Blur(value))


def _speak(me: Participant, value: str, env: Env) -> Participant | None:
    if value not in WRITTEN_IN:
        return None
    return msgspec.structs.replace(me, profile=written_to_in(me.profile, value))


CHANGES: dict[str, tuple[Change, str]] = {
    "gender": (_gender, "top"),
    "age": (_age, "age"),
    "langs": (_langs, "langs"),
    "tags": (_tags, "tags"),
    "own": (_own, "tags"),
    "country": (_country, "top"),
    "want": (_want, "wants"),
    "ages": (_ages, "wants"),
    "other": (_other, "wants"),
    "ice": (_ice, "wants"),
    "keep": (keep, "wants"),
    "take": (take, "wants"),
    "drop": (drop, "wants"),
    "blur": (_blur, "blur"),
    "speak": (_speak, "top"),
}
"""For each kind of change: the function, and the section that is shown afterwards."""

LOCKED = {"want": Filter.GENDER, "ages": Filter.AGE}
COMFORTS = ("keep", "take", "blur")
FULL = {"langs": "profile.full_languages", "tags": "profile.full_interests"}


def put(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    what, _, value = event.token.partition(".")
    known = CHANGES.get(what)
    if known is None:
        return Decision(effects=in_place(event, facts.me, env, "top"))
    change, section = known
    me = change(facts.me, value, env)
    page = _page_of(me or facts.me, what, value)
    if me is None:
        return Decision(
            effects=(_refusal(event, what, facts.me, env), *in_place(event, facts.me, env, section, page)[1:])
        )
    if me == facts.me:
        return Decision(effects=in_place(event, me, env, section, page))
    me = refresh_ticket(me, env)
    effects = in_place(event, me, env, section, page)
    if what == "speak":  # the keyboard keeps the old language until a new one arrives until a new one comes
        effects = (*effects, Say(me.person, text("profile.speaks"), keys_for(me.state)), *_ask_to_talk(me, value))
    return Decision((me,), effects)


def _ask_to_talk(me: Participant, language: str) -> tuple[Say, ...]:
    """Ask whether they also want to meet people who speak the bot's new language. Until they answer, nothing
    changes."""
    talked = spoken(me.profile)
    if not talked or language in talked or len(talked) >= MOST_LANGUAGES:
        return ()
    name = LANGUAGES[language]
    menu = Menu(
        (
            (Button(text("profile.talk_too", language=name), "speakers", language),),
            (Button(text("profile.talk_as_before"), "speakers"),),
        )
    )
    return (Say(me.person, text("profile.ask_to_talk", languages=languages_of(me)), menu),)


def talk(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The answer: either one more language to chat in, after the preferred one, or no change."""
    me, language = facts.me, event.token
    talked = spoken(me.profile)
    if language in LANGUAGES and language not in talked and len(talked) < MOST_LANGUAGES:
        me = refresh_ticket(_profile(me, languages=(*talked, language)), env)
    said: tuple[Effect, ...] = (Answer(event.query),)
    if event.message is not None:
        said = (*said, Revise(me.person, event.message, text("profile.talks", languages=languages_of(me))))
    return Decision((me,) if me != facts.me else (), said)


def _page_of(me: Participant, what: str, value: str) -> str:
    """The page of the section that the pressed button stands on."""
    return page_of_interest(me, value) if what == "tags" and value in INTERESTS else ""


def _refusal(event: ButtonPressed, what: str, me: Participant, env: Env) -> Answer:
    if what in LOCKED and not may_filter(me, LOCKED[what], env):
        return Answer(event.query, text("profile.locked"), alert=True)
    if what in COMFORTS and not has_comforts(me, env):
        return Answer(event.query, text("profile.locked_too"), alert=True)
    if what == "langs" and len(spoken(me.profile)) == 1:
        return Answer(event.query, text("profile.last_language"), alert=True)
    if what in FULL:
        return Answer(event.query, text(FULL[what]), alert=True)
    return Answer(event.query)


def _typed(event: MessageReceived) -> str:
    return words_after(event.text)


def type_interests(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/interests chess, long walks`: set one's own words, in place of the earlier ones. Chosen buttons stay."""
    me = facts.me
    words = interests_in(_typed(event))
    if not words:
        return Decision(effects=(Say(me.person, text("profile.how_interests"), keys_for(me.state)),))
    kept = [each for each in me.profile.interests if each in INTERESTS]
    wished = tuple(dict.fromkeys([*kept, *words]))
    told = _told(_profile(me, interests=wished[:MOST_INTERESTS]), env)
    if len(wished) <= MOST_INTERESTS:
        return told
    full = Say(me.person, text("profile.full_interests"), keys_for(me.state))
    return Decision(told.changes, (*told.effects, full))


def type_language(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/language de`, or the name of the language: the bot speaks it at once. Otherwise, show the menu."""
    language = language_in(_typed(event))
    if language is None:
        return choose_language(event, facts, env)
    me = _speak(facts.me, language, env)
    assert me is not None, "the product is written in it"
    me = refresh_ticket(me, env)
    effects = (Say(me.person, text("profile.speaks"), keys_for(me.state)), *_ask_to_talk(me, language))
    return Decision((me,) if me != facts.me else (), effects)


def type_country(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/country Peru`, in any language. A full name is set at once. A part of a name lists the countries that fit."""
    me, words = facts.me, _typed(event)
    if not words:
        return Decision(effects=(Say(me.person, text("profile.how_country"), keys_for(me.state)),))
    exact = env.places.exactly(words)
    if exact is not None:
        return _told(_profile(me, country=exact), env)
    found = env.places.like(words)
    if not found:
        unknown = text("profile.no_such_country", words=words[:WORD_LENGTH])
        return Decision(effects=(Say(me.person, unknown, keys_for(me.state)),))
    menu = Menu((*((country_button(me, each),) for each in found), BACK))
    return Decision(effects=(Say(me.person, text("profile.which_country"), menu),))


def _told(me: Participant, env: Env) -> Decision:
    me = refresh_ticket(me, env)
    return Decision((me,), (Say(me.person, card(me, env), keys_for(me.state)),))
