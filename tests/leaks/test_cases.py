"""Everything that a report leaves behind: staff messages, the audit, the copies and the public report name nobody."""

import asyncio

import msgspec

from passerby.kernel.ids import PersonId
from passerby.kernel.staff import Role
from tests.scenario.matrix import on_both
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.test_cases import RUDE, reported


@on_both
def test_neither_staff_nor_the_accused_nor_the_audit_learns_who_somebody_is(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        mia = await on.hire(Role.MODERATOR)
        await reported(on)
        mia.write("/next")
        await on.quiet()
        mia.press("case_see")
        await on.quiet()
        mia.press("case_do")
        await on.until(lambda: "sanctions.letter" in on.bob.told())
        await on.until(lambda: "safety.acted" in on.ann.told())
        on.bob.write("/appeal")
        on.bob.write("/mydata")
        await on.quiet()
        await asyncio.sleep(10.0)
        hidden = [str(phone.id) for phone in (on.ann, on.bob)]
        names = [name for number in (0, 1) for name in (f"Person{number}", f"person{number}_name")]
        staff = repr([(one.get("text"), one.get("reply_markup")) for one in mia.messages().values()])
        audit = repr([(row.subject, row.details, row.reason) for row in await on.staff.audit(0, 1000)])
        assert RUDE in staff, "the one place where it may be"
        for word in (*hidden, *names, on.tokens[on.bots[0]]):
            assert word not in staff
            assert word not in audit
        assert "canary" not in audit
        to_bob = repr(on.bob.messages())
        assert hidden[0] not in to_bob
        copy = repr(msgspec.json.encode(await on.records_place.open().history(PersonId(on.bob.id))))
        assert "canary" not in copy
        kept = on.records_place.evidence()
        assert len(kept) == 1
        assert not any(b"canary" in row.sealed for row in kept.values())
        assert "canary" not in on.log.getvalue()

    play_staff(store, scene)
