"""Texts that staff write instead of those of the release: previewed, checked, taken up by every process, taken back."""

from copy import copy
from pathlib import Path
from typing import Any

from passerby.adapters.sql.overrides import SqlOverrides
from passerby.bootstrap.override_watch import OverrideWatch
from passerby.kernel.ids import BotId
from passerby.kernel.text import Text, text
from tests.panel.stage import WORDS, Answered, Browser, Stage, play
from tests.panel.test_pages import token
from tests.panel.test_safety import press

KEY = "search.partner_found"
BOT, OTHER = BotId(1000001), BotId(1000002)


async def previewed(browser: Browser, place: str, *forms: str) -> Answered:
    fields = {f"form{number}": words for number, words in enumerate(forms)}
    return await press(browser, await browser.get(f"/texts/{place}"), "Preview", **fields)


async def change(browser: Browser, page: Answered) -> Answered:
    done = await press(browser, page, "Change it for everybody")
    assert "Done. All workers use it within seconds." in done.text, done.text
    return done


def other_process(stage: Stage) -> tuple[Any, OverrideWatch]:
    words = copy(WORDS)
    return words, OverrideWatch(stage.settings, SqlOverrides(stage.records.engine), stage.clock, words)


def test_a_text_changes_for_one_bot_and_language_in_every_process_after_a_preview(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser, (words, other) = await stage.signed_in(), other_process(stage)
        key, before = "intro.short", words.word(text("intro.short"), "de")
        found = (await browser.get("/texts?find=intro.short&language=de")).text
        assert f'href="/texts/{key}?language=de"' in found
        shown = await previewed(browser, f"{key}?language=de&bot={BOT}", "Rede mit Fremden & mehr")
        assert shown.status == 400, "Telegram's HTML has &amp; for &"
        shown = await previewed(browser, f"{key}?language=de&bot={BOT}", "Rede mit Fremden.")
        assert '<div class="bubble" dir="auto">Rede mit Fremden.</div>' in shown.text
        await other.take_up_new()
        assert words.of(BOT).word(text(key), "de") == before, "a preview changes nothing"
        await change(browser, shown)
        assert (await stage.actions())[-1] == "text.changed"
        await other.take_up_new()
        assert words.of(BOT).word(text(key), "de") == "Rede mit Fremden."
        assert words.of(OTHER).word(text(key), "de") == words.word(text(key), "de") == before
        assert words.of(BOT).word(text(key), "en") == words.word(text(key), "en")
        for wording in ("Alle.", "Alle zusammen."):
            await change(browser, await previewed(browser, f"{key}?language=de", wording))
        await other.take_up_new()
        assert words.of(OTHER).word(text(key), "de") == "Alle zusammen."
        assert words.of(BOT).word(text(key), "de") == "Rede mit Fremden.", "its own wording stays"
        page = await browser.get(f"/texts/{key}?language=de")
        assert f"de, {BOT}" in page.text
        back = await press(browser, page, 'Back to this<span class="away">: version 2')
        await change(browser, back)
        await other.take_up_new()
        assert words.word(text(key), "de") == "Alle."
        page = await browser.get(f"/texts/{key}?language=de")
        await change(browser, await press(browser, page, 'Back to this<span class="away">: the release'))
        await other.take_up_new()
        assert words.word(text(key), "de") == before

    play(tmp_path, scene)


def test_placeholders_tags_and_lengths_are_checked(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        place = "overrides.done?language=en"
        for wording, why in (
            ("Done {name}", "These placeholders are unknown: {name}."),
            ("<b>Done", "&lt;b&gt; is not closed."),
            ("Done</i>", "&lt;/i&gt; closes nothing"),
            ("<script>alert(1)</script>", "Telegram does not know &lt;script&gt;"),
            ('<b onclick="x">Done</b>', "Telegram does not know &lt;b onclick="),
            ('<a href="javascript:x">Done</a>', "Telegram does not know &lt;a href="),
            ("1 < 2", "Write &amp;lt; for &lt;."),
            ("{0}", "A placeholder is a bare name in braces"),
            ("x" * 4000, "It has 4,000 characters, and may have 3,500."),
            (" ", "It is empty."),
        ):
            answer = await previewed(browser, place, wording)
            assert answer.status == 400, wording
            assert why in answer.text, (wording, answer.text[-4000:])
        named = await previewed(browser, "team.joined?language=en", "Somebody is here.")
        assert "These placeholders are missing: {role}, {who}." in named.text
        assert (
            await previewed(browser, place, '<a href="https://example.org/x?a=1">Done</a> <b>{{x}}</b>')
        ).status == 200
        assert (await previewed(browser, "intro.short?language=en", "x" * 121)).status == 400
        given = await token(browser)
        wish = {"csrf": given, "key": "overrides.done", "language": "en", "bot": "0", "seen": "0", "form0": "<script>"}
        assert (await browser.post("/texts/change", wish)).status == 400, "the preview is no gate"
        for wrong in ({"language": "xx"}, {"bot": "7"}, {"key": "nothing.here"}, {"key": "intro.name"}, {"seen": "x"}):
            assert (await browser.post("/texts/change", wish | {"form0": "Hi"} | wrong)).status == 303
        assert not await SqlOverrides(stage.records.engine).current()

    play(tmp_path, scene)


def test_plurals_have_all_their_forms(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser, (words, other) = await stage.signed_in(), other_process(stage)
        key = next(each for each in words.keys if len(words.original(each, "ru").templates) == 3)
        sources = [
            f"<b>{number}</b> " + " ".join(f"{{{name}}}" for name in sorted(set(form.names)))
            for number, form in enumerate(words.original(key, "ru").templates)
        ]
        await change(browser, await previewed(browser, f"{key}?language=ru", *sources))
        await other.take_up_new()
        args = {name: 1 for form in words.original(key, "ru").templates for name in form.names} | {"n": 5}
        assert words.word(text(key, **args), "ru").startswith("<b>2</b>")
        assert (await previewed(browser, f"{key}?language=ru", *sources[:2])).status == 400

    play(tmp_path, scene)


def test_a_changed_label_of_a_key_works_and_so_do_its_former_ones(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser, (words, other) = await stage.signed_in(), other_process(stage)
        old = words.plain(Text("keys.find"), "en")
        for label in ("Meet somebody", "Go"):
            await change(browser, await previewed(browser, "keys.find?language=en", label))
            await stage.overriding.take_up_new()
        await other.take_up_new()
        assert words.plain(Text("keys.find"), "en") == "Go"
        assert {words.key_with_label(label) for label in ("Go", "Meet somebody", old)} == {"keys.find"}
        taken = await previewed(browser, "keys.stop?language=en", "Meet somebody")
        assert "Another key has this label" in taken.text
        assert taken.status == 400

    play(tmp_path, scene)


def test_a_bots_name_and_descriptions_are_told_to_telegram(tmp_path: Path) -> None:
    from passerby.kernel.feature import MenuCommand
    from passerby.runtime.delivery.wording import Wording

    async def scene(stage: Stage) -> None:
        browser, (words, other) = await stage.signed_in(), other_process(stage)
        wording, menu = Wording(words), (MenuCommand("search", "commands.search"),)
        before = wording.menus(menu, BOT)
        assert wording.menus(menu, BOT) is before, "it is not made again for nothing"
        await change(browser, await previewed(browser, f"intro.name?language=en&bot={BOT}", "Lantern"))
        await change(browser, await previewed(browser, f"intro.description?language=en&bot={BOT}", "Talk by night."))
        await other.take_up_new()
        english, arabic = wording.menus(menu, BOT)[:2]
        assert (english.name, english.description) == ("Lantern", "Talk by night.")
        assert (arabic.name, arabic.description) == ("", before[1].description)
        assert wording.menus(menu, OTHER) == before
        assert (await browser.get("/texts/intro.name?language=en")).status == 404, "each bot has a name of its own"

    play(tmp_path, scene)


def test_the_limits_of_a_text_are_said_before_somebody_writes(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for key, most, has_tags in (
            ("intro.short", "120", False),
            ("intro.description", "512", False),
            ("keys.find", "64", False),
            ("commands.stop", "256", False),
            ("overrides.done", "3,500", True),
        ):
            page = (await browser.get(f"/texts/{key}")).text
            assert f"At most {most} characters" in page, key
            assert ("<code>&lt;blockquote&gt;</code>" in page) is has_tags, key
            assert ("No tags: Telegram shows plain words here." in page) is not has_tags, key
            # The page says the limits that are checked.
            limit = int(most.replace(",", ""))
            assert (await previewed(browser, key, "x" * limit)).status == 200, key
            assert (await previewed(browser, key, "x" * (limit + 1))).status == 400, key
            assert (await previewed(browser, key, "<b>x</b>")).status == (200 if has_tags else 400), key
        page = (await browser.get("/texts/team.joined")).text
        assert "Write each of these where its value belongs: <code>{role}</code>, <code>{who}</code>." in page

    play(tmp_path, scene)
