"""How people come and try it, through the whole app: where they came from and how far they got."""

import asyncio
import json

import msgspec
import pytest

from botapi_sandbox.world import payments
from passerby.kernel.ids import BotId
from passerby.kernel.journey import Step
from passerby.kernel.money import Plan
from passerby.kernel.promo import PromoCode
from passerby.kernel.rules import Rules
from tests.scenario.matrix import HOMES, over_servers
from tests.scenario.stage import Phone, Stage, play
from tests.scenario.stores import FILE, SERVERS

SOLD = Rules(plans=(Plan("month", 30, 250),), free_filters=(), idle_nudge_s=0, idle_end_s=0)
TRIAL = msgspec.structs.replace(SOLD, trial_days=3)


def newcomer(on: Stage, bot: BotId) -> Phone:
    """A person who has never written to any bot."""
    person = on.world.add_person(f"New{len(on.people)}", f"new{len(on.people)}_name")
    on.people.append(phone := Phone(on.world, person.id, bot))
    return phone


async def answers(on: Stage, phone: Phone, start: str) -> None:
    """Start by a link, and answer the first questions."""
    phone.write(start)
    await on.quiet()
    for action in ("agree", "age", "gender"):
        phone.press(action)
        await on.quiet()


async def talk(on: Stage, one: Phone, other: Phone, times: int = 5) -> None:
    for _ in range(times):
        for phone in (one, other):
            phone.write("hello there")
            await on.quiet()


