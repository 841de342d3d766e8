"""A mistyped command, through the whole app: it is held, it can be sent anyway, and it never goes to somebody else."""

from tests.scenario.matrix import HISTORIES, HOMES, over_servers
from tests.scenario.stage import Stage, play


@over_servers
@HOMES
@HISTORIES
def test_a_mistyped_command_reaches_the_partner_only_through_its_button(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        question = on.ann.write("a question")
        await on.quiet()
        on.bob.write("/serach", reply_to=list(on.bob.messages())[-1])
        await on.quiet()
        assert on.bob.told()[-1] == "chat.meant_here"
        assert on.ann.got() == []
        await on.after(history)
        on.bob.press("show")
        await on.quiet()
        (got,) = on.ann.got()
        assert got["text"] == "/serach"
        assert got["reply_to_message"]["message_id"] == question
        assert on.bob.told()[-1] == "chat.shown"

    play(store, scene, home=home)


@over_servers
@HOMES
@HISTORIES
def test_the_button_of_an_earlier_chat_sends_nothing_to_the_next_partner(history: str, home: bool, store: str) -> None:
    async def scene(on: Stage) -> None:
        eve = on.join(on.bots[1])
        on.ann.write("/xyzzy")
        await on.quiet()
        asked = next(
            number for number, message in on.ann.messages().items() if "show:" in str(message.get("reply_markup"))
        )
        on.bob.write("/stop")
        await on.quiet()
        await on.after(history)
        await on.introduce(on.ann, eve)
        on.ann.press("show", at=asked)
        await on.quiet()
        assert (eve.got(), on.bob.got()) == ([], [])
        assert "reply_markup" not in on.ann.messages()[asked], "the button is gone"

    play(store, scene, home=home)
