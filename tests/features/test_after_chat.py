"""After a chat: the question how it was, and ratings that nobody else learns about."""

import msgspec
import pytest

from passerby.dialogue.after_chat import menu
from passerby.domain.after_chat import EARLIER_S
from passerby.domain.karma import INDEPENDENT
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Revise, Say
from passerby.kernel.event import BotLost
from passerby.kernel.ids import MessageId, PersonId
from passerby.kernel.opinion import Rate
from passerby.kernel.participant import Met, Rating, Searching
from passerby.kernel.text import text
from tests.features.playbook import BOT, NOW, Person, Playbook, asks, revises, says


def parted_pair(talk: Playbook) -> tuple[Person, Person]:
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    ann.writes("/stop")
    return ann, ben


def acquainted(who: Person, people: int = INDEPENDENT) -> None:
    """Let somebody meet other people, so that their rating counts."""
    met = tuple(Met(PersonId(1000 + number), NOW) for number in range(people))
    who.talk.people[who.person] = msgspec.structs.replace(who.value, recent=(*who.value.recent, *met))


def actions(said: Say) -> list[list[str]]:
    assert isinstance(said.keyboard, Menu)
    return [[button.action for button in row] for row in said.keyboard.rows]


ALL = [["seek"], ["good", "bad"], ["save", "return"], ["block", "report", "done"]]


def test_both_sides_get_the_same_question_and_buttons() -> None:
    ann, ben = parted_pair(Playbook())
    assert actions(asks(ann.value)) == actions(asks(ben.value)) == ALL


@pytest.mark.parametrize(
    "how", ["/stop", "/next", "/block", "report", "blocks the bot", "their bot is lost"], ids=str.split
)
def test_the_person_who_was_left_cannot_see_why(how: str) -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    match how:
        case "report":
            decision = ann.presses("complain", f"{ann.chat}.rude")
        case "blocks the bot":
            decision = ann.blocks()
        case "their bot is lost":
            decision = talk.happens(BotLost(ann.person, BOT))
        case _:
            decision = ann.writes(how)
    mine = [effect for effect in decision.effects if isinstance(effect, Say) and effect.to == ben.person]
    assert [said.text.key for said in mine] == ["chat.partner_left", "after_chat.ask"]
    assert actions(mine[1]) == ALL
    last = ben.value.last
    assert last is not None
    pressed = ben.presses("return", last.chat)
    assert pressed.effects[1] == revises(ben, "after_chat.asked_back", rest(ben))


def rest(of: Person) -> Menu:
    """The remaining buttons."""
    return menu(of.value, of.talk.env.now)


@pytest.mark.parametrize(("action", "rating", "up"), [("good", Rating.GOOD, True), ("bad", Rating.BAD, False)])
def test_a_rating_changes_the_partners_karma_and_nobody_is_told(action: str, rating: Rating, up: bool) -> None:
    ann, ben = parted_pair(Playbook())
    acquainted(ann)
    decision = ann.looks_back(action)
    assert ann.value.last is not None
    assert ann.value.last.rating is rating
    assert (ben.value.karma.score > 0) is up
    assert ben.value.karma.score != 0
    assert decision.effects == (Answer("query"), revises(ann, "after_chat.thanks", rest(ann)))
    assert decision.opinions == (Rate(ann.value.last.chat, ann.person, rating),)
    assert actions(Say(ann.person, text("x"), rest(ann))) == [["seek"], *ALL[2:]]


def test_only_the_first_rating_counts() -> None:
    ann, ben = parted_pair(Playbook())
    acquainted(ann)
    ann.looks_back("good")
    before = ann.value, ben.value
    for action in ("good", "bad"):
        assert ann.looks_back(action) == Decision(effects=(Answer("query", text("after_chat.rated_already")),))
    assert (ann.value, ben.value) == before


def test_a_rating_counts_even_if_its_message_is_gone() -> None:
    ann, _ = parted_pair(Playbook())
    assert ann.looks_back("good", message=None).effects == (Answer("query"),)
    assert ann.value.last is not None
    assert ann.value.last.rating is Rating.GOOD


