"""Delivery: in order, one at a time, within budgets, and always with an outcome that is reported."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from passerby.domain.budgets import Budget
from passerby.domain.delivery.phases import Custody, Phase
from passerby.domain.delivery.queue import UNCERTAIN_TRIES
from passerby.kernel.effect import Answer as AnswerButton
from passerby.kernel.effect import Discard, Keys, Priority, React
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.kernel.text import text
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Copied, Mark
from passerby.ports.outbox import Notice
from passerby.ports.soon import Outstanding
from passerby.ports.telegram import (
    AnswerCallback,
    BotIdentity,
    DeleteMessages,
    FloodWait,
    OutgoingCall,
    Refused,
    TokenRefused,
    Unavailable,
)
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.delivery.new_deliveries import NOTICE_TTL_S, RELAY_TTL_S
from passerby.runtime.delivery.sends import FLOOD_MARGIN_S
from passerby.runtime.membership.tokens import REFUSED_AFTER_S
from tests.runtime.virtual import EPOCH, run, settled
from tests.runtime.world import ANN, BEN, BOT, CHAT, EVE, OTHER_BOT, Answer, Bench, couple, relay, words_of
from tests.staged import staged
from tests.wording import html


class Ledger:
    """Notes how deliveries end. Storing an outcome takes `pace_s`."""

    def __init__(self) -> None:
        self.pace_s = 0.0
        self.delivered_: list[tuple[str, tuple[MessageId, ...]]] = []
        self.failed_: list[tuple[str, Refusal]] = []
        self.refs: list[UpdateRef] = []

    async def delivered(self, delivery: Delivery, messages: tuple[MessageId, ...], then: object) -> None:
        await asyncio.sleep(self.pace_s)
        self.delivered_.append((delivery.id, messages))
        self.refs += delivery.refs

    async def advanced(self, delivery: Delivery) -> None:
        pass

    async def failed(self, delivery: Delivery, refusal: Refusal) -> None:
        await asyncio.sleep(self.pace_s)
        self.failed_.append((delivery.id, refusal))

    @property
    def refusals(self) -> list[Refusal]:
        return [refusal for _, refusal in self.failed_]


class Post:
    def __init__(self, **budgets: Budget) -> None:
        self.ledger = Ledger()
        self.bench = Bench(outcomes=self.ledger, **budgets)  # type: ignore[arg-type]
        self.courier: Courier = self.bench.courier
        self.telegram = self.bench.telegram
        self.clock = self.bench.clock

    def send(self, *numbers: int, to: PersonId = BEN, bot: BotId = OTHER_BOT, chat: ChatId = CHAT) -> None:
        for number in numbers:
            self.courier.pass_on(relay(number, to=to, chat=chat), bot, (UpdateRef(BOT, number),))

    def say(self, id_: str, to: PersonId = ANN, bot: BotId = BOT, made_at: float = EPOCH, **rest: Any) -> None:
        priority = rest.pop("priority", Priority.COMMAND)
        self.courier.say(Notice(id_, to, bot, text("search.idle"), priority, made_at, **rest))

    def answers(self, *answers: Answer) -> None:
        """Set the results of the next sends. After these, all sends succeed."""
        coming: Iterator[Answer] = iter(answers)
        self.telegram.answer = lambda outgoing: next(coming, None)

    @property
    def words(self) -> list[str]:
        return words_of(self.telegram.sent)

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.telegram.tried]


def at_post(body: Callable[[Post], Awaitable[None]], **budgets: Budget) -> None:
    async def main() -> None:
        post = Post(**budgets)
        await post.bench.put(*couple())
        await body(post)
        await post.bench.close()

    run(main())


DOWN, RESET = Unavailable("refused", uncertain=False), Unavailable("reset", uncertain=True)


@pytest.mark.parametrize("fault", [DOWN, RESET, FloodWait(2.0)], ids=["refused", "reset", "429"])
@staged(at_post)
async def test_a_delivery_waits_until_the_one_before_it_has_arrived(post: Post, /, fault: Exception) -> None:
    post.answers(fault, fault, None, fault)
    post.send(1, 2, 3)
    post.say("n", BEN, OTHER_BOT)
    await post.bench.quiet(60)
    assert [word.split()[-1] for word in post.words[:3]] == ["1", "2", "3"]
    assert post.ledger.delivered_[-1][0] == "n"
    assert post.telegram.most_at_once == 1
    assert post.ledger.failed_ == []


@staged(at_post)
async def test_each_queue_sends_one_at_a_time_and_queues_do_not_wait_for_each_other(post: Post, /) -> None:
    post.telegram.latency_s = 1.0
    post.send(1, 2)
    post.send(3, to=EVE)
    post.say("n")
    await asyncio.sleep(0.5)
    assert len(post.telegram.tried) == 3
    await asyncio.sleep(1.0)
    assert len(post.telegram.tried) == 4
    await post.bench.quiet()
    assert post.telegram.most_at_once == 1


@staged(at_post)
async def test_the_next_delivery_waits_until_the_last_outcome_is_stored(post: Post, /) -> None:
    post.ledger.pace_s = 5.0
    post.send(1, 2)
    await asyncio.sleep(4.9)
    assert post.words == ["words 1"]
    await asyncio.sleep(0.2)
    assert post.words == ["words 1", "words 2"]


@staged(at_post)
async def test_an_outcome_names_the_messages_that_a_delivery_became(post: Post, /) -> None:
    post.answers((71, 72))
    post.send(1)
    await settled()
    assert post.ledger.delivered_ == [(f"relay:{BOT}:1", (71, 72))]
    assert post.ledger.refs == [UpdateRef(BOT, 1)]


@staged(at_post, chat_budget=Budget(1.0, 5))
async def test_a_chat_gets_a_burst_and_then_its_rate(post: Post, /) -> None:
    post.send(*range(1, 9))
    post.say("n")
    await post.bench.quiet(60)
    to_ben = [at for at, outgoing in post.telegram.tried if outgoing.person == BEN]  # type: ignore[union-attr]
    assert to_ben == [0, 0, 0, 0, 0, 1, 2, 3]
    assert [at for at, outgoing in post.telegram.tried if outgoing.person == ANN] == [0]  # type: ignore[union-attr]


@staged(at_post, bot_budget=Budget(1.0, 1))
async def test_a_bots_budget_serves_chats_first(post: Post, /) -> None:
    post.say("first", to=PersonId(100))
    for number in range(3):
        post.say(f"broadcast {number}", to=PersonId(200 + number), priority=Priority.BROADCAST)
        post.say(f"reply {number}", to=PersonId(300 + number))
    post.send(1, bot=BOT)
    await post.bench.quiet(60)
    ends = [id_ for id_, _ in post.ledger.delivered_]
    assert ends == [
        "first",
        f"relay:{BOT}:1",
        *(f"reply {number}" for number in range(3)),
        *(f"broadcast {number}" for number in range(3)),
    ]
    assert all(after - before >= 0.999 for before, after in pairwise(post.times))


@staged(at_post)
async def test_a_429_holds_only_its_chat(post: Post, /) -> None:
    post.answers(FloodWait(30.0))
    post.send(1, 2)
    await settled()
    post.send(3, to=EVE)
    post.say("n")
    await asyncio.sleep(29)
    assert sorted(id_ for id_, _ in post.ledger.delivered_) == ["n", f"relay:{BOT}:3"]
    await asyncio.sleep(2)
    assert post.times[-2:] == [30.0 + FLOOD_MARGIN_S] * 2
    assert len(post.ledger.delivered_) == 4


@staged(at_post)
async def test_a_second_chats_429_holds_the_bot_but_not_the_fleet(post: Post, /) -> None:
    post.answers(FloodWait(30.0), FloodWait(30.0))
    post.send(1)
    post.send(2, to=EVE)
    await settled()
    post.send(3, to=PersonId(9))
    post.say("on another bot")
    await asyncio.sleep(29)
    assert [id_ for id_, _ in post.ledger.delivered_] == ["on another bot"]
    await post.bench.quiet(60)
    assert len(post.ledger.delivered_) == 4


@staged(at_post)
async def test_a_429_costs_no_try(post: Post, /) -> None:
    post.answers(*[FloodWait(1.0)] * 30)
    post.send(1)
    await post.bench.quiet(100)
    assert post.words == ["words 1"]


@staged(at_post)
async def test_a_429_during_a_download_holds_only_the_source_bot(post: Post, /) -> None:
    fetching = FloodWait(30.0).of(BOT)
    post.answers(fetching, fetching)
    post.send(1)
    post.send(2, to=EVE)
    await settled()
    post.send(3, to=PersonId(9))
    post.say("through the bot of the file", to=PersonId(10))
    await asyncio.sleep(29)
    assert post.words == ["words 3"], "the sending bot continues; the other one is held, because two chats were"
    await asyncio.sleep(3)
    assert len(post.ledger.delivered_) == 4


@staged(at_post)
async def test_a_file_of_a_lost_bot_is_refused_and_the_sending_bot_continues(post: Post, /) -> None:
    post.telegram.identities[BOT] = TokenRefused()
    post.answers(TokenRefused().of(BOT))
    post.send(1, 2)
    await post.bench.quiet(REFUSED_AFTER_S + 30)
    assert post.ledger.refusals == [Refusal.CANNOT_COPY]
    assert post.words == ["words 2"]
    assert post.bench.lost_bots == [BOT]


KEYS = Keys((("keys.stop",),))


@staged(at_post, chat_budget=Budget(1.0, 3))
async def test_a_new_partner_is_announced_before_twenty_waiting_asides(post: Post, /) -> None:
    for number in range(20):
        post.say(f"aside {number}", to=BEN, bot=OTHER_BOT)
    await asyncio.sleep(2.5)
    post.say("found", to=BEN, bot=OTHER_BOT, keyboard=KEYS, priority=Priority.MATCH, anchors=CHAT)
    post.send(1, 2)
    await post.bench.quiet(60)
    ends = [id_ for id_, _ in post.ledger.delivered_]
    asides = [f"aside {number}" for number in range(20)]
    assert ends == [*asides[:5], "found", f"relay:{BOT}:1", f"relay:{BOT}:2", *asides[5:]]
    at = dict(zip(ends, post.times, strict=True))
    assert at["found"] == 3.0, "with the next message of the budget"


@staged(at_post)
async def test_a_notice_with_buttons_keeps_its_place(post: Post, /) -> None:
    post.telegram.latency_s = 1.0
    post.say("first", to=BEN, bot=OTHER_BOT)
    await asyncio.sleep(0.5)
    post.say("searching", to=BEN, bot=OTHER_BOT, keyboard=KEYS)
    post.say("aside", to=BEN, bot=OTHER_BOT)
    post.say("found", to=BEN, bot=OTHER_BOT, keyboard=KEYS, priority=Priority.MATCH, anchors=CHAT)
    post.say("changed", to=BEN, bot=OTHER_BOT, revises=MessageId(5))
    await post.bench.quiet()
    assert [id_ for id_, _ in post.ledger.delivered_] == ["first", "searching", "found", "changed", "aside"]


@staged(at_post)
async def test_an_aside_that_may_have_arrived_keeps_its_place(post: Post, /) -> None:
    post.answers(RESET)
    post.say("aside", to=BEN, bot=OTHER_BOT)
    await settled()
    post.send(1)
    await post.bench.quiet()
    assert [id_ for id_, _ in post.ledger.delivered_] == ["aside", f"relay:{BOT}:1"]


@staged(at_post, bot_budget=Budget(1.0, 1))
async def test_a_relay_behind_a_reply_gives_it_its_priority(post: Post, /) -> None:
    """Ben's queue begins with a reply to a command. The relay behind it must not wait until all such replies have
    left."""
    post.say("first", to=PersonId(100), bot=OTHER_BOT)
    for number in range(5):
        post.say(f"reply {number}", to=PersonId(200 + number), bot=OTHER_BOT)
    post.say("bens reply", to=BEN, bot=OTHER_BOT, keyboard=KEYS)
    await asyncio.sleep(0.5)
    post.send(1)
    post.say("late", to=EVE, bot=OTHER_BOT, keyboard=KEYS)
    post.send(2, to=EVE, chat=ChatId("another"))
    await post.bench.quiet(60)
    ends = [id_ for id_, _ in post.ledger.delivered_]
    assert ends[:4] == ["first", "bens reply", "late", f"relay:{BOT}:1"]


@staged(at_post, bot_budget=Budget(1.0, 1))
async def test_a_more_important_delivery_takes_the_turn_of_an_aside(post: Post, /) -> None:
    post.say("first", to=PersonId(100), bot=OTHER_BOT)
    post.say("aside", to=BEN, bot=OTHER_BOT)
    await asyncio.sleep(0.5)
    post.send(1)
    await post.bench.quiet(60)
    assert [id_ for id_, _ in post.ledger.delivered_] == ["first", f"relay:{BOT}:1", "aside"]
    assert post.times == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("refusal", [each for each in Refusal if each not in (Refusal.LEFT, Refusal.EXPIRED)])
@staged(at_post)
async def test_a_refusal_ends_a_delivery_and_the_next_continues(post: Post, /, refusal: Refusal) -> None:
    post.answers(Refused(refusal, "detail"))
    post.send(1, 2)
    await post.bench.quiet()
    assert post.ledger.failed_ == [(f"relay:{BOT}:1", refusal)]
    assert post.words == ["words 2"]


@staged(at_post)
async def test_unknown_outcomes_are_retried_a_limited_number_of_times(post: Post, /) -> None:
    post.answers(*[RESET] * UNCERTAIN_TRIES)
    post.send(1, 2)
    await post.bench.quiet(600)
    assert post.ledger.refusals == [Refusal.UNCERTAIN]
    assert post.words == ["words 2"]
    assert len(post.telegram.tried) == UNCERTAIN_TRIES + 1


@staged(at_post)
async def test_an_unsent_delivery_is_retried_until_its_deadline(post: Post, /) -> None:
    post.answers(*[DOWN] * 100_000)
    post.send(1)
    await asyncio.sleep(RELAY_TTL_S - 10)
    assert post.ledger.refusals == []
    pauses = [after - before for before, after in pairwise(post.times)]
    assert 0.3 < pauses[0] < 0.7
    assert max(pauses) <= 30 * 1.25
    assert len(pauses) > 100
    await post.bench.quiet(20)
    assert post.ledger.refusals == [Refusal.EXPIRED]


@staged(at_post)
async def test_a_notice_expires_by_its_age(post: Post, /) -> None:
    post.answers(*[DOWN] * 100_000)
    post.say("old", made_at=EPOCH - NOTICE_TTL_S + 600)
    post.say("of the future", made_at=EPOCH + 60, to=BEN)
    await asyncio.sleep(700)
    assert post.ledger.failed_ == [("old", Refusal.EXPIRED)]


@staged(at_post)
async def test_a_notice_that_only_looks_old_is_still_delivered(post: Post, /) -> None:
    """The machine's clock may have been set since the notice was made."""
    post.say("two years old", made_at=EPOCH - 730 * 86_400)
    await post.bench.quiet()
    assert [id_ for id_, _ in post.ledger.delivered_] == ["two years old"]


