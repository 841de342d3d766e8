"""The profile and the wishes of a person, and how they change them."""

from typing import Any

import msgspec
import pytest

from passerby.domain.ages import YEAR_S
from passerby.domain.lifecycle import make_ticket, spoken
from passerby.domain.tastes import COUNTRIES, INTERESTS, LANGUAGES, MOST_INTERESTS, MOST_LANGUAGES, WRITTEN_IN, worded
from passerby.features.profile.menus import AGES_WANTED, SECTIONS, allowed, card, spoken_to
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import MessageId
from passerby.kernel.participant import Blur, Gender, Idle, Participant, Preferences, Searching
from passerby.kernel.rules import Brand, Filter, Rules
from passerby.kernel.text import country, text
from tests.features.playbook import WORDS, Person, Playbook, grown_up, revises, says

FREE = Rules(free_filters=tuple(Filter))
LOCKED = Rules(free_filters=())


def shown(ann: Person, section: str = "top", page: str = "") -> tuple[Answer, Revise]:
    """The current menu, in the same notice."""
    said, menu = SECTIONS[section](ann.value, ann.talk.env, page)
    return Answer("query"), Revise(ann.person, MessageId(50), said, menu)


def actions(menu: Menu) -> list[str]:
    return [f"{button.action}:{button.token}" for row in menu.rows for button in row]


def shown_card(ann: Person) -> dict[str, Any]:
    """The current card, for `says`."""
    said = card(ann.value, ann.talk.env)
    return {"key": said.key, **dict(said.args)}


def menu_of(ann: Person, section: str, page: str = "") -> Menu:
    return SECTIONS[section](ann.value, ann.talk.env, page)[1]


def ticked(menu: Menu) -> set[str]:
    return {button.token for row in menu.rows for button in row if button.label.key == "profile.chosen"}


def told(was: Participant, **changes: Any) -> Participant:
    return msgspec.structs.replace(was, profile=msgspec.structs.replace(was.profile, **changes))


def wishing(was: Participant, **changes: Any) -> Participant:
    return msgspec.structs.replace(was, preferences=msgspec.structs.replace(was.preferences, **changes))


@pytest.mark.parametrize("gender", Gender)
def test_a_profile_shows_the_answers_and_the_current_age(gender: Gender) -> None:
    talk = Playbook()
    ann = talk.person(grown_up(33, gender))
    assert ann.writes("/profile") == Decision(effects=(says(ann, "profile.shown", card=card(ann.value, talk.env)),))
    assert dict(card(ann.value, talk.env).args)["age"] == 33
    talk.later(2 * YEAR_S)
    assert dict(card(ann.value, talk.env).args)["age"] == 35


def test_a_card_lists_languages_interests_and_country_or_says_none() -> None:
    talk = Playbook()
    ann = talk.person(grown_up())
    bare = dict(card(ann.value, talk.env).args)
    assert (bare["interests"], bare["country"]) == (text("profile.no_interests"), text("profile.country_unsaid"))
    assert bare["languages"] == (text("interests.own", word="English"),)
    rich = told(ann.value, languages=("pt", "xx"), interests=("music", "long walks"), country="PE")
    assert dict(card(rich, talk.env).args) | {"gender": 0, "age": 0} == {
        "age": 0,
        "gender": 0,
        "languages": (text("interests.own", word="Português"), text("interests.own", word="xx")),
        "interests": (text("interests.music"), text("interests.own", word="long walks")),
        "country": text("profile.country", flag="🇵🇪", country=country("PE")),
        "wishes": (text("profile.anyone"),),
    }
    wordless = told(ann.value, language="")
    assert dict(card(wordless, talk.env).args)["languages"] == text("profile.no_languages")


@pytest.mark.parametrize("language", WORDS.languages)
def test_no_line_of_a_card_is_only_a_dash(language: str) -> None:
    talk = Playbook()
    ann = talk.person(msgspec.structs.replace(grown_up(), language=""))
    lines = WORDS.plain(card(ann.value, talk.env), language).splitlines()
    assert len(lines) == 5
    assert all(len(line.rstrip(" –-").split()) > 1 for line in lines), lines


