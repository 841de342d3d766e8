"""`/bots`: the fleet's bots as a message with buttons. Each press changes that message."""

import msgspec

from passerby.dialogue.staff import answer, in_rows, lines, refused
from passerby.kernel.decision import Env
from passerby.kernel.digits import MOST_ID, whole
from passerby.kernel.drain import Drain, FleetBot, RetireBot
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.staff import StaffDecision, StaffFacts
from passerby.kernel.staff_requests import DrainAsked, DrainEndAsked, RetireAsked
from passerby.kernel.text import Text, text
from passerby.staff.bots.changes import drain, drain_of, end_drain, retire


def _name(bot: FleetBot) -> str:
    return f"@{bot.username}" if bot.username else str(bot.bot)


def _line(bot: FleetBot, drain: Drain | None) -> Text:
    if drain is None:
        return text("bots.open", name=_name(bot), bot=str(bot.bot))
    return text("bots.closing", name=_name(bot), bot=str(bot.bot), sister=drain.username)


def _list(facts: StaffFacts) -> tuple[Text, Menu | None]:
    bots = facts.fleet.bots
    if not bots:
        return text("bots.none"), None
    buttons = [Button(text("bots.name", name=_name(each)), "bots_one", str(each.bot)) for each in bots]
    said = text("bots.list", bots=lines([_line(each, drain_of(each.bot, facts)) for each in bots]))
    return said, Menu(in_rows(buttons))


def _card(bot: FleetBot, facts: StaffFacts) -> tuple[Text, Menu]:
    """A bot that is open can close, if another one with a known name takes its people. One that closes can open again,
    or be retired."""
    back = (Button(text("bots.back"), "bots_list"),)
    drain = drain_of(bot.bot, facts)
    if drain is None:
        sisters = [
            each
            for each in facts.fleet.bots
            if each.bot != bot.bot and each.username and drain_of(each.bot, facts) is None
        ]
        buttons = [
            Button(text("bots.close", sister=each.username), "bots_close", f"{bot.bot}.{each.bot}") for each in sisters
        ]
        said = _line(bot, drain) if sisters else text("bots.no_sister", name=_name(bot))
        return said, Menu((*in_rows(buttons, 1), back))
    again = (Button(text("bots.reopen"), "bots_reopen", str(bot.bot)),)
    out = ((Button(text("bots.retire"), "bots_retire", str(bot.bot)),),) if facts.fleet.in_file else ()
    return _line(bot, drain), Menu((again, *out, back))


def _named(event: ButtonPressed, facts: StaffFacts) -> tuple[FleetBot | None, FleetBot | None]:
    """The bot of a press, and the sister after the dot."""
    found = [
        facts.fleet.bot(int(each)) if whole(each, MOST_ID) is not None else None
        for each in event.token.partition(".")[::2]
    ]
    return found[0], found[1]


def list_bots(event: MessageReceived | ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return StaffDecision(effects=answer(event, *_list(facts)))


def one_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    bot, _ = _named(event, facts)
    return (
        refused(event, text("bots.gone")) if bot is None else StaffDecision(effects=answer(event, *_card(bot, facts)))
    )


def close_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    bot, sister = _named(event, facts)
    if bot is None or sister is None or bot == sister or not sister.username:
        return refused(event, text("bots.gone"))
    return _done(event, drain(DrainAsked(bot.bot, sister.bot, sister.username), facts, env))


def reopen_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    bot, _ = _named(event, facts)
    return (
        refused(event, text("bots.gone"))
        if bot is None
        else _done(event, end_drain(DrainEndAsked(bot.bot), facts, env))
    )


def retire_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Ask once more."""
    bot, _ = _named(event, facts)
    if bot is None:
        return refused(event, text("bots.gone"))
    sure = Button(text("bots.retire"), "bots_sure", str(bot.bot))
    back = Button(text("bots.back"), "bots_list")
    return StaffDecision(effects=answer(event, text("bots.sure", name=_name(bot)), Menu(((sure,), (back,)))))


def sure_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    bot, _ = _named(event, facts)
    if bot is None or not facts.fleet.in_file:
        return refused(event, text("bots.gone"))
    if drain_of(bot.bot, facts) is None:
        return refused(event, text("bots.close_first", name=_name(bot)))
    return _done(event, retire(RetireAsked(bot.bot), facts, env), removes=bot)


def _done(event: ButtonPressed, decision: StaffDecision, removes: FleetBot | None = None) -> StaffDecision:
    """Show the decision on a request of the command line in place of the buttons."""
    assert decision.reply is not None, "every request is answered"
    if decision.refused:
        return refused(event, decision.reply)
    shown = answer(event, decision.reply, Menu(((Button(text("bots.back"), "bots_list"),),)))
    effects = (*shown, RetireBot(removes.bot)) if removes is not None else shown
    return msgspec.structs.replace(decision, effects=effects)
