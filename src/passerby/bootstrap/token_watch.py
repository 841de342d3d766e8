"""Watches BOT_TOKENS_FILE, so that bots come and go without a restart.

A file that cannot be read, or has a malformed line, changes nothing: the log says what is wrong with it, once. Whether
Telegram takes a new token is found out as for any other token, and concerns only its own bot.
"""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import SecretStr

from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.settings import Settings, WrongSetting
from passerby.settings.forms import by_bot, expanded, read_tokens_file
from passerby.telemetry import logs

LOOK_EVERY_S: Final = 2.0

Stamp = tuple[int, int, int] | None


class TokenWatch:
    """`tokens` are the fleet's, by bot, in the operator's order."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.tokens: Mapping[BotId, SecretStr] = settings.tokens
        self._path = expanded(settings.bot_tokens_file) if settings.bot_tokens_file is not None else None
        self._staff_bot = settings.staff_bot
        self._clock = clock
        self._seen: Stamp = None
        self._faults = logs.Faults()

    async def run(self, changed: Callable[[], None]) -> None:
        """Look until cancelled. `changed` is called when `tokens` has changed. Returns at once without a file."""
        while self._path is not None:
            if self.reread():
                changed()
            await self._clock.sleep(LOOK_EVERY_S)

    def reread(self) -> bool:
        """Read the file if it was written since the last look. Returns whether the tokens are others now."""
        stamp = self._stamp()
        if stamp is not None and stamp == self._seen:
            return False
        self._seen = stamp
        assert self._path is not None, "without a file, nobody looks"
        try:
            found = by_bot(read_tokens_file(self._path))
            if self._staff_bot in found:
                raise WrongSetting("BOT_TOKENS_FILE", "has the token of the staff bot", "remove it")
        except WrongSetting as error:
            self._faults.began("file", "bots.unreadable", reason=f"{error}; the bots stay as they were")
            self._seen = None  # new rights, for example, do not change the stamp
            return False
        self._faults.over("file", "bots.readable")
        if found == self.tokens:
            return False
        before, self.tokens = self.tokens, found
        for bot in found:
            if bot not in before:
                logs.record("bot.added", bot=bot)
            elif found[bot] != before[bot]:
                logs.record("bot.token_changed", bot=bot)
        for bot in before:
            if bot not in found:
                logs.record("bot.removed", bot=bot)
        return True

    def _stamp(self) -> Stamp:
        assert self._path is not None, "without a file, nobody looks"
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
