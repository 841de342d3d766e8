"""A copy of one's data, and its erasure. Both work for everybody who has ever written to a bot.

An erasure takes effect a day after it was asked for. Until then, the person may use the service or change their mind.
"""

import msgspec

from passerby.dialogue.after_chat import in_place, tell_left
from passerby.domain.lifecycle import cancel, part
from passerby.domain.personal_data import COPY_EVERY_S, ERASED_AFTER_S, cleared, erased, refers_to, without
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Keys, Menu, Say
from passerby.kernel.event import ButtonPressed, DataCopied, ErasureDue, MessageReceived, PartnerErased
from passerby.kernel.feature import Feature, HelpLine, MenuCommand
from passerby.kernel.participant import Chatting, DataRequests, Participant, Searching
from passerby.kernel.staff_event import DataOrdered
from passerby.kernel.text import text

ERASE = "erase"
KEEP = "keep"

_NONE = DataRequests()
_KEEP = Button(text("my_data.keep"), KEEP)
_QUESTION = Menu(((Button(text("my_data.erase"), ERASE),), (_KEEP,)))
_CHANGE_OF_MIND = Menu(((_KEEP,),))


def _asked(me: Participant) -> DataRequests:
    return me.requests or _NONE


def _asking(me: Participant, **changes: object) -> Participant:
    requests = msgspec.structs.replace(_asked(me), **changes)
    return msgspec.structs.replace(me, requests=None if requests == _NONE else requests)


def copy(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/mydata`"""
    me, requests = facts.me, _asked(facts.me)
    if requests.copy_at:
        return Decision(effects=(Say(me.person, text("my_data.copy_coming")),))
    if env.now - requests.copied_at < COPY_EVERY_S:
        return Decision(effects=(Say(me.person, text("my_data.copy_sent")),))
    return Decision((_asking(me, copy_at=env.now),), (Say(me.person, text("my_data.copy_coming")),))


def ordered(event: DataOrdered, facts: Facts, env: Env) -> Decision:
    """Somebody asked staff instead of the bot. They read the same, and have the same day to change their mind."""
    me, requests = facts.me, _asked(facts.me)
    if event.erases:
        if requests.erase_at:
            return NOTHING
        told = Say(me.person, text("my_data.erase_set"), _CHANGE_OF_MIND)
        return Decision((_asking(me, erase_at=env.now + ERASED_AFTER_S),), (told,))
    if requests.copy_at:
        return NOTHING
    return Decision((_asking(me, copy_at=env.now),), (Say(me.person, text("my_data.copy_coming")),))


def copied(event: DataCopied, facts: Facts, env: Env) -> Decision:
    if _asked(facts.me).copy_at != event.asked_at:
        return NOTHING
    return Decision((_asking(facts.me, copy_at=0.0, copied_at=env.now),))


def ask(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/deleteme`"""
    me = facts.me
    if _asked(me).erase_at:
        return Decision(effects=(Say(me.person, text("my_data.erase_set"), _CHANGE_OF_MIND),))
    return Decision(effects=(Say(me.person, text("my_data.erase_ask"), _QUESTION),))


def erase(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    me = facts.me
    effects: tuple[Effect, ...] = (Answer(event.query), *in_place(event, text("my_data.erase_set"), _CHANGE_OF_MIND))
    if _asked(me).erase_at:
        return Decision(effects=effects)
    return Decision((_asking(me, erase_at=env.now + ERASED_AFTER_S),), effects)


def keep(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    me, requests = facts.me, _asked(facts.me)
    if requests.erasing:
        return Decision(effects=(Answer(event.query, text("my_data.erased_already")),))
    effects: tuple[Effect, ...] = (Answer(event.query), *in_place(event, text("my_data.kept")))
    if not requests.erase_at:
        return Decision(effects=effects)
    return Decision((_asking(me, erase_at=0.0),), effects)


def erase_now(event: ErasureDue, facts: Facts, env: Env) -> Decision:
    """First the person leaves whatever they do and loses everything but their address. The partner is told what they
    are told whenever somebody leaves. At last the address goes, too."""
    me, requests = facts.me, _asked(facts.me)
    if not 0 < requests.erase_at <= env.now or event.is_last != requests.erasing:
        return NOTHING
    if event.is_last:
        if isinstance(me.state, Chatting | Searching):
            return NOTHING
        return Decision((erased(me),), erases=me.person)
    sides: tuple[Participant, ...] = (me,)
    if isinstance(me.state, Chatting):
        sides = part(me, facts.partner, env, reason="stop", leaver=me.person)
    elif isinstance(me.state, Searching):
        sides = (cancel(me),)
    told = (*tell_left(sides), Say(me.person, text("my_data.erased"), Keys()))
    return Decision((cleared(sides[0]), *sides[1:]), told)


def forget(event: PartnerErased, facts: Facts, env: Env) -> Decision:
    if not refers_to(facts.me, event.whom):
        return NOTHING
    return Decision((without(facts.me, event.whom, env),))


feature = Feature(
    "my_data",
    commands={"mydata": copy, "deleteme": ask},
    help=(HelpLine("my_data.help", 70), HelpLine("my_data.help_erase", 80)),
    menu=(MenuCommand("mydata", "commands.mydata", 125), MenuCommand("deleteme", "commands.deleteme", 126)),
    presses={ERASE: erase, KEEP: keep},
    events={DataCopied: copied, DataOrdered: ordered, ErasureDue: erase_now, PartnerErased: forget},
    open_to_barred=(copy, ask, erase, keep),
    open_to_all=True,
)
