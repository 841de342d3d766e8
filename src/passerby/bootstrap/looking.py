"""Starts the model that looks at pictures, if the settings want it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from passerby.adapters.botapi import BotApi
from passerby.adapters.looking.process import NOT_INSTALLED, ProcessLooker, is_installed
from passerby.bootstrap.clock import SystemClock
from passerby.runtime.delivery.looking import Looking
from passerby.runtime.delivery.sends import Look
from passerby.settings import Settings, WrongSetting

INSTALL = "install it (pip install 'passerby[images]'), or leave the setting out"


def check(settings: Settings) -> None:
    """Raises: WrongSetting, if a model should look at pictures and there is none."""
    if settings.pictures_looked_at and not is_installed():
        raise WrongSetting("PICTURES_LOOKED_AT", NOT_INSTALLED, INSTALL)


@asynccontextmanager
async def looking(settings: Settings, telegram: BotApi, clock: SystemClock) -> AsyncIterator[Look | None]:
    """Load the model beside this process, if the settings want it."""
    if not settings.pictures_looked_at:
        yield None
        return
    looker = ProcessLooker(clock.monotonic)
    looker.start()
    try:
        yield Looking(telegram, looker)
    finally:
        await looker.aclose()