@staged(at_post)
async def test_a_bug_ends_one_delivery_and_not_its_queue(post: Post, /) -> None:
    post.answers(ValueError("a bug"))
    post.send(1, 2)
    await post.bench.quiet()
    assert post.ledger.refusals == [Refusal.BROKEN]
    assert post.words == ["words 2"]


@staged(at_post)
async def test_a_confirmed_token_loss_ends_all_deliveries_of_that_bot(post: Post, /) -> None:
    post.telegram.identities[OTHER_BOT] = TokenRefused()
    post.answers(DOWN, TokenRefused())
    post.send(1, 2)
    post.send(3, to=EVE)
    post.say("on another bot")
    await asyncio.sleep(REFUSED_AFTER_S - 1)
    assert post.ledger.refusals == [], "it may be a mistake"
    await asyncio.sleep(30)
    assert post.ledger.refusals == [Refusal.BOT_LOST] * 3
    assert [id_ for id_, _ in post.ledger.delivered_] == ["on another bot"]
    assert post.bench.lost_bots == [OTHER_BOT]
    post.courier.tokens.lose(OTHER_BOT)
    assert post.bench.lost_bots == [OTHER_BOT], "once"
    post.send(4)
    await post.bench.quiet(1)
    assert post.ledger.refusals == [Refusal.BOT_LOST] * 4


