"""A chat with topics: notices and the partner's messages come to the topic in which the person wrote last."""

from botapi_sandbox.world.faults import Fault
from tests.scenario.kinds import SENT, Json
from tests.scenario.matrix import HISTORIES, HOMES, over_stores
from tests.scenario.stage import Phone, Stage, notice, play


def opened(on: Stage, phone: Phone) -> int:
    on.world.state.bots[phone.bot].topics = True
    return on.world.phones.open_topic(phone.id, phone.bot)


def within(thread: int, content: Json) -> Json:
    return {**content, "message_thread_id": thread, "is_topic_message": True}


def topics(messages: list[Json]) -> list[int | None]:
    return [each.get("message_thread_id") for each in messages]


@over_stores
@HOMES
def test_opening_and_closing_a_topic_sends_no_message(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        thread = opened(on, on.ann)
        on.world.phones.close_topic(on.ann.id, on.ann.bot, thread)
        await on.quiet()
        assert on.bob.got() == []
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@HISTORIES
def test_the_partners_messages_come_to_the_topic_last_written_in(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        first, second = opened(on, on.ann), opened(on, on.ann)
        on.ann.send(within(first, {"text": "here"}))
        await on.quiet()
        await on.after(history)
        on.bob.write("a")
        on.bob.send(SENT["photo"])
        on.bob.album({"photo": {}, "caption": "b"}, {"photo": {}})
        await on.quiet()
        assert topics(on.ann.got()) == [first] * 4
        on.ann.send(within(second, {"text": "now here"}))
        await on.quiet()
        on.bob.write("c")
        await on.quiet()
        on.ann.write("and in the general one")
        await on.quiet()
        on.bob.write("d")
        await on.quiet()
        assert topics(on.ann.got())[4:] == [second, None]
        assert topics(on.bob.got()) == [None] * 3

    play(store, scene, home=home)


@over_stores
@HOMES
def test_answers_and_notices_come_to_the_topic(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        thread = opened(on, on.ann)
        before = len(on.ann.messages())
        on.ann.send(within(thread, {"text": "/help"}))
        on.ann.send(within(thread, {"text": "/stop"}))
        await on.quiet()
        said = [each for each in list(on.ann.messages().values())[before:] if notice(each) is not None]
        assert len(said) >= 2
        assert set(topics(said)) == {thread}

    play(store, scene, home=home)


@over_stores
@HOMES
def test_a_long_caption_stays_in_the_topic_of_its_file(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        on.world.state.people[on.bob.id].premium = True
        thread = opened(on, on.ann)
        on.ann.send(within(thread, {"text": "here"}))
        await on.quiet()
        sent = on.bob.send({"photo": {}, "caption": "long " * 300})
        await on.quiet()
        assert topics(on.ann.got()) == [thread, thread]
        on.bob.edit(sent, caption="short")
        await on.quiet()
        on.bob.edit(sent, caption="long " * 400)
        await on.quiet()
        assert topics(on.ann.got()) == [thread, thread]

    play(store, scene, home=home)


@over_stores
@HOMES
def test_messages_for_a_deleted_topic_come_to_the_general_topic(home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        thread = opened(on, on.ann)
        on.ann.send(within(thread, {"text": "here"}))
        on.world.phones.close_topic(on.ann.id, on.ann.bot, thread)
        await on.quiet()
        on.bob.write("a")
        on.bob.send(SENT["voice"])
        await on.quiet()
        on.world.state.bots[on.ann.bot].chats[on.ann.id].topics.add(thread)
        on.world.faults = [Fault(kind="400", description="TOPIC_CLOSED", having="message_thread_id")]
        on.bob.write("b")
        await on.quiet()
        assert topics(on.ann.got()) == [None] * 3
        assert on.bob.complaints() == []

    play(store, scene, home=home)
