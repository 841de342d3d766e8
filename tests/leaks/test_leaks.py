"""Nobody is unmasked: whatever a message contains, its reader learns nothing about its sender except the typed text.

Every case goes through the whole app, on one bot and across two. Everything that leaves is searched: requests with file
names, chats as phones show them, log lines, the live store's log, the records.
"""

import asyncio
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from passerby.adapters.botapi import file_ids, outgoing
from passerby.adapters.sql import SqlRecords
from passerby.domain.sanitise import Clean
from passerby.kernel.effect import Button, Menu, Say
from passerby.kernel.rules import ContactPolicy
from passerby.kernel.text import text
from passerby.ports.facts import ChatClosed, ChatOpened, Fact, PersonChanged
from passerby.runtime.delivery.addressing import ATTEMPTS
from passerby.runtime.delivery.sealer import ParkedRelayEffect, Sealer
from passerby.telemetry import logs
from tests.contract.records_places import make_tables
from tests.leaks.canaries import STRANGER, TYPED, Who, filled, look
from tests.leaks.cases import ALL, Case, Fate
from tests.leaks.judge import Judge, leaks
from tests.leaks.stage import Stage, staged
from tests.size import size

FLOOD_S = 6

relaying = importlib.import_module("passerby.features.chat.relay")  # the package exports a function of the same name


def played(cases: Iterable[Case], *, strangers: bool) -> Judge:
    with staged(just_met=strangers) as stage:
        judge = Judge(stage, strangers=strangers)

        async def play() -> None:
            for case in cases:
                await judge.play(case)

        stage.loop.run_until_complete(play())
    return judge


@pytest.mark.sized
@pytest.mark.parametrize("strangers", [False, True], ids=["acquainted", "just met"])
def test_a_message_reveals_nothing_about_its_sender(strangers: bool) -> None:
    assert len(ALL) >= 300
    assert len({case.name for case in ALL}) == len(ALL)
    step = size(9, 1)
    cases = ALL[strangers % step :: step]
    judge = played(cases, strangers=strangers)
    assert [str(complaint) for complaint in judge.complaints] == []
    assert judge.requests > 2 * len(cases)
    assert judge.asked >= (300 if strangers else 10) // step


def test_text_that_the_operator_blocks_is_not_sent_even_if_confirmed() -> None:
    """A dishonest client presses a button that it was never shown."""
    cases = [case for case in ALL if case.name.startswith("link 'https://t.me/<username>'")][:3]
    with staged(just_met=True, policy=ContactPolicy.HOLD) as stage:

        async def play() -> list[tuple[str, bool]]:
            found = []
            for case in cases:
                for couple in stage.couples:
                    stage.send(couple.me, couple.bot, dict(case.send[0]))
                left = await stage.settled()
                chats = {p.person: p.state.chat for p in stage.host.sql.people.values() if hasattr(p.state, "chat")}
                for person, message in left.shown:
                    bot = stage.couples[0].bot
                    token = f"show:{chats[person]}"  # type: ignore[index]
                    stage.world.phones.press_data(person, bot, message["message_id"], token)
                left = await stage.settled()
                partners = {couple.partner.id for couple in stage.couples}
                found += [(case.name, person in partners) for person, _ in left.shown]
            return found

        found = stage.loop.run_until_complete(play())
    assert len(found) == 2 * len(cases), "each press closes its question"
    assert not any(arrived for _, arrived in found)


def test_messages_that_wait_out_a_flood_limit_are_encrypted() -> None:
    messages: list[dict[str, Any]] = [
        {"text": f"{TYPED} <name>"},
        {"photo": {}, "caption": f"{TYPED} <name>"},
        {"document": {"file_name": "<name>.pdf", "mime_type": "application/pdf"}, "caption": TYPED},
    ]
    with staged(just_met=False) as stage:

        async def play() -> tuple[bytes, list[str]]:
            couple = stage.couples[1]
            stage.flood(couple.partner, FLOOD_S)
            for message in messages:
                stage.send(couple.me, couple.bot, message)
            parked = (await stage.settled()).stored
            await asyncio.sleep(FLOOD_S)
            shown = [message for person, message in stage.left().shown if person == couple.partner.id]
            return parked, [message.get("text") or message["caption"] for message in shown]

        parked, arrived = stage.loop.run_until_complete(play())
    assert parked.count(b"sealed") == len(messages)
    found = look(parked.decode("latin-1"))
    assert (found.typed, found.letters) == (False, frozenset())
    assert [words.split()[0] for words in arrived] == [TYPED] * len(messages)


def test_a_question_about_payments_reaches_neither_a_partner_nor_a_log_and_is_sealed_wherever_it_is_kept() -> None:
    with staged(just_met=False) as stage:

        async def play() -> tuple[list[int], str]:
            shown, kept = [], ""
            for couple in stage.couples:
                stage.send(couple.me, couple.bot, {"text": f"/paysupport {TYPED} <name> paid twice"})
                left = await stage.settled()
                assert "has your question" in "".join(message["text"] for _, message in left.shown)
                shown += [person for person, _ in left.shown if person != couple.me.id]
                kept += left.log + left.stored.decode("latin-1") + repr(left.requests)
            await asyncio.sleep(5.0)  # let the recorder finish
            return shown, kept + stage.left().log + repr(stage.host.sql.ledger.cases)

        shown, kept = stage.loop.run_until_complete(play())
        assert len(stage.host.sql.ledger.cases) == len(stage.couples)
    found = look(kept)
    assert (shown, found.typed, found.letters) == ([], False, frozenset())


