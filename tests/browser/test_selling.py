"""Selling in every language, at one of two screen sizes: each step is told, and no words of a button are cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from passerby.domain.tastes import WRITTEN_IN
from tests.browser.demo_process import Demo
from tests.browser.selling import Seller
from tests.browser.walk import SIZES, opened
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"), free_port())
    demo.start()
    yield demo
    demo.end()


@pytest.mark.parametrize(
    ("language", "size"), [(language, [*SIZES][index % 2]) for index, language in enumerate(sorted(WRITTEN_IN))]
)
def test_two_people_buy_give_and_take_back_and_every_word_fits(
    browser: Browser, demo: Demo, tmp_path: Path, language: str, size: str
) -> None:
    with opened(browser, demo.url, SIZES[size]) as page:
        seller = Seller(page, language, tmp_path, f"{language}-{size}", pictures=False)
        try:
            seller.sell()
        except BaseException:
            page.screenshot(path=tmp_path / "end.png")
            raise
    assert seller.silent == []
