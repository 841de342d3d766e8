"""Webhooks: tell Telegram where to send a bot's updates, instead of polling for them."""

from typing import Protocol

import msgspec

from passerby.kernel.ids import BotId


class WebhookState(msgspec.Struct, frozen=True):
    """Telegram's information about a bot's webhook. If `url` is empty, there is none, and the bot is polled.

    `pending_update_count`: updates that wait, for the webhook or for polling. `last_error_date` in Unix seconds, 0 if
    there was no error. `last_error_message` comes from Telegram and names no person.
    """

    url: str = ""
    pending_update_count: int = 0
    max_connections: int = 0
    last_error_date: int = 0
    last_error_message: str = ""
    allowed_updates: tuple[str, ...] = ()


class Switches(msgspec.Struct, frozen=True):
    """The settings of a bot at @BotFather that matter here (source: Bot API 10.3, User, of getMe)."""

    can_join_groups: bool = False
    can_read_all_group_messages: bool = False
    can_connect_to_business: bool = False
    has_topics_enabled: bool = False
    allows_users_to_create_topics: bool = False
    supports_guest_queries: bool = False
    supports_inline_queries: bool = False


class WebhookApi(Protocol):
    """No method drops a pending update. Raises, from every method: TelegramError."""

    wanted_updates: tuple[str, ...]
    """The kinds of updates that `set` asks for."""

    async def username(self, bot: BotId) -> str: ...

    async def switches(self, bot: BotId) -> Switches: ...

    async def set(self, bot: BotId, url: str, secret: str, max_connections: int) -> None:
        """`secret`: 1 to 256 of A-Z, a-z, 0-9, _ and -. `max_connections`: updates under way at once, 1 to 100.

        From now on polling gets a 409, and pending updates come through the webhook.
        """
        ...

    async def delete(self, bot: BotId) -> None:
        """Pending updates can then be polled again."""
        ...

    async def state(self, bot: BotId) -> WebhookState: ...

    async def is_polled(self, bot: BotId, within_s: int) -> bool:
        """Whether another program polls it. Confirms nothing, but interrupts that program once."""
        ...

    async def aclose(self) -> None: ...
