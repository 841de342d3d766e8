"""The values in Redis: msgpack of the port's own structs, and the header that scripts read."""

from functools import lru_cache
from typing import Final, assert_never

import msgspec

from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.participant import Chatting, Idle, Participant, Searching, Ticket
from passerby.ports.doubts import StoredPerson
from passerby.ports.facts import Fact
from passerby.ports.idle_chats import IdleChat
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.tickets import TicketChange

DECODED: Final = 4096
"""How many people's values are kept decoded, at about 2 KB each."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode_participant: Final = msgspec.msgpack.Decoder(Participant).decode
_decode_ticket: Final = msgspec.msgpack.Decoder(Ticket).decode
_decode_outgoing: Final = msgspec.msgpack.Decoder(Outgoing).decode
_decode_fact: Final = msgspec.msgpack.Decoder(Fact).decode


def put_words(put: Participant) -> tuple[int, int, str, bytes, bytes]:
    """Return (person, version, "kind \\t place \\t partner", ticket, blob), the form of commit.lua and adopt.lua."""
    ticket = b""
    match put.state:
        case Idle():
            rest = "idle\t\t"
        case Searching(wish):
            rest = f"waiting\t{wish.pool}\t"
            ticket = _encode(wish)
        case Chatting(chat, partner):
            rest = f"chatting\t{chat}\t{partner}"
        case _:
            assert_never(put.state)
    return put.person, put.version, rest, ticket, _encode(put)


def seen_words(person: PersonId, version: int) -> tuple[int, int, str, bytes, bytes]:
    """Return the words for a person whose version must not have changed, in the form of `put_words`, with no blob."""
    return person, version + 1, "", b"", b""


@lru_cache(maxsize=DECODED)
def participant(held: bytes) -> Participant:
    """Decode a value of `people`. Cached, because a relay changes nobody and the same values are read again."""
    return _decode_participant(held[held.index(b"\n") + 1 :])


def stored_person(recorded: int, row: bytes) -> StoredPerson:
    """Return a person's value in `people`, and whether the records have it: they hold the journal up to `recorded`."""
    _, told, _ = row.split(b"\t", 2)
    return StoredPerson(participant(row), int(told) <= recorded)


def change(person: bytes, value: bytes) -> TicketChange:
    version, _, blob = value.partition(b"\n")
    return TicketChange(PersonId(int(person)), _decode_ticket(blob) if blob else None, int(version))


def message(ref: MessageRef) -> str:
    return f"{ref.bot} {ref.message}"


def anchors_of(chat: bytes, *people: PersonId) -> list[MessageRef | None]:
    """Return the anchor of each person. `chat` is "person,person;", then "person bot message;" for each anchor."""
    found = _anchors(chat)
    return [found.get(person) for person in people]


@lru_cache(maxsize=DECODED)
def _anchors(chat: bytes) -> dict[int, MessageRef]:
    found = {}
    for each in chat.split(b";"):
        words = each.split(b" ")
        if len(words) == 3:
            found[int(words[0])] = MessageRef(BotId(int(words[1])), MessageId(int(words[2])))
    return found


def idle_chat(chat: bytes, score: bytes, people: bytes) -> IdleChat:
    first, second = map(int, people[: people.index(b";")].split(b","))
    at, side = divmod(int(float(score)), 4)
    speaker = (None, PersonId(first), PersonId(second))[side]
    return IdleChat(ChatId(chat.decode()), (PersonId(first), PersonId(second)), at / 1000, speaker)


def entry_words(outgoing: Outgoing) -> tuple[str, int, str, bytes]:
    """Return (entry, person, chat that it anchors, blob), the form of commit.lua."""
    anchors = outgoing.anchors if isinstance(outgoing, Notice) else None
    return outgoing.id, outgoing.to, anchors or "", _encode(outgoing)


def entry(blob: bytes) -> Outgoing:
    outgoing: Outgoing = _decode_outgoing(blob)
    return outgoing


def fact(blob: bytes) -> Fact:
    found: Fact = _decode_fact(blob)
    return found


def encoded(value: Fact) -> bytes:
    return _encode(value)
