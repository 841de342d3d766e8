"""What a person can read: what this is, the rules, and the pages that Telegram asks every bot for."""

from passerby.dialogue.keyboards import keys_for
from passerby.kernel.decision import Decider, Decision, Env, Facts, Filter
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.text import text

EXPECTED = ("vip",)
"""Commands that people know from elsewhere. They get a straight answer here, and are never passed on to a partner."""

PAGES = ("help", "rules", "privacy", "terms", "paysupport")


def _key(name: str, env: Env) -> str:
    """Which page it is. Nothing is said to be open to everybody where it is not."""
    return "pages.vip_given" if name == "vip" and set(Filter) - set(env.rules.free_filters) else f"pages.{name}"


def _page(name: str) -> Decider:
    def show(event: MessageReceived, facts: Facts, env: Env) -> Decision:
        page = text(_key(name, env), minimum=env.rules.minimum_age)
        keyboard = keys_for(facts.me.state) if facts.me.profile.complete else None
        return Decision(effects=(Say(facts.me.person, page, keyboard),))

    return show


feature = Feature("pages", commands={name: _page(name) for name in (*PAGES, *EXPECTED)}, open_to_all=True)
