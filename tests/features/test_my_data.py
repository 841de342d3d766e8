"""A copy of one's data, and its erasure: what each press changes and says."""

import msgspec

from passerby.domain.personal_data import ERASED_AFTER_S
from passerby.features.my_data import ERASE, KEEP
from passerby.kernel.decision import NOTHING, Decision
from passerby.kernel.effect import Keys, Say
from passerby.kernel.event import DataCopied, ErasureDue, PartnerErased
from passerby.kernel.participant import Chatting, DataRequests, Idle, Participant, Profile, Saved, Searching
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import DataOrdered, SanctionOrdered
from passerby.kernel.text import text
from tests.features.playbook import NOW, Person, Playbook, Priority, asks


def keys_of(decision: Decision) -> list[str]:
    return [effect.text.key for effect in decision.effects if isinstance(effect, Say)]


def due(who: Person, *, is_last: bool = False) -> Decision:
    return who.talk.happens(ErasureDue(who.person, who.bot, is_last))


def leaving(talk: Playbook, who: Person) -> Person:
    who.writes("/deleteme")
    who.presses(ERASE)
    talk.later(ERASED_AFTER_S)
    return who


def test_a_copy_is_asked_for_once_and_given_once_a_day() -> None:
    talk = Playbook()
    ann = talk.person()
    assert keys_of(ann.writes("/mydata")) == ["my_data.copy_coming"]
    assert ann.value.requests == DataRequests(copy_at=NOW)
    was = ann.value
    assert keys_of(ann.writes("/mydata")) == ["my_data.copy_coming"]
    assert ann.value == was
    assert talk.happens(DataCopied(ann.person, ann.bot, NOW - 1)) == NOTHING, "another request"
    talk.happens(DataCopied(ann.person, ann.bot, NOW))
    assert ann.value.requests == DataRequests(copied_at=NOW)
    assert keys_of(ann.writes("/mydata")) == ["my_data.copy_sent"]
    talk.later(86_400)
    assert keys_of(ann.writes("/mydata")) == ["my_data.copy_coming"]


def test_a_newcomer_can_ask_for_their_data() -> None:
    talk = Playbook()
    assert keys_of(talk.stranger().writes("/mydata")) == ["my_data.copy_coming"]
    assert keys_of(talk.stranger().writes("/deleteme")) == ["my_data.erase_ask"]


def test_nothing_is_erased_before_a_day_has_passed() -> None:
    talk = Playbook()
    ann = talk.person()
    assert keys_of(ann.writes("/deleteme")) == ["my_data.erase_ask"]
    assert ann.value.requests is None, "only a question so far"
    ann.presses(ERASE)
    assert ann.value.requests == DataRequests(erase_at=NOW + ERASED_AFTER_S)
    was = ann.value
    assert due(ann) == NOTHING
    talk.later(10)
    ann.presses(ERASE)
    assert ann.value == was, "a second press does not postpone it"
    assert keys_of(ann.writes("/deleteme")) == ["my_data.erase_set"]


def test_a_person_may_change_their_mind() -> None:
    talk = Playbook()
    ann = talk.person()
    was = ann.value
    ann.presses(KEEP)
    assert ann.value == was
    ann.presses(ERASE)
    ann.presses(KEEP)
    assert ann.value.requests is None
    talk.later(ERASED_AFTER_S)
    assert due(ann) == NOTHING


def test_the_partner_only_hears_that_the_person_left() -> None:
    talk = Playbook()
    ann, bob = talk.pair(talk.person(), talk.person())
    leaving(talk, ann)
    assert isinstance(ann.value.state, Chatting), "they go on until then"
    decision = due(ann)
    left, question, erased = decision.effects
    assert isinstance(left, Say)
    assert (left.to, left.text, left.priority) == (bob.person, text("chat.partner_left"), Priority.MATCH)
    assert question == asks(bob.value)
    assert erased == Say(ann.person, text("my_data.erased"), Keys())
    assert isinstance(bob.value.state, Idle)


def test_an_erasure_ends_a_search() -> None:
    talk = Playbook()
    ann = leaving(talk, talk.searching())
    due(ann)
    assert isinstance(ann.value.state, Idle)


