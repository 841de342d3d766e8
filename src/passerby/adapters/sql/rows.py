"""A participant as a row of `users`, and back. Everything that a `Participant` carries survives the way.

The ticket is kept whole, as JSON, because it grows with every new filter; `pool` and `searching_since` repeat two of
its fields for queries and are never read back.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from passerby.adapters.sql.tables import users
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Chatting, Gender, Idle, LastChat, Participant, Profile, Searching, State, Ticket
from passerby.ports.facts import PersonChanged

_encoder = msgspec.json.Encoder()
_bots = msgspec.json.Decoder(tuple[BotId, ...])
_ticket = msgspec.json.Decoder(Ticket)
_IDLE = Idle()

READ = tuple(
    users.c[name]
    for name in (
        "id",
        "version",
        "bot_id",
        "bots",
        "consented_at",
        "age",
        "age_given_at",
        "too_young_at",
        "gender",
        "language",
        "state",
        "ticket",
        "chat",
        "partner",
        "chatting_since",
        "last_chat",
        "last_partner",
        "last_closed_at",
        "last_reason",
        "last_left",
        "last_active_date",
    )
)
"""The columns that `participant` takes, in its order."""


def row(fact: PersonChanged) -> dict[str, Any]:
    """Every column that the journal writes; `created_at` counts only for a person never seen before."""
    person = fact.participant
    profile, state, last = person.profile, person.state, person.last
    searching = state.ticket if isinstance(state, Searching) else None
    chatting = state if isinstance(state, Chatting) else None
    return {
        "id": person.person,
        "version": person.version,
        "bot_id": person.bot,
        "bots": _encoder.encode(person.bots).decode(),
        "has_started": bool(person.bots),
        "consented_at": profile.consented_at,
        "age": profile.age,
        "age_given_at": profile.age_given_at,
        "too_young_at": profile.too_young_at,
        "gender": profile.gender,
        "language": profile.language,
        "state": "searching" if searching else "chatting" if chatting else "idle",
        "pool": searching.pool if searching else None,
        "searching_since": searching.since if searching else None,
        "ticket": _encoder.encode(searching).decode() if searching else None,
        "chat": chatting.chat if chatting else None,
        "partner": chatting.partner if chatting else None,
        "chatting_since": chatting.opened_at if chatting else None,
        "last_chat": last.chat if last else None,
        "last_partner": last.partner if last else None,
        "last_closed_at": last.closed_at if last else None,
        "last_reason": last.reason if last else None,
        "last_left": last.left if last else None,
        "last_active_date": person.seen_at,
        "created_at": fact.at,
    }


def participant(values: Sequence[Any]) -> Participant:
    """`values` are those of `READ`, in its order."""
    (
        person,
        version,
        bot,
        bots,
        consented_at,
        age,
        age_given_at,
        too_young_at,
        gender,
        language,
        state,
        ticket,
        chat,
        partner,
        chatting_since,
        last_chat,
        last_partner,
        last_closed_at,
        last_reason,
        last_left,
        seen_at,
    ) = values
    return Participant(
        person=PersonId(person),
        version=version,
        bot=bot,
        bots=_bots.decode(bots),
        profile=Profile(
            consented_at, age, age_given_at, None if gender is None else Gender(gender), language, too_young_at
        ),
        state=_state(state, ticket, chat, partner, chatting_since),
        last=None
        if last_chat is None
        else LastChat(ChatId(last_chat), PersonId(last_partner), last_closed_at, last_reason, last_left),
        seen_at=seen_at,
    )


def _state(name: str, ticket: str, chat: str, partner: int, since: float) -> State:
    match name:
        case "searching":
            return Searching(_ticket.decode(ticket))
        case "chatting":
            return Chatting(ChatId(chat), PersonId(partner), since)
        case _:
            return _IDLE