@pytest.mark.parametrize("for_s", [1, 60, 119])
@staged(at_post)
async def test_deliveries_wait_while_a_token_is_suspected_and_keep_their_order(post: Post, /, for_s: int) -> None:
    post.telegram.identities[OTHER_BOT] = TokenRefused()
    post.telegram.answer = lambda outgoing: TokenRefused() if OTHER_BOT in post.telegram.identities else None
    post.send(1, 2)
    post.send(3, to=EVE)
    await asyncio.sleep(for_s)
    assert len(post.telegram.tried) <= 2, "a refused token is not tried over and over"
    post.send(4)
    del post.telegram.identities[OTHER_BOT]
    await asyncio.sleep(15)
    assert [word for word in post.words if word != "words 3"] == ["words 1", "words 2", "words 4"]
    assert "words 3" in post.words
    assert post.ledger.refusals == []


@pytest.mark.parametrize("times", [1, 2, 9])
@staged(at_post)
async def test_a_send_refused_by_mistake_is_retried(post: Post, /, times: int) -> None:
    post.answers(*[TokenRefused()] * times)
    post.send(1, 2)
    await asyncio.sleep(240)
    assert post.words == ["words 1", "words 2"]
    assert post.ledger.refusals == []
    assert post.bench.lost_bots == []


