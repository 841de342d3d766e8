"""The comforts of VIPs besides the filters: several kept wishes, longer lists, and pictures without blur. Where VIP
makes no difference, everybody has them."""

import msgspec
import pytest

from passerby.domain.entitlement import has_comforts
from passerby.domain.pictures import blurs
from passerby.features.friends import MOST, MOST_OF_VIPS, SHOWN
from passerby.features.profile.kept_wishes import MOST_KEPT
from passerby.features.profile.menus import SECTIONS
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Say
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.money import Plan
from passerby.kernel.participant import Blur, Chatting, Gender, Preferences, Saved, Searching
from passerby.kernel.rules import Filter, Rules
from passerby.kernel.text import Text, text
from tests.features.playbook import NOW, Person, Playbook

SOLD = Rules(plans=(Plan("week", 7, 75),), free_filters=())
SOLD_WITH_FREE_FILTERS = Rules(plans=(Plan("week", 7, 75),), free_filters=tuple(Filter))
LOCKED = Answer("query", text("profile.locked_too"), alert=True)


def vip(talk: Playbook, until: float = NOW + 86_400) -> Person:
    ann = talk.person()
    change(ann, vip_until=until)
    return ann


def change(who: Person, **fields: object) -> None:
    who.talk.people[who.person] = msgspec.structs.replace(who.value, **fields)


def wishes_menu(ann: Person) -> list[Button]:
    return [button for row in SECTIONS["wants"](ann.value, ann.talk.env, "")[1].rows for button in row]


def tokens(ann: Person, what: str) -> list[str]:
    return [button.token for button in wishes_menu(ann) if button.token.startswith(f"{what}.")]


@pytest.mark.parametrize(
    ("rules", "until", "has"),
    [(Rules(), 0.0, True), (SOLD, 0.0, False), (SOLD_WITH_FREE_FILTERS, 0.0, False), (SOLD, NOW + 1, True)],
)
def test_comforts_are_for_vips_where_something_is_sold_and_else_for_everybody(
    rules: Rules, until: float, has: bool
) -> None:
    talk = Playbook(rules)
    assert has_comforts(vip(talk, until).value, talk.env) is has


def test_a_vip_keeps_several_wishes_and_takes_one_up_by_a_press_also_while_searching() -> None:
    talk = Playbook(SOLD)
    ann = vip(talk)
    for press in ("want.female", "ages.20-26", "keep.", "want.", "want.male", "other.", "keep."):
        ann.presses("put", press)
    young_women, men = Preferences((Gender.FEMALE,), 20, 26), Preferences((Gender.MALE,), 20, 26, other_languages=False)
    assert ann.value.kept_wishes == (young_women, men)
    ann.prefers(icebreakers=False, blur=Blur.ALWAYS)
    ann.writes("/search")
    first, second = tokens(ann, "take")
    ann.presses("put", first)
    assert ann.value.preferences == Preferences((Gender.FEMALE,), 20, 26, icebreakers=False, blur=Blur.ALWAYS)
    assert isinstance(ann.value.state, Searching)
    assert ann.value.state.ticket.wants.genders == (Gender.FEMALE,)
    drop, _ = tokens(ann, "drop")
    ann.presses("put", drop)
    assert list(ann.value.kept_wishes) == [men]
    before = ann.value
    assert ann.presses("put", first).changes == (), "an old menu has what is gone"
    assert ann.value == before
    ann.presses("put", second)
    assert ann.value.preferences.genders == (Gender.MALE,)


def test_the_same_wishes_are_kept_once_and_at_most_five_different_ones() -> None:
    ann = vip(Playbook(SOLD))
    assert tokens(ann, "keep") == ["keep."]
    ann.presses("put", "keep.")
    assert tokens(ann, "keep") == [], "these are kept"
    assert ann.presses("put", "keep.").changes == ()
    for ages in ("18-22", "20-26", "25-32", "30-40", "40-55"):
        ann.presses("put", f"ages.{ages}")
        ann.presses("put", "keep.")
    assert len(ann.value.kept_wishes) == MOST_KEPT
    assert tokens(ann, "keep") == [], "there is no room"


def test_without_vip_kept_wishes_wait_behind_a_lock_and_can_only_be_dropped() -> None:
    talk = Playbook(SOLD)
    ann = vip(talk)
    ann.presses("put", "want.female")
    ann.presses("put", "keep.")
    talk.later(2 * 86_400)
    (take,) = tokens(ann, "take")
    locked = [each for each in wishes_menu(ann) if each.token == take]
    assert [each.label.key for each in locked] == ["profile.behind_lock"]
    kept = ann.value.kept_wishes
    ann.presses("put", "want.")
    for press in (take, "keep."):
        assert ann.presses("put", press).effects[0] == LOCKED
    assert (ann.value.kept_wishes, ann.value.preferences) == (kept, Preferences())
    ann.presses("put", *tokens(ann, "drop"))
    assert ann.value.kept_wishes == ()


