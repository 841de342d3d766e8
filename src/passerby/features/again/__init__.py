"""Meeting somebody again later, if both wish it. Who they are stays between them.

To *save* a partner is a wish that nobody learns of. When both have saved each other, both find the other in `/friends`,
under a name that each chooses for oneself, and may ask for a chat. An ask that is not taken up looks like any other.
"""

import re

import msgspec

from passerby.domain.aftermath import SAVE, bring_together, free, last_partner, never_again
from passerby.domain.keyboards import keys_for
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Priority, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant, Saved
from passerby.kernel.text import text

MOST = 30
"""Friends and wishes together; the oldest wish that came to nothing makes room."""

ASK_S = 600.0
"""For so long an ask may be taken up, and so long must pass before the next one to the same person."""

NAME_LENGTH = 24
_NAME = re.compile(r"/\w+(?:@\w+)?\s+(\d{1,2})\s+(\S.*)", re.DOTALL)


def _mutual(me: Participant) -> list[Saved]:
    return [each for each in me.saved if each.mutual]


def _by_token(me: Participant, token: str) -> Saved | None:
    return next((each for each in me.saved if each.token == token and each.mutual), None)


def _entry(me: Participant, person: PersonId) -> Saved | None:
    return next((each for each in me.saved if each.person == person), None)


def _with(me: Participant, entry: Saved) -> Participant:
    """With this entry in place of the one for the same person, or as the newest."""
    if _entry(me, entry.person) is not None:
        saved = tuple(entry if each.person == entry.person else each for each in me.saved)
    else:
        saved = (*_room(me.saved), entry)
    return msgspec.structs.replace(me, saved=saved)


def _room(saved: tuple[Saved, ...]) -> tuple[Saved, ...]:
    if len(saved) < MOST:
        return saved
    spare = next((each for each in saved if not each.mutual), None)
    return tuple(each for each in saved if each is not spare)


def _name(number: int, entry: Saved) -> tuple[str, dict[str, str | int]]:
    if entry.nickname:
        return "again.named", {"name": entry.nickname}
    return "again.unnamed", {"number": number}


def _token(env: Env) -> str:
    return f"{env.rng.getrandbits(64):016x}"