@staged(at_post)
async def test_a_send_always_refused_by_mistake_fails_and_the_next_continues(post: Post, /) -> None:
    asked = 0
    identify = post.telegram.identify

    async def counted(bot: BotId) -> BotIdentity:
        nonlocal asked
        asked += 1
        return await identify(bot)

    post.telegram.identify = counted  # type: ignore[method-assign]
    post.telegram.answer = lambda outgoing: TokenRefused() if words_of([outgoing]) == ["words 1"] else None
    post.send(1, 2)
    await asyncio.sleep(REFUSED_AFTER_S + 60)
    assert post.words == ["words 2"]
    assert post.ledger.refusals == [Refusal.BROKEN]
    assert asked < 30


@staged(at_post)
async def test_alternating_answers_lose_no_message(post: Post, /) -> None:
    turn = 0

    def answer(outgoing: OutgoingCall) -> Answer:
        nonlocal turn
        turn += 1
        return TokenRefused() if turn % 2 else None

    post.telegram.answer = answer
    post.send(*range(1, 9))
    await asyncio.sleep(120)
    assert post.words == [f"words {number}" for number in range(1, 9)]


@staged(at_post)
async def test_a_bot_that_was_lost_delivers_again_when_it_is_back(post: Post, /) -> None:
    post.telegram.identities[OTHER_BOT] = TokenRefused()
    post.answers(TokenRefused())
    post.send(1)
    await asyncio.sleep(600)
    assert post.ledger.refusals == [Refusal.BOT_LOST]
    del post.telegram.identities[OTHER_BOT]
    await asyncio.sleep(600)
    post.send(2)
    await post.bench.quiet(5)
    assert post.words == ["words 2"]


