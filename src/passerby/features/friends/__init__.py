"""Two people who want to chat again can save each other. Neither learns who the other is.

Nobody learns that somebody has *saved* them. When both have saved each other, each finds the other in `/friends`, under
a name of their own choice, and may ask for a chat. An ask without an answer looks the same for every reason. A friend
who was forgotten or blocked keeps an entry that leads nowhere, because a missing entry would tell them.
"""

import re

import msgspec

from passerby.dialogue.after_chat import SAVE, ask_again, bring_together, in_place, too_old
from passerby.dialogue.keyboards import keys_for
from passerby.domain.after_chat import at_hand, is_free, last_partner, load_last_partner, may_meet, never_again
from passerby.domain.entitlement import has_comforts
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Discard, Effect, Menu, Priority, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature, MenuCommand
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant, Saved
from passerby.kernel.text import Arg, text

MOST = 30
"""Friends and one-sided saves together. If there is no room, the oldest one-sided save is dropped."""

MOST_OF_VIPS = 60
"""After their time as a VIP, they keep them all, and save nobody else until there is room again."""

SHOWN = 30
"""How many friends are on a page. Telegram refuses a message with more than a hundred buttons."""

ASK_S = 600.0
"""How long an ask can be answered, and how long until the next ask to the same person."""

PAGE = "friends_page"
NAME_LENGTH = 24
_NAME = re.compile(r"/\w+(?:@\w+)?\s+(\d{1,2})\s+(\S.*)", re.DOTALL)


def _mutual(me: Participant) -> list[Saved]:
    return [each for each in me.saved if each.mutual]


def _by_token(me: Participant, token: str) -> Saved | None:
    return next((each for each in me.saved if each.token == token and each.mutual), None)


def _entry(me: Participant, person: PersonId) -> Saved | None:
    return next((each for each in me.saved if each.person == person), None)


def _most(me: Participant, env: Env) -> int:
    return MOST_OF_VIPS if has_comforts(me, env) else MOST


def _with(me: Participant, entry: Saved, most: int = MOST_OF_VIPS) -> Participant:
    """The person with this entry: it replaces the entry for the same person, or becomes the newest. At most `most`
    stay, unless more of them are mutual."""
    if _entry(me, entry.person) is not None:
        saved = tuple(entry if each.person == entry.person else each for each in me.saved)
    else:
        saved = (*_room(me.saved, most), entry)
    return msgspec.structs.replace(me, saved=saved)


def _room(saved: tuple[Saved, ...], most: int) -> tuple[Saved, ...]:
    """The entries without as many one-sided ones, the oldest first, as one more entry needs."""
    spare = [each for each in saved if not each.mutual][: max(0, len(saved) + 1 - most)]
    return tuple(each for each in saved if each not in spare)


def _who(me: Participant, entry: Saved) -> Arg:
    """The name that `me` gave them, or their number in the list."""
    if entry.nickname:
        return entry.nickname
    return text("friends.friend", number=1 + [each.token for each in _mutual(me)].index(entry.token))


