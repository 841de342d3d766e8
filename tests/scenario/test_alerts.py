"""An alert as staff see it: one message that changes, its buttons, and a worker that takes over in between."""

import asyncio

from botapi_sandbox.world.faults import Fault
from passerby.kernel.staff import Role
from passerby.runtime.alerting.watch import AlertConfig
from passerby.runtime.membership.tokens import LONGEST_PAUSE_S
from tests.runtime.alerting.stage import THRESHOLDS, clean_metrics
from tests.scenario import staff_stage
from tests.scenario.staff_stage import StaffStage
from tests.scenario.stage import Phone
from tests.scenario.test_staff import buttons, shown, tap

LOST_S = 240.0
RULE = "PasserbyBotLost"


class AlertStage(StaffStage):
    def alert_config(self) -> AlertConfig:
        return AlertConfig(thresholds=THRESHOLDS, polls=False)


def alerts(phone: Phone) -> list[str]:
    return [words for words in shown(phone) if "A bot is lost" in words.splitlines()[0]]


def test_staff_get_one_message_for_an_alert_and_it_changes_until_it_is_over() -> None:
    async def scene(on: StaffStage) -> None:
        ann, bob = await on.hire(Role.OWNER, "Ann"), await on.hire(Role.ADMIN, "Bob")
        ann.write("/alerts on")
        await on.quiet()
        gone = on.bots[1]
        on.world.faults = [Fault(kind="401", bot=gone)]
        await asyncio.sleep(LOST_S)
        assert len(alerts(ann)) == 1
        assert alerts(ann)[0].startswith(f"🔴 A bot is lost\n\nTelegram refuses the token of bot {gone}.")
        assert alerts(bob) == [], "he has not asked for alerts"
        assert buttons(ann) == ["I'll look after it", "Silence for 1 hour", "What to do"]
        tap(ann, f"alert_ack:{RULE}")
        await on.quiet()
        await asyncio.sleep(10)
        assert "Ann is looking after it." in alerts(ann)[0]
        tap(ann, f"alert_silence:{RULE}")
        await on.quiet()
        await asyncio.sleep(10)
        assert "Silent until " in alerts(ann)[0]
        await on.kill_and_start()
        await asyncio.sleep(LOST_S)
        assert len(alerts(ann)) == 1, "the next worker says nothing twice"
        tap(ann, f"alert_help:{RULE}")
        await on.quiet()
        assert "What to do: If the token was changed" in shown(ann)[-1]
        on.world.faults = []
        await asyncio.sleep(600)
        over = [words for words in shown(ann) if words.startswith("✅ A bot is lost")]
        assert len(over) == 1
        assert buttons(ann) == []

    with clean_metrics():
        staff_stage.play_staff("memory", scene, AlertStage)


def test_an_alert_is_told_once_the_staff_bot_works_again() -> None:
    """The staff bot is lost together with another one, for an hour."""

    async def scene(on: StaffStage) -> None:
        ann = await on.hire(Role.OWNER, "Ann")
        ann.write("/alerts on")
        await on.quiet()
        on.world.faults = [Fault(kind="401", bot=on.bots[1]), Fault(kind="401", bot=on.staff_bot)]
        await asyncio.sleep(3600)
        assert alerts(ann) == []
        on.world.faults = [Fault(kind="401", bot=on.bots[1])]
        await asyncio.sleep(LONGEST_PAUSE_S * 1.2)  # by then, the staff bot's token was tried again
        assert len(alerts(ann)) == 1
        assert f"of bot {on.bots[1]}." in alerts(ann)[0]

    with clean_metrics():
        staff_stage.play_staff("memory", scene, AlertStage)
