"""Everything that the pages name exists: files, links, classes, and the words of the glossary."""

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
GLOSSARY = ROOT / "docs/glossary.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GENERATED = ROOT / "docs/reference"

MADE_BY_THE_READER = {"src/passerby/features/coin/", "tests/features/test_coin.py"}
LOOKED_UP_IN = (ROOT, SOURCE, SOURCE / "passerby", SOURCE / "passerby/runtime", ROOT / "docs/how-to")

TELEGRAMS = "wire"
"""Modules of this name hold the Bot API's own types, under the Bot API's own names."""
ALIKE = {"pool", "step"}
"""Words that also have a usual meaning: a pool of database connections, a step of a loop."""


def _id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if GENERATED not in page.parents], ids=_id)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?:[\w.]+/)+[\w.]*)`", page.read_text("utf-8"))
    ours = {"src", "tests", "tools", "docs", "deploy", "benchmarks", "requirements", *_folders()}
    paths = [path for path in named if path.split("/")[0] in ours and path not in MADE_BY_THE_READER]
    assert [path for path in paths if not _exists(path)] == []


def _exists(path: str) -> bool:
    return any((root / path).exists() or (root / f"{path}.py").exists() for root in LOOKED_UP_IN)


@cache
def _folders() -> frozenset[str]:
    return frozenset(path.name for path in (SOURCE / "passerby").iterdir() if path.is_dir())


DEFINED = re.compile(r"^[ \t]*(?:(class)|(?:async )?def)[ ]+(\w+)|^[ \t]*(\w+): \w", re.MULTILINE)
"""A class, a function, or a name with a type. To parse every file would take seconds, in each process of the tests."""


@cache
def public_names() -> tuple[frozenset[str], dict[str, set[str]]]:
    """The words in all public names of the source; and for each public class, the modules that define it."""
    names: set[str] = set()
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        module = file.relative_to(SOURCE).with_suffix("")
        names.update(module.parts)
        for is_class, defined, typed in DEFINED.findall(file.read_text("utf-8")):
            names.add(defined or typed)
            if is_class and not defined.startswith("_"):
                classes[defined].add(str(module))
    words = (word.lower() for name in names for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))
    return frozenset(words), classes


def terms() -> list[str]:
    rows = re.findall(r"^\| (\*\*.+?\*\*(?:, \*\*.+?\*\*)*) \|", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    return [term for row in rows for term in re.findall(r"\*\*(.+?)\*\*", row)]


def test_the_glossary_explains_each_word_once() -> None:
    found = terms()
    assert len(found) > 40
    assert [term for term in found if found.count(term) > 1] == []


@pytest.mark.parametrize("term", terms())
def test_a_word_of_the_glossary_is_used_in_the_code(term: str) -> None:
    words, _ = public_names()
    stems = [word.removesuffix("s") for word in re.findall(r"[a-z]+", term)]
    is_named = all(any(word.startswith(stem) for word in words) for stem in stems)
    assert is_named or any(term in file.read_text("utf-8") for file in SOURCE.rglob("*.py"))


SEVERAL_CLASSES = """
Action Address Answer Block BotLost Chosen Connection Contents Crashed DoneMarks Ended Fleet Kept Keys Line Mark Marks
Outcome Piece Places Pressed Program Refused Report Sample Seen Send Sent Sightings Snapshot Step Taken Told
Verdict Verified Watched Wording Words WorkerStatus
"""
"""Names of several classes, of which each is used in its own room only. The list may only become shorter."""


def test_a_class_name_means_one_thing_in_the_product() -> None:
    _, classes = public_names()
    product = {
        name: {module for module in modules if module.startswith("passerby/") and Path(module).name != TELEGRAMS}
        for name, modules in classes.items()
    }
    several = {name for name, modules in product.items() if len(modules) > 1}
    known = set(SEVERAL_CLASSES.split())
    assert several - known == set(), "another name for the new class, please"
    assert known - several == set(), "they name one class now: take them off the list"


@pytest.mark.parametrize("term", [term for term in terms() if term not in ALIKE])
def test_a_word_of_the_glossary_names_one_class_at_most(term: str) -> None:
    _, classes = public_names()
    name = "".join(word.capitalize() for word in re.findall(r"[a-z]+", term))
    product = {module for module in classes.get(name, ()) if module.startswith("passerby/")}
    assert len({module for module in product if Path(module).name != TELEGRAMS and "loadtest" not in module}) <= 1


def test_the_classes_that_the_glossary_names_exist() -> None:
    _, classes = public_names()
    named = re.findall(r"`([A-Z][a-z]+[A-Za-z]*)`", GLOSSARY.read_text("utf-8"))
    assert named
    assert [name for name in named if name not in classes] == []


def sentences(page: Path) -> list[str]:
    """The sentences of a page, without headings, code and the bold words that begin an item."""
    text = re.sub(r"^```.*?^```$|^#[^\n]*$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]*`", "X", text)
    paragraphs = re.split(r"\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.) )", text)
    return [
        sentence
        for paragraph in paragraphs
        for sentence in re.split(r"(?<=[.!?:])\s+", " ".join(paragraph.split()).lstrip("-*|0123456789. "))
    ]


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_no_sentence_of_a_page_begins_with_a_bare_who_or_what(page: Path) -> None:
    inverted = re.compile(r"(Who|Whom|Whose|What|So long|So many) ")
    assert [each for each in sentences(page) if inverted.match(each) and not each.endswith("?")] == []


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_no_page_uses_old_words(page: Path) -> None:
    old = re.compile(
        r"\b(anew|lest|afoot|hearken|wherein|therein|in vain|likewise|is to be|are to be)\b", re.IGNORECASE
    )
    assert [each for each in sentences(page) if old.search(each)] == []


def test_the_list_of_decisions_has_every_decision_by_its_title() -> None:
    decisions = sorted(ROOT.glob("docs/adr/0*.md"))
    listed = (ROOT / "docs/adr/README.md").read_text("utf-8")
    for decision in decisions:
        number, title = decision.read_text("utf-8").partition("\n")[0].removeprefix("# ").split(". ", 1)
        assert f"\n{number}. [{title}]({decision.name})" in listed
