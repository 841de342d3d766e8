"""The attempts, as data. One module a place where something may hide."""

from tests.leaks.cases import around, entities, files, kinds, links, words
from tests.leaks.cases.case import Case, Fate

ALL: tuple[Case, ...] = (
    *entities.CASES,
    *links.CASES,
    *words.CASES,
    *files.CASES,
    *around.CASES,
    *kinds.CASES,
)

__all__ = ["ALL", "Case", "Fate"]
