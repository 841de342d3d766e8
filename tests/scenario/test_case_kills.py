"""Whenever the process dies on the way from a report to a ban, and from an appeal to its end: nothing is lost, and
nothing happens twice."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import pytest

from passerby.domain.audit import first_broken
from passerby.domain.karma import karma_now
from passerby.domain.sanctions import binding
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Appeal, SanctionKind
from passerby.kernel.staff import Role, StaffOrder
from passerby.ports.staff import StaffRecords
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.staff.duty import StaffConfig
from passerby.staff.cases.measures import rule
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stage import Phone
from tests.scenario.steps import SteppedStage, Steps
from tests.scenario.stores import FILE, FLEET
from tests.scenario.test_staff import shown
from tests.simulation.process import KEY
from tests.size import in_full

EVERY = 9
"""Between two kills of a run. An update that ends the process twice is put aside, so kills must not be closer."""

RUDE = ("rude-canary-1", "rude-canary-2")
ONCE = ("case.measure", "case.ban_proposed", "case.decided", "appeal.decided")


async def scene(on: SteppedStage, steps: Steps) -> None:
    """Bob is reported with two messages; a rule parts him; a ban for good is proposed, confirmed and overturned."""
    mia, eve = await on.hire(Role.OWNER), await on.hire(Role.ADMIN)
    await on.introduce(on.ann, on.bob)
    for words in RUDE:
        on.bob.write(words)
    await on.quiet()
    copies = [each["message_id"] for each in on.ann.got()]
    karma = on.records_place.person(on.bob.id).karma
    on.steps = steps
    on.ann.write("/report", reply_to=copies[0])
    await on.quiet()
    press(on.ann, ".underage")
    await on.quiet()
    on.ann.write("this one, too", reply_to=copies[1])
    await on.quiet()
    await on.until(lambda: len(on.records_place.evidence()) == len(RUDE))
    now = on.place.clock.now()
    assert await on.staff.measure(lambda file: rule(file, now), now) == 1
    await on.until(lambda: "sanctions.letter" in on.bob.told())

    mia.write("/next")
    await on.quiet()
    mia.press("case_see")
    await on.quiet()
    assert any(RUDE[0] in each for each in shown(mia)), shown(mia)
    mia.press("case_kind")
    await on.quiet()
    press(mia, f".{SanctionKind.BANNED}")
    await on.quiet()
    mia.press("case_long")
    await on.quiet()
    press(mia, ".0")
    press(mia, ".0")
    await on.quiet()
    await on.until(lambda: held(on)[-1:] == [SanctionKind.SUSPENDED])
    eve.write("/next")
    await on.quiet()
    eve.press("case_confirm")
    eve.press("case_confirm")
    await on.quiet()
    await on.until(lambda: held(on)[-1:] == [SanctionKind.BANNED])
    assert held(on) == [SanctionKind.BANNED], "the case leads to one sanction that binds"
    await on.until(lambda: "safety.acted" in on.ann.told())

    on.bob.write("/appeal")
    await on.quiet()
    await on.until(lambda: known(on).sanctions[-1].appeal is Appeal.OPEN)
    mia.write("/next")
    await on.quiet()
    mia.press("case_overturn")
    await on.quiet()
    await on.until(lambda: held(on) == [])
    await on.until(lambda: "sanctions.overturned" in on.bob.told())

    assert known(on).sanctions[-1].appeal is Appeal.OVERTURNED
    assert {each.id[0] for each in known(on).sanctions} <= {"m", "i", "c"}
    at = on.place.clock.now()
    assert karma_now(known(on).karma, at) == pytest.approx(karma_now(karma, at), abs=1e-6)
    (((_, reporter), filed),) = on.records_place.complaints().items()
    assert (reporter, filed.accused) == (PersonId(on.ann.id), PersonId(on.bob.id))
    opened = [Sealer(KEY).open_evidence(row.sealed) for _, row in sorted(on.records_place.evidence().items())]
    assert [each.content.text for each in opened if each] == list(RUDE)
    rows = list(await on.staff.audit(0, 1000))
    assert first_broken(rows, None) is None  # type: ignore[arg-type]
    counts = Counter(row.action for row in rows)
    assert {action: counts[action] for action in ONCE} == dict.fromkeys(ONCE, 1)
    assert Counter(on.bob.told())["sanctions.letter"] <= 3 + len(steps.deaths), "one for each of three, and for a kill"


def known(on: SteppedStage) -> Participant:
    return on.records_place.person(on.bob.id)


def held(on: SteppedStage) -> list[SanctionKind]:
    """The sanction that binds Bob now, by the records."""
    return [each.kind for each in binding(known(on), on.place.clock.now())]


def press(phone: Phone, ending: str) -> None:
    """Press the latest button whose data ends with this."""
    for number, message in reversed(phone.messages().items()):
        for row, labels in enumerate(message.get("reply_markup", {}).get("inline_keyboard", ())):
            for column, button in enumerate(labels):
                if button["callback_data"].endswith(ending):
                    phone.world.phones.press(phone.id, phone.bot, number, row, column)
                    return
    raise AssertionError(ending)


def played(store: str, steps: Steps, kind: type[SteppedStage] = SteppedStage) -> None:
    async def kept_alive(on: StaffStage) -> None:
        assert isinstance(on, SteppedStage)
        keeper = asyncio.create_task(on.keep_alive())
        try:
            await scene(on, steps)
        finally:
            keeper.cancel()

    play_staff(store, kept_alive, kind)


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("first", in_full(range(1, EVERY + 1), 1))
def test_kills_at_every_step_of_a_report_and_a_decision_lose_nothing_and_repeat_nothing(
    first: int, before: bool
) -> None:
    steps = Steps(range(first, 10_000, EVERY), before=before)
    played(FILE, steps)
    assert len(steps.deaths) >= 3


class AwayStage(SteppedStage):
    """A dead worker is away for so long that the other one takes over."""

    away_s = 30.0


@pytest.mark.long
@pytest.mark.services
@pytest.mark.parametrize("first", [1, 4, 7])
def test_a_worker_dies_at_each_step_and_the_other_one_takes_over(first: int) -> None:
    steps = Steps(range(first, 10_000, EVERY))
    played(FLEET, steps, AwayStage)
    assert len(steps.deaths) >= 5


class ForgetfulStage(SteppedStage):
    """The planted bug: orders count as done as soon as somebody has read them."""

    patience_s = 30.0

    def staff_config(self) -> StaffConfig:
        config = super().staff_config()
        return dataclasses.replace(config, records=cast("Any", _Forgetful(config.records)))


class _Forgetful:
    def __init__(self, inner: StaffRecords) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def orders(self, limit: int) -> Sequence[tuple[int, StaffOrder]]:
        found = await self._inner.orders(limit)
        if found:
            await self._inner.orders_done([number for number, _ in found], 0.0)
        return found


class _AsSoonAsRead(Steps):
    """The app dies once: when it has read an order, before it has carried it out."""

    def __call__(self, name: str) -> bool:
        self.names = [*getattr(self, "names", ()), name]
        dies = self.names[-2:] == ["orders_done", "commit"] and not self.deaths
        self.deaths += [name] * dies
        return dies


def test_a_lost_order_is_noticed() -> None:
    with pytest.raises(TimeoutError):
        played(FILE, _AsSoonAsRead(before=True), ForgetfulStage)
