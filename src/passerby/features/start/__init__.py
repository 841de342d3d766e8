"""The first questions to a person: consent, age and gender, and nothing else.

The questions come in order. Whatever a person does before they have answered brings back the open question. Answers to
earlier questions change nothing here: changes are made in `/settings`.
"""

import math

import msgspec

from passerby.dialogue.closing import go_on_elsewhere, is_closing
from passerby.dialogue.keyboards import keys_for
from passerby.dialogue.promo import offer_code
from passerby.dialogue.sanctions import letter
from passerby.domain.ages import age_in
from passerby.domain.farms.sources import begin_watched
from passerby.domain.journeys import payload_of, source_of, with_code
from passerby.domain.lifecycle import BOT_LOST
from passerby.domain.money.promos import code_in_link
from passerby.domain.money.referrals import invited, token_in_link
from passerby.domain.money.spent import has_talked_before
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Profile, Searching, State
from passerby.kernel.text import text

AGE_BUTTONS = (18, 20, 22, 25, 28, 30, 35, 40, 45, 50)

TURNED_AWAY_S = 24 * 3600.0
"""How long no other age is accepted, so that a child cannot try out ages within a minute."""

MEND_S = 600.0
"""How long after that they can correct a typing mistake, once: they press the button and answer again."""

MEND_MENU = Menu(((Button(text("start.typed_wrong"), "mend"),),))
CONSENT_MENU = Menu(((Button(text("start.agree"), "agree"),),))
GENDER_MENU = Menu(
    (
        (Button(text("start.male"), "gender", Gender.MALE), Button(text("start.female"), "gender", Gender.FEMALE)),
        (Button(text("start.other"), "gender", Gender.OTHER), Button(text("start.unsaid"), "gender", Gender.UNSAID)),
    )
)


READY: dict[type[State], str] = {
    Idle: "start.ready",
    Searching: "start.welcome_searching",
    Chatting: "start.welcome_chatting",
}


def age_menu(env: Env) -> Menu:
    """Buttons for common ages. Any other age can be typed."""
    ages = [age for age in AGE_BUTTONS if age >= env.rules.minimum_age]
    if ages[:1] != [env.rules.minimum_age]:
        ages.insert(0, env.rules.minimum_age)
    buttons = [Button(text("start.age_button", age=age), "age", str(age)) for age in ages]
    return Menu(tuple(tuple(buttons[row : row + 5]) for row in range(0, len(buttons), 5)))


def ask(me: Participant, env: Env) -> Say:
    """The open question. If there is none, the invitation to search."""
    profile = me.profile
    if _turned_away(profile, env):
        return _sorry(me, env)
    if profile.consented_at is None:
        return Say(me.person, text("start.consent", minimum=env.rules.minimum_age), CONSENT_MENU)
    if profile.age is None:
        if _is_mending(profile, env):
            return Say(me.person, text("start.ask_age_again"))
        return Say(me.person, text("start.ask_age"), age_menu(env))
    if profile.gender is None:
        return Say(me.person, text("start.ask_gender"), GENDER_MENU)
    return Say(me.person, text(READY[type(me.state)]), keys_for(me.state))


def _learn(facts: Facts, env: Env, profile: Profile, pressed: ButtonPressed | None = None) -> Decision:
    """Accept an answer and continue. A pressed question is replaced by the next one, so that it is answered only
    once."""
    me = msgspec.structs.replace(facts.me, profile=profile)
    code = me.journey.code if profile.complete and me.journey is not None else ""
    if code:
        me = with_code(me, "")
    offered = (offer_code(me, code),) if code else ()
    following = ask(me, env)
    if pressed is None:
        return Decision((me,), (following, *offered))
    effects: list[Effect] = [Answer(pressed.query)]
    if pressed.message is not None and isinstance(following.keyboard, Menu):
        return Decision((me,), (*effects, Revise(me.person, pressed.message, following.text, following.keyboard)))
    if pressed.message is not None:
        effects.append(Revise(me.person, pressed.message, text("start.thanks")))
    return Decision((me,), (*effects, following, *offered))


def _turned_away(profile: Profile, env: Env) -> bool:
    """Whether they said recently that they are too young. Then no other age is believed for a day."""
    said_at = profile.too_young_at
    if profile.age is not None or said_at is None or env.now - said_at >= TURNED_AWAY_S:
        return False
    return not _is_mending(profile, env)


def _may_mend(profile: Profile, env: Env) -> bool:
    """Whether they may still say that it was a typing mistake. It can be said only once."""
    said_at = profile.too_young_at
    return said_at is not None and profile.age_mended_at is None and env.now - said_at < MEND_S


def _is_mending(profile: Profile, env: Env) -> bool:
    """Whether they have said that it was a typing mistake, and have not answered again yet."""
    said_at, mended_at = profile.too_young_at, profile.age_mended_at
    return said_at is not None and mended_at is not None and said_at <= mended_at and env.now - mended_at < MEND_S


def _sorry(me: Participant, env: Env) -> Say:
    """Say that they are too young and when to return. Once, and for a few minutes, a typing mistake can be
    corrected."""
    said_at = me.profile.too_young_at
    assert said_at is not None, "they have said so"
    hours = min(24, max(1, math.ceil((said_at + TURNED_AWAY_S - env.now) / 3600)))
    menu = MEND_MENU if _may_mend(me.profile, env) else None
    return Say(me.person, text("start.too_young", minimum=env.rules.minimum_age, n=hours), menu)


