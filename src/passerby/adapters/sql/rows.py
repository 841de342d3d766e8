"""A participant as a row of `users`, and back. The round trip loses nothing of a `Participant`.

Fields that operators and queries use have a column of their own; the rest is in `details`. A detail that belongs to a
chat names the chat. Otherwise, if a release that does not know `details` writes the row and leaves them unchanged, they
would be taken for another chat's.

The ticket is stored whole, as JSON, because it grows with every new filter. `pool` and `searching_since` repeat two of
its fields for queries, and are never read back. Its recent partners are stored as ids. When and how they met is stored
separately, because the first release wrote ids only.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from passerby.adapters.sql.tables import users
from passerby.domain.sanctions import barred_until
from passerby.kernel.ids import BotId, ChatId, PersonId, PoolId
from passerby.kernel.journey import Journey
from passerby.kernel.money import Wallet
from passerby.kernel.participant import (
    Blur,
    Chatting,
    Commenting,
    Complaint,
    DataRequests,
    Gender,
    Idle,
    Karma,
    LastChat,
    Met,
    Participant,
    Preferences,
    Profile,
    Rating,
    Saved,
    Searching,
    State,
    Ticket,
    Watched,
)
from passerby.kernel.sanction import Sanction, SupportCode
from passerby.kernel.spent import Spent
from passerby.ports.facts import PersonChanged

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
        "age_mended_at",
        "gender",
        "language",
        "languages",
        "interests",
        "country",
        "vip_gender",
        "vip_age_min",
        "vip_age_max",
        "vip_until",
        "karma",
        "karma_at",
        "details",
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
        "support_code",
        "support_until",
        "muted",
    )
)
"""The columns that `participant` takes, in its order."""


class _Nudged(msgspec.Struct, gc=False, array_like=True):
    chat: ChatId
    at: float


class _Afterwards(msgspec.Struct, gc=False, omit_defaults=True):
    """The person's acts after their last chat."""

    chat: ChatId
    rating: Rating | None = None
    wants_back_at: float | None = None
    complaint: Complaint | None = None


class Details(msgspec.Struct, gc=False, omit_defaults=True):
    other_languages: bool = True
    icebreakers: bool = True
    recent: tuple[Met, ...] = ()
    blocked: tuple[PersonId, ...] = ()
    saved: tuple[Saved, ...] = ()
    nudged: _Nudged | None = None
    last: _Afterwards | None = None
    talks_anyhow: bool = False
    blocked_at: tuple[float, ...] = ()
    commenting: Commenting | None = None
    requests: DataRequests | None = None
    sanctions: tuple[Sanction, ...] = ()
    blur: Blur = Blur.FIRST
    wallet: Wallet | None = None
    watched: Watched | None = None
    journey: Journey | None = None
    block_names: tuple[tuple[PersonId, str], ...] = ()
    kept_wishes: tuple[Preferences, ...] = ()
    spent: Spent | None = None


class _StoredTicket(msgspec.Struct, gc=False, omit_defaults=True):
    """A `Ticket` with `recent` in two parts: the ids, and when and how they met. The first release wrote only ids."""

    person: PersonId
    pool: PoolId
    since: float
    gender: Gender
    age: int
    recent: tuple[PersonId, ...] = ()
    met: tuple[tuple[float, bool], ...] = ()
    blocked: tuple[PersonId, ...] = ()
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    wants: Preferences = Preferences()
    vip: bool = False
    karma: float = 0.0
    not_before: float = 0.0


_encoder = msgspec.json.Encoder()
_ticket = msgspec.json.Decoder(_StoredTicket)
bots_in = msgspec.json.Decoder(tuple[BotId, ...]).decode
strings_in = msgspec.json.Decoder(tuple[str, ...]).decode
details_in = msgspec.json.Decoder(Details).decode
_IDLE = Idle()


def row(fact: PersonChanged) -> dict[str, Any]:
    """Every column that the journal writes; `created_at` counts only for a person never seen before."""
    person = fact.participant
    profile, wishes, state, last = person.profile, person.preferences, person.state, person.last
    searching = state.ticket if isinstance(state, Searching) else None
    chatting = state if isinstance(state, Chatting) else None
    return {
        "id": person.person,
        "version": person.version,
        "bot_id": person.bot,
        "bots": _json(person.bots),
        "has_started": bool(person.bots),
        "consented_at": profile.consented_at,
        "age": profile.age,
        "age_given_at": profile.age_given_at,
        "too_young_at": profile.too_young_at,
        "age_mended_at": profile.age_mended_at,
        "gender": profile.gender,
        "language": profile.language,
        "languages": _json(profile.languages),
        "interests": _json(profile.interests),
        "country": profile.country or None,
        "vip_gender": ",".join(wishes.genders) or None,
        "vip_age_min": wishes.age_min,
        "vip_age_max": wishes.age_max,
        "vip_until": person.vip_until,
        "karma": person.karma.score,
        "karma_at": person.karma.at,
        "details": _json(_details_of(person)),
        "state": "searching" if searching else "chatting" if chatting else "idle",
        "pool": searching.pool if searching else None,
        "searching_since": searching.since if searching else None,
        "ticket": _json(_stored(searching)) if searching else None,
        "chat": chatting.chat if chatting else None,
        "partner": chatting.partner if chatting else None,
        "chatting_since": chatting.opened_at if chatting else None,
        "last_chat": last.chat if last else None,
        "last_partner": last.partner if last else None,
        "last_closed_at": last.closed_at if last else None,
        "last_reason": last.reason if last else None,
        "last_left": last.left if last else None,
        "last_active_date": person.seen_at,
        "copy_asked_at": person.requests.copy_at or None if person.requests else None,
        "erase_at": person.requests.erase_at or None if person.requests else None,
        "support_code": person.support.code if person.support else None,
        "support_until": person.support.until if person.support else None,
        "barred_until": barred_until(person),
        "muted": ",".join(person.muted) or None,
        "created_at": fact.at,
    }


