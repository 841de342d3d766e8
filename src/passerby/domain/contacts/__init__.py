"""Detects whether words tell how to find somebody elsewhere: a user name, a link, an e-mail address, a phone number.

While two people have just met, a message with such a *trace* needs its sender's confirmation, because most of them are
advertising or are regretted later. This is a courtesy, not a wall: people who want to be found will be. So the goal is
to see the usual forms through the usual disguises (look-alikes from other alphabets, invisible characters, "name at
mail dot com"), and to leave ordinary talk alone. The known misses are counted (`docs/explanation/privacy.md`).

Everything here takes time in proportion to the length of the text, and a text longer than `LOOKED_AT` is not searched:
its sender is asked instead.
"""

from passerby.domain.contacts.contents import traces
from passerby.domain.contacts.search import LOOKED_AT, find
from passerby.domain.contacts.trace import Trace

__all__ = ["LOOKED_AT", "Trace", "find", "traces"]
