"""Copies of a person's data for that person, and the erasure of the data.

A copy never tells who another person is, nor that two partners are the same person: the present stranger may be a
friend, or somebody from last week, and nobody has told them so. It also leaves out what others did about this person
(their ratings, blocks and reports), because that is about the others, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from passerby.domain.farms.conduct import Conduct
from passerby.domain.karma import karma_now, shade
from passerby.domain.lifecycle import refresh_ticket
from passerby.domain.money.gifts import names, without_receiver
from passerby.domain.money.spent import spent_by
from passerby.domain.sanctions import binds
from passerby.kernel.decision import Env
from passerby.kernel.history import History
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Chatting, DataRequests, Participant, Profile, Searching

ERASED_AFTER_S = 86_400.0
"""How long a person may change their mind."""

COPY_EVERY_S = 86_400.0

ERASED_PERSON = PersonId(0)
"""Stands for a person who was erased, in the history of others. Telegram has no such user id."""

REPUTATIONS = ("usual", "low", "very low")
"""By `karma.shade`. The exact score would tell how the last partner rated the person."""

SOMEBODY = "somebody"
"""Stands for every other person in a copy."""

_PARTNERS = ("dropped", "dropped_lines", "dropped_contacts")
_LEFT_OUT = ("tokens", "kinds", "fresh", "last", "cut", "disliked", *_PARTNERS)
"""Of the numbers of a day: hashes, and what partners did. After one chat, that would tell what the last one did."""

ELSEWHERE = (
    "Messages are passed on and not stored.",
    "While a chat lasts, and for 48 hours at most, we remember which message number belongs to which, without words.",
    "A message that cannot be delivered at once waits encrypted, for an hour at most.",
    "Telegram's numbers of your updates are kept for 26 hours, so that nothing is handled twice.",
    "Log lines call you by a pseudonym that changes every day.",
    "Other people's ratings, blocks and reports are about them, too, so they are not part of this copy.",
    "Two numbers would give those away: when your reputation changed last, and how often your data changed.",
    "Telegram's own list of payments, which we compare with ours, says the same about your purchases.",
    "Backups hold the same data until they expire.",
    "If your data was deleted in the last year, a note without your id says when, so that no backup brings it back.",
)
"""The list of data that the file leaves out, with reasons, for the reader of the file."""


def copy_of(
    me: Participant, history: History, words: Mapping[str, str], now: float, conducts: Sequence[Conduct] = ()
) -> dict[str, Any]:
    """The copy, ready to be written as JSON. Times stay Unix seconds (UTC).

    `words` are the comments on the person's reports, by chat, and what they asked in payment cases, by case: opened.
    `conducts` are those of the last two days.
    """
    return {
        "what_this_is": "Everything that this service stores about you. Times are in seconds since 1970 (UTC).",
        "made_at": now,
        "you": {
            "telegram_id": me.person,
            "first_seen_at": history.created_at,
            "last_seen_at": me.seen_at,
            "bots": list(me.bots),
            "current_bot": me.bot,
            "topic": me.thread,
            "vip_until": me.vip_until,
            "reputation": REPUTATIONS[shade(karma_now(me.karma, now))],
        },
        "profile": msgspec.to_builtins(_whole(me.profile)),
        "wishes": msgspec.to_builtins(_whole(me.preferences)),
        "kept_wishes": [msgspec.to_builtins(_whole(each)) for each in me.kept_wishes],
        "now": _state(me),
        "last_chat": _last(me),
        "recent_partners": [
            {"partner": SOMEBODY, "chat": met.chat, "parted_at": met.at, "skipped": met.skipped}
            | {"your_report": met.complaint}
            for met in me.recent
        ],
        "saved": [
            {
                "partner": SOMEBODY,
                "token": saved.token,
                "nickname": saved.nickname,
                "mutual": saved.mutual,
                "asked_at": saved.asked_at,
            }
            for saved in me.saved
        ],
        "blocked": [
            {"partner": SOMEBODY, "blocked_at": at, "nickname": dict(me.block_names).get(whom)}
            for whom, at in zip(me.blocked, (*me.blocked_at, *(0.0,) * len(me.blocked)), strict=False)
        ],
        "turned_off": list(me.muted),
        "open_question": msgspec.to_builtins(me.commenting),
        "restrictions": _restrictions(me, history),
        "support_code": msgspec.to_builtins(_whole(me.support)) if me.support is not None else None,
        "watched": msgspec.to_builtins(_whole(me.watched)) if me.watched is not None else None,
        "how_you_came": msgspec.to_builtins(_whole(me.journey)) if me.journey is not None else None,
        "kept_from_an_erasure": msgspec.to_builtins(_whole(me.spent)) if me.spent is not None else None,
        "requests": msgspec.to_builtins(_whole(me.requests)) if me.requests is not None else None,
        "chats": [
            {
                "chat": chat.chat or None,
                "partner": SOMEBODY,
                "bot": chat.bot,
                "opened_at": chat.opened_at,
                "closed_at": chat.closed_at,
                "ended_by_you": chat.left,
                "how": chat.reason if chat.left else None,
                "your_rating": chat.rating,
            }
            for chat in history.chats
        ],
        "blocks_you_made": [
            {
                "partner": SOMEBODY,
                "blocked_at": block.blocked_at,
                "lifted_at": block.lifted_at,
            }
            for block in history.blocks
        ],
        "reports_you_made": [
            {
                "chat": report.chat,
                "partner": SOMEBODY,
                "reason": report.reason,
                "filed_at": report.filed_at,
                "your_words": words.get(report.chat),
                "outcome": report.verdict,
                "decided_at": report.decided_at,
            }
            for report in history.reports
        ],
        "evidence_you_chose": [msgspec.to_builtins(_whole(each)) for each in history.evidence],
        "your_reports_are_ignored_until": history.reports_muted_until,
        "wallet": _written(me.wallet),
        "purchases": _written(msgspec.structs.replace(history.money, cases=()))
        | {
            "cases": [
                {
                    "case": each.case,
                    "opened_at": each.opened_at,
                    "answered_at": each.answered_at,
                    "your_words": words.get(each.case),
                }
                for each in history.money.cases
            ]
        },
        "broadcasts_to_you": [
            {
                "broadcast": each.number,
                "category": each.category,
                "state": each.state,
                "bot": each.bot,
                "at": each.at,
                "message": each.message,
                "version": each.arm,
                "language": each.language,
            }
            for each in history.broadcasts
        ],
        "last_days_in_numbers": [
            {name: value for name, value in msgspec.to_builtins(_whole(each)).items() if name not in _LEFT_OUT}
            | {"repeated": [{"keyed_hash": token, "chats": chats} for token, chats in each.tokens.items()]}
            for each in conducts
        ],
        "not_in_this_file": list(ELSEWHERE),
    }


def _restrictions(me: Participant, history: History) -> list[dict[str, Any]]:
    """Those that are over are in the history only. The newest ones may not be there yet."""
    known = {each.id: each for each in (*(past.sanction for past in history.sanctions), *me.sanctions)}
    lifted = {past.sanction.id: past.lifted_at for past in history.sanctions}
    return [
        {
            "id": each.id,
            "what": each.kind,
            "why": each.reason,
            "since": each.since,
            "until": each.until,
            "lifted_at": lifted.get(each.id),
            "decided_by": "a rule" if each.by is None else "the team",
            "rule": each.rule,
            "evidence": each.evidence,
            "appeal": each.appeal,
            "appealed_at": each.appealed_at,
        }
        for each in known.values()
    ]


def _whole(struct: msgspec.Struct) -> dict[str, Any]:
    """All fields by name, also those with their default value."""
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _written(value: Any) -> Any:
    """The value with all that is in it, ready for JSON. The receiver of a gift is not named, nor is their VIP grant."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        if "gift_to" in fields:
            grant = fields.pop("gift", "")  # the receiver has it in their copy, too
            fields["gift_to"] = SOMEBODY if grant or fields["gift_to"] else None
        return {name: _written(field) for name, field in fields.items()}
    return [_written(each) for each in value] if isinstance(value, tuple) else value