@staged(at_post)
async def test_a_bot_lost_in_another_process_wakes_its_waiting_deliveries(post: Post, /) -> None:
    post.answers(FloodWait(1000.0), FloodWait(1000.0))
    post.send(1)
    post.say("n", EVE, OTHER_BOT)
    await asyncio.sleep(1)
    post.telegram.identities[OTHER_BOT] = TokenRefused()
    post.courier.tokens.lose(OTHER_BOT)
    await settled()
    assert post.ledger.refusals == [Refusal.BOT_LOST] * 2


@pytest.mark.parametrize("times", [1, 3])
@staged(at_post)
async def test_a_best_effort_call_refused_with_the_token_is_tried_once_more(post: Post, /, times: int) -> None:
    tries = 0

    async def send(outgoing: OutgoingCall) -> tuple[MessageId, ...]:
        nonlocal tries
        tries += 1
        if tries <= times:
            raise TokenRefused
        return ()

    post.telegram.send = send  # type: ignore[method-assign]
    post.bench.best_effort.send(AnswerButton("query"), OTHER_BOT, "en")
    await asyncio.sleep(30)
    assert tries == 2
    assert post.bench.lost_bots == []


@staged(at_post)
async def test_waiting_relays_are_dropped_when_their_chat_ends(post: Post, /) -> None:
    post.answers(FloodWait(50.0))
    post.send(1, 2, 3)
    post.say("n", BEN, OTHER_BOT)
    await asyncio.sleep(1)
    post.courier.drop(CHAT)
    await settled()
    assert sorted(post.ledger.failed_) == [(f"relay:{BOT}:{number}", Refusal.LEFT) for number in (1, 2, 3)]
    await post.bench.quiet(100)
    assert [id_ for id_, _ in post.ledger.delivered_] == ["n"], "notices do not belong to the chat"
    assert len(post.telegram.tried) == 2