def _load_by_token(event: ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    entry = _by_token(facts.me, event.token)
    return (entry.person,) if entry is not None else ()


def save(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Save the last partner. The answer is the same whether or not the other has saved this person. When both have,
    both are told, unless they know already."""
    me = facts.me
    whom = last_partner(me, event.token)
    if whom is None:
        return too_old(event, me, env.now)
    known = _entry(me, whom)
    if known is None and len(_mutual(me)) >= _most(me, env):
        return Decision(effects=(Answer(event.query, text("friends.full"), alert=True),))
    mine = known or Saved(f"{env.rng.getrandbits(64):016x}", whom)
    me = _with(me, mine, _most(me, env))
    assert me.last is not None, "`last_partner` found one"
    question = "after_chat.ask" if me.last.rating is None else "after_chat.thanks"
    answer: tuple[Effect, ...] = (
        Answer(event.query, text("friends.saved"), alert=True),
        *ask_again(event, question, me, env.now),
    )
    partner = at_hand(facts, whom)
    theirs = _entry(partner, me.person) if partner is not None and not never_again(me, partner) else None
    if partner is None or theirs is None:
        # The partner is part of the commit, although unchanged: if both save at the same moment, one of them sees the
        # other's save.
        return Decision((me, partner) if partner is not None else (me,), answer)
    told = tuple(
        Say(side, text("friends.mutual"), priority=Priority.SYSTEM)
        for side, entry in ((me.person, mine), (partner.person, theirs))
        if not entry.mutual
    )
    me = _with(me, msgspec.structs.replace(mine, mutual=True))
    partner = _with(partner, msgspec.structs.replace(theirs, mutual=True))
    return Decision((me, partner), (*answer, *told))


def _list(me: Participant) -> tuple[Say, ...]:
    friends = _mutual(me)
    if not friends:
        return (Say(me.person, text("friends.none"), keys_for(me.state)),)
    return (Say(me.person, text("friends.list", n=len(friends)), _friends(me)),)


def _friends(me: Participant, page: int = 0) -> Menu:
    known = _mutual(me)
    page = max(0, min(page, (len(known) - 1) // SHOWN))
    rows: list[tuple[Button, ...]] = [
        (
            Button(text("friends.label", who=_who(me, entry)), "ask", entry.token),
            Button(text("friends.forget"), "forget", entry.token),
        )
        for entry in known[page * SHOWN : (page + 1) * SHOWN]
    ]
    turn = [Button(text("friends.earlier"), PAGE, str(page - 1))] if page else []
    turn += [Button(text("friends.later"), PAGE, str(page + 1))] if (page + 1) * SHOWN < len(known) else []
    return Menu((*rows, *((tuple(turn),) if turn else ())))


def friends(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/friends`"""
    return Decision(effects=_list(facts.me))


def turn_page(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    me = facts.me
    page = int(event.token) if event.token.isdecimal() and len(event.token) < 3 else 0
    shown = text("friends.list", n=len(_mutual(me))) if _mutual(me) else text("friends.none")
    menu = (_friends(me, page),) if _mutual(me) else ()
    return Decision(effects=(Answer(event.query), *in_place(event, shown, *menu)))


def rename(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/name 2 Sunny`: give the second friend in the list a name."""
    me = facts.me
    found = _NAME.fullmatch(event.text)
    known = _mutual(me)
    if found is None or not 0 < int(found[1]) <= len(known):
        return Decision(effects=(Say(me.person, text("friends.how_to_name"), keys_for(me.state)),))
    nickname = " ".join(found[2].split())[:NAME_LENGTH]
    at = int(found[1]) - 1
    me = _with(me, msgspec.structs.replace(known[at], nickname=nickname))
    return Decision((me,), (Say(me.person, text("friends.is_named", name=nickname), _friends(me, at // SHOWN)),))


def forget(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Remove a friend from one's own list. The other is not told, and their asks reach nobody from now on."""
    entry = _by_token(facts.me, event.token)
    if entry is None:
        return Decision(effects=(Answer(event.query, text("friends.gone")),))
    saved = tuple(each for each in facts.me.saved if each is not entry)
    page = _mutual(facts.me).index(entry) // SHOWN
    me = msgspec.structs.replace(facts.me, saved=saved)
    left = len(_mutual(me))
    listed = in_place(event, text("friends.none"))
    if left:
        listed = in_place(event, text("friends.list", n=left), _friends(me, page))
    return Decision((me,), (Answer(event.query), *listed))


def ask(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Ask a friend for a chat. The answer to the person who asks is the same, whatever the friend is doing."""
    me, entry = facts.me, _by_token(facts.me, event.token)
    if entry is None:
        return Decision(effects=(Answer(event.query, text("friends.gone")),))
    if not is_free(me):
        return Decision(effects=(Answer(event.query, text("friends.in_a_chat"), alert=True),))
    asked = Answer(event.query, text("friends.asked"), alert=True)
    other = at_hand(facts, entry.person)
    theirs = _entry(other, me.person) if other is not None else None
    if other is not None and theirs is not None and _is_asking(theirs, env) and may_meet(me, other, env):
        return _meet(event, me, other, env)
    if _is_asking(entry, env):
        return Decision(effects=(asked,))
    me = _with(me, msgspec.structs.replace(entry, asked_at=env.now))
    if other is None or theirs is None or not theirs.mutual or never_again(me, other):
        return Decision((me,), (asked,))
    menu = Menu(((Button(text("friends.talk"), "talk", theirs.token),),))
    invited = Say(other.person, text("friends.asks", who=_who(other, theirs)), menu, priority=Priority.SYSTEM)
    return Decision((me, other), (asked, invited))


def _is_asking(entry: Saved, env: Env) -> bool:
    return entry.asked_at is not None and 0 <= env.now - entry.asked_at < ASK_S


def talk(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Accept an ask. If the person who asked cannot chat any more, for whatever reason, the ask counts as expired."""
    me, entry = facts.me, _by_token(facts.me, event.token)
    if entry is None:
        return Decision(effects=(Answer(event.query, text("friends.gone")),))
    if not is_free(me):
        return Decision(effects=(Answer(event.query, text("friends.in_a_chat"), alert=True),))
    other = at_hand(facts, entry.person)
    theirs = _entry(other, me.person) if other is not None else None
    if other is None or theirs is None or not _is_asking(theirs, env) or not may_meet(me, other, env):
        return Decision(effects=(Answer(event.query, text("friends.not_now"), alert=True),))
    meeting = _meet(event, me, other, env)
    invitation = (Discard(me.person, (event.message,)),) if event.message is not None else ()
    return Decision(meeting.changes, (*meeting.effects, *invitation))


def _meet(event: ButtonPressed, me: Participant, other: Participant, env: Env) -> Decision:
    """Put the two together. Each reads their own name for the other. The asks are used up."""
    sides, words = [], []
    for side, opposite in ((me, other), (other, me)):
        entry = _entry(side, opposite.person)
        assert entry is not None, "both have saved each other"
        words.append(text("friends.together", who=_who(side, entry)))
        sides.append(_with(side, msgspec.structs.replace(entry, asked_at=None)))
    paired, told = bring_together(sides[0], sides[1], (words[0], words[1]), env)
    return Decision(paired, (Answer(event.query), *told))


feature = Feature(
    "friends",
    commands={"friends": friends, "saved": friends, "name": rename},
    menu=(MenuCommand("friends", "commands.friends", 100),),
    presses={SAVE: save, PAGE: turn_page, "ask": ask, "talk": talk, "forget": forget},
    also_load={save: load_last_partner, ask: _load_by_token, talk: _load_by_token},
)
