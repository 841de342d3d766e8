"""An act that needs a second member of the team cannot be done alone by way of the panel."""

import re
from pathlib import Path

import msgspec
import pytest

from passerby.adapters.sql import SqlBroadcasts
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.kernel.broadcast import Broadcast, BroadcastState, Category
from passerby.kernel.override import Overridden, OverrideKey
from passerby.kernel.staff import AuditNote, Role
from passerby.kernel.staff_requests import OverrideAsked
from passerby.settings import Settings
from passerby.settings.overrides import LEADING, OVERRIDABLE
from tests.panel.stage import Browser, Stage, hidden, play


async def fields(browser: Browser) -> dict[str, str]:
    return {"csrf": hidden((await browser.get("/sessions")).text)["csrf"]}


def test_the_panel_writes_drafts_and_changes_no_broadcast_that_has_started(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        owner = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        admin = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        given = await fields(owner)
        await owner.post("/broadcasts", given)
        wish = {"broadcast": "1", "text": "We move on Friday"}
        assert (await owner.post("/broadcasts/keep", given | wish)).status == 200
        found = SqlBroadcasts(stage.records.engine)

        def start(broadcast: Broadcast, number: int) -> tuple[Broadcast, ...]:
            now, running = stage.clock.now(), BroadcastState.RUNNING
            return (msgspec.structs.replace(broadcast, state=running, category=Category.SYSTEM, started_at=now),)

        await found.change(1, start, AuditNote("broadcast.started", "broadcast 1"), stage.clock.now())
        before = await found.broadcast(1)
        for browser in (admin, owner):
            wish = await fields(browser) | {"broadcast": "1", "text": "Log in", "buttons": "Log in | https://x.example"}
            assert (await browser.post("/broadcasts/keep", wish)).status == 400
            assert await found.broadcast(1) == before

    play(tmp_path, scene)


SECOND = re.compile("second (member|person)")


def test_no_limit_that_needs_a_second_member_and_no_path_can_change_in_the_panel() -> None:
    described = {each.name.lower(): each.description for each in Settings.describe()}
    limits = {name for name, words in described.items() if SECOND.search(words)}
    paths = {name for name, each in Settings.model_fields.items() if "Path" in str(each.annotation)}
    assert limits >= {"refund_second_above", "broadcast_approval_above"}
    assert paths >= {"vip_plans_file", "sqlite_db_path"}
    assert not (limits | paths) & {*OVERRIDABLE}


@pytest.mark.parametrize("name", ["REFUND_SECOND_ABOVE", "BROADCAST_APPROVAL_ABOVE", "VIP_PLANS_FILE"])
def test_nobody_raises_such_a_limit_or_asks_for_a_file_by_a_forged_form(tmp_path: Path, name: str) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        value = "/etc/passwd" if name.endswith("FILE") else "25000"
        wish = await fields(browser) | {"name": name, "value": value, "seen": "0"}
        for path in ("/settings/review", "/settings/change"):
            assert (await browser.post(path, wish)).header("location") == "/settings"
        assert (await browser.get(f"/settings/{name}")).status == 404
        assert not await SqlOverrides(stage.records.engine).current()
        # A row that came in some other way counts for nothing.
        await stage.decisions.on_request(OverrideAsked(OverrideKey(Overridden.SETTING, name), value, 0))
        await stage.overriding.take_up_new()
        assert (stage.overriding.rules.refund_second_above, stage.overriding.rules.approval_above) == (1000, 1000)

    play(tmp_path, scene)


@pytest.mark.parametrize("junk", ["²", "9" * 40, "9" * 4000])
def test_no_number_in_a_form_makes_the_panel_fail(tmp_path: Path, junk: str) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.OWNER, 600))
        given = await fields(browser)
        for path, wish in (
            ("/safety/press", {"action": "case_see", "token": junk}),
            ("/safety/legal", {"action": "case_unmask", "token": junk}),
            ("/team/role", {"member": junk, "role": "admin"}),
            ("/team/revoke", {"member": junk, "sure": "yes"}),
            ("/team/passkeys", {"member": junk}),
            ("/sessions/end", {"session": junk}),
            ("/broadcasts/act", {"broadcast": junk, "act": "start"}),
            ("/broadcasts/keep", {"broadcast": junk, "text": "hi"}),
        ):
            stage.clock.at += 2
            assert (await browser.post(path, given | wish)).status < 500, path
        for path in ("/team", "/safety", "/broadcasts"):
            assert (await browser.get(path)).status == 200

    play(tmp_path, scene)


