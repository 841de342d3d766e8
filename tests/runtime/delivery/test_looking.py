"""A look at a picture can only add the blur, and never holds a message up for long."""

import asyncio
from random import Random

import msgspec
import pytest

from passerby.domain.pictures import covered
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.effect import Relay
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId, UpdateRef
from passerby.ports.looking import LookerAway
from passerby.ports.telegram import FloodWait, Refused, SendContent, Unavailable
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.looking import MOST_AT_ONCE, MOST_BYTES, Looking
from passerby.runtime.delivery.wording import Wording
from tests.runtime.virtual import run
from tests.runtime.world import BOT as BOT_OF_WORLD
from tests.runtime.world import OTHER_BOT, PLENTY, PRINTS, WORDS, Assured, Bench, couple
from tests.runtime.world import relay as a_relay
from tests.staged import in_a_loop

BOT = BotId(5)
FINE, DOUBTFUL = b"fine", b"doubtful"


class Bytes:
    """Telegram's files, by id. An exception in place of bytes is raised."""

    def __init__(self, **files: bytes | Exception) -> None:
        self.files = files
        self.read: list[str] = []

    async def read_file(self, bot: BotId, file: File, most_bytes: int) -> bytes:
        assert (bot, most_bytes) == (BOT, MOST_BYTES)
        self.read.append(file.file_id)
        found = self.files[file.file_id]
        if isinstance(found, Exception):
            raise found
        return found


class Model:
    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.answers.set()

    async def is_doubtful(self, picture: bytes) -> bool:
        await self.answers.wait()
        if picture == b"crash":
            raise LookerAway
        return picture == DOUBTFUL


def relay(*contents: Content, copyable: bool = True) -> Relay:
    sources = tuple(MessageId(1 + place) for place in range(len(contents)))
    return Relay(ChatId("c"), PersonId(1), BOT, sources, PersonId(2), contents, copyable, look=True)


def photo(file: str, *, spoiler: bool = False) -> Content:
    return Content(Kind.PHOTO, "words", file=File(file, f"u-{file}"), spoiler=spoiler)


@in_a_loop
async def test_a_harmless_photo_goes_as_it_is_and_a_doubtful_one_blurred_and_not_copied() -> None:
    looking = Looking(Bytes(a=FINE, b=DOUBTFUL), Model())
    harmless = relay(photo("a"))
    assert await looking(harmless) == msgspec.structs.replace(harmless, look=False)
    album = await looking(relay(photo("a"), photo("b"), Content(Kind.VIDEO, file=File("v", "v"), spoiler=True)))
    assert [each.spoiler for each in album.contents] == [False, True, True]
    assert (album.copyable, album.look) == (False, False)


@in_a_loop
async def test_a_photo_that_its_sender_blurred_is_not_looked_at_and_stays_blurred() -> None:
    files = Bytes(a=FINE)
    seen = await Looking(files, Model())(relay(photo("a", spoiler=True)))
    assert (seen.contents[0].spoiler, files.read) == (True, [])


@pytest.mark.parametrize(
    "fault",
    [
        b"crash",
        Unavailable("away", uncertain=False),
        Refused(Refusal.TOO_LARGE, "4 MB"),
        Refused(Refusal.CANNOT_COPY, "gone"),
    ],
    ids=["the model dies", "Telegram is away", "too large", "gone"],
)
@in_a_loop
async def test_a_photo_that_nobody_could_look_at_is_blurred_and_what_was_seen_before_it_stays(
    fault: bytes | Exception,
) -> None:
    seen = await Looking(Bytes(a=FINE, b=fault, c=FINE), Model())(relay(photo("a"), photo("b"), photo("c")))
    assert [each.spoiler for each in seen.contents] == [False, True, True]
    assert not seen.copyable


@in_a_loop
async def test_a_look_that_takes_too_long_ends_and_the_photo_goes_blurred() -> None:
    model = Model()
    model.answers.clear()
    seen = await Looking(Bytes(a=FINE), model, wait_s=0.0)(relay(photo("a")))
    assert seen.contents[0].spoiler


@in_a_loop
async def test_only_a_few_messages_wait_for_a_look_and_the_next_ones_go_blurred_at_once() -> None:
    model, files = Model(), Bytes(a=FINE)
    model.answers.clear()
    looking = Looking(files, model, wait_s=3600.0)
    waiting = [asyncio.ensure_future(looking(relay(photo("a")))) for _ in range(MOST_AT_ONCE)]
    while len(files.read) < MOST_AT_ONCE:
        await asyncio.sleep(0)
    assert (await looking(relay(photo("a")))).contents[0].spoiler
    assert len(files.read) == MOST_AT_ONCE, "not even fetched"
    model.answers.set()
    assert not any(each.contents[0].spoiler for each in await asyncio.gather(*waiting))
    assert not (await looking(relay(photo("a")))).contents[0].spoiler, "there is room again"


@pytest.mark.parametrize("looks", [True, False], ids=["with a model", "left by an earlier start with one"])
def test_the_courier_sends_what_may_be_shown_and_looks_once(looks: bool) -> None:
    async def main() -> None:
        asked: list[Relay] = []
        bench = Bench()
        await bench.put(*couple())

        async def look(relay: Relay) -> Relay:
            asked.append(relay)
            return covered(relay)

        courier = Courier(
            bench.telegram,
            bench.store,
            Wording(WORDS),
            bench.background,
            bench.clock,
            Random(7),
            PLENTY,
            PLENTY,
            outcomes=bench.outcomes,
            assurance=Assured(),
            prints=PRINTS,
            look=look if looks else None,
        )
        script = [FloodWait(1.0)]
        bench.telegram.answer = lambda call: script.pop() if script else None
        message = msgspec.structs.replace(a_relay(1), contents=(photo("a"),), copyable=True, look=True)
        courier.pass_on(message, OTHER_BOT, (UpdateRef(BOT_OF_WORLD, 1),))
        await asyncio.sleep(10)
        (sent,) = bench.telegram.sent
        assert isinstance(sent, SendContent)
        assert (sent.contents[0].spoiler, sent.copyable) == (True, False)
        assert len(asked) == looks, "the second attempt sends the same"
        await bench.close()

    run(main())
