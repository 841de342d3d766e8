"""The texts for a search that begins, and for somebody who asks for a search that has begun."""

from passerby.dialogue.keyboards import keys_for
from passerby.kernel.effect import Say
from passerby.kernel.participant import Participant, Searching
from passerby.kernel.text import text


def tell_search(me: Participant) -> Say:
    """Tell a person that their search has begun. It is not sent if the search is over within a second: then another
    notice says how it ended."""
    assert isinstance(me.state, Searching), "a search has begun"
    return Say(me.person, text("search.begun"), keys_for(me.state), search=me.state.ticket.since)


def tell_still_searching(me: Participant, key: str) -> Say:
    """Answer a person who asks for a search that has begun already. It is not sent if the search is over before."""
    assert isinstance(me.state, Searching), "the search goes on"
    return Say(me.person, text(key), keys_for(me.state), search=me.state.ticket.since)
