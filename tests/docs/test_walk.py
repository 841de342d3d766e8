"""The architecture page names the files that one text goes through. Here a text goes through them."""

import re
import sys
from pathlib import Path
from types import FrameType

import passerby
from tests.scenario.stage import Stage, play

SOURCE = Path(passerby.__file__).parent
PAGE = SOURCE.parents[1] / "docs/explanation/architecture.md"
ROW = re.compile(r"^\| `((?:runtime|features|domain)/[\w/]+)` \|[^|]*\|([^|]*)\|$", re.MULTILINE)

WATCHED = ("runtime/inbound", "runtime/decide", "runtime/delivery", "domain/delivery", "features/chat")
WATCHED_TOO = ("domain/sanitise", "domain/contacts")
ADAPTERS = ("adapters/botapi/decode", "adapters/botapi/content_sender")
BESIDE = {
    "runtime/decide/parking",  # looks once a second for relays that have waited too long
    "runtime/inbound/unused",  # counts updates that nobody needs
    "runtime/inbound/webhook_receiver",  # hears of each update that is done
}


def named() -> dict[str, set[str]]:
    """Each file of the walk, in the page's order, with the files that help it."""
    found: dict[str, set[str]] = {}
    for file, helpers in ROW.findall(PAGE.read_text("utf-8")):
        folder = file.rpartition("/")[0]
        found[file] = {
            helper if helper.startswith("domain/") else f"runtime/{helper}" if "/" in helper else f"{folder}/{helper}"
            for helper in re.findall(r"`([\w/]+)`", helpers)
        }
    return found


def walked() -> list[str]:
    """The files whose functions ran for one text, from the poll to the mark, one after another."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and SOURCE in file.parents:
            calls.append(str(file.relative_to(SOURCE).with_suffix("")))

    async def scene(on: Stage) -> None:
        for phone, words in ((on.ann, "hello"), (on.bob, "hi"), (on.ann, "how are you?")):
            phone.send({"text": words})
            await on.quiet()
        sys.setprofile(note)
        try:
            on.ann.send({"text": "well?"})
            await on.quiet()
        finally:
            sys.setprofile(None)

    play("memory", scene, home=False)
    return calls[calls.index("runtime/inbound/polling") :]


def test_a_text_goes_through_the_files_that_the_page_names_in_their_order() -> None:
    calls, walk = walked(), named()
    assert 10 <= len(walk) <= 12
    following = iter(calls)
    assert [file for file in walk if file not in following] == []


def test_the_page_names_every_file_that_helps() -> None:
    calls = walked()
    ran = {file for file in calls if file.startswith(WATCHED)}
    ran |= {prefix for prefix in WATCHED_TOO if any(file.startswith(prefix) for file in calls)}
    walk = named()
    assert ran - BESIDE == set(walk).union(*walk.values())


def test_the_page_names_the_adapters_at_both_ends() -> None:
    calls, page = walked(), PAGE.read_text("utf-8")
    assert [each for each in ADAPTERS if each not in calls or f"`{each}`" not in page] == []
    assert calls.index(ADAPTERS[0]) < calls.index("runtime/inbound/admission")
    assert calls.index("runtime/delivery/sends") < calls.index(ADAPTERS[1]) < calls.index("runtime/decide/outcomes")
