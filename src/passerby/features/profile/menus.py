"""The sections of the settings: the text of each, and its buttons."""

from collections.abc import Callable, Iterable
from zlib import crc32

from passerby.dialogue.keyboards import keys_for
from passerby.domain.ages import age_now, pool_for
from passerby.domain.entitlement import blur_of, has_comforts, may_filter, wishes_of
from passerby.domain.lifecycle import spoken
from passerby.domain.tastes import COUNTRIES, INTERESTS, LANGUAGES, WRITTEN_IN, flag, worded
from passerby.features.profile.kept_wishes import described, rows
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.participant import Blur, Gender, Participant
from passerby.kernel.rules import Filter, Rules
from passerby.kernel.text import Arg, Text, country, text

AGE_STEPS = (-10, -1, 1, 10)
BUTTONS_PER_PAGE = 12
AGES_WANTED = ((18, 22), (20, 26), (25, 32), (30, 40), (40, 55), (55, 99))
WANTED = (Gender.MALE, Gender.FEMALE, Gender.OTHER)

Row = tuple[Button, ...]
Section = Callable[[Participant, Env, str], tuple[Text, Menu]]


def _go(key: str, section: str) -> Button:
    return Button(text(key), "set", section)


def _toggle(label: Text, chosen: bool, action: str) -> Button:
    """A button to switch something on or off, with a tick while it is on."""
    return Button(text("profile.chosen", what=label) if chosen else label, "put", action)


def _filter(which: Filter, me: Participant, env: Env, label: Text, chosen: bool, action: str) -> Button:
    """A button for a hard wish. People who are not entitled to it see a lock, and a press tells them how to get it."""
    if not may_filter(me, which, env):
        return Button(text("profile.behind_lock", what=label), "put", action)
    return _toggle(label, chosen, action)


def _rows(buttons: Iterable[Button], width: int) -> tuple[Row, ...]:
    listed = tuple(buttons)
    return tuple(listed[at : at + width] for at in range(0, len(listed), width))


BACK: Row = (_go("profile.back", "top"),)


