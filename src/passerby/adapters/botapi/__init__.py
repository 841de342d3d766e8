"""The only code of the product that talks to Telegram: the `Telegram` port over a Bot API server."""

from passerby.adapters.botapi.bot_api import BotApi
from passerby.adapters.botapi.files import FileCache

__all__ = ["BotApi", "FileCache"]
