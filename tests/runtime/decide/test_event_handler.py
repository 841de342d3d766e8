"""One event from start to end: with outdated facts, bugs, a store that is away, and undeliverable relays."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from passerby.features.search import introduce
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import (
    BotBlocked,
    ButtonPressed,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    Refusal,
    Unusable,
)
from passerby.kernel.feature import Feature
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Chatting, Idle, Searching
from passerby.kernel.text import text
from passerby.ports.facts import ChatClosed, PersonChanged
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import Refused, SendContent, SendNotice, Unavailable
from passerby.runtime.decide.event_handler import BUG_TRIES, STALE_TRIES
from passerby.runtime.inbound.person_queues import Work
from tests.runtime.virtual import EPOCH, run, settled
from tests.runtime.world import ANN, BEN, BOT, CHAT, ME, OTHER_BOT, Bench, couple, somebody, talking, words_of, written
from tests.staged import staged
from tests.wording import html


def at_bench(body: Callable[[Bench], Awaitable[None]], **how: object) -> None:
    async def main() -> None:
        bench = Bench(**how)  # type: ignore[arg-type]
        await body(bench)
        await bench.close()

    run(main())


@staged(at_bench)
async def test_a_wish_is_stored_answered_and_done_in_one_commit(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    ref = bench.happens(written(ANN, "/search"))
    await bench.quiet()
    me = await bench.facts_of(ANN)
    assert isinstance(me.state, Searching)
    assert words_of(bench.telegram.sent) == [html("search.begun").partition("\n")[0]]
    assert bench.finished == [ref]
    assert await bench.store.done(BOT, (ref.update,)) == {ref.update}
    assert await bench.store.outbox(ME) == []
    assert [entry for _, entry in await bench.store.journal(0, 9)] == [PersonChanged(me, EPOCH)]


@staged(at_bench)
async def test_an_update_that_was_done_before_is_skipped_silently(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    ref = bench.happens(written(ANN, "/search"))
    await bench.quiet()
    bench._update -= 1
    assert bench.happens(written(ANN, "/search")) == ref
    await bench.quiet()
    assert bench.finished == [ref, ref]
    assert len(bench.telegram.sent) == 1


@staged(at_bench)
async def test_a_person_known_only_to_the_records_is_adopted(bench: Bench, /) -> None:
    bench.records.disk.people[ANN] = somebody(ANN, version=41)
    bench.happens(written(ANN, "/search"))
    await bench.quiet()
    me = await bench.facts_of(ANN)
    assert (me.version, type(me.state)) == (42, Searching)


@staged(at_bench)
async def test_a_stranger_is_greeted(bench: Bench, /) -> None:
    bench.happens(written(ANN, "/start", language="ru"))
    await bench.quiet()
    assert (await bench.facts_of(ANN)).version == 1
    assert words_of(bench.telegram.sent)[0].startswith("👋 <b>Привет")


@staged(at_bench)
async def test_a_decision_on_outdated_facts_is_made_again(bench: Bench, /) -> None:
    """Both press stop at the same time: one leaves, the other has been left."""
    await bench.put(*couple())
    bench.happens(written(ANN, "/stop"))
    bench.happens(written(BEN, "/stop", bot=OTHER_BOT), OTHER_BOT)
    await bench.quiet()
    ann, ben = [await bench.facts_of(each) for each in (ANN, BEN)]
    assert [type(each.state) for each in (ann, ben)] == [Idle, Idle]
    assert ann.last is not None
    assert ben.last is not None
    assert (ann.last.left, ben.last.left) == (True, False)
    closed = [fact for _, fact in await bench.store.journal(0, 99) if isinstance(fact, ChatClosed)]
    assert closed == [ChatClosed(CHAT, ANN, "stop", EPOCH)]


@staged(at_bench)
async def test_a_person_found_meanwhile_is_not_told_that_they_still_search(bench: Bench, /) -> None:
    """The answer changes nobody, but its version is checked all the same."""
    await bench.put(somebody(ANN), somebody(BEN))
    for person in (ANN, BEN):
        bench.happens(written(person, "/search"))
    await bench.quiet()
    settling: list[asyncio.Future[bool]] = []
    store_it = bench.store.commit

    async def slowly(commit: Commit) -> Committed:
        if commit.updates:
            bench.store.commit = store_it  # type: ignore[method-assign]
            ann, ben = [await bench.facts_of(each) for each in (ANN, BEN)]
            found = introduce(ann, ben, bench.env())
            settling.append(
                asyncio.ensure_future(bench.pairings.settle(found, {ANN: ann, BEN: ben}, lambda index: f"pair:{index}"))
            )
            await asyncio.sleep(0.01)
        return await store_it(commit)

    bench.store.commit = slowly  # type: ignore[method-assign]
    bench.telegram.sent.clear()
    bench.happens(written(ANN, "/search"))
    await bench.quiet()
    assert await settling[0]
    notices = words_of([each for each in bench.telegram.sent if getattr(each, "person", None) == ANN])
    assert ["Partner found" in words for words in notices] == [True, False]
    assert notices[-1] == html("search.in_chat").partition("\n")[0]


decided: list[int] = []


def note_version(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    decided.append(facts.me.version)
    return Decision((facts.me,), (Say(ANN, text("search.idle")),))


@staged(at_bench, features=(Feature("f", messages={Idle: note_version}),))
async def test_a_decision_is_made_on_the_facts_that_its_commit_is_checked_against(bench: Bench, /) -> None:
    """Another process stores between our read and our commit. The decision is made again, and only the second is
    kept."""
    decided.clear()
    await bench.put(somebody(ANN))
    store_it = bench.store.commit

    async def meddle(commit: Commit) -> Committed:
        if len(decided) == 1 and commit.puts:
            held = await bench.facts_of(ANN)
            await store_it(Commit((msgspec.structs.replace(held, version=2, seen_at=1.0),)))
        return await store_it(commit)

    bench.store.commit = meddle  # type: ignore[method-assign]
    bench.happens(written(ANN, "hello"))
    await bench.quiet()
    assert decided == [1, 2]
    assert (await bench.facts_of(ANN)).version == 3
    assert len(bench.telegram.sent) == 1


@staged(at_bench)
async def test_two_decisions_that_outdate_each_other_forever_end_as_a_bug(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    store_it, tries = bench.store.commit, 0

    async def stale(commit: Commit) -> Committed:
        nonlocal tries
        tries += 1
        return Committed.STALE if commit.puts else await store_it(commit)

    bench.store.commit = stale  # type: ignore[method-assign]
    ref = bench.happens(written(ANN, "/search"))
    await bench.quiet(60)
    assert tries == STALE_TRIES * BUG_TRIES + 1
    assert bench.finished == [ref]


def buggy(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    if event.text == "poison":
        raise ZeroDivisionError
    return Decision(effects=(Say(event.person, text("search.idle"), reply_to=event.messages[0]),))


@staged(at_bench, features=(Feature("f", messages={Idle: buggy}),))
async def test_a_poison_message_is_put_aside_with_a_notice_and_the_next_continues(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    poison = bench.happens(written(ANN, "poison", 7))
    fine = bench.happens(written(ANN, "fine", 8))
    await bench.quiet()
    assert words_of(bench.telegram.sent) == [
        html("chat.failed_broken"),
        html("search.idle").partition("\n")[0],
    ]
    assert [outgoing.reply_to for outgoing in bench.telegram.sent] == [7, 8]  # type: ignore[union-attr]
    assert bench.finished == [poison, fine]
    assert await bench.store.done(BOT, (1, 2)) == {1, 2}
    assert await bench.store.outbox(ME) == []


def fail(event: BotBlocked, facts: Facts, env: Env) -> Decision:
    raise ZeroDivisionError


@staged(at_bench, features=(Feature("f", events={BotBlocked: fail}),))
async def test_a_poison_event_other_than_a_message_is_put_aside_silently(bench: Bench, /) -> None:
    ref = bench.happens(BotBlocked(ANN, BOT))
    await bench.quiet()
    assert bench.finished == [ref]
    assert bench.telegram.tried == []


@pytest.mark.parametrize("away", ["live store", "records"])
@staged(at_bench)
async def test_while_a_store_is_away_an_event_waits_and_nothing_is_given_up(bench: Bench, /, away: str) -> None:
    if away == "records":
        bench.records.lost = True
    else:
        bench.disk.full = True
    refs = [bench.happens(written(ANN, "/start", number)) for number in (1, 2)]
    await asyncio.sleep(600)
    assert bench.finished == []
    assert bench.telegram.tried == []
    bench.records.lost = bench.disk.full = False
    await bench.quiet()
    assert bench.finished == refs
    assert len(bench.telegram.sent) == 2


@staged(at_bench)
async def test_an_unused_event_is_done_at_once(bench: Bench, /) -> None:
    ref = bench.happens(Unusable(ANN, BOT))
    await bench.quiet()
    assert bench.finished == [ref]
    assert await bench.store.done(BOT, (1,)) == {1}
    assert await bench.store.load(ANN) is None


@staged(at_bench)
async def test_a_relay_is_done_only_when_it_has_arrived(bench: Bench, /) -> None:
    await talking(bench)
    bench.telegram.latency_s = 2.0
    ref = bench.happens(written(ANN, "hello", 2000))
    await asyncio.sleep(1.0)
    assert bench.finished == []
    assert await bench.store.done(BOT, (ref.update,)) == set()
    await bench.quiet()
    assert bench.finished == [ref]
    assert await bench.store.done(BOT, (ref.update,)) == {ref.update}
    (delivered,) = bench.telegram.sent
    assert isinstance(delivered, SendContent)
    assert (delivered.bot, delivered.person, delivered.sources) == (OTHER_BOT, BEN, (2000,))


@staged(at_bench)
async def test_a_relayed_message_can_get_replies_edits_and_reactions(bench: Bench, /) -> None:
    await talking(bench)
    bench.happens(written(ANN, "hello", 2000))
    await bench.quiet()
    copy = MessageId(bench.telegram._message)
    bench.happens(written(BEN, "hi", 3000, OTHER_BOT, reply_to=copy), OTHER_BOT)
    bench.happens(ReactionChanged(BEN, OTHER_BOT, copy, "👍"), OTHER_BOT)
    bench.happens(MessageEdited(ANN, BOT, MessageId(2000), Content(Kind.TEXT, "hello!"), EPOCH + 20))
    bench.happens(MessageEdited(ANN, BOT, MessageId(2000), Content(Kind.TEXT, "hello!"), EPOCH + 21))
    await bench.quiet()
    sent: dict[str, list[Any]] = {}
    for each in bench.telegram.sent[1:]:
        sent.setdefault(type(each).__name__, []).append(each)
    (answer,), (reaction,), edits = sent["SendContent"], sent["SetReaction"], sent["EditContent"]
    assert (answer.reply_to, answer.person) == (2000, ANN)
    assert (reaction.message, reaction.bot) == (2000, BOT)
    assert [(edit.message, edit.bot) for edit in edits] == [(copy, OTHER_BOT)], "the second changes nothing"


@staged(at_bench)
async def test_a_partner_who_blocked_the_bot_ends_the_chat_and_the_sender_is_told(bench: Bench, /) -> None:
    await talking(bench)
    bench.telegram.answer = lambda outgoing: Refused(Refusal.UNREACHABLE) if outgoing.bot == OTHER_BOT else None
    refs = [bench.happens(written(ANN, f"hello {number}", 2000 + number)) for number in range(2)]
    await bench.quiet()
    ann, ben = [await bench.facts_of(each) for each in (ANN, BEN)]
    assert (type(ann.state), type(ben.state), ben.bot) == (Idle, Idle, None)
    said = words_of([each for each in bench.telegram.sent if each.person == ANN])  # type: ignore[union-attr]
    assert sorted(words for words in said if not words.startswith("How was this chat?")) == [
        html("chat.failed_left"),
        html("chat.failed_left"),
        "👋 Your <b>partner left</b> the chat.",
    ]
    assert sorted(bench.finished) == refs
    assert await bench.store.outbox(ME) == []


@staged(at_bench)
async def test_a_notice_to_a_person_who_blocked_the_bot_marks_them_unreachable(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    bench.telegram.answer = lambda outgoing: Refused(Refusal.UNREACHABLE)
    bench.happens(written(ANN, "/search"))
    await bench.quiet()
    me = await bench.facts_of(ANN)
    assert (me.bot, me.state) == (None, Idle()), "an unreachable person does not search"
    assert await bench.store.outbox(ME) == []


@pytest.mark.parametrize("refusal", [Refusal.KIND_REFUSED, Refusal.TOO_LARGE, Refusal.BROKEN])
@staged(at_bench)
async def test_a_refused_relay_ends_with_a_notice_and_the_chat_continues(bench: Bench, /, refusal: Refusal) -> None:
    await talking(bench)
    answers = iter([Refused(refusal)])
    bench.telegram.answer = lambda outgoing: next(answers, None)
    refs = [bench.happens(written(ANN, words, number)) for number, words in ((2000, "one"), (2001, "two"))]
    await bench.quiet()
    assert sorted(bench.finished) == refs
    said = [each for each in bench.telegram.sent if each.person == ANN]  # type: ignore[union-attr]
    assert [each.reply_to for each in said] == [2000]  # type: ignore[union-attr]
    assert isinstance((await bench.facts_of(BEN)).state, Chatting)


@staged(at_bench)
async def test_leaving_drops_waiting_relays_and_tells_their_sender(bench: Bench, /) -> None:
    await talking(bench)
    down = Unavailable("down", uncertain=False)
    bench.telegram.answer = lambda outgoing: down if isinstance(outgoing, SendContent) else None
    refs = [bench.happens(written(ANN, words, number)) for number, words in ((2000, "one"), (2001, "two"))]
    await asyncio.sleep(1)
    refs.append(bench.happens(written(BEN, "/next", 3000, OTHER_BOT), OTHER_BOT))
    await bench.quiet()
    assert sorted(bench.finished) == sorted(refs)
    assert not any(isinstance(each, SendContent) for each in bench.telegram.sent)
    answered = [each.reply_to for each in bench.telegram.sent if each.person == ANN and each.reply_to]  # type: ignore[union-attr]
    assert sorted(answered) == [2000, 2001]


@staged(at_bench)
async def test_a_delivery_is_recorded_even_if_the_store_was_away(bench: Bench, /) -> None:
    await talking(bench)
    ref = bench.happens(written(ANN, "hello", 2000))
    await settled()
    bench.disk.full = True
    ref = bench.happens(written(ANN, "again", 2001))
    await asyncio.sleep(60)
    assert [each.sources for each in bench.telegram.sent] == [(2000,), (2001,)]  # type: ignore[union-attr]
    assert ref not in bench.finished
    bench.happens(written(ANN, "third", 2002))
    await asyncio.sleep(60)
    assert len(bench.telegram.sent) == 2, "the next one waits until the last outcome is stored"
    bench.disk.full = False
    await bench.quiet(30)
    assert len(bench.finished) == 3
    assert await bench.store.counterpart((await bench.facts_of(ANN)).state.chat, MessageRef(BOT, MessageId(2001)))  # type: ignore[union-attr]


@staged(at_bench)
async def test_a_stale_pairing_tells_nobody_anything(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    old = await bench.facts_of(ANN)
    await bench.put(msgspec.structs.replace(old, version=2))
    decision = Decision((old,), (Say(ANN, text("search.found")),))
    assert not await bench.pairings.settle(decision, {ANN: old}, lambda index: "n")
    await bench.quiet()
    assert bench.telegram.tried == []
    assert await bench.store.outbox(ME) == []


@staged(at_bench)
async def test_a_press_without_effect_is_answered(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    ref = bench.happens(ButtonPressed(ANN, BOT, "q", None, "long gone", "", "en"))
    await bench.quiet()
    assert [each.query for each in bench.telegram.best_effort] == ["q"]  # type: ignore[union-attr]
    assert bench.finished == [ref]


@staged(at_bench)
async def test_a_second_decisions_notice_is_not_mistaken_for_the_firsts(bench: Bench, /) -> None:
    """A file is relayed with a warning to its sender. The process dies before either is sent, and when the update comes
    again its sender has left the chat."""
    await talking(bench)
    bench.telegram.answer = lambda outgoing: Unavailable("down", uncertain=False)
    file = File("f", "u", 10, mime="image/png", name="me.png")
    event = msgspec.structs.replace(written(ANN, "look", 2000), contents=(Content(Kind.DOCUMENT, "look", file=file),))
    ref = bench.happens(event)
    await settled()
    assert [each.text.key for each in await bench.store.outbox(ME) if isinstance(each, Notice)] == [
        "chat.inside_picture"
    ]
    await bench.background.aclose()

    heir = Bench(beside=bench)
    heir.telegram.answer = lambda outgoing: None
    heir._update = 100
    await heir.parking.take_up(await heir.store.outbox(ME))
    heir.happens(written(ANN, "/stop", 2001))
    heir.person_queues.put(Work(event, (ref,)))
    await heir.quiet(30)
    notices = [each for each in heir.telegram.sent if isinstance(each, SendNotice) and each.reply_to == 2000]
    assert len(notices) == 2
    assert any("nobody got it" in words for words in words_of([*notices]))
    await heir.close()
