"""VIP by Telegram Stars, through the whole app: what phones show, what Telegram took, and what the ledger says."""

import asyncio

from botapi_sandbox.world import payments
from passerby.kernel.ids import PersonId
from passerby.kernel.money import Plan
from passerby.kernel.rules import Rules
from tests.scenario.matrix import HISTORIES, HOMES, ONE_PERSON, over_servers
from tests.scenario.stage import Json, Phone, Stage, play

DAY_S = 86_400.0
PASS = Plan("month", 30, 250)
SOLD = Rules(plans=(PASS,), free_filters=(), idle_nudge_s=0, idle_end_s=0)


async def invoice_for(on: Stage, phone: Phone, plan: str = "month") -> int:
    """Order a plan. Returns the message with the invoice."""
    phone.write("/vip")
    await on.quiet()
    phone.press(f"vip_buy:{plan}"[: len("vip_buy")])
    await on.quiet()
    return max(number for number, message in phone.messages().items() if "invoice" in message)


async def pays(on: Stage, phone: Phone, invoice: int) -> str:
    """Pay an invoice. Returns how it ended."""
    payment = on.world.phones.pay(phone.id, phone.bot, invoice)
    while payment.status == "pending":
        await asyncio.sleep(0.1)
    await on.quiet()
    return payment.status


async def vip_until(on: Stage, phone: Phone) -> float:
    facts = await on.store.load(PersonId(phone.id))
    assert facts is not None
    return facts.me.vip_until


def money_told(phone: Phone) -> list[str]:
    return [key for key in phone.told() if key.startswith("vip.") and key not in ("vip.offer", "vip.has")]


@over_servers
@HOMES
@HISTORIES
def test_a_person_buys_a_pass_and_is_a_vip_at_once_in_every_bot(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        began = on.place.clock.now()
        invoice = await invoice_for(on, on.ann)
        await on.after(history)
        assert await pays(on, on.ann, invoice) == "paid"
        until = await vip_until(on, on.ann)
        assert 30 * DAY_S <= until - began < 30 * DAY_S + 900
        assert money_told(on.ann) == ["vip.thanks"]
        await on.after(history)
        assert await vip_until(on, on.ann) == until
        on.ann.bot = on.bots[1]
        on.ann.write("/start")
        await on.quiet()
        assert await vip_until(on, on.ann) == until
        assert await vip_until(on, on.bob) == 0.0

    play(store, scene, home=home, rules=SOLD)


@HOMES
def test_an_invoice_can_be_paid_by_its_buyer_only_once_and_in_time(home: bool) -> None:
    async def scene(on: Stage) -> None:
        invoice = await invoice_for(on, on.ann)
        # A forwarded copy: the sandbox lets anybody pay what they see, so the stranger gets the same invoice.
        bot = on.world.state.bots[on.ann.bot]
        stranger = on.join(on.ann.bot)
        attempt = payments.begin(on.world, bot, stranger.id, bot.invoices[str(invoice)])
        while attempt.status == "pending":
            await asyncio.sleep(0.1)
        await on.quiet()
        assert (attempt.status, money_told(stranger)) == ("refused", ["vip.refused"])
        assert attempt.error == "This invoice isn't yours, or it's too old."
        assert await pays(on, on.ann, invoice) == "paid"
        until = await vip_until(on, on.ann)
        assert await pays(on, on.ann, invoice) == "refused"
        assert await vip_until(on, on.ann) == until
        late = await invoice_for(on, on.ann)
        await on.elapse(DAY_S)
        assert await pays(on, on.ann, late) == "refused"
        assert bot.stars == PASS.stars

    play("memory", scene, home=home, rules=SOLD)


@over_servers
@HISTORIES
def test_a_buyer_who_changes_their_mind_gets_the_stars_back_and_loses_the_days(history: str, store: str) -> None:
    async def scene(on: Stage) -> None:
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        bot = on.world.state.bots[on.ann.bot]
        assert bot.stars == 2 * PASS.stars
        await asyncio.sleep(30.0)
        on.ann.write("/paysupport")
        await on.quiet()
        on.ann.press("vip_refund_ask")
        await on.quiet()
        on.ann.press("vip_refund")
        await on.quiet()
        await on.after(history)
        await asyncio.sleep(120.0)
        await on.quiet()
        assert bot.stars == PASS.stars
        left_s = await vip_until(on, on.ann) - on.place.clock.now()
        assert 29.9 * DAY_S < left_s < 30 * DAY_S
        assert money_told(on.ann)[-2:] == ["vip.refund_owed", "vip.refunded"]
        on.ann.write("/paysupport")
        await on.quiet()
        assert not any("vip_refund_ask" in str(message.get("reply_markup")) for message in [newest(on.ann)])

    play(store, scene, home=False, rules=SOLD)


def newest(phone: Phone) -> Json:
    return phone.messages()[max(phone.messages())]


@ONE_PERSON
def test_a_payment_whose_update_was_lost_is_found_and_granted_within_minutes(home: bool) -> None:
    async def scene(on: Stage) -> None:
        invoice = await invoice_for(on, on.ann)
        payment = on.world.phones.pay(on.ann.id, on.ann.bot, invoice)
        queue = on.world.state.bots[on.ann.bot].queue
        while payment.status == "pending":
            await asyncio.sleep(0.01)
            lost = [item for item in queue.items if "successful_payment" in str(item)]
            for item in lost:
                queue.items.remove(item)
        assert await vip_until(on, on.ann) == 0.0
        await asyncio.sleep(900.0)
        await on.quiet()
        assert await vip_until(on, on.ann) > on.place.clock.now()
        assert money_told(on.ann) == ["vip.found"]
        await asyncio.sleep(1800.0)
        assert money_told(on.ann) == ["vip.found"]

    play("memory", scene, home=home, rules=SOLD, bugs=())


@ONE_PERSON
def test_the_end_of_vip_is_told_a_day_before_and_when_it_comes_and_once_each(home: bool) -> None:
    async def scene(on: Stage) -> None:
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        await on.elapse(29 * DAY_S - 300)
        assert money_told(on.ann)[1:] == []
        await asyncio.sleep(900.0)
        await on.quiet()
        assert money_told(on.ann)[1:] == ["vip.ends_soon"]
        await on.elapse(DAY_S)
        await asyncio.sleep(600.0)
        await on.quiet()
        assert money_told(on.ann)[1:] == ["vip.ends_soon", "vip.ended"]

    play("memory", scene, home=home, rules=SOLD)