def test_pictures_without_blur_are_for_vips_and_the_wish_waits_until_they_are_one_again() -> None:
    talk = Playbook(SOLD)
    ann, bob = vip(talk), talk.person()
    chat = Chatting(ChatId("c"), PersonId(9), NOW)
    ann.presses("put", "blur.never")
    assert not blurs(ann.value, chat, NOW, talk.env)
    refused = bob.presses("put", "blur.never")
    assert refused.effects[0] == LOCKED
    assert refused.changes == ()
    assert bob.presses("put", "blur.always").changes != (), "more protection is free"
    talk.later(2 * 86_400)
    assert blurs(ann.value, chat, NOW, talk.env)
    assert ann.value.preferences.blur is Blur.NEVER
    menu = SECTIONS["blur"](ann.value, talk.env, "")[1]
    marks = {button.token: button.label.key for row in menu.rows for button in row}
    assert marks["blur.never"] == "profile.behind_lock"
    assert marks["blur.first"] == "profile.chosen"


def with_friends(talk: Playbook, many: int) -> tuple[Person, Person]:
    ann, ben = talk.pair(vip(talk), talk.person())
    change(ann, saved=tuple(Saved(f"t{number}", PersonId(1000 + number), "", True) for number in range(many)))
    ann.writes("/stop")
    return ann, ben


def test_vips_have_room_for_more_friends_and_keep_them_all_when_their_time_is_over() -> None:
    talk = Playbook(SOLD)
    ann, ben = with_friends(talk, MOST)
    ann.looks_back("save")
    assert ann.value.saved[-1].person == ben.person
    full, _ = with_friends(talk, MOST_OF_VIPS)
    assert full.looks_back("save").effects == (Answer("query", text("friends.full"), alert=True),)
    talk.later(2 * 86_400)
    later, _ = with_friends(talk, MOST + 5)
    change(later, vip_until=0.0)
    assert later.looks_back("save").effects == (Answer("query", text("friends.full"), alert=True),)
    assert len(later.value.saved) == MOST + 5


def pressed(decision: Decision) -> list[list[tuple[str, str]]]:
    keyboard = next(each.keyboard for each in decision.effects if not isinstance(each, Answer))  # type: ignore[union-attr]
    assert isinstance(keyboard, Menu)
    return [[(button.action, button.token) for button in row] for row in keyboard.rows]


def test_a_long_list_of_friends_has_pages_and_names_and_removals_stay_on_theirs() -> None:
    talk = Playbook(SOLD)
    ann, _ = with_friends(talk, SHOWN + 2)
    first = pressed(ann.writes("/friends"))
    assert len(first) == SHOWN + 1
    assert first[-1] == [("friends_page", "1")]
    second = pressed(ann.presses("friends_page", "1"))
    assert [row[0][1] for row in second] == [f"t{SHOWN}", f"t{SHOWN + 1}", "0"]
    assert pressed(ann.presses("friends_page", "99")) == second
    assert pressed(ann.presses("friends_page", "x")) == first
    assert pressed(ann.writes(f"/name {SHOWN + 1} Sunny")) == second
    assert pressed(ann.presses("forget", f"t{SHOWN}"))[0][0] == ("ask", f"t{SHOWN + 1}")
    change(ann, saved=())
    assert [each.key for each in _texts(ann.presses("friends_page", "0"))] == ["friends.none"]


def _texts(decision: Decision) -> list[Text]:
    return [each.text for each in decision.effects if not isinstance(each, Answer)]  # type: ignore[union-attr]


def test_vips_see_the_names_that_they_had_given_people_whom_they_blocked_and_others_see_numbers() -> None:
    talk = Playbook(SOLD)
    ann, ben = talk.pair(vip(talk), talk.person())
    change(ann, saved=(Saved("t", ben.person, "Sunny", True),))
    ann.writes("/block")
    talk.pair(ann, talk.person())
    ann.writes("/block")

    def labels() -> list[object]:
        (said,) = ann.writes("/blocked").effects
        assert isinstance(said, Say)
        assert isinstance(said.keyboard, Menu)
        return [(button.label.key, dict(button.label.args).get("name")) for row in said.keyboard.rows for button in row]

    assert labels() == [("safety.unblock_since", None), ("safety.unblock_named", "Sunny")]
    talk.later(2 * 86_400)
    assert labels() == [("safety.unblock_since", None), ("safety.unblock_since", None)]
    ann.presses("unblock", "1.2")
    assert ann.value.block_names == ()
