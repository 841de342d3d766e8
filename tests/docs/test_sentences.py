"""Sentences of the code and of the documents are plain: subject, verb, object."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_CLAUSE = re.compile(r"(?:^|[.:;)] |¶ (?:- )?|\| )((?:What|Who|Whom|Whoever|Whose)\b[^.?¶|]*[.?¶|]?)")
"""A sentence that begins with a clause in the place of its subject, and questions, which may begin so."""
_WORDS = ("is to be", "are to be", "was to be", "were to be", "anew", "lest", "in vain", "likewise", "afoot", "hearken")
_STILTED = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)


def stilted(text: str) -> list[str]:
    """Return the sentences of a text that are not plain. An empty line separates paragraphs."""
    flat = " ".join(re.sub(r"\n\s*\n|\n(?=\s*- )", " ¶ ", text).split())
    begun = [found[1] for found in _CLAUSE.finditer(flat) if not found[1].endswith("?")]
    return begun + [found[0] for found in _STILTED.finditer(flat)]


def may_be_stilted(source: str) -> bool:
    """Whether any word is there that makes a sentence stilted. Looking for words is much cheaper than reading code."""
    return "What" in source or "Who" in source or any(word in source.lower() for word in _WORDS)


def of_code(source: str) -> Iterator[str]:
    """The docstrings and comments of a module. Comments in a row are one text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value
    last, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] != last + 1:
                yield "\n".join(lines)
                lines = []
            last = token.start[0]
            lines.append(token.string.lstrip("# "))
    yield "\n".join(lines)


def of_document(source: str) -> Iterator[str]:
    """The paragraphs of a document, without its headings, blocks of code, tables, quotations and words in italics."""
    prose = re.sub(r"^(```.*?^```|    .*?$|#.*?$|\|.*?$|>.*?$)", "", source, flags=re.MULTILINE | re.DOTALL)
    yield re.sub(r"[\"“][^\"”]*[\"”]|\*\*|`", "", re.sub(r"(?<!\*)\*[^*]+\*(?!\*)", "It.", prose))


@pytest.mark.parametrize("room", ["src", "tests", "benchmarks", "tools"])
def test_no_sentence_of_the_code_begins_with_a_clause(room: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {sentence}"
        for path in (ROOT / room).rglob("*.py")
        if path.name != Path(__file__).name and may_be_stilted(source := path.read_text())
        for text in of_code(source)
        for sentence in stilted(text)
    }
    assert sorted(found) == []


def test_no_sentence_of_the_documents_begins_with_a_clause() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {sentence}"
        for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
        for text in of_document(path.read_text())
        for sentence in stilted(text)
    }
    assert sorted(found) == []


def test_a_module_says_in_its_first_sentence_what_it_is_or_does() -> None:
    begun = re.compile(
        r"""(?:\s|#.*\n)*(?:\"\"\"|'|")(?:Which|Whether|How|When|Where|Why|From|For|Also|Then|Not)\b.*"""
    )
    found = {
        f"{path.relative_to(ROOT)}: {says[0]}"
        for path in (ROOT / "src").rglob("*.py")
        if path.parent.name != "versions" and (says := begun.match(path.read_text()))
    }
    assert sorted(found) == []


def test_the_name_of_a_test_begins_with_its_subject() -> None:
    clause = re.compile(r"\bdef (test_(?:only_)?(?:what|who|whom|whoever|whose|of)_\w+)")
    named = {name for path in (ROOT / "tests").rglob("test_*.py") for name in clause.findall(path.read_text())}
    assert sorted(named) == []


def test_questions_and_plain_sentences_pass() -> None:
    assert stilted("What happened? The store was wiped. Who pays is not known.") == ["Who pays is not known."]
    assert stilted("One.\n\nWhoever asks waits.\n- What is left stays.") == [
        "Whoever asks waits.",
        "What is left stays.",
    ]
    assert stilted("It is asked anew.") == ["anew"]
