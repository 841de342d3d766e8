"""Staff learn nothing that unmasks anybody: from a farm's case, and from a copy or an erasure that they have done.

Everything that their phones show, the log and the audit is searched for ids, names, user names and typed words.
"""

from collections.abc import Iterable

from passerby.kernel.staff import Role
from tests.leaks.stage import Json, as_json
from tests.scenario.matrix import on_both
from tests.scenario.staff_stage import StaffStage, code_of, play_staff, tap
from tests.scenario.stage import Phone, notice
from tests.scenario.test_farm_cases import advertise, gathered
from tests.scenario.test_my_data import file_of
from tests.scenario.test_staff import shown

ADVERTISED = ("hot-anna", "honey", "photos")
LETTERS = {"sanctions.letter", "sanctions.lifted"}


def identity(on: StaffStage, phone: Phone) -> set[str]:
    person = on.world.state.people[phone.id]
    return {str(phone.id), person.first_name, str(person.username)}


def told(on: StaffStage, member: Phone) -> list[Json]:
    """Everything that was sent to a member, without the member's own chat."""
    sent = [each for each in on.world.journal.after(0) if each["kind"] == "request"]
    own = [each["params"] for each in sent if str(each["params"].get("chat_id")) == str(member.id)]
    return [{key: value for key, value in each.items() if key != "chat_id"} for each in own]


async def unmasked(on: StaffStage, members: Iterable[Phone], words: Iterable[str]) -> list[str]:
    """Where one of the words is, among all that staff and operators can read."""
    places = {
        "the log": on.log.getvalue(),
        "the audit": repr(await on.staff.audit(0, 1000)),
        **{f"member {number}": as_json(told(on, each)) for number, each in enumerate(members)},
    }
    assert all(places.values())
    return [f"{word} in {place}" for place, read in places.items() for word in words if word.lower() in read.lower()]


@on_both
def test_staff_of_a_farms_case_learn_nobodys_identity_and_nothing_that_was_written(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        mia, ada = await on.hire(Role.MODERATOR), await on.hire(Role.ADMIN)
        farm = await advertise(on)
        assert await gathered(on) == 1
        for words in ("/cases", "/next"):
            mia.write(words)
            await on.quiet()
        await on.until(lambda: "Set apart: 6" in shown(mia)[-1])
        mia.press("case_lift")
        await on.until(lambda: all(each.told()[-1] == "sanctions.lifted" for each in farm))
        people = [each for each in on.people if each not in (mia, ada)]
        hidden = {*ADVERTISED, *(word for each in people for word in identity(on, each))}
        assert len(hidden) > 3 * len(farm)
        assert await unmasked(on, (mia, ada), {"set apart"}) == ["set apart in member 0"], "it is searched"
        assert await unmasked(on, (mia, ada), hidden) == []
        for account in farm:
            others = {word for each in people if each is not account for word in identity(on, each)}
            told_of_it = [each["text"] for each in account.messages().values() if notice(each) in LETTERS]
            assert len(told_of_it) >= len(LETTERS)
            assert not [word for word in others if word in "".join(told_of_it)]

    play_staff(store, scene)


@on_both
def test_a_copy_and_an_erasure_by_staff_unmask_neither_the_person_nor_the_partner(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        sam = await on.hire(Role.SUPPORT)
        await on.introduce(on.ann, on.bob)
        on.ann.write("Zwitscher to Bob")
        on.bob.write("Zwitscher to Ann")
        await on.quiet()
        code = await code_of(on, on.ann)
        plain = code.replace("-", "")
        for first, more in (("copy", ()), ("erase", ("gone",))):
            sam.write(f"/person {code}")
            await on.until(lambda: code in shown(sam)[-1] and "Age" in shown(sam)[-1])
            for action in (first, *more):
                tap(sam, f"person_{action}:{plain}")
                await on.quiet()
        await on.until(lambda: any("document" in each for each in on.ann.messages().values()))
        await on.until(lambda: "my_data.erase_set" in on.ann.told())
        sent = on.requests("sendDocument")
        assert {str(each["params"]["chat_id"]) for each in sent} == {str(on.ann.id)}, "the file is the person's"
        assert await unmasked(on, (sam,), {"Zwitscher", *identity(on, on.ann), *identity(on, on.bob)}) == []
        content = as_json(file_of(on, on.ann))
        assert str(on.ann.id) in content
        assert not [word for word in ("Zwitscher", *identity(on, on.bob)) if word in content]

    play_staff(store, scene)
