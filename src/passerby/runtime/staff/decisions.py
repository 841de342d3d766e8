"""Decides on staff events and requests, and has each decision stored. The staff bot and the commands use it alike."""

import hashlib
from collections.abc import Callable
from random import Random

from passerby.domain import support
from passerby.domain.commands import command_in
from passerby.kernel.decision import Env
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.ids import BotId, PersonId, UpdateRef
from passerby.kernel.staff import PersonAsked, StaffDecision, StaffFacts, StaffRequest
from passerby.ports.staff import StaffRecords
from passerby.runtime.staff.router import StaffRouter

SECRET_BITS = 128

ABOUT_A_PERSON = "person"

_NO_BOT = BotId(0)
"""Stands for the bot of a request that came through none."""


def new_secret(rng: Random) -> str:
    """The secret of an invite, in hexadecimal: what its link carries."""
    return f"{rng.getrandbits(SECRET_BITS):0{SECRET_BITS // 4}x}"


def digest_of(secret: str) -> str:
    """What is stored of a secret. It has 128 random bits, so nobody finds it from the digest by trying."""
    return hashlib.sha256(secret.encode()).hexdigest()


class StaffDecisions:
    """`env` must have a source of chance that nobody can guess: `rng` makes secrets and the names of requests."""

    def __init__(self, records: StaffRecords, router: StaffRouter, env: Callable[[], Env]) -> None:
        self._records = records
        self._router = router
        self._env = env

    async def on_event(self, event: Event, ref: UpdateRef) -> StaffDecision:
        """The decision on an update of the staff bot. The same update again gets the same answer.

        Raises: RecordsLost.
        """
        env = self._env()
        words = event.text if isinstance(event, MessageReceived) else ""
        command, _, secret = words.partition(" ")
        language = event.language if isinstance(event, MessageReceived | ButtonPressed) else ""

        def decide(facts: StaffFacts) -> StaffDecision:
            return self._router.decide(event, facts, env)

        code = _code_in(event) or ""
        digest = digest_of(secret.strip()) if command == "/start" and secret else ""
        shown = {"digest": digest, "code": code, "language": language}
        return await self._records.decide(event.person, ref, decide, env.now, **shown)

    async def on_request(self, request: StaffRequest, by: PersonId | None = None) -> StaffDecision:
        """The decision on a request of a staff member, or of the command line (None). Raises: RecordsLost."""
        env = self._env()

        def decide(facts: StaffFacts) -> StaffDecision:
            return self._router.decide(request, facts, env)

        ref = UpdateRef(_NO_BOT, env.rng.getrandbits(62))
        code = support.read(request.code) if isinstance(request, PersonAsked) else None
        return await self._records.decide(by, ref, decide, env.now, code=code or "")


def _code_in(event: Event) -> str | None:
    """The support code that a command or a button is about. Their names begin with `person`."""
    match event:
        case MessageReceived(text=words) if command_in(words) == ABOUT_A_PERSON:
            return support.read(words.partition(" ")[2])
        case ButtonPressed(action=action, token=token) if action.startswith(f"{ABOUT_A_PERSON}_"):
            return support.read(token.partition(".")[0])
        case _:
            return None
