"""Sends people the copy of their data that they asked for, and erases the data of those who wanted that.

Requests are part of a person's value, so they survive everything that the value survives. The records find them. This
task does the waiting and the reading; what changes is decided by a feature, like everything else:

    copy     read, compose, send the file, then raise `DataCopied`
    erasure  raise `ErasureDue`; then `PartnerErased` for everybody who still refers to the person; and when nobody does
             any more, `ErasureDue` once again, which removes what is left

Each step is repeated until the records show that it happened. So it does not matter where a process dies.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from passerby.domain.farms.conduct import Conduct
from passerby.domain.money.cases import as_one
from passerby.domain.personal_data import copy_of
from passerby.kernel.event import DataCopied, ErasureDue, Event, PartnerErased
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Idle, Participant
from passerby.kernel.text import Text, text
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records, RecordsLost
from passerby.ports.telegram import Refused, SendFile, Telegram, TelegramError
from passerby.telemetry import logs

EVERY_S: Final = 5.0
REQUESTS_A_LOOK: Final = 100
ACQUAINTANCES_A_LOOK: Final = 200
AGAIN_S: Final = 60.0
"""A step whose effect the records do not show yet is not taken again within this time."""

NO_BOT: Final = BotId(0)
DAY_S: Final = 86_400
_conduct: Final = msgspec.msgpack.Decoder(Conduct)
FILE_NAME: Final = "my-data.json"


class PersonalDataTask:
    """`open_words` opens the comments on reports, and questions about payments.
    `word` puts a text into a language. `put` gets the events."""

    def __init__(
        self,
        store: LiveStore,
        records: Records,
        telegram: Telegram,
        open_words: Callable[[bytes], str | None],
        word: Callable[[Text, str], str],
        put: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._records = records
        self._telegram = telegram
        self._open_words = open_words
        self._word = word
        self._put = put
        self._clock = clock
        self._raised: dict[Event, float] = {}

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self._clock.sleep(EVERY_S)
            try:
                await self.advance_requests()
            except (LiveStoreLost, RecordsLost) as error:
                logs.record("personal_data.store_lost", "debug", error=logs.name_of(error))

    async def advance_requests(self) -> None:
        """Take each open request one step further. Raises: LiveStoreLost, RecordsLost."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._raised = {event: at for event, at in self._raised.items() if monotonic - at < AGAIN_S}
        for recorded in await self._records.requests(now, REQUESTS_A_LOOK):
            facts = await self._store.load(recorded.person)
            me = facts.me if facts is not None else recorded
            if me.requests is None:
                continue  # the records are a moment behind
            if me.requests.copy_at:
                await self._send_copy(me, me.requests.copy_at)
            if 0 < me.requests.erase_at <= now:
                await self._erase(me)

    async def _send_copy(self, me: Participant, asked_at: float) -> None:
        done = DataCopied(me.person, me.bot or NO_BOT, asked_at)
        if not self._is_time_for(done):
            return
        if me.bot is not None:
            history = await self._records.history(me.person)
            sealed: list[tuple[str, bytes | None]] = [(report.chat, report.words) for report in history.reports]
            words = {
                about: opened
                for about, each in sealed
                if each is not None and (opened := self._open_words(each)) is not None
            }
            for case in history.money.cases:
                asked = as_one((part.at, self._open_words(part.sealed)) for part in case.words)
                if asked is not None:
                    words[case.case] = asked
            now = self._clock.now()
            copied = copy_of(me, history, words, now, await self._conducts(me.person, now))
            data = msgspec.json.format(msgspec.json.encode(copied), indent=2)
            caption = self._word(text("my_data.copy"), me.profile.language)
            try:
                await self._telegram.send(SendFile(me.bot, me.person, FILE_NAME, data, caption, me.thread))
            except Refused as refused:
                logs.record("personal_data.refused", "debug", bot=me.bot, error=logs.name_of(refused))
            except TelegramError as error:
                logs.record("personal_data.unsent", "debug", bot=me.bot, error=logs.name_of(error))
                return  # it is tried again
        self._put(done)

    async def _conducts(self, person: PersonId, now: float) -> list[Conduct]:
        today = int(now // DAY_S)
        found = [await self._store.conducts(day, (person,)) for day in (today - 1, today)]
        return [_conduct.decode(each[person]) for each in found if person in each]

    async def _erase(self, me: Participant) -> None:
        requests = me.requests
        if requests is None or not requests.erasing:
            self._raise(ErasureDue(me.person, me.bot or NO_BOT))
            return
        acquaintances = await self._records.acquaintances(me.person, ACQUAINTANCES_A_LOOK)
        for other in acquaintances:
            self._raise(PartnerErased(PersonId(other), NO_BOT, me.person))
        if not acquaintances and isinstance(me.state, Idle):
            await self._store.forget_conduct(me.person)
            self._raise(ErasureDue(me.person, me.bot or NO_BOT, is_last=True))

    def _raise(self, event: Event) -> None:
        if self._is_time_for(event):
            self._put(event)

    def _is_time_for(self, event: Event) -> bool:
        if event in self._raised:
            return False
        self._raised[event] = self._clock.monotonic()
        return True