def participant(values: Sequence[Any]) -> Participant:
    """`values` are those of `READ`, in its order. They must be sound; `salvage.person_of` takes any."""
    (
        person,
        version,
        bot,
        bots,
        consented_at,
        age,
        age_given_at,
        too_young_at,
        age_mended_at,
        gender,
        language,
        languages,
        interests,
        country,
        vip_gender,
        vip_age_min,
        vip_age_max,
        vip_until,
        karma,
        karma_at,
        details,
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
        support_code,
        support_until,
        muted,
    ) = values
    more = details_in(details)
    nudged_at = more.nudged.at if more.nudged is not None and more.nudged.chat == chat else None
    after = more.last if more.last is not None and more.last.chat == last_chat else _Afterwards(ChatId(""))
    return Participant(
        person=PersonId(person),
        version=version,
        bot=bot,
        bots=bots_in(bots),
        profile=Profile(
            consented_at,
            age,
            age_given_at,
            None if gender is None else Gender(gender),
            language,
            too_young_at,
            strings_in(languages),
            strings_in(interests),
            country or "",
            more.talks_anyhow,
            age_mended_at,
        ),
        state=_state(state, ticket, chat, partner, chatting_since, nudged_at),
        last=None
        if last_chat is None
        else LastChat(
            ChatId(last_chat),
            PersonId(last_partner),
            last_closed_at,
            last_reason,
            last_left,
            after.rating,
            after.wants_back_at,
            after.complaint,
        ),
        seen_at=seen_at,
        preferences=Preferences(
            tuple(map(Gender, vip_gender.split(","))) if vip_gender else (),
            vip_age_min,
            vip_age_max,
            more.other_languages,
            more.icebreakers,
            more.blur,
        ),
        vip_until=vip_until,
        karma=Karma(karma, karma_at),
        recent=more.recent,
        blocked=more.blocked,
        saved=more.saved,
        blocked_at=more.blocked_at,
        commenting=more.commenting,
        requests=more.requests,
        sanctions=more.sanctions,
        wallet=more.wallet,
        support=None if support_code is None else SupportCode(support_code, support_until),
        muted=tuple(muted.split(",")) if muted else (),
        watched=more.watched,
        journey=more.journey,
        block_names=more.block_names,
        kept_wishes=more.kept_wishes,
        spent=more.spent,
    )


def _state(name: str, ticket: str, chat: str, partner: int, since: float, nudged_at: float | None) -> State:
    match name:
        case "searching":
            return Searching(ticket_in(ticket))
        case "chatting":
            return Chatting(ChatId(chat), PersonId(partner), since, nudged_at)
        case _:
            return _IDLE


def _details_of(person: Participant) -> Details:
    state, last = person.state, person.last
    nudged = afterwards = None
    if isinstance(state, Chatting) and state.nudged_at is not None:
        nudged = _Nudged(state.chat, state.nudged_at)
    if last is not None and (last.rating or last.complaint or last.wants_back_at is not None):
        afterwards = _Afterwards(last.chat, last.rating, last.wants_back_at, last.complaint)
    wishes = person.preferences
    return Details(
        wishes.other_languages,
        wishes.icebreakers,
        person.recent,
        person.blocked,
        person.saved,
        nudged,
        afterwards,
        person.profile.talks_anyhow,
        person.blocked_at,
        person.commenting,
        person.requests,
        person.sanctions,
        wishes.blur,
        person.wallet,
        person.watched,
        person.journey,
        person.block_names,
        person.kept_wishes,
        person.spent,
    )


def _stored(ticket: Ticket) -> _StoredTicket:
    return _StoredTicket(
        ticket.person,
        ticket.pool,
        ticket.since,
        ticket.gender,
        ticket.age,
        tuple(met.person for met in ticket.recent),
        tuple((met.at, met.skipped) for met in ticket.recent),
        ticket.blocked,
        ticket.languages,
        ticket.interests,
        ticket.wants,
        ticket.vip,
        ticket.karma,
        ticket.not_before,
    )


def ticket_in(text: str) -> Ticket:
    """Rows of the first release do not say when people met. It was before the search began."""
    stored = _ticket.decode(text)
    met = stored.met or ((stored.since, False),) * len(stored.recent)
    return Ticket(
        stored.person,
        stored.pool,
        stored.since,
        stored.gender,
        stored.age,
        tuple(Met(person, at, skipped) for person, (at, skipped) in zip(stored.recent, met, strict=True)),
        stored.blocked,
        stored.languages,
        stored.interests,
        stored.wants,
        stored.vip,
        stored.karma,
        stored.not_before,
    )


def _json(value: object) -> str:
    return _encoder.encode(value).decode()
