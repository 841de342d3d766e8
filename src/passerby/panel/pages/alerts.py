"""Alerts: what fires, every rule with its threshold, and what to do. Acts are those of the staff bot's buttons."""

from collections.abc import Mapping

from passerby.domain.alerts.rules import BY_NAME, RULES
from passerby.domain.alerts.runbooks import RUNBOOKS
from passerby.kernel.staff import Permission
from passerby.kernel.staff_requests import AlertAsked
from passerby.panel.http import Answer, see
from passerby.panel.live import FleetReader
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit


class AlertsPage:
    page = Page("/alerts", "Alerts", Permission.ALERTS)

    def __init__(self, look: Look, live: FleetReader, act: Act, thresholds: Mapping[str, float]) -> None:
        self._look = look
        self._live = live
        self._act = act
        self._thresholds = thresholds

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/alerts", self.show, Permission.ALERTS),
            Route("POST", "/alerts", self.order, Permission.ALERTS),
        )

    async def show(self, visit: Visit) -> Answer:
        fleet = await self._live.fleet()
        firing = {each.name for each in fleet.alerts}
        rules = [
            {
                "name": rule.name,
                "title": rule.title,
                "severity": rule.severity.value,
                "setting": rule.setting.upper(),
                "threshold": f"{rule.threshold(self._thresholds):g}" if rule.setting else "",
                "for_s": rule.for_s,
                "fires": rule.name in firing,
                "book": RUNBOOKS[rule.name],
            }
            for rule in RULES
        ]
        return self._look.page(visit, "alerts.html", {"title": "Alerts", "fleet": fleet, "rules": rules})

    async def order(self, visit: Visit) -> Answer:
        """Within seconds, the fleet reads it and changes its messages."""
        rule, silences = visit.request.form.get("rule", ""), visit.request.form.get("act") == "silence"
        if rule in BY_NAME:
            await self._act(AlertAsked(rule, silences), visit.by)
        return see("/alerts")
