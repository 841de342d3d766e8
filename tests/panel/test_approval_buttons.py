"""Every member who may agree gets the two buttons, wherever the request was made."""

from pathlib import Path

from pydantic import SecretStr

from botapi_sandbox.service import make_world, running
from passerby.adapters.sql import SqlBroadcasts
from passerby.bootstrap.staff import StaffOffice
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff import Role
from passerby.ports.telegram import InlineRows, SendNotice
from tests.panel.stage import Stage, play
from tests.panel.test_pages import code_of_somebody
from tests.panel.test_safety import press

BOTH = ["approval_agree:1", "approval_decline:1"]


def test_a_ban_for_good_that_is_asked_for_in_the_panel_reaches_the_others_with_its_buttons(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        code = await code_of_somebody(stage)
        one = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        await stage.hire(Role.ADMIN, 601)
        stage.telegram.said.clear()
        shown = await one.press("/people", "/people", code=code)
        await press(one, shown, "Restrict", kind="banned", reason="scam", hours="", note="")
        (told,) = stage.telegram.said
        assert isinstance(told, SendNotice)
        assert told.person == 601
        assert isinstance(told.markup, InlineRows)
        assert [button.data for row in told.markup.rows for button in row] == BOTH

    play(tmp_path, scene)


def test_a_ban_for_good_that_is_asked_for_on_the_command_line_reaches_the_others_with_its_buttons(
    tmp_path: Path,
) -> None:
    async def scene(stage: Stage) -> None:
        world = make_world(bots=1, seed=1)
        (bot,) = world.state.bots.values()
        owner = world.add_person("Cat", None, "en").id
        world.phones.start(owner, bot.id)
        await stage.hire(Role.OWNER, owner)
        code = await code_of_somebody(stage)
        async with running(world) as sandbox:
            settings = stage.settings.model_copy(
                update={"staff_bot_token": SecretStr(bot.token), "bot_api_url": sandbox.url}
            )
            office = StaffOffice(settings, stage.staff, SqlBroadcasts(stage.records.engine), Rules())
            done = await office.sanction(code, SanctionKind.BANNED, Reason.SCAM, None, "")
        assert not done.refused, done.said
        _, messages = world.phones.view(owner, bot.id)
        (card,) = (each.message for each in messages if not each.outgoing)
        rows = card["reply_markup"]["inline_keyboard"]
        assert [button["callback_data"] for row in rows for button in row] == BOTH

    play(tmp_path, scene)
