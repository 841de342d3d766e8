"""Broadcasts: what was sent to many people, what is being sent, and a new one. Acts are those of the staff bot."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from passerby.adapters.sql import SqlBroadcasts
from passerby.catalogue import Catalogue
from passerby.domain.broadcasts.starting import seal_of
from passerby.domain.small_numbers import FEW, parts, told
from passerby.kernel.broadcast import Broadcast, BroadcastState, TargetState
from passerby.kernel.content import Content, Kind
from passerby.kernel.digits import whole
from passerby.kernel.ids import BotId
from passerby.kernel.staff import Permission, StaffDecision
from passerby.kernel.staff_requests import BroadcastAct, BroadcastDone, BroadcastKept, BroadcastNew
from passerby.kernel.text import text
from passerby.panel import options_form
from passerby.panel.as_people_see_it import messages
from passerby.panel.comparison import can_compare, comparison
from passerby.panel.http import Answer, see
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit

SHOWN: Final = 50
_BOXES: Final = ("readers", "arm", "text", "buttons")
_PREPARED: Final = (BroadcastAct.PREVIEW, BroadcastAct.TEST, BroadcastAct.PLAN)
ACTS: Final = {
    BroadcastState.DRAFT: _PREPARED,
    BroadcastState.SUBMITTED: (BroadcastAct.APPROVE, BroadcastAct.STOP),
    BroadcastState.SCHEDULED: (BroadcastAct.PAUSE, BroadcastAct.STOP),
    BroadcastState.STARTING: (BroadcastAct.PAUSE, BroadcastAct.STOP),
    BroadcastState.RUNNING: (BroadcastAct.PAUSE, BroadcastAct.STOP),
    BroadcastState.PAUSED: (BroadcastAct.RESUME, BroadcastAct.STOP),
    BroadcastState.ENDED: (BroadcastAct.RECALL,),
    BroadcastState.STOPPED: (BroadcastAct.RECALL,),
}


class BroadcastsPage:
    page = Page("/broadcasts", "Broadcasts", Permission.BROADCAST)

    def __init__(
        self,
        look: Look,
        broadcasts: SqlBroadcasts,
        act: Act,
        words: Catalogue,
        bots: Callable[[], Sequence[BotId]],
    ) -> None:
        self._bots = bots
        self._look = look
        self._broadcasts = broadcasts
        self._act = act
        self._words = words

    @property
    def routes(self) -> tuple[Route, ...]:
        needs = Permission.BROADCAST
        return (
            Route("GET", "/broadcasts", self.show, needs),
            Route("GET", "/broadcasts/*", self.one, needs),
            Route("POST", "/broadcasts", self.new, needs),
            Route("POST", "/broadcasts/keep", self.keep, needs),
            # A member who can start one writes to everybody.
            Route("POST", "/broadcasts/act", self.order, needs, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        rows = []
        for each in await self._broadcasts.latest(SHOWN):
            # Counting reads a row for each person, so it is done for those only that go on or were stopped.
            sent = each.sent
            if sent is None and each.started_at is not None:
                sent = (await self._broadcasts.progress(each.number))[TargetState.SENT]
            rows.append({"broadcast": each, "state": self._state(each), **_sent(sent or 0, each.people)})
        return self._look.page(visit, "broadcasts.html", {"title": "Broadcasts", "rows": rows})

    def _fleet(self) -> list[tuple[str, str]]:
        return [(str(bot), self._look.bot_name(bot)) for bot in self._bots()]

    def _state(self, broadcast: Broadcast) -> str:
        return self._words.plain(text(f"broadcasts.state_{broadcast.state}"), "en")

    async def one(self, visit: Visit) -> Answer:
        number, _, rest = visit.request.path.removeprefix("/broadcasts/").partition("/")
        if rest == "start":
            return await self._asked(visit, number)
        return await self._one(visit, "" if rest else number, "")

    async def new(self, visit: Visit) -> Answer:
        done = await self._act(BroadcastNew(), visit.by)
        newest = await self._broadcasts.latest(1)
        return see(f"/broadcasts/{newest[0].number}") if newest and not done.refused else see("/broadcasts")

    async def keep(self, visit: Visit) -> Answer:
        """The whole form of a draft: its message and its options. Its other buttons keep it first, too."""
        number, then = visit.request.form.get("broadcast", ""), visit.request.form.get("then", "")
        done = await self._kept(visit)
        if done is None or done.refused:
            return await self._one(visit, number, "" if done is None else self._said(done), 400)
        if then == "start":
            return await self._asked(visit, number)
        return await self._one(
            visit, number, "" if then == "count" else "Everything is kept.", counts_reach=then == "count"
        )

    async def _kept(self, visit: Visit) -> StaffDecision | None:
        """Keep what somebody wrote into the form of a draft. None: there is no such number."""
        form = visit.request.form
        number = whole(form.get("broadcast", ""))
        if number is None:
            return None
        words = form.get("text", "").replace("\r\n", "\n").strip()
        asked = BroadcastKept(
            number,
            options_form.words_of(form),
            Content(Kind.TEXT, text=words) if words else None,
            form.get("readers", "")[:8],
            "B" if form.get("arm") == "B" else "A",
            form.get("buttons", "")[:1000],
            form.get("seen", ""),
        )
        return await self._act(asked, visit.by)

    async def order(self, visit: Visit) -> Answer:
        number, what = visit.request.form.get("broadcast", ""), visit.request.form.get("act", "")
        if whole(number) is None or what not in {*BroadcastAct}:
            return see("/broadcasts")
        if what in _PREPARED and "seen" in visit.request.form:
            kept = await self._kept(visit)
            if kept is not None and kept.refused:
                return await self._answered(visit, number, kept)
        # Nothing starts here without the page that says to whom. "-" is no seal.
        seal = visit.request.form.get("seal") or "-" if what == BroadcastAct.START else ""
        done = await self._act(BroadcastDone(int(number), BroadcastAct(what), seal), visit.by)
        if what == BroadcastAct.START and done.refused:
            return await self._asked(visit, number, self._said(done), 400)
        waits = any(each.state is BroadcastState.SUBMITTED for each in done.broadcasts)
        well = "It waits until somebody else of the team approves it." if waits else "Done."
        return await self._answered(visit, number, done, "" if what in _PREPARED else well)

    async def _asked(self, visit: Visit, number: str, said: str = "", status: int = 200) -> Answer:
        """The question before the start. If it cannot start, the broadcast's page says why."""
        found = await self._broadcasts.broadcast(int(number)) if whole(number) is not None else None
        done = await self._act(BroadcastDone(int(number), BroadcastAct.PLAN), visit.by) if found is not None else None
        if found is None or done is None:
            return await self._one(visit, number, said, status)
        if done.refused or done.reply is None:
            return await self._answered(visit, number, done)
        first, *lines = self._said(done).splitlines()
        shown = {"title": first, "broadcast": found, "seal": seal_of(found), "said": said, "messages": messages(found)}
        # The options are a table here.
        shown["lines"] = [line for line in lines if not line.startswith("category=")]
        shown["summary"] = options_form.summary(found, self._look.bot_name)
        return self._look.page(visit, "broadcast_start.html", shown, status, at=f"/broadcasts/{found.number}/start")

    def _said(self, done: StaffDecision) -> str:
        return self._words.plain(done.reply, "en") if done.reply is not None else ""

    async def _answered(self, visit: Visit, number: str, done: StaffDecision, well: str = "") -> Answer:
        """`well` is said in place of the staff bot's card, whose options this page shows as a form."""
        said = well if well and not done.refused else self._said(done)
        return await self._one(visit, number, said, 400 if done.refused else 200)

    async def _one(
        self, visit: Visit, number: str, said: str, status: int = 200, *, counts_reach: bool = False
    ) -> Answer:
        found = await self._broadcasts.broadcast(int(number)) if whole(number) is not None else None
        if found is None:
            return self._look.page(visit, "error.html", {"said": "There is no such broadcast."}, 404)
        counts = (await self._broadcasts.progress(found.number)).counts
        states = [state for state in TargetState if state in counts]
        is_draft = found.state is BroadcastState.DRAFT
        # Counting reads all people and the copies of a week, so it is done when somebody asks for it.
        is_counted = is_draft and (counts_reach or visit.request.query.get("count") == "1")
        # For the same reason.
        is_compared = can_compare(found) and visit.request.query.get("compare") == "1"
        # A refused value stays in its form.
        form = visit.request.form if status != 200 else {}
        shown = {
            "title": f"Broadcast {found.number}",
            "broadcast": found,
            "state": self._state(found),
            "said": said,
            "counts": list(
                zip([state.value for state in states], parts([counts[state] for state in states]), strict=True)
            ),
            "reach": await self._broadcasts.reach(found, visit.now) if is_counted else None,
            "can_compare": can_compare(found),
            "compared": comparison(await self._broadcasts.arms(found.number)) if is_compared else None,
            "acts": [(act.value, self._words.plain(text(f"broadcasts.do_{act}"), "en")) for act in _acts(found)],
            "options": options_form.fields(found, form if options_form.words_of(form) else None, self._fleet()),
            "summary": options_form.summary(found, self._look.bot_name),
            "is_draft": is_draft,
            "seen": seal_of(found),
            "messages": messages(found),
            "typed": {name: form.get(name, "") for name in _BOXES},
        }
        return self._look.page(visit, "broadcast.html", shown, status, at=f"/broadcasts/{found.number}")


def _sent(sent: int, whole: int) -> dict[str, Any]:
    """A bar would tell a number that is not shown."""
    values = [sent, max(0, whole - sent)]
    may_tell = all(told(values)) and (whole == 0 or whole >= FEW)
    return {"sent": parts(values)[0], "whole": whole, "share": sent / whole if whole and may_tell else None}


def _acts(broadcast: Broadcast) -> list[BroadcastAct]:
    """Only what can be done now. Asking before the start is a page of its own."""
    started = broadcast.started_at is not None and not broadcast.recalls
    return [
        each
        for each in ACTS[broadcast.state]
        if each is not BroadcastAct.PLAN and (started or each is not BroadcastAct.RECALL)
    ]
