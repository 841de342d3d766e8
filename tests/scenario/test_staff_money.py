"""The team refunds a purchase, from the buyer's code to Telegram's confirmation."""

import asyncio
import re

import msgspec
import pytest

from botapi_sandbox.world.state import Subscription
from passerby.kernel.money import Plan
from passerby.kernel.purchase import RefundReason
from passerby.kernel.rules import Rules
from passerby.kernel.staff import Role
from passerby.kernel.staff_requests import DrainAsked, RefundAsked
from passerby.kernel.text import text
from tests.scenario.matrix import HISTORIES
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stage import Phone
from tests.scenario.stores import FILE, SERVERS
from tests.scenario.test_staff import audited, buttons, shown, tap
from tests.scenario.test_vip import invoice_for, money_told, pays, vip_until

PASS = Plan("month", 30, 250)
MONTHLY = Plan("monthly", 30, 200, renews=True)


class Shop(StaffStage):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.rules = Rules(plans=(PASS, MONTHLY), free_filters=(), idle_nudge_s=0, idle_end_s=0)


class CarefulShop(Shop):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.rules = msgspec.structs.replace(self.rules, refund_second_above=249)


async def code_of_purchase(on: StaffStage, phone: Phone) -> str:
    """The code that the buyer reads in /paysupport, once the records know it."""
    phone.write("/paysupport")
    await on.quiet()
    *_, page = phone.messages().values()
    marked = next(each for each in page["entities"] if each["type"] == "code")
    code: str = (
        page["text"]
        .encode("utf-16-le")[2 * marked["offset"] : 2 * (marked["offset"] + marked["length"])]
        .decode("utf-16-le")
    )
    await asyncio.sleep(2.0)
    return code


@pytest.mark.parametrize("store", ["memory", SERVERS])
@HISTORIES
def test_the_team_refunds_a_purchase_once_and_the_buyer_loses_its_days(store: str, history: str) -> None:
    async def scene(on: StaffStage) -> None:
        sue = await on.hire(Role.SUPPORT)
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        code = await code_of_purchase(on, on.ann)
        sue.write(f"/purchase {code}")
        await on.quiet()
        tap(sue, f"purchase_why:{code}")
        await on.quiet()
        tap(sue, f"purchase_sure:{code}.not_given")
        await on.quiet()
        tap(sue, f"purchase_do:{code}.not_given")
        await on.after(history)
        bot = on.world.state.bots[on.ann.bot]
        await on.until(lambda: bot.stars == 0)
        await on.until(lambda: money_told(on.ann)[-2:] == ["vip.refund_owed", "vip.refunded"])
        await on.quiet()
        assert await vip_until(on, on.ann) <= on.place.clock.now()
        assert ("purchase.refunded", f"purchase {code}") in [each[1:] for each in await audited(on)]
        await asyncio.sleep(60.0)
        again = await on.request(RefundAsked(code, RefundReason.TWICE))
        assert (again.refused, again.reply) == (True, text("purchases.already"))

    play_staff(store, scene, Shop)


