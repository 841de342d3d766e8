"""The tutorial's code runs, as a reader would run it: its blocks become files of a feature, and its tests pass."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import passerby
from passerby.catalogue import Catalogue
from passerby.features import ALL
from passerby.kernel.text import text
from passerby.runtime.router import Router

PAGE = Path(passerby.__file__).parents[2] / "docs/tutorial/first-feature.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = "passerby.features.coin"


@pytest.fixture
def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(PAGE.read_text("utf-8"))


@pytest.fixture
def coin(blocks: list[tuple[str, str]]) -> Iterator[ModuleType]:
    module = ModuleType(NAME)
    exec(compile(blocks[0][1], str(PAGE), "exec"), module.__dict__)
    sys.modules[NAME] = module
    yield module
    del sys.modules[NAME]


def test_every_test_of_the_tutorial_passes(blocks: list[tuple[str, str]], coin: ModuleType) -> None:
    tests: dict[str, Callable[[], None]] = {}
    exec(compile(blocks[2][1], str(PAGE), "exec"), tests)
    promises = [name for name in tests if name.startswith("test_")]
    for name in promises:
        tests[name]()
    assert len(promises) == 2


def test_the_feature_joins_the_others(coin: ModuleType) -> None:
    assert "coin" in Router((*ALL, coin.feature), lambda _: None).commands


def test_the_texts_word_what_the_feature_names(blocks: list[tuple[str, str]], tmp_path: Path) -> None:
    language, wording = blocks[1]
    assert language == "po"
    folder = tmp_path / "features/coin/texts"
    folder.mkdir(parents=True)
    (folder / "en.po").write_text(wording, "utf-8")
    catalogue = Catalogue.load(tmp_path)
    assert catalogue.word(text("coin.heads"), "en") == "🪙 <b>Heads!</b>"
    assert catalogue.word(text("coin.tails"), "en") == "🪙 <b>Tails!</b>"
