"""A store whose answers come late. Times count from the question, and the answers may be old."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import msgspec

from passerby.domain.ages import ADULTS
from passerby.domain.budgets import Budget
from passerby.features.search import introduce
from passerby.kernel.event import Refusal
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Searching, Ticket
from passerby.ports.leases import Fence
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.shared_budgets import Account
from passerby.ports.telegram import FloodWait
from passerby.runtime.background.matcher import DELAYED_AFTER_S, Matcher
from passerby.runtime.delivery.limiters import LEAST_S, SharedLimiter
from passerby.runtime.membership.heartbeat import MARGIN_S, TTL_S
from tests.runtime.delivery.test_courier import Post, at_post
from tests.runtime.membership.test_heartbeat import BOTS, OTHERS, Port, Worker, at_port
from tests.runtime.virtual import EPOCH, run, settled
from tests.runtime.world import ANN, BEN, BOT, Bench, couple, somebody
from tests.staged import in_virtual_time, staged

Method = Callable[..., Awaitable[Any]]


def later(method: Method, *, before_s: float = 0.0, after_s: float = 0.0) -> Method:
    """Return the method with a delay before the call and a delay before its answer."""

    async def call(*args: Any, **more: Any) -> Any:
        await asyncio.sleep(before_s)
        answer = await method(*args, **more)
        await asyncio.sleep(after_s)
        return answer

    return call


def use(store: Any, name: str, method: Method) -> None:
    setattr(store, name, method)


@staged(at_port)
async def test_a_lease_counts_from_the_question_and_not_from_the_answer(port: Port, /) -> None:
    """The store counts from when it got the question. Nobody knows that time, but it was after the question was
    sent."""
    use(port.store, "heartbeat", later(port.store.heartbeat, after_s=3.0))
    one = Worker("one", port.store, port.clock)
    await one.membership.first_heartbeat()
    assert port.clock.monotonic() == 3.0
    assert one.membership.is_assured
    await asyncio.sleep(TTL_S - MARGIN_S - 3.0 - 0.01)
    assert one.membership.is_assured
    await asyncio.sleep(0.02)
    assert not one.membership.is_assured
    await one.die()


@staged(at_port)
async def test_an_answer_that_comes_too_late_gives_no_assurance(port: Port, /) -> None:
    use(port.store, "heartbeat", later(port.store.heartbeat, after_s=TTL_S - MARGIN_S + 0.01))
    one = Worker("one", port.store, port.clock)
    await one.membership.first_heartbeat()
    assert not one.membership.is_assured
    await one.die()


@staged(at_port)
async def test_giving_a_lease_back_during_a_heartbeat_does_not_end_the_worker(port: Port, /) -> None:
    """The heartbeat names the lease as held. If it arrived after the lease was given back, it would report it as
    lost."""
    one = await port.come("one")
    use(port.store, "heartbeat", later(port.store.heartbeat, before_s=1.0, after_s=1.0))
    await asyncio.sleep(2.0)  # by now a heartbeat is under way
    for lease in BOTS[:2]:
        await one.membership.hand_over([lease])
    await asyncio.sleep(5.0)
    assert one.reasons == []


@staged(at_port)
async def test_a_retiring_worker_does_not_start_a_lease_granted_late(port: Port, /) -> None:
    one = Worker("one", port.store, port.clock)
    await one.membership.first_heartbeat()
    use(port.store, "take", later(port.store.take, after_s=1.0))
    claiming = one.background.spawn(one.membership.claim_first())
    await asyncio.sleep(2.5)
    begun = set(one.has)
    assert 0 < len(begun) < len(BOTS) + len(OTHERS)
    one.membership.retire()
    await asyncio.sleep(20.0)
    await claiming
    assert one.has == begun
    assert set(one.membership.held) == begun
    await one.die()


@staged(at_port)
async def test_a_lease_that_another_worker_has_by_then_is_never_used(port: Port, /) -> None:
    """The worker is paused in the middle of its question, and continues after others have taken over."""
    one = await port.come("one")
    use(one.membership._store, "heartbeat", later(port.store.heartbeat, after_s=0.0))
    one.running.cancel()
    heartbeat = port.store.heartbeat
    asked = asyncio.ensure_future(later(heartbeat, before_s=12.0)("one", dict(one.membership.held), TTL_S, b"{}"))
    two = await port.come("two")
    await asyncio.sleep(11.0)
    assert two.has == {*BOTS, *OTHERS}
    fences = [Fence(lease, epoch) for lease, epoch in one.membership.held.items()]
    assert all(not two.membership.holds(fence) for fence in fences)
    assert not (await asked).kept
    assert not one.membership.is_assured


@in_virtual_time
async def test_a_granted_block_counts_from_the_question() -> None:
    """A block taken long ago must not be sent on top of a block taken now."""
    bench = Bench(shared=True)
    use(bench.store, "reserve", later(bench.store.reserve, after_s=3.0))
    limiter = SharedLimiter(Account(BOT), Budget(20.0, 20), bench.store, bench.clock)
    assert await limiter.ask() == 0.0
    assert limiter.ready(bench.clock.monotonic())
    await asyncio.sleep(LEAST_S * 1.1)
    assert not limiter.ready(bench.clock.monotonic())
    await bench.close()


@in_virtual_time
async def test_a_block_expires_even_if_some_of_it_is_left() -> None:
    bench = Bench(shared=True)
    limiter = SharedLimiter(Account(BOT), Budget(20.0, 20), bench.store, bench.clock)
    assert await limiter.ask() == 0.0
    limiter.spend(bench.clock.monotonic())
    assert limiter.ready(bench.clock.monotonic())
    await asyncio.sleep(0.51)
    assert not limiter.ready(bench.clock.monotonic())
    await bench.close()


@staged(at_post)
async def test_a_hold_outlives_the_last_waiting_message(post: Post, /) -> None:
    """The hold is Telegram's and concerns the person, not the chat that has ended meanwhile."""
    next_chat = ChatId("next")
    post.answers(FloodWait(60.0))
    post.send(1)
    await settled()
    ann, ben = couple()
    again = [
        msgspec.structs.replace(each, version=each.version + 1, state=Chatting(next_chat, partner, EPOCH))
        for each, partner in ((ann, BEN), (ben, ANN))
    ]
    await post.bench.put(*again)
    post.courier.drop(ChatId("c0ffee"))
    for _ in range(3):
        await asyncio.sleep(5)
        post.courier.forget_idle()
    assert post.ledger.refusals == [Refusal.LEFT]
    post.send(2, chat=next_chat)
    await asyncio.sleep(40)
    assert post.words == []
    await asyncio.sleep(10)
    assert post.words == ["words 2"]