def test_a_card_shows_the_wishes_that_count() -> None:
    talk = Playbook(Rules(free_filters=(Filter.AGE,)))
    ann = talk.person()
    ann.presses("put", "ages.20-26")
    ann.presses("put", "other")
    locked = wishing(ann.value, genders=(Gender.FEMALE,))
    ages, languages = text("profile.age_range", low=20, high=26), text("profile.own_languages_only")
    assert dict(card(locked, talk.env).args)["wishes"] == (text("profile.anyone"), ages, languages)
    free = Playbook().env
    assert dict(card(locked, free).args)["wishes"] == (text("profile.gender_female"), ages, languages)


@pytest.mark.parametrize("words", ["/settings", "/language"])
def test_a_command_opens_its_menu_in_any_state(words: str) -> None:
    section = {"/settings": "top", "/language": "speak"}[words]
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    for person in (talk.person(), talk.searching(), ann):
        said, menu = SECTIONS[section](person.value, talk.env, "")
        assert person.writes(words) == Decision(effects=(Say(person.person, said, menu),))


def test_every_section_is_reached_from_the_top_and_leads_back() -> None:
    ann = Playbook(FREE).person()
    sections = [action.removeprefix("set:") for action in actions(menu_of(ann, "top"))]
    assert set(sections) == set(SECTIONS) - {"top"}
    for section in sections:
        assert ann.presses("set", section) == Decision(effects=shown(ann, section))
        assert "set:top" in actions(menu_of(ann, section))
    assert ann.presses("set", "of a former release") == Decision(effects=shown(ann, "top"))


def test_every_button_of_every_section_works_and_fits() -> None:
    """No offered value is refused."""
    ann = Playbook(FREE).person()
    for section in SECTIONS:
        pages = [""]
        for page in pages:
            for action in actions(menu_of(ann, section, page)):
                assert len(action.encode()) <= 64
                name, _, token = action.partition(":")
                if name == "set":
                    following = token.partition(".")[2]
                    if following and following not in pages:
                        pages.append(following)
                    continue
                before = ann.value
                decision = ann.presses(name, token)
                assert isinstance(decision.effects[0], Answer)
                if action == "put:langs.en" and spoken(before.profile) == ("en",):
                    refused = Answer("query", text("profile.last_language"), alert=True)
                    assert (decision.changes, decision.effects[0]) == ((), refused)
                    continue
                assert decision.effects[0].text is None, (action, decision.effects[0])
                ann.talk.people[ann.person] = before


@pytest.mark.parametrize(
    ("press", "changes"),
    [
        ("gender.male", {"gender": Gender.MALE}),
        ("age.31", {"age": 31}),
        ("langs.de", {"languages": ("en", "de")}),
        ("tags.music", {"interests": ("music",)}),
        ("country.PE", {"country": "PE"}),
        ("speak.ru", {"language": "ru", "languages": ("en",)}),
    ],
)
def test_the_profile_shows_what_was_pressed(press: str, changes: dict[str, Any]) -> None:
    talk = Playbook()
    ann = talk.person()
    was = ann.value
    decision = ann.presses("put", press)
    (after,) = decision.changes
    expected = told(was, **changes)
    assert after == told(expected, age_given_at=after.profile.age_given_at)
    assert decision.effects[0] == Answer("query")


@pytest.mark.parametrize("blur", Blur)
def test_when_pictures_are_blurred_is_a_setting(blur: Blur) -> None:
    ann = Playbook().person()
    ann.prefers(blur=Blur.ALWAYS if blur is not Blur.ALWAYS else Blur.NEVER)
    (after,) = ann.presses("put", f"blur.{blur}").changes
    assert after.preferences.blur is blur
    assert f"blur.{blur}" in ticked(menu_of(ann, "blur"))


def test_a_second_press_removes_a_language_or_an_interest() -> None:
    ann = Playbook().person()
    before = ann.value.profile
    for press in ("langs.de", "tags.music"):
        ann.presses("put", press)
        ann.presses("put", press)
    assert (ann.value.profile.languages, ann.value.profile.interests) == (("en",), before.interests)
    assert ann.presses("put", "gender.unsaid") == Decision(effects=shown(ann)), "the same again changes nothing"
    assert ann.presses("put", "age.30") == Decision(effects=shown(ann, "age"))


