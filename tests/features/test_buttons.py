"""Presses every button that is ever shown: each is answered, and every press that a feature handles has a button."""

from collections.abc import Iterator

import msgspec

from passerby.domain.money.promos import LINK
from passerby.features import ALL
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu
from passerby.kernel.event import SearchDelayed
from passerby.kernel.ids import PersonId
from passerby.kernel.money import ChargeId, Payment, Plan
from passerby.kernel.money_event import PaymentSettled, VipEnding
from passerby.kernel.participant import Preferences, Profile, Saved
from passerby.kernel.rules import Filter, Rules, Sponsor
from passerby.kernel.staff_event import FarmSuspected
from tests.features.playbook import Person, Playbook, grown_up

COMMANDS = sorted({command for feature in ALL for command in feature.commands} - {"block"})
"""The block comes last, because blocked people never meet again."""


def buttons(decision: Decision, person: Person) -> Iterator[Button]:
    for effect in decision.effects:
        keyboard = getattr(effect, "keyboard", None)
        if isinstance(keyboard, Menu) and getattr(effect, "to", getattr(effect, "person", None)) == person.person:
            yield from (button for row in keyboard.rows for button in row)


class Explorer:
    """Presses every button that a person gets, and then the ones they get after that. Of many similar ones, it presses
    a few."""

    def __init__(self, talk: Playbook) -> None:
        self.talk = talk
        self.pressed: set[tuple[str, str]] = set()

    def look(self, decision: Decision, person: Person, **how: object) -> None:
        for button in buttons(decision, person):
            alike = sum(action == button.action for action, _ in self.pressed)
            if (button.action, button.token) in self.pressed or alike >= 40:
                continue
            self.pressed.add((button.action, button.token))
            people = dict(self.talk.people)
            following = person.presses(button.action, button.token, **how)  # type: ignore[arg-type]
            answers = [effect for effect in following.effects if isinstance(effect, Answer)]
            assert len(answers) == 1, f"{button.action}: a spinner that never stops"
            assert len(following.effects) > 1 or answers[0].text is not None, f"{button.action} {button.token}: nothing"
            self.look(following, person, **how)
            again = person.presses(button.action, button.token, **how)  # type: ignore[arg-type]
            assert any(isinstance(effect, Answer) for effect in again.effects), f"{button.action}, pressed twice"
            self.talk.people.clear()
            self.talk.people.update(people)


def explore_the_shop(pressed: set[tuple[str, str]]) -> None:
    talk = Playbook(Rules(plans=(Plan("week", 7, 75),), free_filters=(), referral_days=3))
    explorer = Explorer(talk)
    explorer.pressed = pressed
    ann = talk.person()
    explorer.look(ann.writes("/vip"), ann)
    payment = Payment(ChargeId("c"), "p", 75, talk.env.now, found=True)
    talk.happens(PaymentSettled(ann.person, ann.bot, payment))
    explorer.look(ann.writes("/paysupport"), ann)
    explorer.look(ann.writes("/start p_welcome"), ann)
    ben = talk.person()
    talk.pair(ben, talk.person())
    explorer.look(ben.writes("/vip"), ben)
    talk.later(6.5 * 86_400)
    explorer.look(talk.happens(VipEnding(ann.person, ann.bot)), ann)


def test_every_button_is_answered_and_every_answer_has_a_button() -> None:
    talk = Playbook(Rules(free_filters=tuple(Filter)))
    explorer = Explorer(talk)
    stranger = talk.stranger()
    explorer.look(stranger.writes("/start"), stranger)

    doubted = talk.person(grown_up())
    decision = talk.happens(FarmSuspected(doubted.person, doubted.bot, talk.env.now))
    explorer.look(decision, doubted)

    usual, talk.sponsored = talk.env, True
    talk.env = msgspec.structs.replace(usual, rules=Rules(sponsor=Sponsor("@harbour", "https://t.me/harbour", True)))
    searcher = talk.person(grown_up())
    explorer.look(searcher.writes("/search"), searcher)
    talk.env, talk.sponsored = usual, False

    child = talk.person(Profile(consented_at=talk.env.now, language="en"))
    explorer.look(child.writes("3"), child)

    ann, ben = talk.pair(talk.person(grown_up()), talk.person(grown_up()))
    contact = ann.message(Content(Kind.CONTACT))
    explorer.look(talk.happens(contact), ann, subject=contact)
    mistyped = ann.message(Content(Kind.TEXT, "/serach"))
    explorer.look(talk.happens(mistyped), ann, subject=mistyped)
    reported = ann.chat
    ann.presses("complain", f"{reported}.rude")
    talk.pair(ann, talk.person())
    doubtful = ann.message(Content(Kind.TEXT, "he was rude"))
    explorer.look(talk.happens(doubtful), ann, subject=doubtful)
    ann.presses("wordless", reported)
    ann.writes("/stop")
    ann.presses("unblock", "1.1")
    talk.pair(ann, ben)
    for command in COMMANDS:
        explorer.look(ann.writes(f"/{command}"), ann)
        if not hasattr(ann.value.state, "chat"):
            talk.pair(ann, ben)
    explorer.look(ann.writes("/stop"), ann)
    for each in (ann, ben):
        each.looks_back("save")
    explorer.look(ann.writes("/friends"), ann)
    token = next(button.token for button in buttons(ann.writes("/friends"), ann) if button.action == "ask")
    explorer.look(ann.presses("ask", token), ben)
    many = tuple(Saved(f"t{number}", PersonId(2000 + number), mutual=True) for number in range(31))
    talk.people[ann.person] = msgspec.structs.replace(ann.value, saved=many)
    explorer.look(ann.writes("/friends"), ann)
    for _ in range(10):
        talk.pair(ann, talk.person())
        ann.writes("/block")
    explorer.look(ann.writes("/blocked"), ann)
    talk.pair(ann, talk.person())
    ann.writes("/stop")
    explorer.look(ann.writes("/block"), ann)

    eve = talk.person()
    explorer.look(eve.presses("put", "speak.de"), eve)
    eve.presses("put", "want.female")
    eve.presses("put", "ages.18-22")
    eve.presses("put", "other.")
    eve.writes("/search")
    state = eve.value.state
    explorer.look(talk.happens(SearchDelayed(eve.person, eve.bot, state.ticket.since, 0, None)), eve)  # type: ignore[union-attr]
    assert eve.value.preferences != Preferences()

    explorer.look(eve.writes(f"/start {LINK}WELCOME"), eve)
    explore_the_shop(explorer.pressed)
    # The button below a broadcast, which the runtime sends.
    explorer.look(eve.presses("mute", "promo"), eve)
    explorer.pressed.add(("mute", "promo"))

    taken = {action for feature in ALL for action in feature.presses}
    assert taken - {action for action, _ in explorer.pressed} == set()
