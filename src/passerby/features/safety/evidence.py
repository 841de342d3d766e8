"""Evidence for a report: up to five messages of the partner's, which the reporter replies to.

The runtime proves where a message comes from before a decider sees it (`Facts.chosen`).
"""

import msgspec

from passerby.domain.evidence import MOST, is_open
from passerby.kernel.decision import Chosen, Decision, Env, Facts
from passerby.kernel.effect import Attach, Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Commenting, Participant
from passerby.kernel.text import text


def first_of(
    chosen: Chosen | None, me: Participant, chat: str, whom: PersonId
) -> tuple[Participant, tuple[Attach, ...]]:
    """The reporter and the evidence that their report begins with: the message that the question was about."""
    asked = me.commenting
    if chosen is None or chosen.chat != chat or asked is None:
        return me, ()
    return _with(me, asked, chosen), (Attach(chosen.chat, me.person, whom, 1, chosen.at.bot, chosen.content),)


def is_for_report(facts: Facts, now: float) -> bool:
    """Whether the chosen message is evidence for the report that the person filed last."""
    asked, chosen = facts.me.commenting, facts.chosen
    return chosen is not None and asked is not None and asked.chat == chosen.chat and is_open(asked, now)


def accused_in(me: Participant, chat: ChatId) -> PersonId | None:
    """Return the partner whom the person reported for this chat. None if it is too long ago, or if they were erased."""
    if me.last is not None and me.last.chat == chat:
        return me.last.partner
    return next((met.person for met in me.recent if met.chat == chat), None)


def take_evidence(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """A reply to one of the reported partner's messages. The words of the reply go to nobody."""
    me, asked, chosen = facts.me, facts.me.commenting, facts.chosen
    assert asked is not None, "a report is open"
    assert chosen is not None, "it is proved"
    whom = accused_in(me, chosen.chat)
    if whom is None:
        return Decision(effects=(Say(me.person, text("safety.comment_over"), reply_to=event.messages[0]),))
    key = _refusal(asked, chosen)
    if key is not None:
        said = text(key, n=len(asked.attached), most=MOST)
        return Decision(effects=(Say(me.person, said, reply_to=event.messages[0]),))
    place = len(asked.attached) + 1
    kept = Attach(chosen.chat, me.person, whom, place, chosen.at.bot, chosen.content)
    said = text("safety.attached", n=place, most=MOST)
    return Decision((_with(me, asked, chosen),), (kept, Say(me.person, said, reply_to=event.messages[0])))


def _refusal(asked: Commenting, chosen: Chosen) -> str | None:
    if chosen.at in asked.attached:
        return "safety.attached_already"
    return "safety.attached_most" if len(asked.attached) >= MOST else None


def _with(me: Participant, asked: Commenting, chosen: Chosen) -> Participant:
    attached = (*asked.attached, chosen.at)
    return msgspec.structs.replace(me, commenting=msgspec.structs.replace(asked, attached=attached))
