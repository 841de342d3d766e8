"""An album with items that cannot be sent: their sender is told which, and the others arrive."""

from passerby.kernel.content import Content, File, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Relay, Say
from passerby.kernel.ids import MessageId
from tests.features.playbook import OTHER_BOT, Playbook, says

PHOTO = Content(Kind.PHOTO, file=File("f", "f"))
GAME = Content(Kind.GAME)
CONTACT = Content(Kind.CONTACT, detail={"phone_number": "1", "first_name": "A"})


def test_refused_items_are_named_and_the_others_stay_one_album() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    talk.unblurred(ann, ben)
    decision = ann.sends(PHOTO, GAME, PHOTO, GAME)
    first = ann.last_message
    relayed = Relay(
        ann.chat, ann.person, ann.bot, (MessageId(first), MessageId(first + 2)), ben.person, (PHOTO, PHOTO), True
    )
    named = [says(ann, "chat.refused_game", None, reply_to=first + place) for place in (1, 3)]
    assert decision == Decision(effects=(relayed, *named))


def test_in_an_album_of_refused_items_each_is_named() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    talk.unblurred(ann, ben)
    decision = ann.sends(GAME, GAME)
    assert [type(effect) for effect in decision.effects] == [Say, Say]


def test_an_item_that_reveals_its_sender_is_asked_about_alone() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    talk.unblurred(ann, ben)
    relayed, asked = ann.sends(PHOTO, CONTACT).effects
    assert isinstance(relayed, Relay)
    assert relayed.contents == (PHOTO,)
    assert isinstance(asked, Say)
    assert (asked.text.key, asked.reply_to) == ("chat.confirm_contact", ann.last_message + 1)


def test_an_album_that_may_reach_nobody_is_refused_once() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    talk.unblurred(ann, ben)
    talk.anchors = {}
    (told,) = ann.sends(PHOTO, GAME).effects
    assert isinstance(told, Say)
    assert told.text.key == "chat.before_this_chat"