def test_only_the_address_is_left_until_nobody_refers_to_the_person_any_more() -> None:
    talk = Playbook()
    ann = leaving(talk, talk.person())
    before = ann.value
    due(ann)
    cleared = Participant(
        ann.person,
        ann.value.version,
        ann.bot,
        before.bots,
        Profile(language="en"),
        seen_at=before.seen_at,
        requests=DataRequests(erase_at=NOW + ERASED_AFTER_S, erasing=True),
    )
    assert ann.value == cleared
    assert due(ann) == NOTHING, "that has happened"
    assert keys_of(ann.presses(KEEP)) == []
    assert msgspec.structs.replace(ann.value, version=cleared.version, seen_at=cleared.seen_at) == cleared, "too late"
    decision = due(ann, is_last=True)
    assert decision.erases == ann.person
    assert ann.value.is_blank


def test_an_erasure_ends_no_ban_and_forgets_what_is_over() -> None:
    talk = Playbook()
    ann, bob = talk.pair(talk.person(), talk.person())
    over = Sanction("over", SanctionKind.SLOW, Reason.SPAM, NOW, NOW + 60)
    ban = Sanction("ban", SanctionKind.BANNED, Reason.SCAM, NOW)
    talk.happens(SanctionOrdered(ann.person, ann.bot, over))
    leaving(talk, ann)
    talk.happens(SanctionOrdered(ann.person, ann.bot, ban))
    assert isinstance(bob.value.state, Idle)
    due(ann)
    assert keys_of(ann.writes("/search")) == ["sanctions.barred"], "between the two halves"
    assert due(ann, is_last=True).erases == ann.person
    assert ann.value == Participant(ann.person, ann.value.version, sanctions=(ban,))
    assert keys_of(ann.writes("hello again")) == ["sanctions.barred"]


def test_a_person_who_comes_back_meanwhile_keeps_what_they_say_then() -> None:
    talk = Playbook()
    ann = leaving(talk, talk.person())
    due(ann)
    new = msgspec.structs.replace(ann.value, profile=talk.person().value.profile)
    talk.people[ann.person] = new
    talk.pair(ann, talk.person())
    assert due(ann, is_last=True) == NOTHING, "they are in a chat now"
    ann.writes("/search")
    talk.people[ann.person] = msgspec.structs.replace(new, version=ann.value.version)
    assert due(ann, is_last=True).erases == ann.person
    assert ann.value.profile == new.profile
    assert ann.value.requests is None


def test_others_forget_the_person_but_keep_their_blocks() -> None:
    talk = Playbook()
    ann, bob = talk.pair(talk.person(), talk.person())
    bob.writes("/stop")
    bob.writes("/search")
    saved = (Saved("t", ann.person), Saved("u", talk.person().person))
    talk.people[bob.person] = msgspec.structs.replace(bob.value, saved=saved, blocked=(ann.person,))
    talk.happens(PartnerErased(bob.person, bob.bot, ann.person))
    value = bob.value
    assert (value.recent, value.last, value.saved, value.blocked) == ((), None, saved[1:], (ann.person,))
    assert isinstance(value.state, Searching)
    assert value.state.ticket.recent == ()
    assert talk.happens(PartnerErased(bob.person, bob.bot, ann.person)) == NOTHING


def test_people_who_ask_staff_get_the_same_as_if_they_had_asked_the_bot() -> None:
    talk = Playbook()
    ann, ben = talk.person(), talk.person()
    by_staff = talk.happens(DataOrdered(ann.person, ann.bot, erases=True))
    assert keys_of(by_staff) == ["my_data.erase_set"]
    ben.presses(ERASE)
    assert ann.value.requests == ben.value.requests
    assert talk.happens(DataOrdered(ann.person, ann.bot, erases=True)) == NOTHING, "once"
    ann.presses(KEEP)
    assert ann.value.requests is None

    talk.happens(DataOrdered(ann.person, ann.bot, erases=False))
    ben.presses(KEEP)
    ben.writes("/mydata")
    assert ann.value.requests == ben.value.requests
    assert talk.happens(DataOrdered(ann.person, ann.bot, erases=False)) == NOTHING