def waiting(person: int, since: float = EPOCH) -> Participant:
    ticket = Ticket(PersonId(person), ADULTS, since, Gender.UNSAID, 30)
    return somebody(PersonId(person), Searching(ticket))


class Pool:
    """A matcher whose store may be away."""

    def __init__(self) -> None:
        self.bench = bench = Bench()
        self.reported: list[tuple[PersonId, float]] = []
        self.matcher = Matcher(
            ADULTS,
            bench.store,
            introduce,
            bench.pairings.settle,
            bench.env,
            bench.clock,
            lambda ticket, fitting, expected_s: self.reported.append((ticket.person, bench.clock.now() - EPOCH)),
        )
        self.away = False
        tickets = bench.store.tickets

        async def perhaps(*args: Any) -> Any:
            if self.away:
                raise LiveStoreLost("away")
            return await tickets(*args)

        use(bench.store, "tickets", perhaps)

    async def outage(self, *meanwhile: Participant) -> None:
        self.away = True
        self.bench.store._state.tickets._pool(ADULTS).has_changed.set()  # the reader looks
        await asyncio.sleep(1.0)
        await self.bench.put(*meanwhile)
        self.away = False
        await asyncio.sleep(1.0)


def at_pool(body: Callable[[Pool], Awaitable[None]]) -> None:
    async def main() -> None:
        pool = Pool()
        task = asyncio.ensure_future(pool.matcher.run())
        await body(pool)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await pool.bench.close()

    run(main())


