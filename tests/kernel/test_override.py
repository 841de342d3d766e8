"""Overrides: what staff changed while the fleet runs."""

from passerby.kernel.override import value_of, wordings_in


def test_the_wordings_of_a_text_are_read_as_they_were_stored() -> None:
    for wordings in (("Done.",), ("{n} day", "{n} days"), ('"quoted"\nand more',)):
        assert wordings_in(value_of(wordings)) == wordings
