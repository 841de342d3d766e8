"""Opens sealed data for pages: evidence, comments and questions."""

from collections.abc import Awaitable, Callable

from passerby.kernel.content import Content
from passerby.kernel.ids import BotId
from passerby.kernel.staff import ShowExhibit

OpenExhibit = Callable[[ShowExhibit], Awaitable[str | tuple[BotId, Content] | None]]
"""Words, or a message and the bot that received it. None: it was erased. Raises: RecordsLost."""