def test_one_member_sells_vip_for_less_only_with_a_second_one_and_gives_no_days_to_everybody(tmp_path: Path) -> None:
    """In many small steps, too: each compares with what is sold now, and with what the operator sells at the start."""
    growth = {"trial_days", "referral_days", "referrals_a_month"}
    assert not growth & {*OVERRIDABLE}, "these change in .env only"

    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        other = await stage.signed_in(await stage.hire(Role.ADMIN, 602))

        async def change(value: str) -> str:
            newest = await SqlOverrides(stage.records.engine).current()
            seen = str(max((each.number for each in newest), default=0))
            stage.clock.at += 2
            wish = await fields(browser) | {"name": "VIP_PLANS", "value": value, "seen": seen}
            shown = await browser.post("/settings/review", wish)
            stage.clock.at += 2
            await browser.post("/settings/change", wish)
            await stage.overriding.take_up_new()
            said = "A second member has to agree first" in shown.text
            plans = stage.overriding.rules.plans
            return f"{said} {[(each.days, each.stars) for each in plans]}"

        assert await change("week=7d:75") == "True []"
        stage.clock.at += 2
        await other.post("/approvals/agree", await fields(other) | {"approval": "1"})
        await stage.overriding.take_up_new()
        assert [each.days for each in stage.overriding.rules.plans] == [7]
        assert await change("week=7d:90") == "False [(7, 90)]", "dearer"
        assert await change("week=7d:89") == "True [(7, 90)]"
        assert await change("week=7d:90, ten-years=3650d:1") == "True [(7, 90)]"
        assert await change("week=7d:90, day=1d:13") == "False [(7, 90), (1, 13)]"
        longer = "With a longer plan, each discount that was given gives more."
        assert await change("week=7d:90, year=365d:25000") == "True [(7, 90), (1, 13)]", longer
        assert await change("day=1d:13") == "False [(1, 13)]"
        assert await change("week=7d:91") == "True [(1, 13)]", longer

    play(tmp_path, scene)


EVIL = "t.me/evil_casino"


async def rewrite(browser: Browser, key: str, words: str, seen: int = 0, bot: str = "0") -> tuple[str, str]:
    """The button below the preview, and the answer."""
    given = await fields(browser)
    wish = given | {"key": key, "language": "en", "bot": bot, "seen": str(seen), "form0": words}
    shown = (await browser.post("/texts/review", wish)).text
    said = (await browser.post("/texts/change", wish)).text
    buttons = re.findall(r"Ask a second member|Change it for everybody", shown)
    return ",".join(buttons), "asked" if "This needs a second member" in said else "done" if "Done." in said else said


