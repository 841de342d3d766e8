"""What a person has said of themselves, and changing it, in one menu that edits in place."""

import msgspec

from passerby.domain.ages import age_in, age_now, pool_for
from passerby.domain.keyboards import keys_for
from passerby.domain.lifecycle import refresh_ticket
from passerby.kernel.decision import Decision, Env, Facts, Rules
from passerby.kernel.effect import Answer, Button, Effect, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.participant import Gender, Participant, Profile
from passerby.kernel.text import Text, text

TOP = Menu(
    ((Button(text("profile.change_gender"), "set", "gender"), Button(text("profile.change_age"), "set", "age")),)
)
GENDERS = Menu(
    (
        (
            Button(text("profile.gender_male"), "set_gender", Gender.MALE),
            Button(text("profile.gender_female"), "set_gender", Gender.FEMALE),
        ),
        (
            Button(text("profile.gender_other"), "set_gender", Gender.OTHER),
            Button(text("profile.gender_unsaid"), "set_gender", Gender.UNSAID),
        ),
        (Button(text("profile.back"), "set", "top"),),
    )
)
AGE_STEPS = (-10, -1, 1, 10)


def _card(me: Participant, env: Env) -> Text:
    assert me.profile.gender is not None, "newcomers never get here"
    return text(f"profile.card_{me.profile.gender}", age=age_now(me.profile, env.now))


def _allowed(age: int, now: int, rules: Rules) -> bool:
    """Whether somebody aged `now` may say `age` instead.

    Nobody makes themselves younger than the minimum age, and nobody steps over the wall between minors and adults:
    only time does that.
    """
    return rules.minimum_age <= age <= rules.maximum_age and pool_for(age, rules) == pool_for(now, rules)


def _ages(me: Participant, env: Env) -> Menu:
    """Steps up and down, within what is allowed."""
    now = age_now(me.profile, env.now)
    ages = [now + step for step in AGE_STEPS if _allowed(now + step, now, env.rules)]
    buttons = tuple(Button(text("profile.age_button", age=age), "set_age", str(age)) for age in ages)
    return Menu((buttons, (Button(text("profile.back"), "set", "top"),)))


def show(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/profile`: what others may learn of you."""
    return Decision(effects=(Say(facts.me.person, _card(facts.me, env), keys_for(facts.me.state)),))


def settings(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    return Decision(effects=(Say(facts.me.person, _card(facts.me, env), TOP),))


def _in_place(event: ButtonPressed, me: Participant, env: Env, menu: Menu) -> tuple[Effect, ...]:
    answer = Answer(event.query)
    if event.message is None:
        return (answer,)
    return (answer, Revise(me.person, event.message, _card(me, env), menu))


def choose(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    menu = {"gender": GENDERS, "age": _ages(facts.me, env)}.get(event.token, TOP)
    return Decision(effects=_in_place(event, facts.me, env, menu))


def _change(event: ButtonPressed, facts: Facts, env: Env, profile: Profile, menu: Menu) -> Decision:
    if profile == facts.me.profile:
        return Decision(effects=_in_place(event, facts.me, env, menu))
    me = refresh_ticket(msgspec.structs.replace(facts.me, profile=profile), env)
    return Decision((me,), _in_place(event, me, env, menu))


def set_gender(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    if event.token not in set(Gender):
        return Decision(effects=(Answer(event.query),))
    profile = msgspec.structs.replace(facts.me.profile, gender=Gender(event.token))
    return _change(event, facts, env, profile, TOP)


def set_age(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    age, now = age_in(event.token, env.rules), age_now(facts.me.profile, env.now)
    if age is None or not _allowed(age, now, env.rules):
        return Decision(effects=(Answer(event.query),))
    profile = facts.me.profile
    if age != now:
        profile = msgspec.structs.replace(profile, age=age, age_given_at=env.now)
    changed = msgspec.structs.replace(facts.me, profile=profile)
    return _change(event, facts, env, profile, _ages(changed, env))


feature = Feature(
    "profile",
    commands={"profile": show, "settings": settings},
    presses={"set": choose, "set_gender": set_gender, "set_age": set_age},
)