def _state(me: Participant) -> dict[str, Any]:
    state = me.state
    if isinstance(state, Searching):
        return {"doing": "searching", "since": state.ticket.since, "pool": state.ticket.pool}
    if isinstance(state, Chatting):
        return {
            "doing": "chatting",
            "since": state.opened_at,
            "chat": state.chat,
            "partner": SOMEBODY,
            "reminded_at": state.nudged_at,
            "held_messages": len(state.held),
        }
    return {"doing": "nothing"}


def _last(me: Participant) -> dict[str, Any] | None:
    last = me.last
    if last is None:
        return None
    return {
        "chat": last.chat,
        "partner": SOMEBODY,
        "closed_at": last.closed_at,
        "ended_by_you": last.left,
        "how": last.reason if last.left else None,
        "your_rating": last.rating,
        "wanted_back_at": last.wants_back_at,
        "your_report": last.complaint,
    }


def cleared(me: Participant) -> Participant:
    """The first half of an erasure: only what is needed to reach the person, to finish, and what stays spent."""
    requests = me.requests or DataRequests()
    return Participant(
        me.person,
        me.version,
        me.bot,
        me.bots,
        Profile(language=me.profile.language),
        seen_at=me.seen_at,
        thread=me.thread,
        requests=DataRequests(erase_at=requests.erase_at, erasing=True),
        sanctions=me.sanctions,
        spent=spent_by(me, requests.erase_at),
    )


def erased(me: Participant) -> Participant:
    """The second half: only the sanctions that bind the person, so that an erasure ends no ban, and what is spent.

    If the person has started again in the meantime, their new data stays.
    """
    if me.profile.consented_at is not None:
        return msgspec.structs.replace(me, requests=None)
    due_at = me.requests.erase_at if me.requests is not None else 0.0
    bind = tuple(each for each in me.sanctions if binds(each, due_at))
    return Participant(me.person, me.version, sanctions=bind, spent=me.spent)


def refers_to(me: Participant, whom: PersonId) -> bool:
    """Whether this value names that person, except as somebody who is blocked or chats with them now."""
    return (
        any(met.person == whom for met in me.recent)
        or any(saved.person == whom for saved in me.saved)
        or (me.last is not None and me.last.partner == whom)
        or names(me, whom)
    )


def without(me: Participant, whom: PersonId, env: Env) -> Participant:
    """This person's value after `whom` was erased. Blocks stay: they protect the person who made them."""
    changed = msgspec.structs.replace(
        me,
        recent=tuple(met for met in me.recent if met.person != whom),
        saved=tuple(saved for saved in me.saved if saved.person != whom),
        last=None if me.last is not None and me.last.partner == whom else me.last,
    )
    return refresh_ticket(without_receiver(changed, whom, env.now), env)