def test_a_list_that_is_full_says_so_and_takes_no_more() -> None:
    ann = Playbook().person()
    for language in list(LANGUAGES)[1:MOST_LANGUAGES]:
        ann.presses("put", f"langs.{language}")
    for tag in INTERESTS[:MOST_INTERESTS]:
        ann.presses("put", f"tags.{tag}")
    was = ann.value
    for press, key in ((f"langs.{[*LANGUAGES][-1]}", "languages"), (f"tags.{INTERESTS[-1]}", "interests")):
        answer, *_ = ann.presses("put", press).effects
        assert answer == Answer("query", text(f"profile.full_{key}"), alert=True)
    assert ann.value == was


@pytest.mark.parametrize(
    "press",
    [
        "gender.robot",
        "gender.",
        "age.17",
        "age.100",
        "age.-1",
        "age.x",
        "country.peru",
        "speak.xx",
        "want.x",
        "ages.1-99",
    ],
)
def test_a_value_that_no_button_offers_changes_nothing(press: str) -> None:
    ann = Playbook(FREE).person()
    was = ann.value
    decision = ann.presses("put", press)
    assert decision.changes == ()
    assert decision.effects[0] == Answer("query")
    assert ann.value == was


@pytest.mark.parametrize("press", ["", "x", "wants", "langs.xx", "tags.xx"])
def test_a_button_from_another_release_shows_the_current_menu(press: str) -> None:
    ann = Playbook().person()
    was = ann.value
    assert isinstance(ann.presses("put", press).effects[-1], Revise)
    assert ann.value == was


def test_a_menu_that_is_gone_is_not_edited() -> None:
    ann = Playbook().person()
    assert ann.presses("set", "age", message=None) == Decision(effects=(Answer("query"),))
    assert ann.presses("put", "gender.male", message=None).effects == (Answer("query"),)
    assert ann.value.profile.gender is Gender.MALE


@pytest.mark.parametrize(("age", "offered"), [(18, {19, 28}), (19, {18, 20, 29}), (98, {88, 97, 99}), (99, {89, 98})])
def test_only_allowed_ages_are_offered(age: int, offered: set[int]) -> None:
    ann = Playbook().person(grown_up(age))
    assert {int(each.partition(".")[2]) for each in actions(menu_of(ann, "age")) if "age." in each} == offered


@pytest.mark.parametrize(("age", "wrong"), [(17, 18), (16, 26), (18, 17)])
def test_nobody_can_cross_the_wall_between_minors_and_adults(age: int, wrong: int) -> None:
    ann = Playbook(Rules(minimum_age=16)).person(grown_up(age))
    assert not allowed(wrong, age, ann.talk.env.rules)
    assert ann.presses("put", f"age.{wrong}").changes == ()


def test_minors_are_not_offered_ages_of_adults() -> None:
    ann = Playbook(Rules(minimum_age=16, free_filters=tuple(Filter))).person(grown_up(17))
    assert not [each for each in actions(menu_of(ann, "wants")) if each.startswith("put:ages.") and each != "put:ages."]


def test_filters_are_free_unless_the_operator_limits_them_to_vips() -> None:
    ann = Playbook().searching()
    ann.presses("put", "want.female")
    ann.presses("put", "ages.20-26")
    assert isinstance(ann.value.state, Searching)
    assert ann.value.state.ticket.wants == Preferences((Gender.FEMALE,), 20, 26)


@pytest.mark.parametrize("free", [(), (Filter.GENDER,), (Filter.AGE,), tuple(Filter)])
def test_only_locked_buttons_show_a_lock(free: tuple[Filter, ...]) -> None:
    ann = Playbook(Rules(free_filters=free)).person()
    asked = wishing(ann.value, genders=(Gender.MALE,), age_min=18, age_max=22)
    said, menu = SECTIONS["wants"](asked, ann.talk.env, "")
    locked = {
        button.token.partition(".")[0]
        for row in menu.rows
        for button in row
        if button.label.key == "profile.behind_lock"
    }
    assert ("keep" in locked) is bool(set(Filter) - set(free)), "where nothing needs VIP, nothing is locked"
    locked -= {"keep"}
    kept = {name for name, which in (("want", Filter.GENDER), ("ages", Filter.AGE)) if which not in free}
    assert locked == kept
    assert (said.key == "profile.ask_wants_locked") is bool(kept)
    assert "🔒" not in WORDS.plain(said, "en") or kept


