"""The only code of the product that speaks to Telegram: the `Telegram` port over a Bot API server."""

from passerby.adapters.botapi.files import FileCache
from passerby.adapters.botapi.fleet import BotApi

__all__ = ["BotApi", "FileCache"]
