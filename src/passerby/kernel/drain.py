"""Bots of the fleet as staff see them. A bot closes, and its people are sent to a sister, before it is retired."""

import msgspec

from passerby.kernel.ids import BotId


class Drain(msgspec.Struct, frozen=True):
    """Nobody begins a search on `bot` since `since` (Unix seconds). Its people go on with `sister`, whose name on
    Telegram is `username`, without the @."""

    bot: BotId
    sister: BotId
    username: str
    since: float

    @property
    def link(self) -> str:
        """The same for everybody: Telegram tells the sister who opens it, and nothing else needs to be known."""
        return f"https://t.me/{self.username}?start=moved"


class FleetBot(msgspec.Struct, frozen=True):
    """`username` is without the @; empty if Telegram has not told it."""

    bot: BotId
    username: str = ""


class KnownBots(msgspec.Struct, frozen=True):
    """All bots, in the operator's order. `in_file`: their tokens are in a file, so one can be removed."""

    bots: tuple[FleetBot, ...] = ()
    in_file: bool = False

    def bot(self, bot: int) -> FleetBot | None:
        return next((each for each in self.bots if each.bot == bot), None)

    def name(self, bot: int) -> str:
        """`@username`, or the number if it is not known."""
        known = self.bot(bot)
        return f"@{known.username}" if known is not None and known.username else str(bot)


class RetireBot(msgspec.Struct, frozen=True):
    """Remove the bot's token from the file. Done twice, it is done once."""

    bot: BotId