@pytest.mark.parametrize("rules", [FREE, LOCKED], ids=["free for all", "for VIPs"])
def test_filters_need_entitlement_and_say_so(rules: Rules) -> None:
    talk = Playbook(rules)
    ann, vip = talk.person(), talk.person()
    talk.people[vip.person] = msgspec.structs.replace(vip.value, vip_until=talk.env.now + 1)
    low, high = AGES_WANTED[1]
    for press, wish in (("want.female", {"genders": (Gender.FEMALE,)}), (f"ages.{low}-{high}", {"age_min": low})):
        assert vip.presses("put", press).changes[0].preferences != Preferences()
        decision = ann.presses("put", press)
        if rules is FREE:
            for name, value in wish.items():
                assert getattr(decision.changes[0].preferences, name) == value
        else:
            assert decision.changes == ()
            assert decision.effects[0] == Answer("query", text("profile.locked"), alert=True)
    key = "profile.ask_wants" if rules is FREE else "profile.ask_wants_locked"
    assert SECTIONS["wants"](ann.value, talk.env, "")[0].key == key


def test_wishes_can_be_ticked_and_unticked() -> None:
    ann = Playbook(FREE).person()
    for press in ("want.male", "want.other", "ages.20-26", "other", "ice"):
        ann.presses("put", press)
    assert ann.value.preferences == Preferences((Gender.MALE, Gender.OTHER), 20, 26, False, False)
    assert ticked(menu_of(ann, "wants")) == {"want.male", "want.other", "ages.20-26"}
    for press in ("want.male", "want.", "ages.", "other", "ice"):
        ann.presses("put", press)
    assert ann.value.preferences == Preferences()
    assert ticked(menu_of(ann, "wants")) == {"want.", "ages.", "other", "ice"}


def test_a_change_while_searching_updates_the_ticket_and_keeps_the_place() -> None:
    talk = Playbook(FREE)
    ann = talk.searching()
    assert isinstance(ann.value.state, Searching)
    since = ann.value.state.ticket.since
    talk.later(50)
    for press in ("gender.male", "tags.music", "want.female", "langs.ru"):
        ann.presses("put", press)
        fresh = msgspec.structs.replace(make_ticket(ann.value, talk.env), since=since)
        assert ann.value.state == Searching(fresh)
    assert fresh.wants.genders == (Gender.FEMALE,)


def test_a_new_language_brings_a_keyboard_in_that_language() -> None:
    ann = Playbook().person()
    decision = ann.presses("put", "speak.ru")
    assert decision.effects[-2] == says(ann, "profile.speaks", of=Idle())
    assert spoken_to(ann.value) == "ru"
    assert ticked(menu_of(ann, "speak")) == {"speak.ru"}


@pytest.mark.parametrize("words", ["ru", "RU", "ru-RU", "Русский", "russian", "  русский "])
def test_a_language_named_after_the_command_is_used_at_once(words: str) -> None:
    ann = Playbook().person()
    decision = ann.writes(f"/language {words}")
    assert decision.effects[0] == says(ann, "profile.speaks", of=Idle())
    assert spoken_to(ann.value) == "ru"
    assert ann.writes("/language ru").effects[0] == says(ann, "profile.speaks", of=Idle()), (
        "a second time it only says so"
    )


@pytest.mark.parametrize("words", ["Türkçe", "turkce", "Español", "espanol", "فارسی", "हिन्दी", "Bahasa Indonesia"])
def test_a_language_is_found_by_its_own_name_with_or_without_accents(words: str) -> None:
    ann = Playbook().person()
    ann.writes(f"/language {words}")
    assert LANGUAGES[spoken_to(ann.value)] in ("Türkçe", "Español", "فارسی", "हिन्दी", "Bahasa Indonesia")


@pytest.mark.parametrize("words", ["klingon", "fr", "x" * 500, "?"])
def test_a_language_that_the_bot_does_not_have_brings_the_menu(words: str) -> None:
    talk = Playbook()
    ann = talk.person()
    said, menu = SECTIONS["speak"](ann.value, talk.env, "")
    assert ann.writes(f"/language {words}") == Decision(effects=(Say(ann.person, said, menu),))


