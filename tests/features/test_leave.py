"""Moving on and leaving, from every state. Nothing can keep a person in a chat."""

import msgspec
import pytest

from passerby.kernel.decision import Decision
from passerby.kernel.effect import Priority
from passerby.kernel.participant import Idle, Met, Searching, State
from tests.features.playbook import NOW, Playbook, asks, becomes, parted, says, ticket

NEXT = ["/next", "/skip", "/Next", "/next@some_bot", "/next please", "⏭ Next", "⏭ Следующий", "⏭ Дальше"]
STOP = ["/stop", "/end", "/STOP", "/stop@some_bot", "/end now", "⏹ Stop"]


@pytest.mark.parametrize("words", STOP)
def test_stop_ends_the_chat_for_both_and_tells_both(words: str) -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    mine = parted(ann.value, reason="stop", by=ann, at=NOW + 60)
    theirs = parted(ben.value, reason="stop", by=ann, at=NOW + 60)
    assert ann.writes(words) == Decision(
        (mine, theirs),
        (
            says(ann, "chat.you_left", of=Idle()),
            asks(mine),
            says(ben, "chat.partner_left", of=Idle(), priority=Priority.MATCH),
            asks(theirs),
        ),
    )


@pytest.mark.parametrize("words", NEXT)
def test_next_leaves_the_partner_idle_and_searches_again(words: str) -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    was = ann.value
    mine = parted(
        was,
        reason="next",
        by=ann,
        at=NOW + 60,
        state=lambda recent: Searching(ticket(was, since=NOW + 60, recent=recent)),
    )
    theirs = parted(ben.value, reason="next", by=ann, at=NOW + 60)
    assert ann.writes(words) == Decision(
        (mine, theirs),
        (
            says(ann, "chat.you_moved_on", of=mine.state),
            asks(mine),
            says(ben, "chat.partner_left", of=Idle(), priority=Priority.MATCH),
            asks(theirs),
        ),
    )


@pytest.mark.parametrize("words", STOP)
def test_stop_while_searching_ends_the_search(words: str) -> None:
    ann = Playbook().searching()
    was = ann.value
    assert ann.writes(words) == Decision((becomes(was, Idle()),), (says(ann, "chat.search_stopped", of=Idle()),))


@pytest.mark.parametrize("words", STOP)
def test_stop_while_idle_changes_nothing(words: str) -> None:
    ann = Playbook().person()
    assert ann.writes(words) == Decision(effects=(says(ann, "chat.stop_while_idle"),))


@pytest.mark.parametrize("words", NEXT)
def test_next_while_idle_begins_a_search(words: str) -> None:
    ann = Playbook().person()
    found = becomes(ann.value, Searching(ticket(ann.value)))
    assert ann.writes(words) == Decision((found,), (says(ann, "search.begun", of=found.state, search=NOW),))


@pytest.mark.parametrize("words", NEXT)
def test_next_while_searching_changes_nothing(words: str) -> None:
    ann = Playbook().searching()
    assert ann.writes(words) == Decision(effects=(says(ann, "chat.next_while_searching", search=NOW),))


@pytest.mark.parametrize(
    ("words", "key", "again"), [("/stop", "chat.you_left", False), ("/next", "chat.you_moved_on", True)]
)
@pytest.mark.parametrize("partner", ["gone", "idle", "in another chat"])
def test_a_person_alone_in_a_chat_can_leave_it_without_changing_anybody(
    partner: str, words: str, key: str, again: bool
) -> None:
    """A rebuild from the records can cause this."""
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    if partner == "gone":
        del talk.people[ben.person]
    else:
        talk.people[ben.person] = msgspec.structs.replace(ben.value, state=Idle())
        if partner == "in another chat":
            talk.pair(ben, talk.person())
    was = ann.value

    def waits(recent: tuple[Met, ...]) -> State:
        return Searching(ticket(was, recent=recent))

    mine = parted(was, reason=words[1:], by=ann, state=waits if again else None)
    assert ann.writes(words) == Decision((mine,), (says(ann, key, of=mine.state), asks(mine)))


def test_only_the_person_who_moved_on_counts_as_the_one_who_left() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("/next")
    assert ann.value.last is not None
    assert ann.value.last.left
    assert ben.value.last is not None
    assert not ben.value.last.left
