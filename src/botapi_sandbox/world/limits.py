"""Flood limits: a token bucket per chat and per bot, as in the Bot API's FAQ; and one setWebhook a second.

About one message a second in one chat, with short bursts, and about thirty a second over all chats. A refusal takes
nothing from either bucket. `retry_after` is the time, in whole seconds, until there is a token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from botapi_sandbox.world.answers import Refusal
from botapi_sandbox.world.switches import Switches

WEBHOOK_EVERY_S = 1.0


@dataclass(slots=True)
class Bucket:
    """`tokens` at the time `at` (Unix seconds)."""

    tokens: float
    at: float

    def fill(self, now: float, rate_per_s: float, burst: float) -> float:
        """Add the tokens earned since `at`, and return all tokens."""
        self.tokens = min(burst, self.tokens + max(0.0, now - self.at) * rate_per_s)
        self.at = now
        return self.tokens


class Limits:
    """The buckets of a world. They are only in memory: a restart resets the limits."""

    def __init__(self) -> None:
        self._bots: dict[int, Bucket] = {}
        self._chats: dict[tuple[int, int], Bucket] = {}
        self._webhook_set_at: dict[int, float] = {}

    def take(self, switches: Switches, now: float, bot_id: int, chat_id: int, messages: int = 1) -> None:
        """Count `messages` sent to one chat. Raises: Refusal 429; then nothing is counted."""
        if not switches.limits:
            return
        bot = self._bots.setdefault(bot_id, Bucket(switches.bot_burst, now))
        chat = self._chats.setdefault((bot_id, chat_id), Bucket(switches.chat_burst, now))
        wait_s = max(
            _wait_s(chat.fill(now, switches.chat_rate_per_s, switches.chat_burst), messages, switches.chat_rate_per_s,
                    switches.chat_burst),
            _wait_s(bot.fill(now, switches.bot_rate_per_s, switches.bot_burst), messages, switches.bot_rate_per_s,
                    switches.bot_burst),
        )  # fmt: skip
        if wait_s > 0:
            seconds = max(1, math.ceil(wait_s))
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        bot.tokens -= messages
        chat.tokens -= messages

    def take_webhook(self, switches: Switches, now: float, bot_id: int) -> None:
        """Count one setWebhook: each bot may send one a second. Raises: Refusal 429."""
        if switches.limits and now < self._webhook_set_at.get(bot_id, -1e9) + WEBHOOK_EVERY_S:
            raise Refusal(429, "Too Many Requests: retry after 1", retry_after=1)
        self._webhook_set_at[bot_id] = now


def _wait_s(tokens: float, messages: int, rate_per_s: float, burst: float) -> float:
    # An album larger than the burst must be possible: it waits for a full bucket and then takes more than that.
    missing = min(float(messages), burst) - tokens
    return missing / rate_per_s if missing > 1e-9 else 0.0
