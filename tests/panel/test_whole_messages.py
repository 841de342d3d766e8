"""A message of a broadcast is shown as people get it: formatting, file, buttons, and the addresses behind links."""

from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from passerby.adapters.sql import SqlBroadcasts
from passerby.kernel.broadcast import Broadcast, BroadcastState, Category, LinkButton, Variant
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.rules import Rules
from passerby.kernel.staff import AuditNote, Role, StaffDecision
from passerby.panel.as_people_see_it import formatted, messages
from tests.panel.stage import Stage, play
from tests.panel.test_broadcast_start import draft, with_readers


def written(text: str, *entities: Entity) -> str:
    return str(formatted(Content(Kind.TEXT, text, entities)))


@pytest.mark.parametrize(
    ("text", "entities", "shown"),
    [
        ("a <b> & c", (), "a &lt;b&gt; &amp; c"),
        ("so bold", (Entity("bold", 3, 4),), "so <b>bold</b>"),
        (
            "😀 here",
            (Entity("text_link", 3, 4, 'https://x.example/"<i>'),),
            '😀 <u>here</u> <span class="hint">(https://x.example/&#34;&lt;i&gt;)</span>',
        ),
        ("abcd", (Entity("bold", 0, 4), Entity("italic", 1, 2)), "<b>a<i>bc</i>d</b>"),
        ("abcd", (Entity("italic", 1, 2), Entity("bold", 0, 4)), "<b>a<i>bc</i>d</b>"),
        ("abcd", (Entity("bold", 0, 3), Entity("italic", 2, 2)), "<b>ab<i>c</i></b><i>d</i>"),
        ("abcd", (Entity("bold", 0, 4), Entity("bold", 0, 4)), "<b><b>abcd</b></b>"),
        ("ab", (Entity("bold", 1, 9), Entity("bold", 7, 1), Entity("bold", 0, -1), Entity("bold", 0, 0)), "a<b>b</b>"),
        ("@name", (Entity("mention", 0, 5), Entity("custom_emoji", 0, 1)), "@name"),
        (
            "ab",
            (Entity("spoiler", 0, 1),),
            '<span class="hint">[hidden until tapped:</span> a <span class="hint">]</span>b',
        ),
        ("😀", (Entity("bold", 1, 1),), "\ufffd<b>\ufffd</b>"),
    ],
)
def test_a_text_is_shown_with_its_formatting_and_its_addresses(
    text: str, entities: tuple[Entity, ...], shown: str
) -> None:
    assert written(text, *entities) == shown


def test_no_text_and_no_entities_lose_a_word_or_bring_a_tag_of_their_own() -> None:
    rng = Random(5)
    types = ("bold", "italic", "text_link", "pre", "spoiler", "blockquote", "mention")
    for _ in range(300):
        text = "".join(rng.choice("a<&😀\n") for _ in range(rng.randrange(12)))
        found = [Entity(rng.choice(types), rng.randrange(12), rng.randrange(12)) for _ in range(rng.randrange(6))]
        html = written(text, *found)
        for mark in ("b", "i", "u", "code", "q", "span"):
            assert html.count(f"<{mark}>") + html.count(f"<{mark} ") == html.count(f"</{mark}>"), (text, found)
        words = html
        for piece in ('<span class="hint">[hidden until tapped:</span> ', ' <span class="hint">]</span>'):
            words = words.replace(piece, "")
        for mark in ("b", "i", "u", "code", "q"):
            words = words.replace(f"<{mark}>", "").replace(f"</{mark}>", "")
        if "\ufffd" not in words:
            assert words == text.replace("&", "&amp;").replace("<", "&lt;"), (text, found)


def broadcast(*variants: Variant, **more: Any) -> Broadcast:
    return Broadcast(1, BroadcastState.SUBMITTED, 1, 0.0, variants=variants, **more)


