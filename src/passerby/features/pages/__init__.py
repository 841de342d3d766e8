"""Pages to read: help, the rules, and the pages that Telegram asks of every bot."""

from functools import reduce

from passerby.dialogue.keyboards import keys_for
from passerby.domain.support import shown, with_code
from passerby.kernel.decision import Decider, Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.feature import Feature, HelpLine, MenuCommand
from passerby.kernel.text import text

LISTED = ("help", "rules", "privacy", "terms")
"""In the order of the menu."""

FIRST_PLACE = 120
"""The place of the first page in the menu. The others follow it."""


def _page(name: str) -> Decider:
    def show(event: MessageReceived, facts: Facts, env: Env) -> Decision:
        page = text(f"pages.{name}", minimum=env.rules.minimum_age)
        keyboard = keys_for(facts.me.state) if facts.me.profile.complete and not facts.me.sanctions else None
        told: tuple[Say, ...] = (Say(facts.me.person, page, keyboard),)
        if name == "privacy" and env.rules.contact:
            told = (*told, Say(facts.me.person, text("pages.contact", address=env.rules.contact)))
        return Decision(effects=told)

    return show


def help_with(lines: tuple[HelpLine, ...]) -> Decider:
    """Make the decider of `/help`. Besides the page, it has the lines of the features that count under the rules.

    It shows the person's code for the staff, if they have said anything about themselves yet.
    """

    def show(event: MessageReceived, facts: Facts, env: Env) -> Decision:
        page = text("pages.help", minimum=env.rules.minimum_age)
        more = [text(each.line) for each in lines if each.when(env.rules)]
        if more:
            listed = reduce(lambda before, line: text("pages.lines", before=before, line=line), more)
            page = text("pages.help_more", page=page, lines=listed)
        me = facts.me
        if not me.profile.complete and not me.sanctions:
            return Decision(effects=(Say(me.person, page),))
        me = with_code(me, env)
        assert me.support is not None, "it was just made"
        said = text("pages.with_code", page=page, code=shown(me.support.code))
        keyboard = None if me.sanctions else keys_for(me.state)
        return Decision((me,) if me is not facts.me else (), (Say(me.person, said, keyboard),))

    return show


_PAGES = {name: _page(name) for name in LISTED if name != "help"}

feature = Feature(
    "pages",
    commands=_PAGES,
    menu=tuple(MenuCommand(name, f"commands.{name}", FIRST_PLACE + at) for at, name in enumerate(LISTED)),
    open_to_barred=frozenset(_PAGES.values()),
    open_to_all=True,
    help_page=help_with,
)
