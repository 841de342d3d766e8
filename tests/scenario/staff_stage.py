"""The stage with a staff bot, people who may join the team, and the commands of its operator."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, cast

from passerby.adapters.sql import SqlBroadcasts, SqlStaff
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId
from passerby.kernel.staff import Role, StaffDecision, StaffRequest
from passerby.kernel.staff_requests import InviteAsked
from passerby.ports.broadcasts import BroadcastRecords
from passerby.ports.staff import StaffRecords
from passerby.runtime.staff.decisions import StaffDecisions, digest_of, new_secret
from passerby.runtime.staff.duty import StaffConfig
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.contract.broadcasts_memory import MemoryBroadcasts
from tests.contract.staff_memory import MemoryStaff, StaffDisk
from tests.scenario.records_places import SqlRecordsPlace
from tests.scenario.stage import STEP_S, Phone, Stage
from tests.scenario.stores import opened, workers
from tests.simulation.run import captured_log

PATIENCE_S = 300.0


class _Aside:
    """A port on the thread of a `SqlRecordsPlace`."""

    def __init__(self, inner: object, records_place: SqlRecordsPlace) -> None:
        self._inner = inner
        self._ask = records_place.ask

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            return self._ask(getattr(self._inner, name)(*args, **more))

        return call


class StaffStage(Stage):
    """`patience_s`: how long a scene waits for what must happen."""

    patience_s = PATIENCE_S

    def __post_init__(self) -> None:
        super().__post_init__()
        bot = self.world.add_bot()
        self.staff_bot = BotId(bot.id)
        self.retired: list[BotId] = []
        self.cannot_retire = ""
        self.tokens[self.staff_bot] = bot.token
        self._disk = StaffDisk()
        self._rng = Random(5)
        records_place = self.records_place
        self.staff: StaffRecords = (
            cast("StaffRecords", _Aside(SqlStaff(records_place.records.engine), records_place))
            if isinstance(records_place, SqlRecordsPlace)
            else MemoryStaff(self._disk, records_place.disk)
        )
        self.broadcasts: BroadcastRecords = (
            cast("BroadcastRecords", _Aside(SqlBroadcasts(records_place.records.engine), records_place))
            if isinstance(records_place, SqlRecordsPlace)
            else MemoryBroadcasts(records_place.disk, self._disk.audit)
        )

    def staff_config(self) -> StaffConfig:
        ledger = getattr(self.staff, "ledgered", None)  # In SQL only.
        return StaffConfig(self.staff_bot, self.staff, ALL, retire=self._retire, ledger=ledger)

    def _retire(self, bot: BotId) -> str:
        self.retired.append(bot)
        return self.cannot_retire

    def broadcast_records(self) -> BroadcastRecords:
        return self.broadcasts

    def newcomer(self, language: str = "en") -> Phone:
        """Add a person who has the staff bot open, and nothing else."""
        name = f"Colleague{len(self.people)}"
        person = self.world.add_person(name, f"{name}_name".lower())
        person.language_code = language
        self.people.append(phone := Phone(self.world, person.id, self.staff_bot))
        return phone

    async def request(self, asked: StaffRequest) -> StaffDecision:
        """The operator's request on the command line."""
        env = Env(self.place.clock.now(), self._rng)
        return await StaffDecisions(self.staff, StaffRouter(ALL), lambda: env).on_request(asked)

    async def invite(self, role: Role, name: str = "") -> str:
        secret = new_secret(self._rng)
        done = await self.request(InviteAsked(digest_of(secret), role, name))
        assert not done.refused
        return secret

    async def hire(self, role: Role, name: str = "", language: str = "en") -> Phone:
        """Add a person who joins the team with this role."""
        phone = self.newcomer(language)
        phone.write(f"/start {await self.invite(role, name)}")
        await self.quiet()
        return phone

    async def until(self, condition: Callable[[], bool]) -> None:
        async def waiting() -> None:
            while not condition():
                await asyncio.sleep(STEP_S)

        await asyncio.wait_for(waiting(), self.patience_s)


async def code_of(on: StaffStage, phone: Phone) -> str:
    """The code that the person reads in /help, once the records know it."""
    phone.write("/help")
    await on.quiet()
    _, held = phone.world.phones.view(phone.id, phone.bot)
    code: str = next(one.message["text"] for one in reversed(held) if not one.outgoing).rsplit(" ", 1)[1]
    await asyncio.sleep(1.0)
    return code


def tap(phone: Phone, data: str) -> None:
    """Press the latest button with this data. If it ends with a dot, anything may follow."""
    for number, message in reversed(phone.messages().items()):
        for row, labels in enumerate(message.get("reply_markup", {}).get("inline_keyboard", ())):
            for column, button in enumerate(labels):
                if button["callback_data"] == data or (data.endswith(".") and button["callback_data"].startswith(data)):
                    phone.world.phones.press(phone.id, phone.bot, number, row, column)
                    return
    raise AssertionError(f"no button {data}")


def play_staff(
    store: str,
    scene: Callable[[StaffStage], Coroutine[Any, Any, None]],
    kind: type[StaffStage] = StaffStage,
    *,
    home: bool = False,
) -> None:
    """Run a scene with a staff bot. `home`: both people use the same bot."""
    place, records_place = opened(store)

    async def scenario() -> None:
        with captured_log() as log:
            stage = kind(place, records_place, home=home, log=log, size=workers(store))
            await stage.start()
            try:
                await scene(stage)
                stage.check_log()
            finally:
                await stage.kill()

    try:
        place.run(scenario())
    finally:
        records_place.close()
