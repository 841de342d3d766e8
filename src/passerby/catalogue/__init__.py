"""Texts by name and language, as gettext `.po` files: shared ones in `texts/`, a feature's own in its folder.

A `msgid` is a key (`search.partner_found`); a `msgstr` is Telegram's HTML with `{placeholders}`. A key with
`msgid_plural` chooses its form by the argument `n`. English has every key; where a language lacks one, English is said.
"""

from passerby.catalogue.catalogue import Catalogue, wording_files

__all__ = ["Catalogue", "wording_files"]
