"""The contact policy: each form of a message, each policy, each moment, and each notice.

`test_just_met` has single examples; this is the whole table.
"""

from itertools import product

import msgspec
import pytest

from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.decision import Counterpart, Decision
from passerby.kernel.effect import Answer, Relay, RelayEdit, Revise, Say
from passerby.kernel.event import MessageEdited, MessageReceived
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.rules import ContactPolicy, Rules
from tests.features.playbook import OTHER_BOT, Person, Playbook

OFF, WARN, HOLD = ContactPolicy.OFF, ContactPolicy.WARN, ContactPolicy.HOLD
LATER_S = Rules().just_met_s

FORMS: dict[str, Content] = {
    "text": Content(Kind.TEXT, "write me @annsmith"),
    "look-alikes": Content(Kind.TEXT, "write me @аnnsmith"),
    "hidden": Content(Kind.TEXT, "write me", (Entity("text_link", 0, 5, url="https://example.org"),)),
    "marked by Telegram": Content(Kind.TEXT, "write me", (Entity("phone_number", 0, 5),)),
    "mention": Content(Kind.TEXT, "write me", (Entity("text_mention", 6, 2),)),
    "caption": Content(Kind.PHOTO, "t.me/annsmith", file=File("f", "u")),
    "voice": Content(Kind.VOICE, "ann@example.org", file=File("f", "u")),
    "poll": Content(Kind.POLL, detail={"question": "@annsmith?", "options": []}),
    "checklist": Content(Kind.CHECKLIST, "list\n☐ @annsmith"),
    "rich": Content(Kind.RICH, "write me @annsmith", detail={"rebuilt": None, "copyable": True}),
}
MOMENTS = list(product(ContactPolicy, (False, True)))
forms = pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)


def couple(policy: ContactPolicy) -> tuple[Playbook, Person, Person]:
    talk = Playbook(Rules(contact_policy=policy))
    return talk, *talk.pair(talk.person(), talk.person(bot=OTHER_BOT))


def keys(decision: Decision) -> list[str]:
    """The keys of the notices, and the names of the relay effects."""
    named = (
        effect.text.key if isinstance(effect, Say | Revise) else type(effect).__name__ for effect in decision.effects
    )
    return list(named)


@forms
@pytest.mark.parametrize(("policy", "late"), MOMENTS)
def test_the_policy_decides_what_happens_to_a_message(policy: ContactPolicy, late: bool, content: Content) -> None:
    talk, ann, _ = couple(policy)
    talk.later(LATER_S if late else LATER_S - 1)
    (what,) = keys(ann.sends(content))
    if policy is OFF or late:
        assert what == "Relay"
    elif policy is HOLD:
        assert what == "chat.held"
    else:
        assert what.startswith("chat.confirm_")


CAPTIONS = {name: content for name, content in FORMS.items() if content.text and content.kind is not Kind.RICH}


@pytest.mark.parametrize("content", CAPTIONS.values(), ids=CAPTIONS)
@pytest.mark.parametrize("policy", ContactPolicy)
def test_the_policy_decides_what_happens_to_an_album(policy: ContactPolicy, content: Content) -> None:
    """One item is enough. The pictures are shown without their words."""
    _, ann, _ = couple(policy)
    other = Content(Kind.PHOTO, "look", file=File("g", "v"))
    decision = ann.sends(other, msgspec.structs.replace(content, kind=Kind.PHOTO, file=File("f", "u")))
    match policy:
        case ContactPolicy.OFF:
            assert keys(decision) == ["Relay"]
        case ContactPolicy.HOLD:
            assert keys(decision) == ["chat.held"]
        case ContactPolicy.WARN:
            assert keys(decision) == ["Relay", "chat.album_words_held"]
            relay = decision.effects[0]
            assert isinstance(relay, Relay)
            assert [each.text for each in relay.contents] == ["", ""]
            assert not any(each.entities for each in relay.contents)
            assert not relay.copyable


@forms
@pytest.mark.parametrize(("policy", "late"), MOMENTS)
def test_the_policy_decides_what_happens_to_an_edit(policy: ContactPolicy, late: bool, content: Content) -> None:
    talk, ann, ben = couple(policy)
    talk.map[MessageRef(ann.bot, MessageId(7))] = Counterpart(MessageRef(ben.bot, MessageId(70)), mine=True)
    talk.later(LATER_S if late else LATER_S - 1)
    about = MessageRef(ann.bot, MessageId(7))
    decision = talk.happens(MessageEdited(ann.person, *about, content, talk.env.now), about)
    held = policy is not OFF and not late
    assert keys(decision) == (["chat.edit_held"] if held else ["RelayEdit"])
    if not held:
        (relay_edit,) = decision.effects
        assert isinstance(relay_edit, RelayEdit)
        assert not any(entity.type == "text_mention" for entity in relay_edit.content.entities)


@forms
def test_a_yes_sends_it_once_and_a_no_does_not_send_it(content: Content) -> None:
    _, ann, _ = couple(WARN)
    message = ann.message(content)
    assert keys(ann.presses("show", ann.chat, subject=message)) == ["Answer", "chat.shown", "Relay"]
    assert keys(ann.presses("hide", ann.chat, subject=message)) == ["Answer", "chat.not_shown"]


