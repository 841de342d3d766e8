"""Acts that need two members: one asks in the panel, another one agrees there."""

from pathlib import Path

from passerby.kernel.staff import Role
from tests.panel.stage import Stage, play
from tests.panel.test_pages import code_of_somebody, token
from tests.panel.test_safety import orders, press


def test_a_ban_for_good_is_asked_for_by_one_member_and_done_when_another_agrees(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        code = await code_of_somebody(stage)
        one = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        second = await stage.hire(Role.ADMIN, 601)
        two = await stage.signed_in(second)
        moderator = await stage.signed_in(await stage.hire(Role.MODERATOR, 602))
        wish = {"kind": "banned", "reason": "scam", "hours": "", "note": ""}
        shown = await one.press("/people", "/people", code=code)
        await press(one, shown, "Restrict", **wish)
        assert "banned" not in str(await orders(stage))
        assert "Nothing waits" in (await moderator.get("/approvals")).text, "it is not theirs to decide"
        mine = await one.get("/approvals")
        assert "Agree" not in mine.text.replace("Agreeing", ""), "nobody agrees to their own act"
        forged = {"csrf": await token(one), "approval": "1"}
        assert (await one.post("/approvals/agree", forged)).status == 409
        before = len(await orders(stage))
        page = await two.get("/approvals")
        stage.clock.at += 301
        agree = 'Agree<span class="away"> to approval 1'
        assert (await press(two, page, agree)).header("location").startswith("/login")
        await two.press(await stage.link(second), "/enter")
        assert (await press(two, await two.get("/approvals"), agree)).status == 200
        assert (await orders(stage))[before:] == ["sanction"]
        assert (await stage.actions())[-2:] == ["approval.given", "person.sanctioned"]
        assert "Nothing waits" in (await two.get("/approvals")).text
        again = {"csrf": await token(two), "approval": "1"}
        assert (await two.post("/approvals/agree", again)).status == 409

    play(tmp_path, scene)


def test_the_person_who_asked_may_take_it_back(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        code = await code_of_somebody(stage)
        await stage.hire(Role.ADMIN, 601)
        one = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        shown = await one.press("/people", "/people", code=code)
        await press(one, shown, "Restrict", kind="banned", reason="scam", hours="", note="")
        done = await press(one, await one.get("/approvals"), 'Decline<span class="away"> approval 1')
        assert done.status == 200
        assert "Nothing waits" in done.text
        assert "approval.declined" in await stage.actions()

    play(tmp_path, scene)
