"""The staff bot, played by its phones: joining, roles, buttons, alerts; kills and a second worker in between."""

import asyncio
from typing import Any

import pytest

from passerby.domain.audit import first_broken
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff import Role, StaffId
from passerby.kernel.staff_requests import LiftAsked, RevocationAsked, RoleAsked, SanctionAsked
from passerby.kernel.text import text
from tests.scenario.matrix import HISTORIES, over_pairs
from tests.scenario.staff_stage import StaffStage, code_of, play_staff, tap
from tests.scenario.stage import Phone
from tests.scenario.stores import SERVERS

on_both = pytest.mark.parametrize("store", ["memory", SERVERS])

NOT_STAFF = "This bot is for the people who run the service."
USELESS = "This link doesn't work. It may be too old or already used. Ask for a new one."


def shown(phone: Phone) -> list[str]:
    """The staff bot's messages, as they look now."""
    _, held = phone.world.phones.view(phone.id, phone.bot)
    return [one.message["text"] for one in held if not one.outgoing]


def buttons(phone: Phone) -> list[str]:
    """The labels on the latest message."""
    *_, latest = phone.messages().values()
    rows = latest.get("reply_markup", {}).get("inline_keyboard", ())
    return [button["text"] for row in rows for button in row]


async def team(on: StaffStage) -> list[tuple[int, str]]:
    return [(each.number, each.role.value) for each in await on.staff.team()]


async def audited(on: StaffStage) -> list[tuple[int | None, str, str]]:
    rows = list(await on.staff.audit(0, 1000))
    assert first_broken(rows, None) is None  # type: ignore[arg-type]
    return [(row.actor, row.action, row.subject) for row in rows]