def test_a_partner_who_is_no_longer_known_can_be_rated() -> None:
    talk = Playbook()
    ann, ben = parted_pair(talk)
    del talk.people[ben.person]
    assert [change.person for change in ann.looks_back("bad").changes] == [ann.person]


def away(chat: str) -> Menu:
    return Menu((tuple(Button(text(f"after_chat.{each}"), each, chat) for each in ("block", "report", "done")),))


@pytest.mark.parametrize("action", ["good", "bad", "return", "save"])
def test_an_older_chats_button_only_offers_block_and_report(action: str) -> None:
    talk = Playbook()
    ann, _ = parted_pair(talk)
    assert ann.value.last is not None
    old = ann.value.last.chat
    talk.pair(ann, talk.person())
    ann.writes("/stop")
    effects = (Answer("query", text("after_chat.too_old")), revises(ann, "after_chat.over", away(old)))
    assert ann.presses(action, old) == Decision(effects=effects)
    assert ann.presses(action, old, message=None) == Decision(effects=effects[:1])


@pytest.mark.parametrize("action", ["good", "bad", "return", "save", "block", "report"])
def test_a_button_of_a_chat_long_ago_changes_nobody(action: str) -> None:
    talk = Playbook()
    ann, _ = parted_pair(talk)
    assert ann.value.last is not None
    old = ann.value.last.chat
    talk.pair(ann, talk.person())
    ann.writes("/stop")
    talk.later(EARLIER_S + 1)
    too_old = Decision(effects=(Answer("query", text("after_chat.too_old")), revises(ann, "after_chat.over")))
    assert ann.presses(action, old).effects == too_old.effects
    assert ann.presses(action, old, message=None) == Decision(effects=too_old.effects[:1])
    assert talk.person().presses(action, old).changes == (), "nor one about a chat of others"


def test_the_last_chat_can_be_rated_during_the_next_one() -> None:
    talk = Playbook()
    ann, ben = parted_pair(talk)
    acquainted(ann)
    _, eve = talk.pair(ann, talk.person())
    was = eve.value
    ann.looks_back("bad")
    assert eve.value == was
    assert ben.value.karma.score < 0


def test_skip_removes_the_buttons() -> None:
    ann, _ = parted_pair(Playbook())
    assert ann.looks_back("done") == Decision(effects=(Answer("query"), revises(ann, "after_chat.over")))
    assert ann.looks_back("done", message=None) == Decision(effects=(Answer("query"),))


@pytest.mark.parametrize("words", ["/stop", "/next"])
def test_the_first_button_after_a_partner_left_is_find(words: str) -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    decision = ann.writes(words)
    menus = {
        each.to: each.keyboard for each in decision.effects if isinstance(each, Say) and isinstance(each.keyboard, Menu)
    }
    theirs = menus[ben.person]
    assert isinstance(theirs, Menu)
    assert theirs.rows[0] == (Button(text("keys.find"), "seek", ben.value.last.chat),)  # type: ignore[union-attr]
    mine = menus[ann.person]
    assert isinstance(mine, Menu)
    assert (mine.rows[0][0].action == "seek") is (words == "/stop"), "who moved on is searching already"


def test_the_find_button_searches_once_and_keeps_the_other_buttons() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/stop")
    ben.looks_back("good")
    was = ben.value
    decision = ben.looks_back("seek")
    assert isinstance(ben.value.state, Searching)
    thanked = Revise(ben.person, MessageId(50), text("after_chat.thanks"), menu(ben.value, talk.env.now))
    begun = says(ben, "search.begun", search=talk.env.now)
    assert decision == Decision(
        (msgspec.structs.replace(was, state=ben.value.state),), (Answer("query"), thanked, begun)
    )
    assert ben.looks_back("seek").effects[-1] == says(ben, "search.already", search=talk.env.now)
    ben.writes("/stop")
    older = ben.presses("seek", "an older chat")
    assert older.effects == (Answer("query"), begun), "an older question stays as it is"
