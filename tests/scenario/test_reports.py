"""Notes to a report, and correcting the age, through the whole app: both survive a restart."""

import asyncio

import pytest

from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant, Profile
from passerby.runtime.delivery.sealer import Sealer
from tests.scenario.matrix import HISTORIES, HOMES, over_everything, over_servers
from tests.scenario.stage import Stage, play
from tests.simulation.process import KEY
from tests.staged import staged

WORDS = "wanted my address, canary-4711"


@over_everything
@HOMES
@HISTORIES
def test_a_note_added_to_a_report_is_encrypted_and_reaches_no_partner(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/report")
        await on.quiet()
        on.ann.press("complain")
        await on.quiet()
        assert "safety.reported_comment" in on.ann.told()
        await on.after(history)
        on.ann.write(WORDS)
        await on.quiet()
        assert on.ann.told()[-1] == "safety.comment_added"
        on.ann.write("and this is nobody's")
        await on.quiet()
        assert on.bob.got() == []
        await asyncio.sleep(5.0)  # let the recorder finish
        (filed,) = on.records_place.complaints().values()
        assert filed.words is not None
        assert Sealer(KEY).open_words(filed.words) == WORDS
        assert "canary" not in on.log.getvalue()

    play(store, scene, home=home)


@over_everything
@HOMES
def test_a_typed_reason_for_a_report_reaches_no_partner(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/report")
        await on.quiet()
        assert on.ann.told()[-1] == "safety.what_for_here"
        question = max(on.ann.messages())
        on.ann.write(WORDS, reply_to=question)
        await on.quiet()
        assert on.ann.told()[-1] == "safety.press"
        assert on.bob.got() == []

    play(store, scene, home=home)


@over_servers
@HISTORIES
@pytest.mark.parametrize("choice", ["for_report", "for_partner"])
@staged(play, "store", home=False)
async def test_text_held_for_a_report_or_a_new_partner_goes_where_its_author_says(
    on: Stage, /, choice: str, history: str
) -> None:
    on.ann.write("/report")
    await on.quiet()
    on.ann.press("complain")
    await on.quiet()
    eve = on.join(on.bots[1])
    await on.introduce(on.ann, eve)
    on.ann.write(WORDS)
    await on.quiet()
    assert on.ann.told()[-1] == "safety.which"
    assert eve.got() == []
    await on.after(history)
    on.ann.press(choice)
    await on.quiet()
    assert on.bob.got() == []
    if choice == "for_partner":
        assert [each["text"] for each in eve.got()] == [WORDS]
        return
    assert on.ann.told()[-1] == "safety.comment_added"
    assert eve.got() == []
    await asyncio.sleep(5.0)  # let the recorder finish
    (filed,) = on.records_place.complaints().values()
    assert filed.words is not None
    assert Sealer(KEY).open_words(filed.words) == WORDS


@over_servers
@HISTORIES
@staged(play, "store", home=True)
async def test_a_mistake_in_the_age_can_be_corrected_once(on: Stage, /, history: str) -> None:
    eve = on.join(on.bots[0])
    now = on.place.clock.now()
    on.records_place.know(Participant(PersonId(eve.id), 2, on.bots[0], (on.bots[0],), Profile(now, language="en")))
    eve.write("3")
    await on.quiet()
    assert eve.told()[-1] == "start.too_young"
    await on.after(history)
    eve.press("mend")
    await on.quiet()
    await on.after(history)
    eve.write("33")
    await on.quiet()
    assert eve.told()[-1] == "start.ask_gender"
    await asyncio.sleep(5.0)
    profile = on.records_place.person(eve.id).profile
    assert profile.age == 33
    assert profile.too_young_at is not None
    assert profile.age_mended_at is not None


@over_everything
@HOMES
@HISTORIES
def test_messages_that_the_reporter_replies_to_are_kept_sealed_and_nothing_else_is(
    history: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        on.bob.write("rude-canary-1")
        on.bob.write("rude-canary-2")
        on.bob.write("rude-canary-3")
        await on.quiet()
        first, second, _ = (each["message_id"] for each in on.ann.got())
        on.ann.write("/report", reply_to=first)
        await on.quiet()
        await on.after(history)
        on.ann.press("complain")
        await on.quiet()
        await on.after(history)
        on.ann.write("this one, too", reply_to=second)
        await on.quiet()
        assert on.ann.told()[-1] == "safety.attached"
        assert on.bob.got() == []
        await asyncio.sleep(5.0)  # let the recorder finish
        kept = on.records_place.evidence()
        opened = {place: Sealer(KEY).open_evidence(row.sealed) for (_, _, place), row in kept.items()}
        assert {place: each.content.text for place, each in opened.items() if each} == {
            1: "rude-canary-1",
            2: "rude-canary-2",
        }
        assert {each.bot for each in opened.values() if each} == {on.ann.bot}
        assert not any(b"canary" in row.sealed for row in kept.values())
        assert "canary" not in on.log.getvalue()

    play(store, scene, home=home)
