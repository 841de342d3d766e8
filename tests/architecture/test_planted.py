"""The list of planted bugs follows the tree: a bug whose text has changed would no longer be planted at all."""

from tests.planted.bugs import AREAS, BUGS, SUITES
from tests.planted.tree import ROOT, place_of, words_of


def test_the_text_of_every_planted_bug_is_in_the_sources_exactly_once() -> None:
    assert [f"{bug.area}: {bug.breaks}: {bug.old.strip()}" for bug in BUGS if place_of(bug.old) is None] == []


def test_every_planted_bug_changes_its_text() -> None:
    assert [bug.breaks for bug in BUGS if bug.old == bug.new] == []


def test_every_area_names_tests_that_exist() -> None:
    assert {bug.area for bug in BUGS} <= SUITES.keys()
    for suite in (suite for suites in SUITES.values() for suite in suites):
        names = [word for word in words_of(ROOT, suite) if word.startswith("tests/")]
        assert names, suite
        assert [name for name in names if not (ROOT / name).exists()] == []


def test_every_folder_for_mutants_exists_and_has_an_area() -> None:
    assert [folder for folder in AREAS if not (ROOT / "src/passerby" / folder).is_dir()] == []
    assert set(AREAS.values()) <= SUITES.keys()
