"""Our reader of `.po` files, beside Babel's."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import passerby
from passerby.catalogue import wording_files
from passerby.catalogue.po_files import Message, PoFile, read

HEAD = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'


def by_babel(text: str, language: str) -> PoFile:
    found = read_po(BytesIO(text.encode()), locale=language, abort_invalid=True)
    messages = []
    for each in found:
        if each.id and not each.fuzzy:
            is_plural = isinstance(each.id, tuple)
            forms = tuple(each.string) if isinstance(each.string, (tuple, list)) else (each.string or "",)
            messages.append(Message(each.id[0] if is_plural else str(each.id), forms, is_plural))
    return PoFile(found.plural_expr, messages)


@pytest.mark.parametrize(
    "path", wording_files(Path(passerby.__file__).parent), ids=lambda path: f"{path.parts[-3]}-{path.stem}"
)
def test_every_catalogue_reads_as_babel_reads_it(path: Path) -> None:
    text = path.read_text("utf-8")
    assert read(text, path.stem) == by_babel(text, path.stem)


@pytest.mark.parametrize(
    "text",
    [
        '# a comment\n#: place.py:7\nmsgid "a.b"\nmsgstr "x"\n',
        '#, fuzzy\nmsgid "a.b"\nmsgstr "x"\n\nmsgid "c.d"\nmsgstr "y"\n',
        'msgid "a.b"\nmsgstr "x"\nmsgid "c.d"\nmsgstr ""\n',
        'msgid "a.b"\n\nmsgstr "x"\n\nmsgid "c.d"\nmsgstr "y"\n',
        '#, fuzzy\n\nmsgid "a.b"\nmsgstr "x"\n\nmsgid "c.d"\nmsgstr "y"\n',
        'msgid "a.b"\nmsgid_plural "a.b"\nmsgstr[0] "x"\nmsgstr[1] "y"\n\nmsgid "c.d"\nmsgstr "\\""\n"\\""\n',
        'msgid "a.b"\nmsgstr "x"\n\n\n\nmsgid "c.d"\nmsgstr "y"',
        'msgid "a.b"\nmsgstr ""\n"one \\"two\\"\\n"\n"\\\\ three\\ttab"\n',
        'msgid "a.b"\nmsgid_plural "a.b"\nmsgstr[0] "x"\nmsgstr[1] "y"\n\n#~ msgid "gone"\n#~ msgstr "z"\n',
        'msgid "a.b"\nmsgid_plural "a.b"\nmsgstr[0] "x"\n',
    ],
)
def test_po_files_read_as_babel_reads_them(text: str) -> None:
    assert read(HEAD + text, "en") == by_babel(HEAD + text, "en")
    assert read(text, "en") == by_babel(text, "en"), "without a head, the language says which forms there are"


@pytest.mark.parametrize(
    "bad", ["msgid a", 'msgstr "x"', 'msgctxt "x"', '"x"', 'msgid "a" b', 'msgid "a"\nmsgid "b"\n', "words"]
)
def test_a_line_that_is_no_catalogue_is_an_error_with_its_number(bad: str) -> None:
    with pytest.raises(ValueError, match=r"line [56] of a catalogue"):
        read(HEAD + bad, "en")
