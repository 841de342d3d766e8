"""From a report to an outcome and an appeal, through the whole app: the phones of reporters, the accused and staff."""

import asyncio

from passerby.domain.audit import first_broken
from passerby.kernel.participant import Searching
from passerby.kernel.staff import Role
from passerby.staff.cases.measures import rule
from tests.scenario.matrix import HISTORIES, HOMES, over_pairs
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stage import Phone
from tests.scenario.test_staff import buttons, shown

RUDE = "rude-canary-1"


def tap(phone: Phone, action: str) -> None:
    """Press the latest button whose data begins with this."""
    phone.press(action)


async def reported(on: StaffStage, reason: str = "rude") -> None:
    """Bob was rude, and Ann reports him with his message."""
    await on.introduce(on.ann, on.bob)
    on.bob.write(RUDE)
    await on.quiet()
    on.ann.write("/report", reply_to=on.ann.got()[-1]["message_id"])
    await on.quiet()
    number = max(on.ann.messages())
    rows = on.ann.messages()[number]["reply_markup"]["inline_keyboard"]
    for row, labels in enumerate(rows):
        for column, button in enumerate(labels):
            if button["callback_data"].endswith(f".{reason}"):
                on.ann.world.phones.press(on.ann.id, on.ann.bot, number, row, column)
    await on.quiet()
    await asyncio.sleep(2.0)  # let the recorder finish


async def audited(on: StaffStage) -> list[str]:
    rows = list(await on.staff.audit(0, 1000))
    assert first_broken(rows, None) is None  # type: ignore[arg-type]
    return [row.action for row in rows]


@over_pairs
@HOMES
@HISTORIES
def test_a_report_leads_to_a_sanction_and_an_appeal_to_another_moderator_undoes_it(
    store: str, home: bool, history: str
) -> None:
    async def scene(on: StaffStage) -> None:
        mia, max_ = await on.hire(Role.MODERATOR), await on.hire(Role.MODERATOR)
        await reported(on)
        mia.write("/cases")
        await on.quiet()
        assert "Other reports: 1" in shown(mia)[-1]
        mia.write("/next")
        await on.quiet()
        assert "accused" in shown(mia)[-1]
        assert str(on.bob.id) not in repr(mia.messages())
        max_.write("/next")
        await on.quiet()
        assert shown(max_)[-1].startswith("There's no case for you now.")
        await on.after(history)
        tap(mia, "case_see")
        await on.quiet()
        assert shown(mia)[-1].endswith(RUDE)
        tap(mia, "case_kind")
        await on.quiet()
        number = max(n for n, m in mia.messages().items() if "reply_markup" in m)
        tap(mia, "case_why")  # the first one: a warning, for which nobody chooses a length
        await on.quiet()
        assert number
        await on.after(history)
        tap(mia, "case_do")
        tap(mia, "case_do")
        await on.until(lambda: "sanctions.letter" in on.bob.told())
        await on.quiet()
        assert on.bob.told().count("sanctions.letter") == 1, "a double press orders one sanction"
        await on.until(lambda: "safety.acted" in on.ann.told())
        on.bob.write("/appeal")
        await on.quiet()
        await asyncio.sleep(2.0)
        mia.write("/next")
        await on.quiet()
        assert shown(mia)[-1].startswith("There's no case for you now."), "it is her own decision"
        max_.write("/next")
        await on.quiet()
        assert "Appeal" in shown(max_)[-1]
        await on.after(history)
        tap(max_, "case_overturn")
        await on.until(lambda: "sanctions.overturned" in on.bob.told())
        assert on.bob.told().count("sanctions.overturned") == 1
        done = await audited(on)
        assert done[-4:] == ["case.decided", "case.taken", "appeal.decided"][-4:] or "appeal.decided" in done
        assert done.count("case.decided") == 1
        assert "evidence.opened" in done
        assert "canary" not in repr(await on.staff.audit(0, 1000))

    play_staff(store, scene, home=home)


@over_pairs
@HOMES
def test_two_moderators_never_work_on_one_case_and_a_ban_for_good_needs_both(store: str, home: bool) -> None:
    async def scene(on: StaffStage) -> None:
        ann, eve = await on.hire(Role.OWNER), await on.hire(Role.ADMIN)
        await reported(on, "threat")
        ann.write("/next")
        eve.write("/next")
        await on.quiet()
        holders = [each for each in (ann, eve) if "accused" in shown(each)[-1]]
        assert len(holders) == 1, "one of them has it"
        one = holders[0]
        other = eve if one is ann else ann
        tap(one, "case_kind")
        await on.quiet()
        number = max(n for n, m in one.messages().items() if "reply_markup" in m)
        _press(one, number, ".banned")
        await on.quiet()
        tap(one, "case_long")
        await on.quiet()
        _press(one, number, ".0")
        await on.until(lambda: "sanctions.letter" in on.bob.told())
        one.write("/next")
        await on.quiet()
        assert shown(one)[-1].startswith("There's no case for you now."), "nobody confirms what they proposed"
        other.write("/next")
        await on.quiet()
        assert "A ban for good is proposed" in shown(other)[-1]
        assert "⛔️ Confirm the ban" in buttons(other)
        tap(other, "case_confirm")
        await on.until(lambda: on.bob.told().count("sanctions.letter") == 2)
        assert "It has no end date." in on.bob.messages()[max(on.bob.messages())]["text"]

    play_staff(store, scene, home=home)


def _press(phone: Phone, number: int, ending: str) -> None:
    rows = phone.messages()[number]["reply_markup"]["inline_keyboard"]
    for row, labels in enumerate(rows):
        for column, button in enumerate(labels):
            if button["callback_data"].endswith(ending):
                phone.world.phones.press(phone.id, phone.bot, number, row, column)
                return
    raise AssertionError(ending)


@over_pairs
@HOMES
def test_a_report_of_age_parts_the_accused_from_adults_and_minors_until_somebody_has_looked(
    store: str, home: bool
) -> None:
    async def scene(on: StaffStage) -> None:
        async def pool() -> str:
            facts = await on.store.load(on.bob.id)
            assert facts is not None
            assert isinstance(facts.me.state, Searching)
            return facts.me.state.ticket.pool

        mia = await on.hire(Role.MODERATOR)
        await reported(on, "underage")
        on.bob.write("/search")
        await on.quiet()
        assert await pool() == "adults"
        now = on.place.clock.now()
        assert await on.staff.measure(lambda file: rule(file, now), now) == 1
        await on.until(lambda: on.bob.told()[-1] == "sanctions.letter")
        assert await pool() == "adults?"
        await on.kill_and_start()
        mia.write("/cases")
        await on.quiet()
        assert "Minors and threats: 1" in shown(mia)[-1]
        mia.write("/next")
        await on.quiet()
        tap(mia, "case_dismiss")
        await on.until(lambda: on.bob.told()[-1] == "sanctions.overturned")
        assert await pool() == "adults"

    play_staff(store, scene, home=home)