@forms
def test_a_forged_yes_does_not_send_a_message_that_the_policy_holds(content: Content) -> None:
    _, ann, _ = couple(HOLD)
    decision = ann.presses("show", ann.chat, subject=ann.message(content))
    assert keys(decision) == ["Answer", "chat.not_shown"]
    assert refused(decision) == "chat.held"


def test_a_forged_yes_sends_nothing_old_and_nothing_refused() -> None:
    talk, ann, _ = couple(WARN)
    anchor = talk.anchors[ann.chat, ann.person].message
    early = ann.message(Content(Kind.TEXT, "for somebody else"), message=anchor - 1)
    assert refused(ann.presses("show", ann.chat, subject=early)) == "chat.before_this_chat"
    story = ann.message(Content(Kind.STORY))
    assert refused(ann.presses("show", ann.chat, subject=story)) == "chat.refused_story"


@pytest.mark.parametrize("token", ["", "another", "another.7"])
def test_a_yes_from_another_chat_does_nothing(token: str) -> None:
    _, ann, _ = couple(WARN)
    decision = ann.presses("show", token, subject=ann.message(FORMS["text"]))
    assert refused(decision) == "chat.button_too_old"


def test_a_yes_still_counts_after_the_first_minutes() -> None:
    talk, ann, _ = couple(WARN)
    message = ann.message(FORMS["text"])
    talk.later(LATER_S)
    assert keys(ann.presses("show", ann.chat, subject=message)) == ["Answer", "chat.shown", "Relay"]


def test_the_next_chat_has_its_own_first_minutes() -> None:
    talk, ann, ben = couple(WARN)
    talk.later(LATER_S)
    assert keys(ann.sends(FORMS["text"])) == ["Relay"]
    ann.writes("/stop")
    talk.pair(ann, ben)
    (what,) = keys(ann.sends(FORMS["text"]))
    assert what == "chat.confirm_name"


@pytest.mark.parametrize("policy", ContactPolicy)
def test_contacts_and_places_always_need_confirmation(policy: ContactPolicy) -> None:
    talk, ann, _ = couple(policy)
    for _ in range(2):
        assert keys(ann.sends(Content(Kind.CONTACT, detail={"first_name": "Ann"}))) == ["chat.confirm_contact"]
        assert keys(ann.sends(Content(Kind.VENUE, detail={"title": "Café"}))) == ["chat.confirm_place"]
        talk.later(LATER_S)


@pytest.mark.parametrize(
    "content",
    [
        Content(Kind.CONTACT, detail={"phone_number": "1", "first_name": "@annsmith"}),
        Content(Kind.VENUE, detail={"title": "Café", "address": "t.me/ann"}),
    ],
    ids=lambda content: content.kind,
)
def test_words_on_a_contact_or_place_follow_the_policy(content: Content) -> None:
    talk, ann, _ = couple(HOLD)
    assert keys(ann.sends(content)) == ["chat.held"]
    talk.later(LATER_S)
    assert keys(ann.sends(content))[0].startswith("chat.confirm_")


@pytest.mark.parametrize("policy", ContactPolicy)
def test_a_quote_follows_the_policy_like_a_message(policy: ContactPolicy) -> None:
    _, ann, _ = couple(policy)
    (what,) = keys(ann.writes("yes", reply_to=7, quote="t.me/annsmith"))
    assert what == {OFF: "Relay", WARN: "chat.confirm_link", HOLD: "chat.held"}[policy]


@pytest.mark.parametrize("policy", ContactPolicy)
def test_ordinary_words_pass_at_once(policy: ContactPolicy) -> None:
    _, ann, _ = couple(policy)
    plain = (Content(Kind.TEXT, "hello, 10:30 am"), Content(Kind.PHOTO, "look", file=File("f", "u")))
    for content in plain:
        assert keys(ann.sends(content)) == ["Relay"]
    assert keys(ann.sends(*(msgspec.structs.replace(each, group="g") for each in plain))) == ["Relay"]


def test_both_sides_are_asked() -> None:
    _, ann, ben = couple(WARN)
    for person in (ann, ben):
        assert keys(person.sends(FORMS["text"])) == ["chat.confirm_name"]


def refused(decision: Decision) -> str:
    """The alert that answers the press. Nothing else is sent."""
    assert not any(isinstance(effect, Relay) for effect in decision.effects)
    (answer,) = (effect for effect in decision.effects if isinstance(effect, Answer))
    assert answer.alert
    assert answer.text is not None
    return answer.text.key


def test_the_sent_message_is_the_one_that_was_asked_about() -> None:
    talk, ann, ben = couple(WARN)
    talk.unblurred(ben)
    message = ann.message(FORMS["caption"], reply_to=5)
    assert isinstance(message, MessageReceived)
    *_, relay = ann.presses("show", f"{ann.chat}.5", subject=message).effects
    assert relay == Relay(
        ann.chat,
        ann.person,
        ann.bot,
        message.messages,
        ben.person,
        (FORMS["caption"],),
        copyable=True,
        reply_to=MessageRef(ann.bot, MessageId(5)),
    )