@pytest.mark.parametrize("store", ["memory", SERVERS])
def test_a_refund_that_telegram_refuses_for_good_ends_and_the_buyer_has_the_vip_again(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        code = await code_of_purchase(on, on.ann)
        before = await vip_until(on, on.ann)
        (payment,) = on.world.state.payments.values()
        charge, payment.charge_id = payment.charge_id, "of another server"
        assert not (await on.request(RefundAsked(code, RefundReason.MISTAKE))).refused
        await on.until(lambda: money_told(on.ann)[-1] == "vip.refund_owed")
        await asyncio.sleep(900.0)
        await on.until(lambda: money_told(on.ann)[-1] == "vip.refund_refused")
        await on.quiet()
        assert await vip_until(on, on.ann) > before
        payment.charge_id = charge
        await asyncio.sleep(120.0)
        again = await on.request(RefundAsked(code, RefundReason.MISTAKE))
        assert (again.refused, again.reply) == (True, text("purchases.refund_refused"))
        assert money_told(on.ann)[-1] == "vip.refund_refused", "and nothing is asked of Telegram any more"

    play_staff(store, scene, Shop)


@pytest.mark.parametrize("store", ["memory", SERVERS])
def test_a_large_refund_is_made_when_a_second_member_agrees(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        sue, olga = await on.hire(Role.SUPPORT), await on.hire(Role.OWNER)
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        code = await code_of_purchase(on, on.ann)
        sue.write(f"/purchase {code}")
        for data in (f"purchase_why:{code}", f"purchase_sure:{code}.twice", f"purchase_do:{code}.twice"):
            await on.quiet()
            tap(sue, data)
        await on.quiet()
        bot = on.world.state.bots[on.ann.bot]
        assert bot.stars == PASS.stars
        tap(olga, "approval_agree:1")
        await on.until(lambda: bot.stars == 0)
        await on.until(lambda: money_told(on.ann)[-2:] == ["vip.refund_owed", "vip.refunded"])

    play_staff(store, scene, CarefulShop)


class ShopWithASum(Shop):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.rules = msgspec.structs.replace(self.rules, refund_second_above=400)


@pytest.mark.parametrize("store", ["memory", SERVERS])
def test_several_small_refunds_by_one_member_need_a_second_one_as_one_large_refund_does(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        sue, olga = await on.hire(Role.SUPPORT), await on.hire(Role.OWNER)
        bots = []
        for phone in (on.ann, on.bob):
            assert await pays(on, phone, await invoice_for(on, phone)) == "paid"
            code = await code_of_purchase(on, phone)
            bots.append(on.world.state.bots[phone.bot])
            sue.write(f"/purchase {code}")
            for data in (f"purchase_why:{code}", f"purchase_sure:{code}.twice", f"purchase_do:{code}.twice"):
                await on.quiet()
                tap(sue, data)
            await on.quiet()
            await asyncio.sleep(60.0)
        assert [bot.stars for bot in bots] == [0, PASS.stars]
        tap(olga, "approval_agree:1")
        await on.until(lambda: bots[1].stars == 0)

    play_staff(store, scene, ShopWithASum)


async def subscribed(on: StaffStage) -> Subscription:
    """Ann subscribes."""
    on.ann.write("/vip")
    await on.quiet()
    tap(on.ann, "vip_buy:monthly")
    await on.quiet()
    *_, offer = on.ann.messages().values()
    payment = on.world.phones.pay_link(on.ann.id, offer["reply_markup"]["inline_keyboard"][0][0]["url"])
    while payment.status == "pending":
        await asyncio.sleep(0.1)
    await on.quiet()
    (subscription,) = on.world.state.subscriptions.values()
    return subscription


def test_refunding_a_renewal_ends_the_subscription_at_telegram_too() -> None:
    async def scene(on: StaffStage) -> None:
        subscription = await subscribed(on)
        code = await code_of_purchase(on, on.ann)
        assert not (await on.request(RefundAsked(code, RefundReason.MISTAKE))).refused
        await on.until(lambda: subscription.cancelled and on.world.state.bots[on.ann.bot].stars == 0)

    play_staff("memory", scene, Shop)


@pytest.mark.parametrize("store", ["memory", SERVERS])
@HISTORIES
def test_closing_a_bot_cancels_what_telegram_would_go_on_charging_for_it(store: str, history: str) -> None:
    async def scene(on: StaffStage) -> None:
        subscription = await subscribed(on)
        closing, sister = on.ann.bot, next(bot for bot in on.bots if bot != on.ann.bot)
        assert not (await on.request(DrainAsked(closing, sister, "the_sister_bot"))).refused
        await on.after(history)
        await on.until(lambda: subscription.cancelled and subscription.by_bot)
        await on.until(lambda: "vip.sub_bot_closes" in money_told(on.ann))
        assert await vip_until(on, on.ann) > on.place.clock.now() + 29 * 86_400.0, "what is paid for stays"
        await asyncio.sleep(200.0)
        assert money_told(on.ann).count("vip.sub_bot_closes") == 1

    play_staff(store, scene, Shop)


@pytest.mark.parametrize("store", [FILE, SERVERS])
def test_support_reads_what_was_sold_and_what_the_bot_owes(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        sue = await on.hire(Role.SUPPORT)
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        await code_of_purchase(on, on.ann)
        sue.write("/money")
        await on.quiet()
        said = shown(sue)[-1]
        assert "month: 1 sold, ⭐ 250 · gifts: 0 · refunds: 0, ⭐ 0" in said
        name = on.world.state.bots[on.ann.bot].username
        assert f"@{name}: ⭐ 250 can't be withdrawn yet · VIP days owed: 30 · subscriptions: 0" in said
        assert said.endswith("No refund is waiting.")

    play_staff(store, scene, Shop)


@pytest.mark.parametrize("store", ["memory", FILE, SERVERS])
@HISTORIES
def test_a_buyer_asks_the_team_about_a_payment_and_gets_one_answer(store: str, history: str) -> None:
    async def scene(on: StaffStage) -> None:
        sue = await on.hire(Role.SUPPORT)
        assert await pays(on, on.ann, await invoice_for(on, on.ann)) == "paid"
        purchase = await code_of_purchase(on, on.ann)
        on.ann.write("/paysupport I paid twice, please look")
        await on.quiet()
        await asyncio.sleep(2.0)
        on.ann.write("/paysupport and one more thing")
        await on.quiet()
        assert money_told(on.ann)[-1] == "vip.case_added"
        await asyncio.sleep(2.0)
        await on.after(history)
        sue.write("/payments")
        await on.quiet()
        (case,) = (button.split(" ")[0] for button in buttons(sue))
        tap(sue, f"payment_see:{case}")
        await on.until(lambda: "I paid twice, please look" in shown(sue)[-1])
        assert re.search(r"please look\n\n\d{4}-\d\d-\d\d \d\d:\d\d UTC\nand one more thing", shown(sue)[-1])
        assert [button.endswith(purchase) for button in buttons_of(sue, case)] == [True]
        sue.write(f"/answer {case} We see <one> payment only.")
        await on.until(lambda: money_told(on.ann)[-1:] == ["vip.case_answer"])
        *_, told = on.ann.messages().values()
        assert told["text"].endswith("\n\nWe see <one> payment only.")
        sue.write("/payments")
        await on.quiet()
        assert shown(sue)[-1] == "No question about payments is open."
        await asyncio.sleep(60.0)
        assert money_told(on.ann).count("vip.case_answer") == 1

    play_staff(store, scene, Shop)


def buttons_of(phone: Phone, words: str) -> list[str]:
    """The labels on the latest message that has these words."""
    found = [each for each in phone.messages().values() if words in each.get("text", "")]
    rows = found[-1].get("reply_markup", {}).get("inline_keyboard", ())
    return [button["text"] for row in rows for button in row]