def _page_number(page: str, count: int) -> int:
    """The page number from a button's data, for a list of `count` buttons. The first page if it is not a number."""
    number = int(page) if page.isdecimal() and len(page) < 4 else 0
    return min(number, (count - 1) // BUTTONS_PER_PAGE)


def _paged(section: str, buttons: list[Button], page: str, width: int) -> tuple[Row, ...]:
    number = _page_number(page, len(buttons))
    page_buttons = []
    if number > 0:
        page_buttons.append(_go("profile.earlier", f"{section}.{number - 1}"))
    if (number + 1) * BUTTONS_PER_PAGE < len(buttons):
        page_buttons.append(_go("profile.later", f"{section}.{number + 1}"))
    rows = _rows(buttons[number * BUTTONS_PER_PAGE : (number + 1) * BUTTONS_PER_PAGE], width)
    return (*rows, *((tuple(page_buttons),) if page_buttons else ()), BACK)


def _listed(texts: tuple[Text, ...], none: str) -> Arg:
    return texts or text(none)


def languages_of(me: Participant) -> Arg:
    """The names of the languages that somebody chats in, as a placeholder value."""
    known = tuple(text("interests.own", word=LANGUAGES.get(each, each)) for each in spoken(me.profile))
    return _listed(known, "profile.no_languages")


def country_of(code: str) -> Text:
    """A country with its flag, in the person's language."""
    return text("profile.country", flag=flag(code), country=country(code))


def _wishes(me: Participant, env: Env) -> tuple[Text, ...]:
    """The person's wishes that count now."""
    return described(wishes_of(me, env))


def card(me: Participant, env: Env) -> Text:
    """A person's profile and wishes, for `/profile` and the top of the settings."""
    profile = me.profile
    assert profile.gender is not None, "newcomers never get here"
    return text(
        "profile.card",
        gender=text(f"profile.gender_{profile.gender}"),
        age=age_now(profile, env.now),
        languages=languages_of(me),
        interests=_listed(tuple(worded(each) for each in profile.interests), "profile.no_interests"),
        country=country_of(profile.country) if profile.country else text("profile.country_unsaid"),
        wishes=_wishes(me, env),
    )


def allowed(age: int, current: int, rules: Rules) -> bool:
    """Whether somebody whose age is `current` may change it to `age`.

    Nobody can go below the minimum age. Nobody can move between the pools of minors and of adults: only time does that.
    """
    return rules.minimum_age <= age <= rules.maximum_age and pool_for(age, rules) == pool_for(current, rules)


def _top(me: Participant, env: Env, _: str) -> tuple[Text, Menu]:
    rows = (
        (_go("profile.change_gender", "gender"), _go("profile.change_age", "age")),
        (_go("profile.change_languages", "langs"), _go("profile.change_interests", "tags")),
        (_go("profile.change_country", "country"), _go("profile.change_wants", "wants")),
        (_go("profile.change_blur", "blur"), _go("profile.change_interface", "speak")),
    )
    return card(me, env), Menu(rows)


def _gender(me: Participant, env: Env, _: str) -> tuple[Text, Menu]:
    buttons = [_toggle(text(f"profile.gender_{each}"), me.profile.gender is each, f"gender.{each}") for each in Gender]
    return card(me, env), Menu((*_rows(buttons, 2), BACK))


def _age(me: Participant, env: Env, _: str) -> tuple[Text, Menu]:
    """Buttons to change the age in steps, within what is allowed."""
    current = age_now(me.profile, env.now)
    ages = [current + step for step in AGE_STEPS if allowed(current + step, current, env.rules)]
    return card(me, env), Menu(
        (tuple(Button(text("profile.age_button", age=age), "put", f"age.{age}") for age in ages), BACK)
    )


def _langs(me: Participant, env: Env, page: str) -> tuple[Text, Menu]:
    chosen = spoken(me.profile)
    own = [each for each in chosen if each in LANGUAGES]
    buttons = [
        _toggle(text("interests.own", word=LANGUAGES[each]), each in chosen, f"langs.{each}")
        for each in (*own, *(each for each in LANGUAGES if each not in own))
    ]
    return text("profile.ask_languages", languages=languages_of(me)), Menu(_paged("langs", buttons, page, 2))


def _tags(me: Participant, env: Env, page: str) -> tuple[Text, Menu]:
    """The interests. The person's own words come first; pressing one removes it."""
    chosen = me.profile.interests
    buttons = [_toggle(worded(each), True, f"own.{key_of_word(each)}") for each in own_words(me)]
    buttons += [_toggle(worded(each), each in chosen, f"tags.{each}") for each in INTERESTS]
    said = _listed(tuple(worded(each) for each in chosen), "profile.no_interests")
    return text("profile.ask_interests", interests=said), Menu(_paged("tags", buttons, page, 2))


def own_words(me: Participant) -> tuple[str, ...]:
    return tuple(each for each in me.profile.interests if each not in INTERESTS)


def key_of_word(word: str) -> str:
    """Stands for a person's own word in a button, because the word itself may be longer than a button can carry."""
    return f"{crc32(word.encode()):08x}"


def page_of_interest(me: Participant, interest: str) -> str:
    """The page with this interest of the curated list."""
    return str((len(own_words(me)) + INTERESTS.index(interest)) // BUTTONS_PER_PAGE)


def _country(me: Participant, env: Env, page: str) -> tuple[Text, Menu]:
    """The person's country first, then the others by name in the person's language. The first row of the
    first page means no country."""
    own = me.profile.country
    others = env.places.in_order((each for each in COUNTRIES if each != own), spoken_to(me))
    buttons = [country_button(me, each) for each in ((own,) if own else ()) + others]
    none: Row = (_toggle(text("profile.no_country"), not own, "country."),)
    first = () if _page_number(page, len(buttons)) else (none,)
    return text("profile.ask_country"), Menu((*first, *_paged("country", buttons, page, 2)))


def country_button(me: Participant, code: str) -> Button:
    return _toggle(country_of(code), me.profile.country == code, f"country.{code}")


def _wants(me: Participant, env: Env, _: str) -> tuple[Text, Menu]:
    """The menu of the wishes for a partner. Ticks show what counts now."""
    wants = wishes_of(me, env)
    genders = [
        _filter(Filter.GENDER, me, env, text(f"profile.gender_{each}"), each in wants.genders, f"want.{each}")
        for each in WANTED
    ]
    ages = [
        _filter(
            Filter.AGE,
            me,
            env,
            text("profile.age_range", low=low, high=high),
            (wants.age_min, wants.age_max) == (low, high),
            f"ages.{low}-{high}",
        )
        for low, high in AGES_WANTED
        if pool_for(low, env.rules) == pool_for(age_now(me.profile, env.now), env.rules)
    ]
    any_gender = _toggle(text("profile.any_gender"), not wants.genders, "want.")
    any_age = _toggle(text("profile.any_age"), wants.age_min is None and wants.age_max is None, "ages.")
    switches = (
        (_toggle(text("profile.other_languages"), wants.other_languages, "other"),),
        (_toggle(text("profile.icebreakers"), wants.icebreakers, "ice"),),
    )
    locked = [which for which in Filter if not may_filter(me, which, env)]
    key = "profile.ask_wants_locked" if locked else "profile.ask_wants"
    return text(key), Menu(
        (*_rows((*genders, any_gender), 2), *_rows(ages, 3), (any_age,), *switches, *rows(me, env), BACK)
    )


def _speak(me: Participant, env: Env, _: str) -> tuple[Text, Menu]:
    chosen = spoken_to(me)
    buttons = [
        _toggle(text("interests.own", word=LANGUAGES[each]), each == chosen, f"speak.{each}") for each in WRITTEN_IN
    ]
    return text("profile.ask_interface"), Menu((*_rows(buttons, 2), BACK))


def _blur(me: Participant, env: Env, _: str) -> tuple[Text, Menu]:
    chosen = blur_of(me, env)
    buttons = [(_toggle(text(f"profile.blur_{each}"), chosen is each, f"blur.{each}"),) for each in Blur]
    if has_comforts(me, env):
        return text("profile.ask_blur"), Menu((*buttons, BACK))
    locked = Button(text("profile.behind_lock", what=text("profile.blur_never")), "put", f"blur.{Blur.NEVER}")
    shown = tuple((locked,) if each is Blur.NEVER else row for each, row in zip(Blur, buttons, strict=True))
    return text("profile.ask_blur"), Menu((*shown, BACK))


def spoken_to(me: Participant) -> str:
    """The language in which we write to somebody."""
    code = me.profile.language.lower().replace("_", "-").partition("-")[0]
    return code if code in WRITTEN_IN else WRITTEN_IN[0]


SECTIONS: dict[str, Section] = {
    "top": _top,
    "gender": _gender,
    "age": _age,
    "langs": _langs,
    "tags": _tags,
    "country": _country,
    "wants": _wants,
    "blur": _blur,
    "speak": _speak,
}


def show(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/profile`: show the person their own profile and wishes."""
    said = text("profile.shown", card=card(facts.me, env))
    return Decision(effects=(Say(facts.me.person, said, keys_for(facts.me.state)),))


def settings(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    said, menu = _top(facts.me, env, "")
    return Decision(effects=(Say(facts.me.person, said, menu),))


def choose_language(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """The menu of the product's languages."""
    said, menu = _speak(facts.me, env, "")
    return Decision(effects=(Say(facts.me.person, said, menu),))


def in_place(event: ButtonPressed, me: Participant, env: Env, section: str, page: str = "") -> tuple[Effect, ...]:
    """Show the current menu in the notice with the pressed button."""
    answer = Answer(event.query)
    if event.message is None:
        return (answer,)
    said, menu = SECTIONS.get(section, _top)(me, env, page)
    return (answer, Revise(me.person, event.message, said, menu))


def open_section(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    section, _, page = event.token.partition(".")
    return Decision(effects=in_place(event, facts.me, env, section, page))
