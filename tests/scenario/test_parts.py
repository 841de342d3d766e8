"""If Telegram refuses a part of a message, the rest still arrives, through the whole app."""

from typing import Any

import pytest

from botapi_sandbox.world.faults import Fault
from tests.scenario.kinds import BOLD, SENT, Json
from tests.scenario.matrix import HOMES, over_stores, pass_on
from tests.scenario.stage import Stage, play

EMOJI = SENT["custom emoji"]
CASES: dict[str, tuple[Json, str, str, Json]] = {
    "effect": (SENT["text with effect"], "EFFECT_ID_INVALID", "message_effect_id", {"text": "The bells"}),
    "effect, another wording": (
        SENT["text with effect"], "MESSAGE_EFFECT_UNAVAILABLE", "message_effect_id", {"text": "The bells"},
    ),
    "custom emoji": (EMOJI, "DOCUMENT_INVALID", "custom_emoji", {"text": "so 👍"}),
    "bold": ({"text": "bold", "entities": BOLD}, "can't parse entities: no", "bold'", {"text": "bold"}),
    "an unknown refusal": ({"text": "bold", "entities": BOLD}, "never heard of it", "bold'", {"text": "bold"}),
    "caption": (
        {"photo": {}, "caption": "bold", "caption_entities": BOLD}, "ENTITIES_TOO_LONG", "'bold'", {"caption": "bold"},
    ),
    "voice": ({"voice": {"duration": 3}, "effect_id": "51"}, "EFFECT_ID_INVALID", "message_effect_id", {}),
}  # fmt: skip


@over_stores
@HOMES
@pytest.mark.parametrize("case", CASES)
def test_a_message_is_sent_without_the_parts_that_telegram_refuses(case: str, home: bool, store: str) -> None:
    sent, description, having, expected = CASES[case]

    async def scene(on: Stage) -> None:
        on.world.faults = [
            Fault(kind="400", chat=on.bob.id, description=description, having=having),
            # Across bots the media of a file is JSON text in the request.
            Fault(kind="400", chat=on.bob.id, description=description, having=having.replace("'", '"')),
        ]
        on.ann.send(sent)
        await on.quiet()
        (got,) = on.bob.got()
        assert {name: got[name] for name in expected} == expected
        assert "effect_id" not in got or having != "message_effect_id"
        assert on.ann.complaints() == []

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize(
    ("description", "part"),
    [
        ("QUOTE_TEXT_INVALID", "'quote'"),
        ("message to be replied not found", "reply_parameters"),
        ("REPLY_MESSAGE_ID_INVALID", "reply_parameters"),
    ],
)
def test_a_reply_is_sent_without_the_quote_or_reference_that_telegram_refuses(
    description: str, part: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        await pass_on(on, on.bob, "text")
        on.world.faults = [Fault(kind="400", chat=on.bob.id, description=description, having=part)]
        on.ann.write("really?", reply_to=on.ann.got()[0]["message_id"], quote="fog")
        await on.quiet()
        got: dict[str, Any] = on.bob.got()[-1]
        assert got["text"] == "really?"
        assert "quote" not in got
        assert ("reply_to_message" in got) == (part == "'quote'")

    play(store, scene, home=home)


@over_stores
@HOMES
@pytest.mark.parametrize("having", ["reply_markup", "parse_mode"])
def test_a_notice_is_sent_without_the_keyboard_or_formatting_that_telegram_refuses(
    having: str, home: bool, store: str
) -> None:
    async def scene(on: Stage) -> None:
        on.world.faults = [Fault(kind="400", chat=on.ann.id, description="BUTTON_TYPE_INVALID", having=having)]
        if having == "parse_mode":
            on.world.faults[0].description = "can't parse entities: unsupported start tag"
        before = len(on.ann.told())
        on.ann.write("/stop")
        await on.quiet()
        assert "chat.you_left" in on.ann.told()[before:]

    play(store, scene, home=home)
