"""Reports through the whole app: thirty who act together do not restrict an honest person, and an offender is soon
restricted, if three in ten report them."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from passerby.domain.sanctions import binding
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Gender, Met, Participant, Profile
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.staff.cases.measures import rule
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stage import Phone
from tests.scenario.stores import FILE

DAY_S = 86_400.0
APART_S = 120.0
"""Between two chats of the accused."""


def old_hand(on: StaffStage, bot: BotId, known_for_s: float) -> Phone:
    """Add a person who has been here for some time, and has had chats with others."""
    name = f"Person{len(on.people)}"
    person = on.world.add_person(name, f"{name}_name".lower())
    on.world.chat(on.world.state.bots[bot], person.id).started = True
    since = on.place.clock.now() - known_for_s
    before = tuple(Met(PersonId(7_000_000_000 + 10 * person.id + nth), since) for nth in range(4))
    profile = Profile(since, 30, since, Gender.UNSAID, "en")
    facts = Participant(PersonId(person.id), 1, bot, (bot,), profile, seen_at=since, recent=before)
    on.records_place.know(facts)
    on.people.append(phone := Phone(on.world, person.id, bot))
    return phone


async def chat(on: StaffStage, one: Phone, other: Phone) -> None:
    await on.introduce(one, other)
    other.write("hello")
    await on.quiet()


async def report(on: StaffStage, reporter: Phone, reason: str = "rude") -> None:
    """They report the chat that they are in, and the rule looks at all cases."""
    reporter.write("/report")
    await on.quiet()
    number, message = list(reporter.messages().items())[-1]
    for row, labels in enumerate(message["reply_markup"]["inline_keyboard"]):
        for column, button in enumerate(labels):
            if button["callback_data"].endswith(f".{reason}"):
                on.world.phones.press(reporter.id, reporter.bot, number, row, column)
    await on.quiet()


async def looked_at(on: StaffStage, filed: int) -> None:
    """The rule looks as soon as so many reports are on record."""
    await on.until(lambda: len(on.records_place.complaints()) >= filed)
    now = on.place.clock.now()
    await on.staff.measure(lambda file: rule(file, now), now)
    await on.quiet()


def restrictions(on: StaffStage, phone: Phone) -> Sequence[tuple[SanctionKind, Reason]]:
    known = on.records_place.person(phone.id)
    return [(each.kind, each.reason) for each in binding(known, on.place.clock.now())]


@pytest.mark.long
@pytest.mark.parametrize("style", ["recruits", "friends"])
def test_a_ring_of_thirty_does_not_restrict_somebody_whom_a_stranger_reports_too(style: str) -> None:
    """*Recruits* have just come, all by one bot. *Friends* have been here for months and have met each other."""

    async def scene(on: StaffStage) -> None:
        for phone in (on.ann, on.bob):
            phone.write("/stop")
        await on.quiet()
        honest = old_hand(on, on.bots[0], 60 * DAY_S)
        stranger = old_hand(on, on.bots[1], 20 * DAY_S)
        if style == "recruits":
            ring = [on.join(on.bots[1]) for _ in range(30)]
        else:
            ring = [old_hand(on, on.bots[nth % 2], (30 + nth) * DAY_S) for nth in range(30)]
            for one, other in pairwise(ring):
                await chat(on, one, other)
                one.write("/stop")
                await on.quiet()
        for filed, reporter in enumerate([*ring, stranger], 1):
            await chat(on, reporter, honest)
            await report(on, reporter)
            await looked_at(on, filed)
            await on.place.elapse(APART_S)
        assert restrictions(on, honest) == []
        assert "sanctions.letter" not in honest.told()

    play_staff(FILE, scene)


@pytest.mark.long
def test_an_offender_whom_three_in_ten_report_is_restricted_within_ten_chats() -> None:
    """The rule itself is tested in `tests/domain/test_cases.py`."""

    async def scene(on: StaffStage) -> None:
        for phone in (on.ann, on.bob):
            phone.write("/stop")
        await on.quiet()
        offender = old_hand(on, on.bots[0], 5 * DAY_S)
        filed = 0
        for nth in range(10):
            partner = old_hand(on, on.bots[nth % 2], (3 + 9 * nth) * DAY_S)
            await chat(on, partner, offender)
            if nth % 3 == 0:
                filed += 1
                await report(on, partner)
                await looked_at(on, filed)
            else:
                partner.write("/stop")
                await on.quiet()
            if restrictions(on, offender):
                break
            await on.place.elapse(APART_S)
        await on.until(lambda: "sanctions.letter" in offender.told())
        assert restrictions(on, offender) == [(SanctionKind.SLOW, Reason.RUDE)]
        assert filed == 3

    play_staff(FILE, scene)