@pytest.mark.parametrize("key", ["search.begun", "intro.short", "intro.description", "intro.name", "keys.find"])
def test_one_member_alone_puts_no_link_into_a_text_that_everybody_sees(tmp_path: Path, key: str) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        other = await stage.signed_in(await stage.hire(Role.ADMIN, 602))
        bot = "1000001" if key == "intro.name" else "0"
        second, alone = ("Ask a second member", "asked"), ("Change it for everybody", "done")
        assert await rewrite(browser, key, f"Win at {EVIL}", bot=bot) == second
        assert await rewrite(browser, key, "Play @evil_casino", bot=bot) == second
        assert not await SqlOverrides(stage.records.engine).current()
        assert sum(EVIL in str(each) for each in stage.telegram.said) >= 1, "the second member reads where it leads"
        assert await rewrite(browser, key, "Hello", bot=bot) == alone
        stage.clock.at += 2
        late = await other.post("/approvals/agree", await fields(other) | {"approval": "1"})
        assert "Someone else just changed it" in late.text
        assert await rewrite(browser, key, f"Now {EVIL}", 1, bot) == second
        stage.clock.at += 2
        own = await browser.post("/approvals/agree", await fields(browser) | {"approval": "3"})
        assert "Someone else must agree" in own.text
        await other.post("/approvals/agree", await fields(other) | {"approval": "3"})
        await stage.overriding.take_up_new()
        (counts,) = await SqlOverrides(stage.records.engine).current()
        assert EVIL in str(counts.value)
        assert await rewrite(browser, key, f"Come to {EVIL}!", counts.number, bot) == alone, "no new link"
        await stage.overriding.take_up_new()
        assert await rewrite(browser, key, f"Come to {EVIL}_2", counts.number + 1, bot) == second

    play(tmp_path, scene)


def test_a_link_behind_other_words_and_letters_beside_a_link_need_a_second_member_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        for words in ('<a href="https://evil.example">Search</a>', "<b>@evil</b><i>_casino</i>", "evil&#46;example"):
            assert (await rewrite(browser, "search.begun", words))[1] != "done", words
        before = stage.words.original("sponsor.required", "en").templates[0].html % "{link}"  # type: ignore[union-attr]
        assert await rewrite(browser, "sponsor.required", f"{before} !") == ("Change it for everybody", "done")
        for words in (before.replace("{link}", "{link}_evil"), before.replace("{link}", "https://evil.example/{link}")):
            assert (await rewrite(browser, "sponsor.required", words, 1))[1] == "asked", words

    play(tmp_path, scene)


def test_one_member_alone_sends_nobody_to_another_channel_or_address(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in(await stage.hire(Role.ADMIN, 601))
        other = await stage.signed_in(await stage.hire(Role.ADMIN, 602))

        async def change(name: str, value: str) -> bool:
            versions = await SqlOverrides(stage.records.engine).versions(Overridden.SETTING, name, 1)
            seen = str(versions[0].number) if versions else "0"
            stage.clock.at += 2
            wish = await fields(browser) | {"name": name, "value": value, "seen": seen}
            shown = await browser.post("/settings/review", wish)
            said = (await browser.post("/settings/change", wish)).text
            asked = "This needs a second member" in said
            assert asked == ("Ask a second member" in shown.text)
            assert asked or "Done." in said
            return asked

        for number, (name, value) in enumerate(
            (
                ("SPONSOR_LINK", "https://t.me/+evil_casino"),
                ("SPONSOR_CHANNEL", "@evil_casino"),
                ("CONTACT", "https://evil.example"),
            ),
            1,
        ):
            assert await change(name, value), name
            stage.clock.at += 2
            await other.post("/approvals/agree", await fields(other) | {"approval": str(number)})
        await stage.overriding.take_up_new()
        sponsor = stage.overriding.rules.sponsor
        assert sponsor is not None
        assert sponsor.channel == "@evil_casino"
        assert not await change("SPONSOR_REQUIRED", "true"), "the channel is agreed to"
        assert not await change("SPONSOR_CHANNEL", ""), "nobody is sent anywhere"
        await stage.overriding.take_up_new()
        assert await change("SPONSOR_CHANNEL", "@evil_casino"), "it was over"

    play(tmp_path, scene, contact="help@example.org")


def test_each_setting_with_words_of_the_operators_own_counts_as_a_place() -> None:
    assert {*LEADING} == {"contact", "sponsor_channel", "sponsor_link"}
