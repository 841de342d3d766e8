"""Texts by key and language, as gettext `.po` files: shared ones in `texts/`, those of a feature in its folder.

A `msgid` is a key (`search.partner_found`). A `msgstr` is Telegram's HTML with `{placeholders}`. A key with
`msgid_plural` chooses its form by the argument `n`. English has every key. If a language lacks a key, the English text
is used.
"""

from passerby.catalogue.catalogue import Catalogue, Written
from passerby.catalogue.on_demand import wording_files

__all__ = ["Catalogue", "Written", "wording_files"]
