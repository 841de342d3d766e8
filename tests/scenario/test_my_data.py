"""A copy of one's data, and its erasure, through the whole app and what phones show."""

import asyncio
import json

from passerby.domain.personal_data import SOMEBODY
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff_requests import SanctionAsked
from tests.scenario.matrix import HISTORIES, HOMES, over_everything, over_pairs
from tests.scenario.staff_stage import StaffStage, code_of, play_staff
from tests.scenario.stage import PATIENT, Phone, Stage, play

A_DAY_S = 86_400.0


def file_of(on: Stage, phone: Phone) -> dict[str, object]:
    (sent,) = [message["document"] for message in phone.messages().values() if "document" in message]
    blob = on.world.blob(sent["file_id"])
    assert blob is not None
    found: dict[str, object] = json.loads(blob[0])
    return found


@over_everything
@HOMES
@HISTORIES
def test_a_person_gets_a_file_with_their_data_and_without_their_partner(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/mydata")
        await on.quiet()
        await on.after(history)
        await asyncio.sleep(30.0)
        await on.quiet()
        found = file_of(on, on.ann)
        assert found["you"]["telegram_id"] == on.ann.id  # type: ignore[index]
        assert found["now"]["partner"] == SOMEBODY  # type: ignore[index]
        assert str(on.bob.id) not in json.dumps(found)
        assert [key for key in on.bob.told() if key.startswith("my_data")] == []
        on.ann.write("/mydata")
        await on.quiet()
        assert on.ann.told()[-1] == "my_data.copy_sent"

    play(store, scene, home=home)


@over_everything
@HOMES
def test_after_a_day_nothing_is_left_of_a_person_who_wants_to_be_forgotten(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/deleteme")
        await on.quiet()
        on.ann.press("erase")
        await on.quiet()
        await asyncio.sleep(60.0)
        assert on.records_place.mentions(on.ann.id) != []
        await on.elapse(A_DAY_S)
        await asyncio.sleep(300.0)
        await on.quiet()
        assert on.ann.told()[-1] == "my_data.erased"
        assert on.records_place.mentions(on.ann.id) == []
        assert "chat.partner_left" in on.bob.told()
        assert [key for key in on.bob.told() if key.startswith("my_data")] == []
        on.ann.write("hello again")
        await on.quiet()
        assert on.ann.told()[-1].startswith("start.")

    play(store, scene, home=home, rules=PATIENT)


@over_pairs
def test_a_suspended_person_who_is_forgotten_stays_suspended(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        await on.introduce(on.ann, on.bob)
        code = await code_of(on, on.ann)
        on.ann.write("/deleteme")
        await on.quiet()
        on.ann.press("erase")
        await on.quiet()
        month_h = 720.0
        await on.request(SanctionAsked(code, SanctionKind.SUSPENDED, Reason.RUDE, month_h))
        await on.until(lambda: on.ann.told()[-1] == "sanctions.letter")
        await on.elapse(A_DAY_S)
        await on.until(lambda: on.ann.told()[-1] == "my_data.erased")
        await asyncio.sleep(300.0)
        await on.quiet()
        assert set(on.records_place.mentions(on.ann.id)) <= {"users", "sanctions"}
        on.ann.write("/search")
        await on.quiet()
        assert on.ann.told()[-1] == "sanctions.barred"

    play_staff(store, scene)
