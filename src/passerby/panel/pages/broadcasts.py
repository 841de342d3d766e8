"""Broadcasts: what was sent to many people, what is being sent, and a new one. Acts are those of the staff bot."""

from typing import Final

from passerby.adapters.sql import SqlBroadcasts
from passerby.catalogue import Catalogue
from passerby.kernel.broadcast import Broadcast, BroadcastState, TargetState
from passerby.kernel.content import Content, Kind
from passerby.kernel.digits import whole
from passerby.kernel.staff import Permission, StaffDecision
from passerby.kernel.staff_requests import BroadcastAct, BroadcastDone, BroadcastNew, BroadcastSet, BroadcastWritten
from passerby.panel.http import Answer, see
from passerby.panel.look import Look, people
from passerby.panel.visit import Act, Page, Route, Visit

SHOWN: Final = 50
MOST_TEXT: Final = 4096
_BOXES: Final = ("language", "arm", "text", "buttons", "options")
_PREPARED: Final = (BroadcastAct.PREVIEW, BroadcastAct.TEST, BroadcastAct.START)
ACTS: Final = {
    BroadcastState.DRAFT: _PREPARED,
    BroadcastState.SUBMITTED: (BroadcastAct.APPROVE, BroadcastAct.STOP),
    BroadcastState.SCHEDULED: (BroadcastAct.STOP,),
    BroadcastState.STARTING: (BroadcastAct.STOP,),
    BroadcastState.RUNNING: (BroadcastAct.PAUSE, BroadcastAct.STOP),
    BroadcastState.PAUSED: (BroadcastAct.RESUME, BroadcastAct.STOP),
    BroadcastState.ENDED: (BroadcastAct.RECALL,),
    BroadcastState.STOPPED: (BroadcastAct.RECALL,),
}


class BroadcastsPage:
    page = Page("/broadcasts", "Broadcasts", Permission.BROADCAST)

    def __init__(self, look: Look, broadcasts: SqlBroadcasts, act: Act, words: Catalogue) -> None:
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
            Route("POST", "/broadcasts/write", self.write, needs),
            Route("POST", "/broadcasts/set", self.set_options, needs),
            # A member who can start one writes to everybody.
            Route("POST", "/broadcasts/act", self.order, needs, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        rows = []
        for each in await self._broadcasts.latest(SHOWN):
            counts = (await self._broadcasts.progress(each.number)).counts
            rows.append({"broadcast": each, "sent": counts.get(TargetState.SENT, 0), "whole": sum(counts.values())})
        return self._look.page(visit, "broadcasts.html", {"title": "Broadcasts", "rows": rows})

    async def one(self, visit: Visit) -> Answer:
        return await self._one(visit, visit.request.path.removeprefix("/broadcasts/"), "")

    async def new(self, visit: Visit) -> Answer:
        done = await self._act(BroadcastNew(), visit.by)
        newest = await self._broadcasts.latest(1)
        return see(f"/broadcasts/{newest[0].number}") if newest and not done.refused else see("/broadcasts")

    async def write(self, visit: Visit) -> Answer:
        form = visit.request.form
        number, words = form.get("broadcast", ""), form.get("text", "").replace("\r\n", "\n").strip()
        if whole(number) is None or not 0 < len(words) <= MOST_TEXT:
            return await self._one(visit, number, "Write between 1 and 4,096 characters.", 400)
        language, arm = form.get("language", "")[:8], "B" if form.get("arm") == "B" else "A"
        asked = BroadcastWritten(
            int(number), Content(Kind.TEXT, text=words), language, arm, form.get("buttons", "")[:1000], draft=True
        )
        return await self._answered(visit, number, await self._act(asked, visit.by))

    async def set_options(self, visit: Visit) -> Answer:
        number = visit.request.form.get("broadcast", "")
        if whole(number) is None:
            return see("/broadcasts")
        asked = BroadcastSet(int(number), visit.request.form.get("options", "")[:500])
        return await self._answered(visit, number, await self._act(asked, visit.by))

    async def order(self, visit: Visit) -> Answer:
        number, what = visit.request.form.get("broadcast", ""), visit.request.form.get("act", "")
        if whole(number) is None or what not in {*BroadcastAct}:
            return see("/broadcasts")
        done = await self._act(BroadcastDone(int(number), BroadcastAct(what)), visit.by)
        return await self._answered(visit, number, done)

    async def _answered(self, visit: Visit, number: str, done: StaffDecision) -> Answer:
        said = self._words.plain(done.reply, "en") if done.reply is not None else ""
        return await self._one(visit, number, said, 400 if done.refused else 200)

    async def _one(self, visit: Visit, number: str, said: str, status: int = 200) -> Answer:
        found = await self._broadcasts.broadcast(int(number)) if whole(number) is not None else None
        if found is None:
            return self._look.page(visit, "error.html", {"said": "There is no such broadcast."}, 404)
        counts = (await self._broadcasts.progress(found.number)).counts
        is_draft = found.state is BroadcastState.DRAFT
        # A refused value stays in its form.
        form = visit.request.form if status != 200 else {}
        shown = {
            "title": f"Broadcast {found.number}",
            "broadcast": found,
            "said": said,
            "counts": [(state.value, people(counts[state])) for state in TargetState if state in counts],
            "audience": await self._broadcasts.count(found.audience, found.category, visit.now) if is_draft else None,
            "acts": [act.value for act in ACTS[found.state]],
            "is_draft": is_draft,
            "messages": _messages(found),
            "typed": {name: form.get(name, "") for name in _BOXES},
        }
        return self._look.page(visit, "broadcast.html", shown, status)


def _messages(broadcast: Broadcast) -> list[tuple[str, str]]:
    """Each variant's language and the beginning of its text."""
    return [
        (f"{each.language or 'everybody else'}, {each.arm}", each.content.text or f"({each.content.kind})")
        for each in broadcast.variants
    ]