@staged(at_post)
async def test_a_relay_under_way_at_the_end_of_the_chat_arrives_and_the_rest_does_not(post: Post, /) -> None:
    post.telegram.latency_s = 1.0
    post.send(1, 2)
    await asyncio.sleep(0.5)
    post.courier.drop(CHAT)
    post.courier.drop(CHAT)
    await post.bench.quiet()
    assert post.words == ["words 1"]
    assert post.ledger.failed_ == [(f"relay:{BOT}:2", Refusal.LEFT)]


@staged(at_post)
async def test_a_relay_that_comes_after_the_end_of_its_chat_is_dropped(post: Post, /) -> None:
    post.courier.drop(CHAT)
    post.send(1)
    await settled()
    assert post.ledger.failed_ == [(f"relay:{BOT}:1", Refusal.LEFT)]
    assert post.telegram.tried == []
    await asyncio.sleep(100)
    post.courier.forget_idle()
    assert post.courier._by_chat.ended == {}
    assert post.courier._by_chat.chats == {}


@staged(at_post, bot_budget=Budget(0.1, 1))
async def test_a_relay_that_waits_for_the_bots_budget_is_dropped_too(post: Post, /) -> None:
    post.say("first", bot=OTHER_BOT)
    post.send(1)
    await asyncio.sleep(1)
    post.courier.drop(CHAT)
    await post.bench.quiet(60)
    assert post.ledger.failed_ == [(f"relay:{BOT}:1", Refusal.LEFT)]
    assert post.words != []


@staged(at_post)
async def test_another_chat_of_the_same_people_is_not_affected(post: Post, /) -> None:
    post.answers(FloodWait(5.0))
    post.send(1, chat=CHAT)
    await settled()
    post.send(2, chat=ChatId("the next one"))
    post.courier.drop(CHAT)
    post.courier.drop(ChatId("never was"))
    await settled()
    assert post.ledger.refusals == [Refusal.LEFT]


@staged(at_post)
async def test_a_relay_that_waited_long_is_sent_only_if_its_chat_is_open(post: Post, /) -> None:
    """Another process may have ended the chat."""
    post.answers(FloodWait(5.0), FloodWait(5.0))
    post.send(1)
    await settled()
    post.send(2, to=EVE, chat=ChatId("ended elsewhere"))
    await post.bench.quiet(60)
    assert post.words == ["words 1"]
    assert post.ledger.failed_ == [(f"relay:{BOT}:2", Refusal.LEFT)]


@staged(at_post)
async def test_a_resumed_relay_is_sent_only_if_its_chat_is_open(post: Post, /) -> None:
    post.courier.resume(relay(1), OTHER_BOT, (), "open", 60.0)
    post.courier.resume(relay(2, chat=ChatId("ended")), OTHER_BOT, (), "ended", 60.0)
    post.courier.resume(relay(3), OTHER_BOT, (), "too late", -1.0)
    await post.bench.quiet()
    assert post.words == ["words 1"]
    assert sorted(post.ledger.failed_) == [("ended", Refusal.LEFT), ("too late", Refusal.EXPIRED)]