def _was_cut_off(me: Participant) -> bool:
    """Whether their last chat ended because nobody could reach them through a bot that was lost."""
    last = me.last
    return isinstance(me.state, Idle) and last is not None and last.left and last.reason == BOT_LOST


def greet(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/start`: greet a newcomer, or say how things stand."""
    me = facts.me
    source = source_of(payload_of(event.text))
    told: tuple[Say, ...] = ()
    if source:
        me, held = begin_watched(me, event.bot, source, env)
        told = (Say(me.person, letter(held, env.now)),) if held is not None else ()
    token = token_in_link(payload_of(event.text))
    is_new = facts.me.journey is None and not has_talked_before(me)
    if token is not None and is_new and me.journey is not None:
        me = invited(me, token)
    code = code_in_link(payload_of(event.text))
    if code is not None and not me.profile.complete:
        me = with_code(me, code)
    changes = (me,) if me is not facts.me else ()
    if code is not None and me.profile.complete:
        return Decision(changes, (*told, offer_code(me, code)))
    if is_closing(me, env) and not isinstance(me.state, Chatting):
        return Decision(changes, (*told, go_on_elsewhere(me, env)))
    if me.profile.complete and _was_cut_off(me):
        return Decision(changes, (Say(me.person, text("start.bot_was_lost"), keys_for(me.state)),))
    return Decision(changes, (*told, ask(me, env)))


def answer(event: MessageReceived | ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Handle anything while a question is open: an age if it was asked for, otherwise ask the question again."""
    profile = facts.me.profile
    if isinstance(event, ButtonPressed):
        return Decision(effects=(Answer(event.query), ask(facts.me, env)))
    if is_closing(facts.me, env):
        return Decision(effects=(go_on_elsewhere(facts.me, env),))
    if profile.consented_at is None or profile.age is not None or _turned_away(profile, env):
        return Decision(effects=(ask(facts.me, env),))
    age = age_in(event.text, env.rules)
    if age is None:
        wrong = text("start.not_an_age", minimum=env.rules.minimum_age, maximum=env.rules.maximum_age)
        return Decision(effects=(Say(facts.me.person, wrong, age_menu(env)),))
    return _take_age(age, facts, env)


def _take_age(age: int, facts: Facts, env: Env, pressed: ButtonPressed | None = None) -> Decision:
    if age < env.rules.minimum_age:
        # It is later than `age_mended_at`, whatever the clock says, so that the second answer is final.
        last = facts.me.profile.age_mended_at or 0.0
        at = env.now if env.now > last else math.nextafter(last, math.inf)
        me = msgspec.structs.replace(facts.me, profile=msgspec.structs.replace(facts.me.profile, too_young_at=at))
        return Decision((me,), (ask(me, env),) if pressed is None else (Answer(pressed.query), ask(me, env)))
    profile = msgspec.structs.replace(facts.me.profile, age=age, age_given_at=env.now)
    return _learn(facts, env, profile, pressed)


def _closed(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The pressed question is already answered, or is not open yet. It is replaced by the open question, if there is
    one."""
    effects: list[Effect] = [Answer(event.query)]
    if event.message is not None:
        following = ask(facts.me, env)
        open_now = following.keyboard if isinstance(following.keyboard, Menu) else None
        said = text("start.thanks") if facts.me.profile.complete else following.text
        effects.append(Revise(event.person, event.message, said, open_now))
    return Decision(effects=tuple(effects))


def agree(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    if facts.me.profile.consented_at is not None:
        return _closed(event, facts, env)
    return _learn(facts, env, msgspec.structs.replace(facts.me.profile, consented_at=env.now), event)


def press_age(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    profile = facts.me.profile
    age = age_in(event.token, env.rules)
    if profile.consented_at is None or profile.age is not None or age is None:
        return _closed(event, facts, env)
    if _turned_away(profile, env):
        return Decision(effects=(Answer(event.query), ask(facts.me, env)))
    return _take_age(age, facts, env, event)


def press_mend(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """It was a typing mistake: one more answer is accepted, and it is final. `age_mended_at` remembers that."""
    me, profile = facts.me, facts.me.profile
    changes: tuple[Participant, ...] = ()
    if profile.age is None and _may_mend(profile, env):
        assert profile.too_young_at is not None, "there is a slip to mend"
        mended = msgspec.structs.replace(profile, age_mended_at=max(env.now, profile.too_young_at))
        me = msgspec.structs.replace(me, profile=mended)
        changes = (me,)
    following = ask(me, env)
    if event.message is None:
        return Decision(changes, (Answer(event.query), following))
    menu = following.keyboard if isinstance(following.keyboard, Menu) else None
    said = text("start.thanks") if profile.complete else following.text
    return Decision(changes, (Answer(event.query), Revise(me.person, event.message, said, menu)))


def press_gender(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    profile = facts.me.profile
    if profile.age is None or profile.gender is not None or event.token not in set(Gender):
        return _closed(event, facts, env)
    return _learn(facts, env, msgspec.structs.replace(profile, gender=Gender(event.token)), event)


feature = Feature(
    "start",
    commands={"start": greet},
    presses={"agree": agree, "age": press_age, "gender": press_gender, "mend": press_mend},
    newcomer=answer,
    open_to_all=True,
)
