"""The duties that one worker does for all, besides the runtime's own: those that the settings ask for."""

from collections.abc import Awaitable, Callable, Mapping

from passerby.ops.backup.duty import BackupDuty
from passerby.ports.clock import Clock
from passerby.ports.leases import LeaseName, duty_lease
from passerby.settings import Settings


def more_duties(settings: Settings, clock: Clock) -> Mapping[LeaseName, Callable[[], Awaitable[None]]]:
    """Each runs until cancelled."""
    found: dict[LeaseName, Callable[[], Awaitable[None]]] = {}
    if settings.backup_dir is not None:
        found[duty_lease("backup")] = BackupDuty(settings, clock).run
    return found