def test_changing_the_bots_language_does_not_change_partners_and_it_asks() -> None:
    talk = Playbook(Rules(brands=(Brand("deutsch", languages=("de",)), Brand("english", languages=("en",)))))
    ann = talk.searching()
    before = ann.value.state
    decision = ann.presses("put", "speak.de")
    assert ann.value.state == before
    english = (text("interests.own", word="English"),)
    menu = Menu(
        (
            (Button(text("profile.talk_too", language="Deutsch"), "speakers", "de"),),
            (Button(text("profile.talk_as_before"), "speakers"),),
        )
    )
    assert decision.effects[-1] == says(ann, "profile.ask_to_talk", menu, languages=english)
    was = ann.value
    talks = revises(ann, "profile.talks", languages=english)
    assert ann.presses("speakers") == Decision(effects=(Answer("query"), talks))
    after = ann.presses("speakers", "de")
    assert ann.value.profile.languages == ("en", "de")
    assert isinstance(ann.value.state, Searching)
    assert isinstance(was.state, Searching)
    assert ann.value.state.ticket == msgspec.structs.replace(was.state.ticket, languages=("en", "de")), "the same pool"
    both = (*english, text("interests.own", word="Deutsch"))
    assert after.effects == (Answer("query"), revises(ann, "profile.talks", languages=both))
    assert ann.presses("speakers", "de", message=None) == Decision(effects=(Answer("query"),)), (
        "pressed twice, added once"
    )


def test_a_language_that_the_person_already_chats_in_brings_no_question() -> None:
    ann = Playbook().person()
    ann.presses("put", "langs.ru")
    assert ann.presses("put", "speak.ru").effects[-1] == says(ann, "profile.speaks", of=Idle())


def test_a_person_with_unknown_languages_still_meets_everybody() -> None:
    talk = Playbook()
    ann = talk.person(msgspec.structs.replace(grown_up(), language=""))
    wordless = ButtonPressed(ann.person, ann.bot, "query", MessageId(50), "put", "speak.de", language="")
    decision = talk.happens(wordless)
    assert spoken_to(ann.value) == "de"
    assert spoken(ann.value.profile) == ()
    assert decision.effects[-1] == says(ann, "profile.speaks", of=Idle())
    ann.presses("put", "langs.de")
    assert spoken(ann.value.profile) == ("de",)


def test_a_chosen_language_is_not_overwritten_by_telegrams() -> None:
    ann = Playbook().person()
    ann.presses("put", "speak.ru")
    ann.talk.later(10_000)
    ann.writes("hello")
    assert ann.value.profile.language == "ru"


@pytest.mark.parametrize(("code", "expected"), [("pt-BR", "pt"), ("xx", "en"), ("", "en"), ("de", "de")])
def test_the_current_language_is_ticked(code: str, expected: str) -> None:
    assert (
        spoken_to(Participant(Playbook().person().person, profile=msgspec.structs.replace(grown_up(), language=code)))
        == expected
    )
    assert expected in WRITTEN_IN


def test_typed_interests_replace_earlier_typed_ones_and_keep_pressed_ones() -> None:
    ann = Playbook().person()
    ann.presses("put", "tags.music")
    decision = ann.writes("/interests Chess, long  walks, @ann_smith")
    assert ann.value.profile.interests == ("music", "chess", "long walks")
    assert decision.effects == (Say(ann.person, card(ann.value, ann.talk.env), says(ann, "x").keyboard),)
    ann.writes("/interests tea")
    assert ann.value.profile.interests == ("music", "tea")
    assert ann.writes("/interests") == Decision(effects=(says(ann, "profile.how_interests"),))
    full = ann.writes("/interests " + ",".join(f"{'abcdefghijklmnopq'[number]}{'a' * 3}" for number in range(17)))
    assert len(ann.value.profile.interests) == MOST_INTERESTS
    assert full.effects[1:] == (says(ann, "profile.full_interests"),), "what found no room is not dropped in silence"