def _company_of_chat(event: ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    partner = last_partner(facts.me, event.token)
    return (partner,) if partner is not None else ()


def _company_of_token(event: ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    entry = _by_token(facts.me, event.token)
    return (entry.person,) if entry is not None else ()


def _among(facts: Facts, person: PersonId) -> Participant | None:
    around = (*facts.others, *((facts.partner,) if facts.partner is not None else ()))
    return next((each for each in around if each.person == person), None)


def save(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Remember the last partner. What is read is the same whether the other has done so or not; a match is told apart,
    to both at once."""
    me = facts.me
    whom = last_partner(me, event.token)
    if whom is None:
        return Decision(effects=(Answer(event.query, text("after.too_old")),))
    partner = _among(facts, whom)
    mine = _entry(me, whom)
    full = mine is None and len(me.saved) >= MOST and all(each.mutual for each in me.saved)
    if full:
        return Decision(effects=(Answer(event.query, text("again.full"), alert=True),))
    answer = Answer(event.query, text("again.saved"), alert=True)
    if partner is None or never_again(me, partner) or (mine is not None and mine.mutual):
        return Decision((me,) if mine else (_with(me, Saved(_token(env), whom)),), (answer,))
    mine = mine or Saved(_token(env), whom)
    theirs = _entry(partner, me.person)
    if theirs is None:
        # The partner goes into the commit as they are, so that of two who save at one moment one sees the other.
        return Decision((_with(me, mine), partner), (answer,))
    me = _with(me, msgspec.structs.replace(mine, mutual=True))
    partner = _with(partner, msgspec.structs.replace(theirs, mutual=True))
    told = tuple(Say(each.person, text("again.mutual"), priority=Priority.SYSTEM) for each in (me, partner))
    return Decision((me, partner), (answer, *told))


def _list(me: Participant) -> tuple[Say, ...]:
    friends = _mutual(me)
    if not friends:
        return (Say(me.person, text("again.none"), keys_for(me.state)),)
    return (Say(me.person, text("again.list", n=len(friends)), _friends(me)),)


def _friends(me: Participant) -> Menu:
    rows = []
    for number, entry in enumerate(_mutual(me), start=1):
        key, args = _name(number, entry)
        rows.append(
            (Button(text(key, **args), "ask", entry.token), Button(text("again.forget"), "forget", entry.token))
        )
    return Menu(tuple(rows))


def friends(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/friends`"""
    return Decision(effects=_list(facts.me))


def rename(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/name 2 Sunny`: a name of one's own for the second of the list."""
    me = facts.me
    found = _NAME.fullmatch(event.text)
    known = _mutual(me)
    if found is None or not 0 < int(found[1]) <= len(known):
        return Decision(effects=(Say(me.person, text("again.how_to_name"), keys_for(me.state)),))
    nickname = " ".join(found[2].split())[:NAME_LENGTH]
    me = _with(me, msgspec.structs.replace(known[int(found[1]) - 1], nickname=nickname))
    return Decision((me,), (Say(me.person, text("again.is_named", name=nickname)), *_list(me)))


def forget(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Out of one's own list, and out of theirs: nobody is left with a name that leads nowhere."""
    entry = _by_token(facts.me, event.token)
    if entry is None:
        return Decision(effects=(Answer(event.query, text("again.gone")),))
    changes = [_without(facts.me, entry.person)]
    other = _among(facts, entry.person)
    if other is not None and _entry(other, facts.me.person) is not None:
        changes.append(_without(other, facts.me.person))
    me = changes[0]
    listed: tuple[Effect, ...] = ()
    if event.message is not None:
        known = _mutual(me)
        key = text("again.list", n=len(known)) if known else text("again.none")
        listed = (Revise(me.person, event.message, key, _friends(me) if known else None),)
    return Decision(tuple(changes), (Answer(event.query), *listed))


def _without(me: Participant, person: PersonId) -> Participant:
    return msgspec.structs.replace(me, saved=tuple(each for each in me.saved if each.person != person))


def ask(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Would they like to talk? The answer to the asker is the same whatever they are doing."""
    me, entry = facts.me, _by_token(facts.me, event.token)
    if entry is None:
        return Decision(effects=(Answer(event.query, text("again.gone")),))
    if not free((me,)):
        return Decision(effects=(Answer(event.query, text("again.busy_yourself"), alert=True),))
    asked = Answer(event.query, text("again.asked"), alert=True)
    other = _among(facts, entry.person)
    theirs = _entry(other, me.person) if other is not None else None
    if other is None or theirs is None or not theirs.mutual or never_again(me, other):
        return Decision(effects=(asked,))
    if _is_asking(theirs, env):  # both ask at once
        return _meet(event, me, other, env) if free((other,)) else Decision(effects=(asked,))
    if entry.asked_at is not None and env.now - entry.asked_at < ASK_S:
        return Decision(effects=(asked,))
    me = _with(me, msgspec.structs.replace(entry, asked_at=env.now))
    number = 1 + [each.person for each in _mutual(other)].index(me.person)
    key, args = _name(number, theirs)
    menu = Menu(((Button(text("again.talk"), "talk", theirs.token),),))
    invited = Say(other.person, text(f"{key}_asks", **args), menu, priority=Priority.SYSTEM)
    return Decision((me, other), (asked, invited))


def _is_asking(entry: Saved, env: Env) -> bool:
    return entry.asked_at is not None and 0 <= env.now - entry.asked_at < ASK_S


def talk(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Take an ask up. If the asker is free no more, it is as if it had run out."""
    me, entry = facts.me, _by_token(facts.me, event.token)
    other = _among(facts, entry.person) if entry is not None else None
    if entry is None or other is None or never_again(me, other):
        return Decision(effects=(Answer(event.query, text("again.gone")),))
    if not free((me,)):
        return Decision(effects=(Answer(event.query, text("again.busy_yourself"), alert=True),))
    theirs = _entry(other, me.person)
    if theirs is None or not _is_asking(theirs, env) or not free((other,)):
        return Decision(effects=(Answer(event.query, text("again.not_now"), alert=True),))
    return _meet(event, me, other, env)


def _meet(event: ButtonPressed, me: Participant, other: Participant, env: Env) -> Decision:
    """Together, and the asks are used up."""
    sides, told = bring_together(_asked_out(me, other.person), _asked_out(other, me.person), "again.together", env)
    return Decision(sides, (Answer(event.query), *told))


def _asked_out(me: Participant, person: PersonId) -> Participant:
    entry = _entry(me, person)
    return _with(me, msgspec.structs.replace(entry, asked_at=None)) if entry is not None else me


feature = Feature(
    "again",
    commands={"friends": friends, "saved": friends, "name": rename},
    presses={SAVE: save, "ask": ask, "talk": talk, "forget": forget},
    company={save: _company_of_chat, ask: _company_of_token, talk: _company_of_token, forget: _company_of_token},
)
