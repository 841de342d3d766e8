"""Changes BOT_TOKENS_FILE: one line a bot. Comments stay. The new file replaces the old one at once, or not at all."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from passerby.kernel.ids import BotId
from passerby.settings import Settings, WrongSetting
from passerby.settings.forms import expanded, parse_tokens


class TokenFile:
    def __init__(self, path: Path, staff_bot: BotId | None = None) -> None:
        self.path = path
        self._staff_bot = staff_bot

    @classmethod
    def of(cls, settings: Settings) -> "TokenFile":
        """Raises: WrongSetting, if the tokens are not in a file."""
        if settings.bot_tokens_file is None:
            remedy = "put the tokens in a file, one a line, and write BOT_TOKENS_FILE=<its path>"
            raise WrongSetting("BOT_TOKENS_FILE", "is not set, so bots cannot be added or removed", remedy)
        return cls(expanded(settings.bot_tokens_file), settings.staff_bot)

    def add(self, token: str) -> BotId:
        """Add a token; one of the same bot is replaced. Returns the bot. Raises: WrongSetting."""
        (found,) = parse_tokens("TOKEN", token) or (None,)
        if found is None:
            raise WrongSetting("TOKEN", "is empty", "write it as @BotFather gave it")
        bot = _bot_of(token)
        if bot == self._staff_bot:
            # With it in the file, every command would refuse the settings.
            raise WrongSetting("TOKEN", "is the token of the staff bot", "ask @BotFather for another bot")
        with self._alone():
            # The order counts: `passerby import` maps bots of another program by it.
            lines, new = self._lines(), found.get_secret_value()
            places = [place for place, line in enumerate(lines) if _bot_of(line) == bot]
            for place in places[:1]:
                _, sign, comment = lines[place].partition("#")
                lines[place] = f"{new}  {sign}{comment}".rstrip()
            left = [line for place, line in enumerate(lines) if place not in places[1:]]
            self._write(left if places else [*left, new])
        return bot

    def remove(self, bot: BotId) -> None:
        """Raises: WrongSetting, if it is not there, or is the last one."""
        with self.removing(bot):
            pass

    @contextmanager
    def removing(self, bot: BotId) -> Iterator[None]:
        """Remove it at the end of the block. Nobody else changes the file meanwhile. Raises: as `remove`, at once."""
        with self._alone():
            left = self.without(bot)
            yield
            self._write(left)

    def has(self, bot: BotId) -> bool:
        return any(_bot_of(line) == bot for line in self._lines())

    def without(self, bot: BotId) -> list[str]:
        """The lines that stay if it is removed. Raises: WrongSetting, if it cannot be."""
        lines = self._lines()
        left = [line for line in lines if _bot_of(line) != bot]
        if len(left) == len(lines):
            raise WrongSetting("BOT_TOKENS_FILE", f"has no bot {bot}", "see `passerby bots list`")
        if not any(map(_bot_of, left)):
            raise WrongSetting("BOT_TOKENS_FILE", f"bot {bot} is the last one", "add another one first")
        return left

    def _lines(self) -> list[str]:
        """One token a line, whatever separated them."""
        found = []
        for line in self.path.read_text("utf-8").splitlines():
            words, sign, comment = line.partition("#")
            tokens = words.replace(",", " ").split()
            rest = f"{sign}{comment}"
            found += [*tokens[:-1], f"{tokens[-1]}  {rest}".rstrip()] if tokens else [rest]
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing the file. The lock is on the directory, because the file is replaced."""
        directory = os.open(self.path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    def _write(self, lines: list[str]) -> None:
        """Where the path is a link, what it leads to is replaced. Mode and owner stay, if we may set them."""
        path = self.path.resolve()
        beside, before = path.with_name(f"{path.name}.new"), path.stat()
        beside.unlink(missing_ok=True)
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write("\n".join(lines) + "\n")
            opened.flush()
            with suppress(OSError):
                os.fchown(file, before.st_uid, before.st_gid)
                os.fchmod(file, stat.S_IMODE(before.st_mode))
            os.fsync(file)
        beside.replace(path)


def retirer(settings: Settings) -> Callable[[BotId], str] | None:
    """Removes a bot, and returns why it could not. None: the tokens are in no file."""
    if settings.bot_tokens_file is None:
        return None
    file = TokenFile.of(settings)

    def retire(bot: BotId) -> str:
        try:
            if file.has(bot):
                file.remove(bot)
        except WrongSetting as wrong:
            return wrong.problem
        except OSError as error:
            return f"BOT_TOKENS_FILE cannot be written ({error.strerror})"
        return ""

    return retire


def _bot_of(line: str) -> BotId:
    """The bot of a line; 0 if it has none."""
    number = line.strip().partition(":")[0]
    return BotId(int(number)) if number.isascii() and number.isdigit() else BotId(0)