@pytest.mark.parametrize("method", ["open_chats", "load", "counterpart"])
@staged(at_post)
async def test_while_the_store_is_away_a_delivery_waits_and_is_not_lost(
    post: Post, /, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise LiveStoreLost

    post.answers(FloodWait(1.0), FloodWait(1.0))
    with monkeypatch.context() as patch:
        patch.setattr(post.bench.store, method, away)
        reply = msgspec.structs.replace(relay(1), reply_to=MessageRef(BOT, MessageId(9)))
        post.courier.pass_on(reply, OTHER_BOT, (UpdateRef(BOT, 1),))
        post.say("n")
        await asyncio.sleep(60)
    await post.bench.quiet(60)
    assert sorted(id_ for id_, _ in post.ledger.delivered_) == ["n", f"relay:{BOT}:1"]
    assert post.ledger.failed_ == []


@staged(at_post)
async def test_a_delivery_leaves_within_seconds_after_the_store_is_back(
    post: Post, /, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise LiveStoreLost

    with monkeypatch.context() as patch:
        patch.setattr(post.bench.store, "load", away)
        post.say("n")
        await asyncio.sleep(200)
    await asyncio.sleep(4)
    assert [id_ for id_, _ in post.ledger.delivered_] == ["n"]


@staged(at_post)
async def test_a_waiting_relay_confirmed_twice_is_sent_once(post: Post, /) -> None:
    post.answers(FloodWait(3.0))
    post.send(1)
    await settled()
    post.courier.pass_on(relay(1), OTHER_BOT, (UpdateRef(BOT, 2),))
    await post.bench.quiet()
    assert post.words == ["words 1"]
    assert post.ledger.refs == [UpdateRef(BOT, 1), UpdateRef(BOT, 2)], "and this makes both updates done"


@staged(at_post)
async def test_the_second_relay_of_the_same_name_can_still_be_dropped(post: Post, /) -> None:
    post.ledger.pace_s = 1.0
    post.send(1)
    await settled()
    (first,) = post.courier._by_chat.of(CHAT)
    assert first.phase is Phase.SETTLING
    post.courier.pass_on(relay(1), OTHER_BOT, (UpdateRef(BOT, 2),))
    post.answers(FloodWait(60.0))
    await asyncio.sleep(1.5)
    assert [delivery.refs for delivery in post.courier.overdue()] == []
    post.courier.drop(CHAT)
    await post.bench.quiet()
    assert post.ledger.refusals == [Refusal.LEFT]


def react(number: int, emoji: str = "👍") -> React:
    return React(CHAT, ANN, MessageRef(BOT, MessageId(number)), BEN, emoji)


@staged(at_post)
async def test_an_edit_of_a_waiting_message_waits_in_the_same_queue(post: Post, /) -> None:
    """This holds even if the reader has moved to another bot meanwhile."""
    post.courier._outcome_writer._outcomes = post.bench.outcomes
    post.answers(FloodWait(3.0))
    post.send(1)
    await settled()
    post.courier.pass_on(react(1), BOT, (UpdateRef(BOT, 2),))
    await post.bench.quiet()
    assert [type(outgoing).__name__ for outgoing in post.telegram.sent] == ["SendContent", "SetReaction"]
    assert {outgoing.bot for outgoing in post.telegram.sent} == {OTHER_BOT}


@staged(at_post)
async def test_an_edit_of_an_unknown_message_ends_without_a_send(post: Post, /) -> None:
    post.courier.pass_on(react(9), OTHER_BOT, (UpdateRef(BOT, 2),))
    await post.bench.quiet()
    assert post.telegram.tried == []
    assert post.ledger.refs == [UpdateRef(BOT, 2)]


@pytest.mark.parametrize("answer", [TokenRefused(), Refused(Refusal.UNREACHABLE)], ids=["lost", "blocked"])
@staged(at_post)
async def test_trouble_with_a_bot_that_the_partner_left_does_not_affect_the_current_one(
    post: Post, /, answer: Exception
) -> None:
    """Ben's copy is on a bot that he has blocked or that is lost. He chats through another bot, and stays in the
    chat."""
    copy = Copied(MessageRef(BOT, MessageId(1)), MessageRef(OTHER_BOT, MessageId(7)), 0)
    await post.bench.store.mark(Mark(chat=CHAT, pairs=(copy,)))
    post.answers(answer)
    if isinstance(answer, TokenRefused):
        post.telegram.identities[OTHER_BOT] = answer
    post.courier.pass_on(react(1), BOT, (UpdateRef(BOT, 2),))
    post.send(3, bot=BOT)
    await post.bench.quiet(REFUSED_AFTER_S + 30)
    assert post.words == ["words 3"]
    assert post.bench.lost_bots == ([OTHER_BOT] if isinstance(answer, TokenRefused) else [])
    assert post.ledger.refusals == [Refusal.CANNOT_COPY]


@pytest.mark.parametrize("answer", [None, DOWN, FloodWait(5.0)], ids=["well", "down", "429"])
@staged(at_post)
async def test_best_effort_calls_do_not_wait_and_are_tried_once(post: Post, /, answer: Answer) -> None:
    tries: list[OutgoingCall] = []

    async def send(outgoing: OutgoingCall) -> tuple[MessageId, ...]:
        tries.append(outgoing)
        if isinstance(answer, Exception):
            raise answer
        return ()

    post.telegram.send = send  # type: ignore[method-assign]
    post.bench.best_effort.send(AnswerButton("q", text("chat.button_too_old"), alert=True), BOT, "en")
    post.bench.best_effort.send(Discard(ANN, (MessageId(5),)), BOT, "en")
    await asyncio.sleep(100)
    assert tries == [
        AnswerCallback(BOT, "q", html("chat.button_too_old"), True),
        DeleteMessages(BOT, ANN, (MessageId(5),)),
    ]


@staged(at_post)
async def test_only_unparked_relays_are_overdue_the_oldest_first(post: Post, /) -> None:
    post.answers(*[FloodWait(1000.0)] * 3)
    post.send(1)
    post.say("n")
    await asyncio.sleep(1)
    post.send(2)
    await asyncio.sleep(1)
    assert [delivery.id for delivery in post.courier.overdue()] == [f"relay:{BOT}:1"]
    await asyncio.sleep(1)
    overdue = post.courier.overdue()
    assert [delivery.id for delivery in overdue] == [f"relay:{BOT}:1", f"relay:{BOT}:2"]
    overdue[0].custody = Custody.OUTBOX
    assert [delivery.id for delivery in post.courier.overdue()] == [f"relay:{BOT}:2"]


@staged(at_post)
async def test_the_time_before_a_relay_is_parked_can_be_set(post: Post, /) -> None:
    post.courier._park_after_s = 40.0
    post.answers(FloodWait(1000.0))
    post.send(1)
    await asyncio.sleep(39)
    assert post.courier.overdue() == []
    await asyncio.sleep(2)
    assert len(post.courier.overdue()) == 1


@staged(at_post)
async def test_a_bug_while_storing_an_outcome_does_not_stop_the_queue(post: Post, /) -> None:
    delivered = post.ledger.delivered

    async def broken(delivery: Delivery, messages: tuple[MessageId, ...], then: object) -> None:
        if delivery.id.endswith(":1"):
            raise ValueError("a bug")
        await delivered(delivery, messages, then)

    post.ledger.delivered = broken  # type: ignore[method-assign]
    post.send(1, 2)
    await post.bench.quiet()
    assert [id_ for id_, _ in post.ledger.delivered_] == [f"relay:{BOT}:2"]
    assert [type(error) for error in post.bench.errors] == [ValueError]
    post.bench.errors.clear()


@staged(at_post, chat_budget=Budget(1.0, 2))
async def test_a_queue_is_forgotten_only_when_it_no_longer_matters(post: Post, /) -> None:
    post.send(1, 2)
    await settled()
    post.courier.forget_idle()
    post.send(3)
    await post.bench.quiet()
    assert post.times == [0.0, 0.0, 1.0], "what was spent is remembered"
    await asyncio.sleep(100)
    post.courier.forget_idle()
    assert post.courier._queues == {}
    assert post.courier._by_chat.chats == {}


@staged(at_post)
async def test_a_queue_that_hears_of_another_delivery_before_the_budgets_answer_asks_once(post: Post, /) -> None:
    """The report of a delivery may bring others while queues are told of it: a reply, then something more urgent."""
    courier = post.courier
    courier._performer._is_performing = True
    post.say("later", reply_to=MessageId(5))
    post.say("urgent", priority=Priority.MATCH)
    courier._performer._is_performing = False
    post.say("third")
    await post.bench.quiet()
    assert len(post.words) == 3
    assert post.bench.errors == []


class Unanswered(Outstanding[tuple[MessageId, ...]]):
    """A call whose answer never comes."""

    __slots__ = ("is_wanted",)

    def __init__(self) -> None:
        super().__init__()
        self.is_wanted = True

    def give_up(self) -> None:
        self.is_wanted = False


@staged(at_post)
async def test_calls_without_a_task_are_given_up_when_the_process_ends(post: Post, /) -> None:
    call = Unanswered()
    post.telegram.send = lambda outgoing: call  # type: ignore[method-assign, assignment, return-value]
    post.send(1)
    assert post.courier.under_way
    await post.bench.background.aclose()
    assert not call.is_wanted
    call.settle((MessageId(7),))
    assert post.ledger.delivered_ == [], "its update is asked for again, by the next process"
