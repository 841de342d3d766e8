"""One thing is named in the singular, in every sentence to operators."""

import re
from pathlib import Path

import passerby
from passerby.ops.counting import counted

NOUNS = "rows|people|chats|searches|messages|notices|updates|backups|codes|facts|connections|processes|tokens"
"""Those that a sentence counts. A number that is a setting is never 1 by chance."""


def test_one_is_singular_and_all_else_is_plural() -> None:
    said = [counted(1, "chat"), counted(2, "chat"), counted(0, "search", "searches"), counted(0.9, "day")]
    assert said == ["1 chat", "2 chats", "0 searches", "1 day"]


def test_no_sentence_puts_a_number_before_a_plural_by_itself() -> None:
    root = Path(passerby.__file__).parent
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for folder in ("cli", "ops")
        for path in sorted((root / folder).rglob("*.py"))
        for match in re.finditer(rf"\{{[^{{}}\"]*\}} (?:{NOUNS})\b", path.read_text("utf-8"))
        if not any(word in match[0] for word in ("settings.db_pool_max", "{check}", "* live / whole", "{whole:"))
    ]
    assert found == []
