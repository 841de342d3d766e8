"""`/invite`: the person's own link, and what both get when a friend has come by it. See `domain.money.referrals`."""

from passerby.domain.lifecycle import refresh_ticket
from passerby.domain.money.referrals import LINK, rewarded, with_link
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Answer, Effect, Priority, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature, HelpLine
from passerby.kernel.journey import COUNTED_TALKS
from passerby.kernel.money_event import ReferralGiven
from passerby.kernel.text import day, text

INVITE = "invite"


def invite(event: MessageReceived | ButtonPressed, facts: Facts, env: Env) -> Decision:
    answer: tuple[Effect, ...] = (Answer(event.query),) if isinstance(event, ButtonPressed) else ()
    if not env.rules.referral_days:
        return Decision(effects=(*answer, Say(facts.me.person, text("referrals.off"))))
    if not facts.bot_name:
        return Decision(effects=(*answer, Say(facts.me.person, text("referrals.later"))))
    me, token = with_link(facts.me, env)
    link = f"https://t.me/{facts.bot_name}?start={LINK}{token}"
    said = text("referrals.link", n=env.rules.referral_days, talks=COUNTED_TALKS, link=link)
    return Decision((me,) if me is not facts.me else (), (*answer, Say(me.person, said)))


def given(event: ReferralGiven, facts: Facts, env: Env) -> Decision:
    """The VIP days for one of the two. The other is not named."""
    me = rewarded(facts.me, event.grant, env.rules.referral_days, env.now)
    if me is facts.me:
        return NOTHING
    said = text("referrals.for_friend" if event.for_friend else "referrals.given", day=day(me.vip_until))
    return Decision((refresh_ticket(me, env),), (Say(me.person, said, priority=Priority.SYSTEM),))


feature = Feature(
    "referrals",
    commands={"invite": invite},
    help=(HelpLine("referrals.help", 40, lambda rules: bool(rules.referral_days)),),
    presses={INVITE: invite},
    events={ReferralGiven: given},
    names_bot=(invite,),
)
