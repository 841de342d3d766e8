"""Sends the team the messages of a staff decision that was not made in the staff bot: at once, by no queue."""

from collections.abc import Iterable
from contextlib import suppress

from passerby.kernel.effect import Say
from passerby.kernel.ids import BotId
from passerby.kernel.staff import StaffDecision, StaffMember
from passerby.ports.outbox import Notice
from passerby.ports.telegram import Telegram, TelegramError
from passerby.runtime.delivery.wording import Wording, Words


async def tell(
    decision: StaffDecision, team: Iterable[StaffMember], words: Words, telegram: Telegram, bot: BotId
) -> None:
    """Tell the staff whom a decision is about. It is done in any case, so each of them is tried once."""
    languages = {each.person: each.language for each in (*team, *decision.members)}
    wording = Wording(words)
    for say in decision.effects:
        if isinstance(say, Say):
            notice = Notice("", say.to, bot, say.text, say.priority, 0.0, say.keyboard)
            with suppress(TelegramError):
                await telegram.send(wording.notice(notice, languages.get(say.to, "")))