@over_servers
@HOMES
def test_each_step_from_the_start_to_the_payment_is_counted_by_the_tag_of_the_first_link(
    home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        first, second = on.bots[0], on.bots[0 if home else 1]
        cem, dora = newcomer(on, first), newcomer(on, second)
        await answers(on, cem, "/start s_Spring")
        await answers(on, dora, "/start")
        dora.write("/start s_late")
        await on.introduce(cem, dora)
        await talk(on, cem, dora)
        cem.write("/vip")
        await on.quiet()
        cem.press("vip_buy")
        await on.quiet()
        invoice = max(number for number, message in cem.messages().items() if "invoice" in message)
        on.world.state.people[cem.id].stars = 1_000
        payment = on.world.phones.pay(cem.id, cem.bot, invoice)
        while payment.status == "pending":
            await asyncio.sleep(0.05)
        await on.quiet()
        await on.kill_and_start()
        await asyncio.sleep(61.0)
        await on.quiet()
        funnel = +on.records_place.funnel()
        assert funnel == {
            **dict.fromkeys([("spring", first, step) for step in Step], 1),
            **dict.fromkeys(
                [("", second, step) for step in (Step.START, Step.PROFILE, Step.SEARCH, Step.CHAT, Step.TALK)], 1
            ),
        }

    play(store, scene, home=home, rules=SOLD)


@pytest.mark.parametrize("store", [FILE])
def test_sums_say_nothing_about_who(store: str) -> None:
    async def scene(on: Stage) -> None:
        cem = newcomer(on, on.bots[0])
        await answers(on, cem, "/start s_spring")
        await asyncio.sleep(61.0)
        assert on.records_place.mentions(cem.id) == ["users"]

    play(store, scene, home=True)


@over_servers
@HOMES
def test_a_promo_code_makes_two_people_vips_and_the_third_is_too_late(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.records_place.add_promo(PromoCode("WELCOME", days=7, most_uses=2))
        cem = on.join(on.bots[0])
        for phone in (on.ann, on.bob):
            phone.write("/promo welcome")
        await on.quiet()
        await on.kill_and_start()
        cem.write("/promo welcome")
        await on.quiet()
        # The same person in another bot is the same person.
        other = Phone(on.world, on.ann.id, on.bots[1])
        on.world.chat(on.world.state.bots[other.bot], other.id).started = True
        other.write("/promo WELCOME")
        await on.quiet()
        assert [phone.told()[-1] for phone in (on.bob, cem)] == ["promo.given", "promo.redeem_used_up"]
        assert "promo.given" in on.ann.told()
        assert other.told()[-1] == "promo.redeem_mine"
        await asyncio.sleep(61.0)
        now = on.place.clock.now()
        for phone, days in ((on.ann, 7), (on.bob, 7), (cem, 0)):
            left = max(0.0, on.records_place.person(phone.id).vip_until - now) / 86_400
            assert days - 0.1 < left <= days

    play(store, scene, home=home, rules=SOLD)


async def pays_for_a_gift(on: Stage, giver: Phone) -> None:
    """Give the last partner a month, and pay for it."""
    giver.write("/gift")
    await on.quiet()
    for action in ("vip_gift_to", "vip_gift_buy"):
        giver.press(action)
        await on.quiet()
    invoice = max(number for number, message in giver.messages().items() if "invoice" in message)
    on.world.state.people[giver.id].stars = 1_000
    payment = on.world.phones.pay(giver.id, giver.bot, invoice)
    while payment.status == "pending":
        await asyncio.sleep(0.05)
    await on.quiet()


@over_servers
@HOMES
@pytest.mark.parametrize("blocked", [False, True], ids=["welcome", "blocked"])
def test_a_gift_arrives_or_its_stars_come_back_and_neither_learns_who_the_other_is(
    blocked: bool, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        on.bob.write("/block" if blocked else "/stop")
        await on.quiet()
        await pays_for_a_gift(on, on.ann)
        await on.kill_and_start()
        await asyncio.sleep(200.0)
        await on.quiet()
        giver, receiver = on.ann.told(), on.bob.told()
        left = on.records_place.person(on.bob.id).vip_until - on.place.clock.now()
        assert on.records_place.person(on.ann.id).vip_until == 0
        if blocked:
            assert giver[-2:] == ["vip.gift_back", "vip.refunded"]
            assert (left <= 0, on.world.state.people[on.ann.id].stars) == (True, 1_000)
            assert not any(key.startswith("vip.") for key in receiver)
        else:
            assert (giver[-1], receiver[-1]) == ("vip.gift_sent", "vip.gift_got")
            assert left > 29 * 86_400
        seen = {phone.id: json.dumps(phone.messages()) for phone in (on.ann, on.bob)}
        assert str(on.bob.id) not in seen[on.ann.id]
        assert str(on.ann.id) not in seen[on.bob.id]
        assert str(on.ann.id) not in on.log.getvalue()

    play(store, scene, home=home, rules=SOLD)


@pytest.mark.parametrize("store", ["memory", FILE])
def test_when_telegram_gives_the_stars_back_the_gift_ends_within_minutes(store: str) -> None:
    async def scene(on: Stage) -> None:
        on.bob.write("/stop")
        await on.quiet()
        await pays_for_a_gift(on, on.ann)
        (payment,) = [each for each in on.world.state.payments.values() if each.charge_id is not None]
        payments.refund(on.world, on.world.state.bots[payment.bot_id], payment)
        await asyncio.sleep(300.0)
        await on.quiet()
        assert on.bob.told()[-2:] == ["vip.gift_got", "vip.gift_over"]
        assert on.records_place.person(on.bob.id).vip_until <= on.place.clock.now()

    play(store, scene, home=False, rules=SOLD)


@pytest.mark.parametrize("store", ["memory", pytest.param(SERVERS, marks=[pytest.mark.services, pytest.mark.long])])
@HOMES
def test_newcomers_get_a_trial_after_their_first_real_chat_and_only_then(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        await talk(on, on.ann, on.bob, 2)
        await on.after("restarted")
        await talk(on, on.ann, on.bob, 3)
        assert "journeys.trial" not in on.ann.told(), "the count began again with the process"
        await talk(on, on.ann, on.bob, 3)
        on.ann.write("/stop")
        await on.quiet()
        await asyncio.sleep(1900.0)
        on.bob.write("/vip")
        await on.quiet()
        for phone in (on.ann, on.bob):
            assert phone.told().count("journeys.trial") == 1
        await asyncio.sleep(61.0)
        left = on.records_place.person(on.ann.id).vip_until - on.place.clock.now()
        assert 2.9 * 86_400 < left < 3 * 86_400

    play(store, scene, home=home, rules=TRIAL)


@pytest.mark.parametrize(
    "store",
    [
        "memory",
        pytest.param(FILE, marks=pytest.mark.long),
        pytest.param(SERVERS, marks=[pytest.mark.services, pytest.mark.long]),
    ],
)
def test_somebody_who_invites_a_friend_and_the_friend_get_vip_days_in_every_bot(store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/stop")
        on.ann.write("/invite")
        await on.quiet()
        *_, page = on.ann.messages().values()
        name = on.world.state.bots[on.ann.bot].username
        link = page["text"].split()[-1]
        assert link.startswith(f"https://t.me/{name}?start=r_")
        dora = newcomer(on, on.bots[1])
        await answers(on, dora, "/start " + link.partition("?start=")[2])
        for number in range(3):
            other = on.join(on.bots[number % 2])
            await on.introduce(dora, other)
            await talk(on, dora, other)
            dora.write("/stop")
            await on.quiet()
        assert "referrals.for_friend" not in dora.told(), "blocks could still come"
        await asyncio.sleep(61.0)
        await on.kill_and_start()
        await asyncio.sleep(4000.0)
        await on.quiet()
        assert on.ann.told().count("referrals.given") == 1
        assert dora.told().count("referrals.for_friend") == 1
        await asyncio.sleep(61.0)
        for phone in (on.ann, dora):
            left = on.records_place.person(phone.id).vip_until - on.place.clock.now()
            assert 1.9 * 86_400 < left < 2 * 86_400
        assert str(on.ann.id) not in json.dumps(dora.messages())
        assert str(dora.id) not in json.dumps(on.ann.messages())

    play(store, scene, home=False, rules=msgspec.structs.replace(SOLD, referral_days=2))


@pytest.mark.parametrize("store", ["memory", FILE])
def test_a_trial_comes_once_to_a_person_also_if_their_data_is_erased_in_between(store: str) -> None:
    async def scene(on: Stage) -> None:
        cem = newcomer(on, on.bots[0])
        for turn in range(2):
            await answers(on, cem, "/start")
            other = on.join(on.bots[1])
            await on.introduce(cem, other)
            await talk(on, cem, other)
            assert other.told().count("journeys.trial") == 1
            assert cem.told().count("journeys.trial") == 1, turn
            cem.write("/stop")
            await on.quiet()
            cem.write("/deleteme")
            await on.quiet()
            cem.press("erase")
            await on.quiet()
            await on.elapse(86_400.0)
            await asyncio.sleep(400.0)
            await on.quiet()
            assert cem.told()[-1] == "my_data.erased"
            assert on.records_place.mentions(cem.id) == []

    play(store, scene, home=False, rules=TRIAL)


@pytest.mark.parametrize("store", ["memory", FILE])
def test_a_promo_code_is_used_once_by_a_person_also_if_their_data_is_erased_in_between(store: str) -> None:
    async def scene(on: Stage) -> None:
        on.records_place.add_promo(PromoCode("WELCOME", days=7, most_uses=5))
        cem = newcomer(on, on.bots[0])
        for answer in ("promo.given", "promo.redeem_mine"):
            await answers(on, cem, "/start")
            cem.write("/promo welcome")
            await on.quiet()
            assert cem.told()[-1] == answer
            await asyncio.sleep(61.0)
            cem.write("/deleteme")
            await on.quiet()
            cem.press("erase")
            await on.quiet()
            await on.elapse(86_400.0)
            await asyncio.sleep(400.0)
            await on.quiet()
            assert on.records_place.mentions(cem.id) == []
        assert on.records_place.promo_uses() == {"WELCOME": 1}

    play(store, scene, home=False, rules=SOLD)
