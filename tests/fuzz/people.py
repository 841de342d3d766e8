"""A participant in every state, to receive one update."""

from random import Random

import msgspec

from passerby.features import ALL
from passerby.kernel.decision import Counterpart, Decision, Env, Facts
from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId, UpdateRef
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Profile, Searching, State, Ticket
from passerby.kernel.rules import ContactPolicy, Rules
from passerby.ports.outbox import Parked
from passerby.runtime.decide.commit_plan import plan_commit
from passerby.runtime.decide.committing import notice_namer
from passerby.runtime.decide.loading import message_of
from passerby.runtime.decide.router import Router
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.person_queues import Work
from tests.fuzz.seeds import NOW
from tests.wording import catalogue

BOT, OTHER = BotId(1000001), BotId(1000002)
PARTNER = PersonId(5_999_999)
CHAT = ChatId("0123456789abcdef0123")
KNOWN = Profile(NOW, 30, NOW, Gender.OTHER, "en")

encode = msgspec.msgpack.Encoder().encode
router = Router(ALL, catalogue().key_with_label)
sealer = Sealer(bytes(32))
ENVS = tuple(Env(NOW, Random(1), Rules(contact_policy=policy)) for policy in ContactPolicy)


def facts_for(person: PersonId) -> tuple[Facts, ...]:
    """Return the same person as a newcomer, idle, searching, and in a new chat, an old chat and a broken chat."""
    ticket = Ticket(person, PoolId("adults"), NOW, Gender.OTHER, 30)

    def somebody(who: PersonId, state: State, version: int = 3) -> Participant:
        return Participant(who, version, BOT, (BOT, OTHER), KNOWN, state)

    def chat(opened_at: float) -> tuple[Participant, Participant]:
        return (
            somebody(person, Chatting(CHAT, PARTNER, opened_at)),
            somebody(PARTNER, Chatting(CHAT, person, opened_at)),
        )

    just_met, known_well = chat(NOW - 1), chat(NOW - 9_000)
    anchor = MessageRef(BOT, MessageId(1))
    copy = Counterpart(MessageRef(OTHER, MessageId(9)), mine=True)
    original = Counterpart(MessageRef(OTHER, MessageId(9)), mine=False)
    return (
        Facts(Participant(person)),
        Facts(somebody(person, Idle())),
        Facts(somebody(person, Searching(ticket))),
        Facts(*just_met, copy, anchor),
        Facts(*known_well, original, anchor),
        Facts(*known_well),
        Facts(known_well[0], somebody(PARTNER, Idle()), None, anchor),
    )


def decided(event: Event, ref: UpdateRef, facts: Facts, env: Env) -> Decision:
    """Decide, and check that the decision can be stored and sent. Raises if it cannot."""
    decision = router.decide(router.route(event, facts), event, facts, env)
    assert isinstance(decision, Decision)
    before = {side.person: side for side in (facts.me, facts.partner) if side is not None}
    plan = plan_commit(decision, before, now=env.now, name=notice_namer(Work(event, (ref,))), refs=(ref,))
    assert plan.relay_effects or plan.commit is not None, "an update that nobody marks as done"
    message_of(event)
    encode(plan.commit)
    for relay_effect, bot in plan.relay_effects:
        sealed = sealer.seal(relay_effect, (ref,))
        encode(Parked("p", relay_effect.chat, relay_effect.to, bot, sealed, NOW))
    return decision
