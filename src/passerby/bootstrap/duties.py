"""The duties that one worker does for all, besides the runtime's own: those that the settings ask for."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from passerby.adapters.sql import SqlStaff
from passerby.adapters.sql.panel_counter import PanelCounter
from passerby.adapters.sql.retention import Kept, Retention
from passerby.bootstrap.parts import Parts
from passerby.ops.backup.duty import BackupDuty
from passerby.ops.cases_duty import CasesDuty
from passerby.ops.retention_duty import RetentionDuty
from passerby.panel.figures_duty import FiguresDuty
from passerby.ports.leases import LeaseName, duty_lease
from passerby.runtime.background.farm_cases import seen_now
from passerby.settings import Settings
from passerby.staff.cases.measures import rule


def more_duties(settings: Settings, parts: Parts) -> Mapping[LeaseName, Callable[[], Awaitable[None]]]:
    """Each runs until cancelled."""
    clock, records, tokens = parts.clock, parts.records, parts.tokens
    kept = Kept(settings.chats_kept_days, settings.complaints_kept_days, settings.people_kept_days)
    found: dict[LeaseName, Callable[[], Awaitable[None]]] = {
        duty_lease("retention"): RetentionDuty(Retention(records.engine, kept), clock).run,
        duty_lease("cases"): CasesDuty(SqlStaff(records.engine), rule, partial(seen_now, parts.store), clock).run,
    }
    if settings.panel_url is not None:
        counting = PanelCounter(records.engine)
        found[duty_lease("figures")] = FiguresDuty(lambda: tuple(tokens.tokens), parts.store, counting, clock).run
    if settings.backup_dir is not None:
        found[duty_lease("backup")] = BackupDuty(settings, clock).run
    return found