def test_it_says_what_kind_of_file_comes_and_where_the_text_stands() -> None:
    photo = Content(Kind.PHOTO, "hi", file=File("f", "u"), spoiler=True, caption_above=True)
    file = Content(Kind.DOCUMENT, file=File("f", "u", name="terms.pdf"))
    first, second = messages(broadcast(Variant(photo, "de"), Variant(file, arm="B"), category=Category.SYSTEM))
    assert (first.who, first.notes) == (
        "readers of de, version A",
        ("photo", "hidden until tapped", "with the text above it"),
    )
    assert (second.who, second.notes) == ("everybody else, version B", ("document: terms.pdf", "without a text"))
    (note,) = messages(broadcast(Variant(Content(Kind.TEXT, "hi"))))[0].notes
    assert "turn such messages off" in note


def test_an_approver_sees_the_links_and_buttons_of_every_version(tmp_path: Path) -> None:
    hidden = Content(Kind.TEXT, "Read more", (Entity("text_link", 5, 4, "https://elsewhere.example"),))
    waits = msgspec.structs.replace(
        broadcast(
            Variant(hidden, buttons=(LinkButton("More", "https://example.org/a"),)),
            Variant(Content(Kind.TEXT, "Hallo"), "de", buttons=(LinkButton("Mehr", "tg://resolve?domain=x"),)),
        ),
        submitted_by=1,
    )

    async def scene(stage: Stage) -> None:
        await stage.hire(Role.OWNER, 600)
        other = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        made = StaffDecision(notes=(AuditNote("broadcast.made"),), broadcasts=(waits,))
        await stage.staff.decide(None, UpdateRef(BotId(1), 1), lambda facts: made, stage.clock.now())
        for page in ("/broadcasts/1", "/broadcasts/1/start"):
            seen = (await other.get(page)).text
            for words in (
                "https://elsewhere.example",
                "https://example.org/a",
                "More",
                "Mehr",
                "tg://resolve?domain=x",
            ):
                assert words in seen, (page, words)
        assert "waits for approval" in (await other.get("/broadcasts")).text
        assert "waits for approval" in (await other.get("/broadcasts/1")).text

    play(tmp_path, scene)


def test_bots_are_tick_boxes_and_a_bot_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        await browser.press("/broadcasts", "/broadcasts")
        page = await browser.press("/broadcasts/1", "/broadcasts/keep", **{"bot.1000002": "on"})
        assert page.status == 200
        assert 'name="bot.1000002" value="on" checked' in page.text
        assert 'name="bot.1000001" value="on">' in page.text
        found = await SqlBroadcasts(stage.records.engine).broadcast(1)
        assert found is not None
        assert found.audience.bots == (1000002,)
        refused = await browser.press("/broadcasts/1", "/broadcasts/keep", **{"bot.999": "on"})
        assert refused.status == 400
        assert "“999” isn&#39;t one of your bots. They are: 1000001, 1000002" in refused.text
        assert (await browser.press("/broadcasts/1", "/broadcasts/keep")).status == 200
        found = await SqlBroadcasts(stage.records.engine).broadcast(1)
        assert found is not None
        assert found.audience.bots == ()

    play(tmp_path, scene)


def test_a_broadcast_that_waits_is_among_the_approvals_of_those_who_may_approve_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await with_readers(stage)
        stage.overriding.rules = Rules(approval_above=1)
        owner = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        admin = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        moderator = await stage.signed_in(await stage.hire(Role.MODERATOR, 602))
        form = await draft(owner, 1)
        assert "Nothing waits" in (await admin.get("/approvals")).text
        assert (await owner.post("/broadcasts/act", form)).status == 200
        for browser in (owner, admin):
            page = (await browser.get("/approvals")).text
            assert "Broadcast #1 waits for approval." in page
            assert 'href="/broadcasts/1"' in page
        assert "Nothing waits" in (await moderator.get("/approvals")).text
        await admin.press("/broadcasts/1", "/broadcasts/act", act="approve")
        assert "Nothing waits" in (await admin.get("/approvals")).text

    play(tmp_path, scene)