def test_the_records_hold_ids_but_no_names_and_no_typed_text(tmp_path: Path) -> None:
    with staged(just_met=False) as stage:
        judge = Judge(stage, strangers=False)

        async def play() -> None:
            for case in ALL[:: len(ALL) // 60]:
                await judge.play(case)
            for couple in stage.couples:
                stage.send(couple.me, couple.bot, {"text": "/stop"})
            await stage.settled()
            await asyncio.sleep(5.0)  # let the recorder finish

        stage.loop.run_until_complete(play())
        facts = list(_facts(stage))
    database = tmp_path / "records.db"
    asyncio.run(_write(database, facts))
    held = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    found = look(held.decode("latin-1"))
    assert len(facts) >= 4 + 2 * 2
    assert (found.typed, found.letters) == (False, frozenset())
    assert not look("".join(path.name for path in tmp_path.iterdir())).of_others()


def _facts(stage: Stage) -> Iterable[Fact]:
    """Yield everything that the recorder has written."""
    for person in stage.host.sql.people.values():
        yield PersonChanged(person, 1.0)
    for id_, chat in stage.host.sql.chats.items():
        yield ChatOpened(id_, chat.user1, chat.user2, chat.bot1, chat.bot2, chat.opened_at)
        yield ChatClosed(id_, chat.closed_by, chat.reason or "", 2.0)


async def _write(database: Path, facts: list[Fact]) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    await records.apply("a generation", list(enumerate(facts, 1)))
    await records.aclose()


def _confide(event: Any, facts: Any, chat: Any, what: str) -> Say:
    menu = Menu(((Button(text("chat.show_it"), "show", str(facts.partner.person)),),))
    return Say(facts.me.person, text(f"chat.confirm_{what}"), menu, reply_to=event.messages[0])


def _chatter(content: Any) -> Clean:
    logs.record("chat.relayed", reason=content.text)
    return Clean(content, intact=False)


NAMES = [case for case in ALL if case.name == "document: plain"]
CONTACTS = [case for case in ALL if case.fate is Fate.ASKED]
LINKS = [case for case in ALL if case.name.startswith("link 'https://t.me/<username>'")]


@pytest.mark.parametrize(
    ("where", "name", "instead", "cases", "couples"),
    [
        (relaying, "sanitise", lambda content: Clean(content, intact=True), LINKS, 2),
        (relaying, "sanitise", _chatter, LINKS[:1], 2),
        (relaying, "_ask_first", _confide, CONTACTS[:1], 2),
        (file_ids, "name_and_type", lambda content: (content.file.name, content.file.mime), NAMES, 2),
        (file_ids, "names_somebody", lambda content: False, NAMES, 1),
        (outgoing, "NO_PREVIEW", {"is_disabled": True, "url": f"https://t.me/{STRANGER.username}"}, LINKS[:1], 2),
    ],
    ids=["links pass", "content is logged", "ids in buttons", "names pass", "names are not looked at", "a preview"],
)
def test_a_planted_leak_is_found(
    where: Any, name: str, instead: Any, cases: list[Case], couples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, instead)
    judge = played(cases, strangers=False)
    assert len({complaint.couple for complaint in judge.complaints}) == couples


def test_a_store_that_does_not_encrypt_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def seal(_: Sealer, relay_effect: Any, refs: Any) -> bytes:
        return msgspec.msgpack.encode(ParkedRelayEffect(relay_effect, refs))

    monkeypatch.setattr(Sealer, "seal", seal)
    with staged(just_met=False) as stage:

        async def play() -> list[str]:
            couple = stage.couples[0]
            stage.flood(couple.partner, FLOOD_S)
            stage.send(couple.me, couple.bot, {"text": TYPED})
            return list(leaks(await stage.settled(), couple))

        assert "the live store wrote it down" in stage.loop.run_until_complete(play())


ANN = Who("A", 101)


@pytest.mark.parametrize(
    "words",
    [
        "KanarekA",
        "ＫａｎａｒｅｋＡ",
        "k\u200banarek\u00ada",
        "%4BanarekA",
        "kanareka_here",
        "7351946101",
        ANN.phone,
    ],
)
def test_a_canary_is_recognised_in_disguise(words: str) -> None:
    assert look(f"x{words}x").of_others()
    assert not look(f"x{words}x").of_others(ANN)


def test_templates_are_filled_to_their_depth() -> None:
    assert filled([{"a": ["<name>", {"<": "id"}]}, "<xphone>", 5], ANN) == [
        {"a": ["KanarekA", ANN.id]},
        STRANGER.phone,
        5,
    ]


def test_every_kind_of_relay_effect_is_played() -> None:
    """Relays and edits are played above. Reactions and deletions carry no content, and are checked here."""
    with staged(just_met=False) as stage:

        async def play() -> list[str]:
            complaints: list[str] = []
            for couple in stage.couples:
                said = stage.send(couple.me, couple.bot, {"text": TYPED})
                left = await stage.settled()
                copy = next(m["message_id"] for person, m in left.shown if person == couple.partner.id)
                stage.world.phones.react(couple.me.id, couple.bot, said, "👍")
                stage.world.phones.react(couple.partner.id, couple.partner_bot, copy, "🔥")
                left = await stage.settled()
                assert [each["method"] for each in left.requests].count("setMessageReaction") == 2
                complaints += leaks(left, couple)
                stage.world.phones.write(couple.me.id, couple.bot, "/delete", reply_to=said)
                left = await stage.settled()
                assert [each["method"] for each in left.requests].count("deleteMessages") == 2
                complaints += leaks(left, couple)
            return complaints

        assert stage.loop.run_until_complete(play()) == []
    assert len(ATTEMPTS) == 4
