"""A bot that closes: its people are sent to a sister bot, before it is retired."""

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