@staged(at_pool)
async def test_a_restarted_matcher_knows_exactly_the_people_who_wait(pool: Pool, /) -> None:
    await pool.bench.put(waiting(1))
    await asyncio.sleep(1.0)
    await pool.outage(msgspec.structs.replace(waiting(1), version=2, state=Idle()))
    matcher = pool.matcher
    assert (len(matcher._waiting), len(matcher._index), len(matcher._came)) == (0, 0, 0)
    await pool.bench.put(waiting(2), waiting(3))
    await asyncio.sleep(1.0)
    me = await pool.bench.facts_of(BEN)
    assert isinstance(me.state, Chatting)
    assert me.state.partner == 3


@staged(at_pool)
async def test_a_restarted_matcher_counts_nobody_twice(pool: Pool, /) -> None:
    """The number of people who come decides how long others wait for a better match."""
    await pool.bench.put(waiting(1))
    await asyncio.sleep(1.0)
    for _ in range(3):
        await pool.outage()
    assert list(pool.matcher._waiting) == [ANN]
    assert len(pool.matcher._came) == 1
    assert len(pool.matcher._index) == 1


@staged(at_pool)
async def test_a_long_search_is_reported_once_even_if_the_matcher_restarts(pool: Pool, /) -> None:
    await pool.bench.put(waiting(1))
    await asyncio.sleep(1.0)
    for _ in range(2):
        await pool.outage()
    await asyncio.sleep(150.0)
    assert [who for who, _ in pool.reported] == [ANN] * len(DELAYED_AFTER_S)
    assert [round(at) for _, at in pool.reported] == list(map(round, DELAYED_AFTER_S))


@staged(at_pool)
async def test_a_matcher_that_begins_anew_repeats_no_report(pool: Pool, /) -> None:
    await pool.bench.put(waiting(1))
    await asyncio.sleep(DELAYED_AFTER_S[0] + 1.0)
    for _ in range(2):
        await pool.outage()
    await asyncio.sleep(DELAYED_AFTER_S[1])
    assert [round(at) for _, at in pool.reported] == list(map(round, DELAYED_AFTER_S[:2]))


@staged(at_pool)
async def test_a_person_who_searches_again_at_once_is_told_of_the_new_search(pool: Pool, /) -> None:
    """The feed has only the newest change, so the matcher never sees that they had stopped."""
    await pool.bench.put(waiting(1))
    await asyncio.sleep(5.0)
    again = waiting(1, pool.bench.clock.now()).state
    for version, state in ((2, Idle()), (3, again)):
        await pool.bench.put(msgspec.structs.replace(waiting(1), version=version, state=state))
    await asyncio.sleep(DELAYED_AFTER_S[0] + 1.0)
    assert [round(at) for _, at in pool.reported] == [5 + round(DELAYED_AFTER_S[0])]


@staged(at_pool)
async def test_two_hundred_people_are_paired_even_if_answers_come_late_and_unordered(pool: Pool, /) -> None:
    rng, store = Random(7), pool.bench.store

    def reordered(method: Method) -> Method:
        async def call(*args: Any) -> Any:
            return await later(method, before_s=rng.random() / 10, after_s=rng.random() / 10)(*args)

        return call

    for name in ("load", "commit", "tickets"):
        use(store, name, reordered(getattr(store, name)))
    await asyncio.gather(*(pool.bench.put(waiting(person)) for person in range(1, 201)))
    await asyncio.sleep(20.0)
    partners = {}
    for person in range(1, 201):
        me = await pool.bench.facts_of(PersonId(person))
        assert isinstance(me.state, Chatting)
        partners[person] = me.state.partner
    assert all(partners[partner] == person for person, partner in partners.items())
