"""Presses every button, in every language, at one of two screen sizes. Every press must have a visible result."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from passerby.domain.tastes import WRITTEN_IN
from tests.browser.demo_process import Demo
from tests.browser.walk import SIZES, Walker, opened
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all walks. They leave nobody searching, so they do not affect each other."""
    demo = Demo(tmp_path_factory.mktemp("demo"), free_port())
    demo.start()
    yield demo
    demo.end()


STEP = 5
"""Each button of the settings is pressed in every fifth language. The code behind it does not know the language."""


@pytest.mark.parametrize(
    ("language", "size", "first"),
    [(language, [*SIZES][index % 2], index % STEP) for index, language in enumerate(sorted(WRITTEN_IN))],
)
def test_every_press_has_a_visible_result(
    browser: Browser, demo: Demo, tmp_path: Path, language: str, size: str, first: int
) -> None:
    with opened(browser, demo.url, SIZES[size]) as page:
        walker = Walker(page, language, tmp_path, f"{language}-{size}", pictures=False, share=(first, STEP))
        try:
            walker.walk()
        except BaseException:
            page.screenshot(path=tmp_path / "end.png")
            raise
    assert walker.silent == []