@on_both
@HISTORIES
def test_an_owner_joins_by_a_link_once_and_it_is_in_the_audit(store: str, history: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann, eve = on.newcomer(), on.newcomer()
        secret = await on.invite(Role.OWNER, "Ann")
        await on.after(history)
        ann.write(f"/start {secret}")
        await on.quiet()
        assert shown(ann)[-1] == "Welcome to the team! Your role: owner. /help shows what you can do."
        eve.write(f"/start {secret}")
        await on.quiet()
        assert shown(eve) == [USELESS]
        assert await team(on) == [(1, "owner")]
        assert await audited(on) == [(0, "team.invited", ""), (1, "team.joined", "#1")]
        ann.write(f"/start {secret}")
        await on.quiet()
        assert shown(ann)[-1].startswith("You're in the team already: #1 Ann – owner.")

    play_staff(store, scene)


@on_both
def test_wrong_and_foreign_links_open_nothing(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        eve = on.newcomer()
        for words in ("/start", "/help", "/staff", "hello"):
            eve.write(words)
            await on.quiet()
            assert shown(eve)[-1] == NOT_STAFF
        secret = await on.invite(Role.OWNER)
        for wrong in ("0" * 32, secret[:-1], secret.upper(), f"{secret}0", "ref_abc"):
            eve.write(f"/start {wrong}")
            await on.quiet()
            assert shown(eve)[-1] == USELESS
        assert await team(on) == []
        assert await audited(on) == [(0, "team.invited", "")]

    play_staff(store, scene)


def test_a_link_works_for_ten_minutes() -> None:
    async def scene(on: StaffStage) -> None:
        eve, bob = on.newcomer(), on.newcomer()
        secret, other = await on.invite(Role.OWNER), await on.invite(Role.SUPPORT)
        await asyncio.sleep(590.0)
        bob.write(f"/start {other}")
        await on.quiet()
        await asyncio.sleep(11.0)
        eve.write(f"/start {secret}")
        await on.quiet()
        assert shown(eve) == [USELESS]
        assert await team(on) == [(1, "support")]

    play_staff("memory", scene)


def test_an_invite_that_a_member_opens_stays_open_for_somebody_else() -> None:
    async def scene(on: StaffStage) -> None:
        ann, bob = await on.hire(Role.SUPPORT), on.newcomer()
        secret = await on.invite(Role.OWNER)
        ann.write(f"/start {secret}")
        await on.quiet()
        assert await team(on) == [(1, "support")]
        bob.write(f"/start {secret}")
        await on.quiet()
        assert await team(on) == [(1, "support"), (2, "owner")]

    play_staff("memory", scene)


@on_both
def test_an_owner_changes_a_role_and_removes_a_member_with_buttons(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann = await on.hire(Role.OWNER, "Ann")
        bob = await on.hire(Role.MODERATOR, "Bob", "de")
        assert shown(ann)[-1] == "#2 Bob has joined the team. Role: moderator."
        ann.write("/staff")
        await on.quiet()
        assert shown(ann)[-1] == "The team\n#1 Ann – owner\n#2 Bob – moderator"
        assert buttons(ann) == ["#1 Ann", "#2 Bob"]
        messages = len(ann.messages())
        tap(ann, "staff_member:2")
        await on.quiet()
        assert buttons(ann) == ["owner", "admin", "support", "analyst", "🚪 Remove from the team", "« Back"]
        tap(ann, "staff_role:2.admin")
        await on.quiet()
        assert shown(ann)[-1] == "The team\n#1 Ann – owner\n#2 Bob – admin"
        assert shown(bob)[-1] == "Deine Rolle ist jetzt: Administration."
        tap(ann, "staff_member:2")
        await on.quiet()
        tap(ann, "staff_revoke:2")
        await on.quiet()
        assert await team(on) == [(1, "owner"), (2, "admin")], "it asks first"
        tap(ann, "staff_sure:2")
        await on.quiet()
        assert shown(ann)[-1] == "The team\n#1 Ann – owner"
        assert len(ann.messages()) == messages, "the buttons change their message"
        assert shown(bob)[-1] == "Du gehörst nicht mehr zum Team."
        bob.write("/whoami")
        await on.quiet()
        assert shown(bob)[-1] == "Dieser Bot ist für die Leute, die den Dienst betreiben."
        assert (await audited(on))[-2:] == [(1, "team.role_changed", "#2"), (1, "team.revoked", "#2")]

    play_staff(store, scene)


def test_nobody_acts_on_or_gives_a_rank_above_their_own() -> None:
    async def scene(on: StaffStage) -> None:
        ann, adam = await on.hire(Role.OWNER), await on.hire(Role.ADMIN)
        mia = await on.hire(Role.MODERATOR)
        adam.write("/staff")
        await on.quiet()
        tap(adam, "staff_member:1")
        await on.quiet()
        assert buttons(adam) == ["« Back"], "an owner is above an admin"
        tap(adam, "staff_list:")
        await on.quiet()
        tap(adam, "staff_member:3")
        await on.quiet()
        assert "owner" not in buttons(adam)
        for data in ("staff_role:1.analyst", "staff_sure:1", "staff_role:3.owner", "staff_role:2.owner"):
            await forge(on, adam, data)
        mia.write("/alerts")
        await on.quiet()
        await forge(on, mia, "staff_role:3.owner")
        mia.write("/staff")
        await on.quiet()
        assert shown(mia)[-1] == "Your role doesn't allow this."
        assert await team(on) == [(1, "owner"), (2, "admin"), (3, "moderator")]
        assert len(shown(ann)) == 3, "only the welcome and two newcomers"

    play_staff("memory", scene)


async def forge(on: StaffStage, phone: Phone, data: str) -> None:
    """Press a button that the bot never showed, by changing one that it did show."""
    number, message = next(
        (number, one) for number, one in reversed(phone.messages().items()) if one.get("reply_markup")
    )
    message["reply_markup"]["inline_keyboard"][0][0]["callback_data"] = data
    phone.world.phones.press(phone.id, phone.bot, number, 0, 0)
    await on.quiet()


@on_both
def test_the_last_owner_can_neither_be_removed_nor_lose_the_role(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        await on.hire(Role.OWNER)
        await on.hire(Role.ADMIN)
        for asked in (RevocationAsked(StaffId(1)), RoleAsked(StaffId(1), Role.ANALYST)):
            done = await on.request(asked)
            assert (done.refused, done.reply) == (True, text("team.last_owner"))
        assert not (await on.request(RoleAsked(StaffId(2), Role.OWNER))).refused
        assert not (await on.request(RevocationAsked(StaffId(1)))).refused
        assert await team(on) == [(2, "owner")]

    play_staff(store, scene)


@on_both
def test_alerts_reach_those_who_want_them_and_change_in_place(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann, bob = await on.hire(Role.OWNER), await on.hire(Role.MODERATOR, language="de")
        ida = await on.hire(Role.ANALYST)
        for phone in (ann, bob, ida):
            phone.write("/alerts on")
            await on.quiet()
        assert shown(ida)[-1] == "Your role doesn't allow this."
        assert on.app.staff_bot is not None
        board = on.app.staff_bot.board
        posts = await board.post(text("team.stranger"))
        assert [each.person for each in posts] == [ann.id, bob.id]
        assert (shown(ann)[-1], shown(bob)[-1]) == (
            NOT_STAFF,
            "Dieser Bot ist für die Leute, die den Dienst betreiben.",
        )
        await on.kill_and_start()
        assert on.app.staff_bot is not None
        await on.app.staff_bot.board.revise(posts, text("team.not_allowed"))
        assert (shown(ann)[-1], shown(bob)[-1]) == ("Your role doesn't allow this.", "Deine Rolle erlaubt das nicht.")
        tap(bob, "staff_alerts:off")
        await on.quiet()
        assert [each.person for each in await on.app.staff_bot.board.post(text("team.stranger"))] == [ann.id]

    play_staff(store, scene)


@on_both
def test_a_kill_after_the_decision_and_before_the_answer_repeats_only_the_answer(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann = on.newcomer()
        secret = await on.invite(Role.OWNER)
        decide, has_decided = on.staff.decide, asyncio.Event()

        async def never_return(*args: Any, **more: Any) -> Any:
            await decide(*args, **more)
            has_decided.set()
            await asyncio.Event().wait()

        on.staff.decide = never_return  # type: ignore[method-assign]
        ann.write(f"/start {secret}")
        await asyncio.wait_for(has_decided.wait(), 60.0)
        on.staff.decide = decide  # type: ignore[method-assign]
        assert await team(on) == [(1, "owner")]
        assert shown(ann) == []
        await on.kill_and_start()
        await on.until(lambda: bool(shown(ann)))
        await on.quiet()
        assert shown(ann) == ["Welcome to the team! Your role: owner. /help shows what you can do."]
        assert await audited(on) == [(0, "team.invited", ""), (1, "team.joined", "#1")]

    play_staff(store, scene)


def test_while_the_records_are_away_a_command_waits_and_is_then_answered() -> None:
    async def scene(on: StaffStage) -> None:
        ann = await on.hire(Role.OWNER)
        on.staff.lost = True  # type: ignore[attr-defined]
        ann.write("/whoami")
        await asyncio.sleep(30.0)
        assert len(shown(ann)) == 1
        on.staff.lost = False  # type: ignore[attr-defined]
        await on.until(lambda: len(shown(ann)) > 1)
        await on.quiet()
        assert shown(ann)[-1].startswith("You're #1 – owner.\nYou can: manage the team, ")

    play_staff("memory", scene)


def test_the_public_bots_know_no_staff_command_and_the_staff_bot_knows_no_other() -> None:
    async def scene(on: StaffStage) -> None:
        await on.hire(Role.OWNER)
        staff = on.people[-1]
        public = Phone(on.world, staff.id, on.ann.bot)
        for command in ("/staff", "/whoami", "/alerts on"):
            on.ann.write(command)
            await on.quiet()
            assert on.ann.told()[-1] == "chat.no_such_command", command
        for command in ("/search", "/profile", "/stop"):
            staff.write(command)
            await on.quiet()
            assert shown(staff)[-1].startswith("What you can do here\n")
        assert public.messages() == {}

    play_staff("memory", scene)


@on_both
def test_a_member_who_chats_on_a_public_bot_keeps_the_two_apart(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        await on.introduce(on.ann, on.bob)
        secret = await on.invite(Role.MODERATOR)
        there = Phone(on.world, on.ann.id, on.staff_bot)
        there.write(f"/start {secret}")
        there.write("this is for the team only")
        await on.quiet()
        assert on.bob.got() == []
        on.ann.write("hello Bob")
        on.bob.write("hello Ann")
        await on.quiet()
        assert [message["text"] for message in on.bob.got()] == ["hello Bob"]
        assert [message["text"] for message in on.ann.got()] == ["hello Ann"]
        assert "hello Ann" not in "".join(shown(there))

    play_staff(store, scene)


@over_pairs
def test_a_moderator_suspends_a_person_by_code_and_the_partner_reads_only_that_they_left(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        mia = await on.hire(Role.MODERATOR)
        await on.introduce(on.ann, on.bob)
        code = await code_of(on, on.ann)
        mia.write(f"/person {code}")
        await on.quiet()
        assert shown(mia)[-1].startswith(f"Person {code}\nAge: 30 · Languages: en\n")
        plain = code.replace("-", "")
        for data in (f"person_kind:{plain}", f"person_why:{plain}.suspended", f"person_long:{plain}.suspended.rude"):
            tap(mia, data)
            await on.quiet()
        before = len(on.bob.told())
        tap(mia, f"person_do:{plain}.suspended.rude.1")
        await on.quiet()
        await on.until(lambda: on.ann.told()[-1] == "sanctions.letter")
        await on.quiet()
        assert on.bob.told()[before:] == ["chat.partner_left", "after_chat.ask"]
        on.ann.write("/search")
        await on.quiet()
        assert on.ann.told()[-1] == "sanctions.barred"
        assert (await audited(on))[-2:] == [
            (1, "person.looked_at", f"code {code}"),
            (1, "person.sanctioned", f"code {code}"),
        ]
        await on.kill_and_start()
        on.ann.write("hello?")
        await on.quiet()
        assert on.ann.told()[-1] == "sanctions.barred"
        for phone in (on.ann, on.bob):
            assert str(phone.id) not in "".join(shown(mia))

    play_staff(store, scene)


@over_pairs
def test_a_suspension_ends_by_itself_and_an_order_waits_for_the_fleet(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        code = await code_of(on, on.ann)
        await on.stop()
        await on.request(SanctionAsked(code, SanctionKind.BANNED, Reason.SPAM, hours=0.05))
        await on.request(SanctionAsked(code, SanctionKind.WARNING, Reason.SPAM))
        await on.start()
        await on.until(lambda: on.ann.told()[-2:] == ["sanctions.letter"] * 2)
        on.ann.write("/search")
        await on.quiet()
        assert on.ann.told()[-1] == "sanctions.barred"
        await asyncio.sleep(181.0)
        on.ann.write("/search")
        await on.quiet()
        assert on.ann.told()[-1] == "search.begun"
        found = on.records_place.person(on.ann.id).sanctions
        assert found[-1].kind is SanctionKind.WARNING, "it lasts a day"
        await on.request(LiftAsked(code, found[-1].id))
        await on.until(lambda: on.ann.told()[-1] == "sanctions.lifted")

    play_staff(store, scene)


@over_pairs
def test_a_ban_for_good_binds_once_a_second_member_agrees_also_if_the_fleet_dies_in_between(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        ann, cat = await on.hire(Role.OWNER, "Ann"), await on.hire(Role.ADMIN, "Cat")
        code = await code_of(on, on.ann)
        plain = code.replace("-", "")
        ann.write(f"/person {code}")
        await on.quiet()
        for data in ("kind:{}", "why:{}.banned", "long:{}.banned.scam", "do:{}.banned.scam.0"):
            tap(ann, f"person_{data.format(plain)}")
            await on.quiet()
        assert "needs a second member" in shown(ann)[-1]
        await on.until(lambda: on.ann.told()[-1] == "sanctions.letter")
        await on.kill_and_start()
        tap(cat, "approval_agree:1")
        await on.quiet()
        for phone in (ann, cat):
            assert shown(phone)[-1].endswith("approved by #2 and carried out.")
            assert str(on.ann.id) not in "".join(shown(phone))
        await on.until(lambda: on.ann.told()[-2:] == ["sanctions.letter"] * 2)
        await asyncio.sleep(1.0)
        (ban,) = on.records_place.person(on.ann.id).sanctions
        assert (ban.kind, ban.until, ban.by) == (SanctionKind.BANNED, None, 1)
        actions = [action for _, action, _ in await audited(on)]
        assert actions[-3:] == ["approval.asked", "approval.given", "person.sanctioned"]

    play_staff(store, scene)


@over_pairs
def test_support_has_a_copy_and_an_erasure_done_for_a_person_who_shows_a_code(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        sam = await on.hire(Role.SUPPORT)
        code = await code_of(on, on.ann)
        plain = code.replace("-", "")
        sam.write(f"/person {code}")
        await on.until(lambda: code in shown(sam)[-1])
        tap(sam, f"person_copy:{plain}")
        await on.until(lambda: any("document" in each for each in on.ann.messages().values()))
        assert not any("document" in each for each in sam.messages().values()), "the file is the person's"
        sam.write(f"/person {code}")
        await on.until(lambda: code in shown(sam)[-1])
        tap(sam, f"person_erase:{plain}")
        await on.quiet()
        tap(sam, f"person_gone:{plain}")
        await on.until(lambda: on.ann.told()[-1] == "my_data.erase_set")
        on.ann.press("keep")
        await on.until(lambda: on.ann.told()[-1] == "my_data.kept")
        assert [row[1] for row in (await audited(on))[-2:]] == ["person.looked_at", "person.erasure_ordered"]
        assert str(on.ann.id) not in "".join(shown(sam))

    play_staff(store, scene)
