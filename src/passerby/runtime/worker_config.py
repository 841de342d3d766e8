"""The settings of one worker."""

from collections.abc import Callable
from dataclasses import dataclass

from passerby.domain.budgets import Budget
from passerby.kernel.ids import BotId
from passerby.kernel.rules import STANDARD_QUOTA, Quota, Rules
from passerby.runtime.delivery.courier import PARK_AFTER_S
from passerby.runtime.delivery.sends import Look
from passerby.runtime.membership.tokens import REFUSED_AFTER_S


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerConfig:
    rules: Rules
    rules_now: Callable[[], Rules] | None = None
    """The rules of the moment, if staff may change them while the worker runs."""
    key: bytes
    """32 bytes, to seal with."""
    former_keys: tuple[bytes, ...] = ()
    """Former keys. They still open old data."""
    checker: BotId | None = None
    """The bot that asks who is a member of the sponsor's channel."""
    bot_budget: Budget
    chat_budget: Budget
    quota: Quota = STANDARD_QUOTA
    """How much one person may have in hand."""
    polls: bool = True
    """Whether to ask Telegram for updates. If not, Telegram brings them (see `Worker.receive`)."""
    leads: bool = True
    """Whether to take leases. A worker that only receives updates needs none."""
    shared: bool = False
    """Whether there may be other workers."""
    had_crashed: bool = False
    """Whether the run before did not end on purpose, so the records may lack its last facts."""
    park_after_s: float = PARK_AFTER_S
    """How long an undelivered relay may hold up its update."""
    name: str = ""
    """The name of the process, for operators."""
    home: str = ""
    """The installation: the machine's name and the run directory, for operators."""
    token_refused_after_s: float = REFUSED_AFTER_S
    """How long Telegram must refuse a token until the bot is lost (see `membership.tokens`)."""
    look: Look | None = None
    """Looks at the pictures of a message; None: nobody does."""
    insists: bool = True
    """Whether the start fails if no bot works."""
