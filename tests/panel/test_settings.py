"""Settings that staff change while the fleet runs: the difference is shown, and every process takes it up."""

import re
from html import escape
from pathlib import Path
from typing import Any

import pytest

from passerby.adapters.sql.overrides import SqlOverrides
from passerby.bootstrap.override_watch import OverrideWatch
from passerby.kernel.override import Overridden, OverrideKey, value_of
from passerby.kernel.rules import ContactPolicy
from passerby.kernel.staff import Role
from passerby.kernel.staff_requests import OverrideAsked
from passerby.panel.look import ticked
from passerby.settings import Settings
from tests.panel.stage import TOKENS, Browser, Stage, play
from tests.panel.test_pages import token
from tests.panel.test_safety import press


async def reviewed(browser: Browser, name: str, value: str) -> Any:
    return await press(browser, await browser.get(f"/settings/{name}"), "Show what would change", value=value)


def other_process(stage: Stage) -> OverrideWatch:
    return OverrideWatch(stage.settings, SqlOverrides(stage.records.engine), stage.clock)


def test_a_setting_changes_in_every_process_after_its_difference_was_shown(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser, other = await stage.signed_in(), other_process(stage)
        shown = await reviewed(browser, "CONTACT_POLICY", "hold")
        assert "<del>warn</del>" in shown.text
        assert "<ins>hold</ins>" in shown.text
        await other.take_up_new()
        assert other.rules.contact_policy is ContactPolicy.WARN, "a look at the difference changes nothing"
        done = await press(browser, shown, "Change it for everybody")
        assert "Done. All workers use it within seconds." in done.text
        assert (await stage.actions())[-1] == "setting.changed"
        for each in (other, stage.overriding):
            await each.take_up_new()
            assert each.rules.contact_policy is ContactPolicy.HOLD
            assert each.rules_now().contact_policy is ContactPolicy.HOLD
        listed = (await browser.get("/settings")).text
        assert "changed here" in listed
        row = (await stage.staff.newest_audit(1))[0]
        assert (row.subject, row.details) == ("CONTACT_POLICY", '{"after":"hold","before":null,"version":1}')

    play(tmp_path, scene)


def test_a_threshold_of_alerts_changes_while_they_are_watched(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser, other = await stage.signed_in(), other_process(stage)
        watched = other.thresholds
        await press(browser, await reviewed(browser, "ALERT_NOT_POLLED", "120"), "Change it for everybody")
        await other.take_up_new()
        assert watched["alert_not_polled"] == 120.0

    play(tmp_path, scene)


def test_a_change_is_taken_back_by_its_version(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser, other = await stage.signed_in(), other_process(stage)
        for value in ("2", "3"):
            await press(browser, await reviewed(browser, "PATIENCE", value), "Change it for everybody")
        page = await browser.get("/settings/PATIENCE")
        for label, expected in ((": version 1", 2.0), (": the start", 1.0)):
            back = await press(browser, page, f'Back to this<span class="away">{label}')
            assert "What would change" in back.text
            assert "Done." in (await press(browser, back, "Change it for everybody")).text
            await other.take_up_new()
            assert other.rules.patience == expected
            page = await browser.get("/settings/PATIENCE")
        assert (await stage.actions())[-1] == "setting.reset"

    play(tmp_path, scene, patience=1.0)


def test_two_members_do_not_undo_each_others_change_unknowingly(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        one, two = await stage.signed_in(), await stage.signed_in()
        first, second = await reviewed(one, "PATIENCE", "2"), await reviewed(two, "PATIENCE", "3")
        assert "Done." in (await press(one, first, "Change it for everybody")).text
        late = await press(two, second, "Change it for everybody")
        assert late.status == 409
        assert "Someone else just changed it" in late.text
        again = await press(one, first, "Change it for everybody")
        assert again.status == 409

    play(tmp_path, scene)


def test_values_that_a_start_would_refuse_are_refused_here_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for name, value, why in (
            ("PATIENCE", "many", "PATIENCE is not a number from 0 to 10"),
            (
                "IDLE_END_MIN",
                "3",
                "IDLE_END_MIN is not more than IDLE_NUDGE_MIN. To correct it: write more, or 0 for never.",
            ),
            ("IDLE_NUDGE_MIN", "1440", "To correct it: write less than "),
            ("VIP_PLANS", "week=7d", "plan 1 is not name=days:stars"),
            ("CONTACT", "<script>", "CONTACT is not of the right form"),
        ):
            answer = await reviewed(browser, name, value)
            assert (answer.status, why in answer.text) == (400, True), answer.text[-3000:]
            assert f'name="value" value="{escape(value)}"' in answer.text, "what was typed can be corrected"
        given = await token(browser)
        for name in ("SQLITE_DB_PATH", "STAFF_BOT_TOKEN", "POOLS", "nothing", ""):
            wish = {"csrf": given, "name": name, "value": "1", "seen": "0"}
            assert (await browser.post("/settings/change", wish)).status == 303
            assert (await browser.get(f"/settings/{name}")).status == 404
        assert not await SqlOverrides(stage.records.engine).current()
        await stage.hire(Role.OWNER, 600)
        moderator = await stage.signed_in(await stage.hire(Role.MODERATOR, 601))
        assert (await moderator.get("/settings/PATIENCE")).status == 403

    play(tmp_path, scene)


def test_settings_change_as_well_if_tokens_and_plans_are_in_files(tmp_path: Path) -> None:
    tokens, plans = tmp_path / "tokens", tmp_path / "plans.toml"
    tokens.write_text("\n".join(TOKENS))
    plans.write_text('[[plan]]\nname = "week"\ndays = 7\nstars = 75\ntitle.en = "A week"\nbots = [1000001]\n')

    async def scene(stage: Stage) -> None:
        browser, other = await stage.signed_in(), other_process(stage)
        await press(browser, await reviewed(browser, "PATIENCE", "2"), "Change it for everybody")
        plans.unlink()
        tokens.write_text("half a")
        await other.take_up_new()
        assert other.rules.patience == 2.0, "files are read once, so they may be gone later"
        assert other.rules.plans == stage.settings.vip_plans
        await press(browser, await reviewed(browser, "VIP_PLANS", "other=7d:900"), "Change it for everybody")
        await stage.decisions.on_request(OverrideAsked(OverrideKey(Overridden.SETTING, "MINIMUM_AGE"), "1", 0))
        await other.take_up_new()
        assert other.rules.patience == 2.0, "one by one, too"
        assert [each.name for each in other.rules.plans] == ["other"]

    play(tmp_path, scene, bot_tokens_file=tokens, vip_plans_file=plans)


def test_a_change_of_plans_shows_that_filters_are_no_longer_free(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        shown = await reviewed(browser, "VIP_PLANS", "week=7d:75")
        assert "<del>gender, age</del>" in shown.text
        assert "<ins>none</ins>" in shown.text
        # To begin to sell takes two members.
        await stage.decisions.on_request(OverrideAsked(OverrideKey(Overridden.SETTING, "VIP_PLANS"), "week=7d:75", 0))
        row = (await browser.get("/settings?find=FREE_FILTERS")).text.partition("<code>FREE_FILTERS</code>")[2]
        assert '<td class="details" data-label="value">none</td>' in row.partition("</tr>")[0]

    play(tmp_path, scene)


def test_a_stored_value_that_a_release_refuses_counts_as_its_default_and_the_others_stay(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        for name, value in (("PATIENCE", "4"), ("IDLE_END_MIN", "1"), ("GONE", "1"), ("MINIMUM_AGE", "16")):
            asked = OverrideAsked(OverrideKey(Overridden.SETTING, name), value, 0)
            await stage.decisions.on_request(asked)
        other = other_process(stage)
        await other.take_up_new()
        assert (other.rules.patience, other.rules.minimum_age, other.rules.idle_end_s) == (4.0, 16, 3600.0)
        browser = await stage.signed_in()
        page = (await browser.get("/settings")).text
        assert re.findall(r"<code>(\w+)</code> does not count", page) == ["IDLE_END_MIN", "GONE"]
        # The bad ones stop no other change, and each goes by a button of its own.
        await press(browser, await reviewed(browser, "PATIENCE", "5"), "Change it for everybody")
        await other.take_up_new()
        assert other.rules.patience == 5.0
        assert "IDLE_END_MIN</code> does not count" in (await browser.get("/settings/IDLE_END_MIN")).text
        for name in ("IDLE_END_MIN", "GONE"):
            listed = await browser.get("/settings")
            await press(browser, listed, f'Forget it<span class="away">: {name}')
        assert "does not count" not in (await browser.get("/settings")).text
        given = await token(browser)
        made_up = {"csrf": given, "name": "MADE_UP", "back": "yes", "seen": "0"}
        assert (await browser.post("/settings/change", made_up)).status == 303
        assert "MADE_UP" not in {each.key.name for each in await SqlOverrides(stage.records.engine).current()}

    play(tmp_path, scene)


def test_every_setting_that_can_change_has_a_page(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        names = [each.name for each in Settings.describe()]
        linked = [name for name in names if f'href="/settings/{name}"' in (await browser.get("/settings")).text]
        assert {"PATIENCE", "CONTACT", "VIP_PLANS", "ALERT_BACKUP_HOURS"} <= {*linked}
        for name in linked:
            assert (await browser.get(f"/settings/{name}")).status == 200

    play(tmp_path, scene)


def test_backticks_in_the_words_about_a_setting_become_code(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        assert "`" not in (await (await stage.signed_in()).get("/settings")).text.partition("<h2>")[0]
        assert ticked("Use `a<b` and <i>") == "Use <code>a&lt;b</code> and &lt;i&gt;"

    play(tmp_path, scene)


def test_versions_of_settings_and_of_texts_are_counted_apart(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        for key, value in (
            (OverrideKey(Overridden.TEXT, "search.begun", language="en"), value_of(("Looking",))),
            (OverrideKey(Overridden.TEXT, "search.idle", language="en"), value_of(("Idle",))),
            (OverrideKey(Overridden.SETTING, "PATIENCE"), "2"),
            (OverrideKey(Overridden.TEXT, "search.begun", language="en"), value_of(("Looking again",))),
            (OverrideKey(Overridden.SETTING, "PATIENCE"), "3"),
        ):
            seen = [each for each in await SqlOverrides(stage.records.engine).current() if each.key == key]
            done = await stage.decisions.on_request(OverrideAsked(key, value, seen[0].number if seen else 0))
            assert not done.refused
        page = (await browser.get("/settings/PATIENCE")).text
        assert re.findall(r'<th scope="row" class="number" data-label="version">(\d+)</th>', page) == ["2", "1", "0"]
        text_page = (await browser.get("/texts/search.begun?bot=0&language=en")).text
        assert re.findall(r"<th scope=\"row\"[^>]*>(\d+)</th>", text_page)[:2] == ["3", "1"]

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PATIENCE", "x", "PATIENCE is not a number from 0 to 10. For example: 0.5"),
        ("SPONSOR_CHANNEL", "x", "neither a @username nor the number of a channel. For example: @your_channel"),
        (
            "SPONSOR_CHANNEL",
            "-1001234567890",
            "which leads nowhere. To correct it: write the @username of the channel, or set SPONSOR_LINK first.",
        ),
        (
            "VIP_PLANS",
            "week=7d:0",
            "does not cost 1 to 25000 Stars. To correct it: write a price that Telegram allows.",
        ),
    ],
)
def test_a_refused_value_is_told_in_the_words_of_a_form_and_not_of_a_file(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        refused = await browser.press(f"/settings/{name}", "/settings/review", value=value)
        assert refused.status == 400
        assert escape(said, quote=False) in refused.text
        assert f"{name}=" not in refused.text.split('role="status"')[1].split("</div>")[0]

    play(tmp_path, scene)


def test_settings_are_in_groups_and_found_by_words_without_a_script(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        browser = await stage.signed_in()
        page = (await browser.get("/settings")).text
        assert all(page.count(f"<code>{each.name}</code>") >= 1 for each in Settings.describe())
        assert '<details class="book" open>' not in page, "nothing is open until somebody looks for it"
        await browser.press("/settings/PATIENCE", "/settings/review", value="2")
        found = (await browser.get("/settings?find=SPONSOR+link")).text
        assert re.findall(r'<a href="/settings/(\w+)"><code>', found) == ["SPONSOR_LINK"]
        assert '<details class="book" open>' in found
        assert 'value="SPONSOR link"' in found
        assert "No setting has these words." in (await browser.get("/settings?find=%3Cb%3E")).text

    play(tmp_path, scene)
