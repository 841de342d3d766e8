"""Team: who is staff, and their roles. Important acts need a fresh proof."""

from passerby.catalogue import Catalogue
from passerby.domain.team import PERMISSIONS, roles_for
from passerby.kernel.digits import whole
from passerby.kernel.staff import Permission, Role, StaffDecision, StaffId
from passerby.kernel.staff_requests import PasskeysReset, RevocationAsked, RoleAsked
from passerby.panel.http import Answer, see
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.ports.panel import PanelAccess
from passerby.ports.staff import StaffRecords


class TeamPage:
    page = Page("/team", "Team", Permission.TEAM)

    def __init__(self, look: Look, staff: StaffRecords, access: PanelAccess, act: Act, words: Catalogue) -> None:
        self._look = look
        self._staff = staff
        self._access = access
        self._act = act
        self._words = words

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/team", self.show, Permission.TEAM),
            Route("POST", "/team/role", self.role, Permission.TEAM, fresh=True),
            Route("POST", "/team/revoke", self.revoke, Permission.TEAM, fresh=True),
            Route("POST", "/team/passkeys", self.reset, Permission.TEAM, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit, "", 200)

    async def _page(self, visit: Visit, said: str, status: int) -> Answer:
        roles = roles_for(visit.member)
        may = {role.value: ", ".join(sorted(each.value for each in PERMISSIONS[role])) for role in Role}
        shown = {
            "title": "Team",
            "said": said,
            "team": await self._staff.team(),
            "roles": roles,
            "may": may,
            "with_passkeys": {each.member for each in await self._access.passkeys()},
        }
        return self._look.page(visit, "team.html", shown, status)

    async def role(self, visit: Visit) -> Answer:
        number, role = visit.request.form.get("member", ""), visit.request.form.get("role", "")
        if whole(number) is None or role not in {*Role}:
            return await self._page(visit, "There is no such member or role.", 400)
        return await self._done(visit, await self._act(RoleAsked(StaffId(int(number)), Role(role)), visit.by))

    async def revoke(self, visit: Visit) -> Answer:
        number = visit.request.form.get("member", "")
        if whole(number) is None:
            return await self._page(visit, "There is no such member.", 400)
        if visit.request.form.get("sure") != "yes":
            return await self._sure(visit, int(number))
        return await self._done(visit, await self._act(RevocationAsked(StaffId(int(number))), visit.by))

    async def reset(self, visit: Visit) -> Answer:
        """A member has lost their passkeys."""
        number = visit.request.form.get("member", "")
        if whole(number) is None:
            return await self._page(visit, "There is no such member.", 400)
        return await self._done(visit, await self._act(PasskeysReset(StaffId(int(number))), visit.by))

    async def _sure(self, visit: Visit, number: int) -> Answer:
        """Ask before somebody is removed."""
        found = [each for each in await self._staff.team() if each.number == number]
        if not found:
            return await self._page(visit, "There is no such member.", 400)
        who = f"#{number} {found[0].name}".strip()
        said = "They can no longer open the panel or use the staff bot. To let them in again, invite them."
        fields = {"member": str(number)}
        values = {"title": f"Remove {who}?", "said": said, "button": "Remove", "fields": fields, "back": "/team"}
        return self._look.page(visit, "sure.html", values)

    async def _done(self, visit: Visit, done: StaffDecision) -> Answer:
        if done.refused and done.reply is not None:
            return await self._page(visit, self._words.plain(done.reply, "en"), 403)
        return see("/team")
