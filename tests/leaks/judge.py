"""Plays a case on both couples and reports what is wrong with the outcome."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.leaks.canaries import TYPED, Who, look
from tests.leaks.cases import Case, Fate
from tests.leaks.stage import Couple, Json, Left, Stage, as_json


@dataclass(frozen=True)
class Complaint:
    case: str
    couple: str
    what: str

    def __str__(self) -> str:
        return f"{self.case} [{self.couple}]: {self.what}"


def leaks(left: Left, couple: Couple) -> Iterable[str]:
    """Yield everything that left the process and should not have."""
    for request in left.requests:
        yield from _in_request(request, couple)
    people = {who.id: who for who in (couple.me, couple.partner)}
    for person, message in left.shown:
        found = look(as_json(_as_read(message, person)))
        if others := found.of_others(people[person]):
            yield f"{person} was shown {others}: {as_json(message)}"
        if found.typed and person == couple.me.id and "reply_markup" in message:
            yield f"a question quotes its writer: {as_json(message)}"
    logged = look(left.log)
    if logged.typed or logged.of_others():
        yield f"logged: {left.log}"
    stored = look(left.stored.decode("latin-1"))
    if stored.typed or stored.letters:
        yield "the live store wrote it down"


def _in_request(request: Json, couple: Couple) -> Iterable[str]:
    """Ids may appear only where a request names a chat. Typed text may go only to these two people."""
    addressed = {key: value for key, value in request["params"].items() if key not in ("chat_id", "from_chat_id")}
    found = look(as_json(addressed))
    if others := found.of_others():
        yield f"{request['method']} holds {others}: {as_json(addressed)}"
    if found.typed and request["params"].get("chat_id") not in (couple.partner.id, couple.me.id):
        yield f"{request['method']} tells it to another"
    named = look(as_json(request["names"]))
    if named.typed or named.of_others():
        yield f"{request['method']} names a file {request['names']}"


def _as_read(message: Json, person: int) -> Json:
    """Return the message without what Telegram itself shows to a person: their chat's name and their own messages."""
    shown = {key: value for key, value in message.items() if key not in ("chat", "from")}
    answered = shown.get("reply_to_message")
    if answered is not None:
        own = answered.get("from", {}).get("id") == person
        shown["reply_to_message"] = None if own else _as_read(answered, person)
    return shown


class Judge:
    """Plays cases one after another. `complaints` collects what is wrong."""

    def __init__(self, stage: Stage, *, strangers: bool) -> None:
        self.stage = stage
        self.strangers = strangers
        self.complaints: list[Complaint] = []
        self.asked = 0
        self.requests = 0

    async def play(self, case: Case) -> None:
        """Play it for both couples at once."""
        stage = self.stage
        answered = await self._earlier(case) if case.replies_to else {}
        sent = {couple.me: self._send(case, couple, answered.get(couple.me)) for couple in stage.couples}
        left = [await stage.settled()]
        for couple in stage.couples:
            self._press(left[0], couple)
        left.append(await stage.settled())
        for edit in case.edits:
            for couple in stage.couples:
                stage.edit(couple.me, couple.bot, sent[couple.me], edit)
            left.append(await stage.settled())
        for couple, name in zip(stage.couples, ("one bot", "two bots"), strict=True):
            for part in left:
                mine = _of(part, couple)
                self.requests += len(mine.requests)
                self._complain(case, name, leaks(mine, couple))
            self._complain(case, name, self._astray(case, couple, [_of(part, couple) for part in left]))

    def _complain(self, case: Case, couple: str, what: Iterable[str]) -> None:
        self.complaints += [Complaint(case.name, couple, each) for each in what]

    async def _earlier(self, case: Case) -> dict[Who, Json]:
        """Send a message to reply to. Return it as the person who replies sees it."""
        stage, own = self.stage, {}
        for couple in stage.couples:
            mine = case.replies_to == "own"
            writer, bot = (couple.me, couple.bot) if mine else (couple.partner, couple.partner_bot)
            own[couple.me] = stage.send(writer, bot, {"text": f"{TYPED} earlier"})
        left = await stage.settled()
        if case.replies_to == "theirs":
            for couple in stage.couples:
                own[couple.me] = next(m["message_id"] for person, m in left.shown if person == couple.me.id)
        return {couple.me: stage.held(couple.me, couple.bot, own[couple.me]) for couple in stage.couples}

    def _send(self, case: Case, couple: Couple, answered: Json | None) -> int:
        """Send the messages of a case. Return the id of the first one."""
        around = {"reply_to_message": answered} if answered is not None else {}
        first, *_ = [self.stage.send(couple.me, couple.bot, {**item, **around}) for item in case.send]
        return first

    def _press(self, left: Left, couple: Couple) -> None:
        """Answer every question with yes."""
        for person, message in left.shown:
            if person == couple.me.id and "inline_keyboard" in message.get("reply_markup", {}):
                self.asked += 1
                self.stage.world.phones.press(person, couple.bot, message["message_id"], 0, 0)

    def _astray(self, case: Case, couple: Couple, left: list[Left]) -> Iterable[str]:
        """Check that the case ended as expected. Otherwise its silence would prove nothing."""
        first, pressed, *edited = left
        at_once, after = _arrived(first, couple.partner, case), _arrived(pressed, couple.partner, case)
        told = [message for person, message in first.shown if person == couple.me.id]
        asked = any("reply_markup" in message for message in told)
        match case.fate:
            case Fate.ARRIVES if self.strangers and len(case.send) > 1:
                if not any(person == couple.partner.id for person, _ in first.shown):
                    yield "the album did not arrive, with its words or without"
            case Fate.ARRIVES if self.strangers and asked:
                if at_once or not after:
                    yield f"asked about, and arrived {len(at_once)} before and {len(after)} after"
            case Fate.ARRIVES:
                if not at_once:
                    yield f"did not arrive: {[message.get('text') for message in told]}"
            case Fate.ASKED:
                if not asked or at_once or not after:
                    yield f"should be asked about, and arrived {len(at_once)} before and {len(after)} after"
            case Fate.REFUSED:
                if at_once or after or not told:
                    yield f"should be refused, and {len(at_once)} arrived, {len(told)} were told"
        if edited and not self.strangers and case.edits_seen and not any(_edited(part, couple) for part in edited):
            yield "the edit did not arrive"


def _of(left: Left, couple: Couple) -> Left:
    """Return the part that concerns one couple. The log and the store belong to both."""
    people = {couple.me.id, couple.partner.id}
    requests = [each for each in left.requests if each["params"].get("chat_id", couple.me.id) in people]
    return Left(requests, [each for each in left.shown if each[0] in people], left.log, left.stored)


def _arrived(left: Left, partner: Who, case: Case) -> list[Json]:
    shown = [message for person, message in left.shown if person == partner.id]
    return [message for message in shown if case.shows in as_json(_as_read(message, 0))]


def _edited(left: Left, couple: Couple) -> bool:
    return any(person == couple.partner.id and "edit_date" in message for person, message in left.shown)