def test_a_typed_interest_has_a_button_that_removes_it() -> None:
    ann = Playbook().person()
    ann.presses("put", "tags.music")
    ann.writes("/interests chess, долгие прогулки по лесу")
    assert "долгие прогулки по лесу" in ann.value.profile.interests
    listed = actions(menu_of(ann, "tags"))
    chess, walks = listed[:2]
    assert chess.startswith("put:own.")
    assert listed[2] == "put:tags.music"
    decision = ann.presses("put", chess.removeprefix("put:"))
    assert ann.value.profile.interests == ("music", "долгие прогулки по лесу")
    assert actions(menu_of(ann, "tags"))[:2] == [walks, "put:tags.music"]
    assert decision.effects[0] == Answer("query")
    again = ann.presses("put", chess.removeprefix("put:"))
    assert (again.changes, again.effects[1:]) == ((), decision.effects[1:]), "pressed twice, it is gone once"


def test_an_interest_stays_on_its_page_after_typed_ones() -> None:
    ann = Playbook().person()
    ann.writes("/interests chess, tea")
    pressed = ann.presses("put", "tags.fitness")
    shown = next(effect.keyboard for effect in pressed.effects if isinstance(effect, Revise))
    assert isinstance(shown, Menu)
    assert "put:tags.fitness" in actions(shown)


@pytest.mark.parametrize("words", ["lu", "Luxembourg", "люксембург", "LUXEMBURGO", "लग़्ज़मबर्ग", " لوکزامبورگ "])
def test_a_country_can_be_typed_in_any_language(words: str) -> None:
    ann = Playbook().person()
    decision = ann.writes(f"/country {words}")
    assert ann.value.profile.country == "LU"
    assert decision.effects == (says(ann, **shown_card(ann)),)
    assert ann.presses("put", "country.").changes[0].profile.country == ""


@pytest.mark.parametrize(("words", "code"), [("deutschl", "DE"), ("Aleman", "DE"), ("герм", "DE"), ("Grmany", "DE")])
def test_a_partial_or_mistyped_country_lists_what_fits(words: str, code: str) -> None:
    ann = Playbook().person()
    decision = ann.writes(f"/country {words}")
    (said,) = decision.effects
    assert isinstance(said, Say)
    assert isinstance(said.keyboard, Menu)
    assert (decision.changes, said.text) == ((), text("profile.which_country"))
    offered = said.keyboard.rows[0][0]
    assert (offered.action, offered.token) == ("put", f"country.{code}")
    ann.presses(offered.action, offered.token)
    assert ann.value.profile.country == code


@pytest.mark.parametrize("words", ["zz", "Atlantis", "12", "?!", "x" * 500])
def test_an_unknown_country_is_reported(words: str) -> None:
    ann = Playbook().person()
    unknown = says(ann, "profile.no_such_country", words=words[:24])
    assert ann.writes(f"/country {words}") == Decision(effects=(unknown,))
    assert ann.writes("/country") == Decision(effects=(says(ann, "profile.how_country"),))
    assert ann.presses("put", "country.ZZ").changes == ()


@pytest.mark.parametrize(("language", "first"), [("en", "Argentina"), ("de", "Ägypten"), ("ru", "Австрия")])
def test_countries_are_sorted_in_the_readers_language_with_their_own_first(language: str, first: str) -> None:
    talk = Playbook()
    ann = talk.person(msgspec.structs.replace(grown_up(), language=language))
    names = [WORDS.plain(button.label, language) for row in menu_of(ann, "country").rows for button in row]
    assert names[1].endswith(first)
    ann.presses("put", "country.VN")
    assert menu_of(ann, "country").rows[1][0].token == "country.VN"


def test_pages_turn_and_stay_within_the_list() -> None:
    ann = Playbook().person()
    for section, count in (("langs", len(LANGUAGES)), ("tags", len(INTERESTS)), ("country", len(COUNTRIES) + 1)):
        seen: list[str] = []
        page = "0"
        while True:
            listed = actions(menu_of(ann, section, page))
            seen += [each for each in listed if each.startswith("put:")]
            onwards = f"set:{section}.{int(page) + 1}"
            if onwards not in listed:
                break
            page = str(int(page) + 1)
        assert len(seen) == len(set(seen)) == count
        assert menu_of(ann, section, "999") == menu_of(ann, section, page)
        assert menu_of(ann, section, "x") == menu_of(ann, section, "0")


def test_pressing_an_interest_stays_on_its_page() -> None:
    ann = Playbook().person()
    last = INTERESTS[-1]
    decision = ann.presses("put", f"tags.{last}")
    assert decision.effects == shown(ann, "tags", "2")
    assert worded(last) == text(f"interests.{last}")
