"""Whether words tell how to find somebody outside: a user name, a link, an e-mail address, a phone number.

People who have just met are asked before such a thing is passed on, because most of it is advertising or is regretted.
It is a courtesy, not a wall: whoever wants to be found will be. So what counts is that the usual forms are seen through
the usual disguises (other alphabets' look-alikes, invisible characters, "name at mail dot com"), and that ordinary talk
is left alone. What is known to pass is counted (`docs/explanation/privacy.md`).

Everything here takes time in proportion to what it looks at, and looks at so much and no more (`LOOKED_AT`).
"""

from passerby.domain.contacts.contents import traces
from passerby.domain.contacts.finding import LOOKED_AT, find
from passerby.domain.contacts.trace import Trace

__all__ = ["LOOKED_AT", "Trace", "find", "traces"]
