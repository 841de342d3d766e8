"""Days as data: what somebody wrote in which chat, summed up as the program does it."""

from collections.abc import Iterable

from passerby.domain.farms.conduct import CONTACTS, LIVELY, Conduct, Disliked, Ended, Pressed, Wrote, noted
from passerby.domain.farms.destinations import destinations
from passerby.domain.farms.openers import bands, line, words_of
from passerby.kernel.ids import ChatId, PersonId

KEY = b"today"
NOON = 1_800_014_400.0
ANN = PersonId(5_000_000_001)


def says(
    conduct: Conduct,
    text: str,
    *,
    chat: str,
    at: float = NOON,
    nth: int = 0,
    gap_s: float | None = 3.0,
    lively: int = 0,
    known: bool = False,
    opens: bool = False,
) -> Conduct:
    led = destinations(KEY, text)
    tokens = {"t": led.plain, "o": led.odd, CONTACTS: led.contacts}
    tokens |= {"b": bands(KEY, words_of(text))} if nth == 0 else {"l": line(KEY, text)}
    return noted(conduct, Wrote(ANN, ChatId(chat), at, nth, gap_s, text, lively, opens), tokens, known)


def day_of(
    texts: Iterable[str],
    *,
    gaps_s: Iterable[float] = (),
    cut: float = 0.4,
    disliked: int = 0,
    lively: Iterable[str] = (),
    every_s: float = 200.0,
    known: bool = False,
) -> Conduct:
    """A day with one chat for each of these openings."""
    conduct, gaps = Conduct(), list(gaps_s)
    openings = list(texts)
    for place, text in enumerate(openings):
        gap_s = gaps[place % len(gaps)] if gaps else 2.0 + 1.7 * (place % 5)
        conduct = says(conduct, text, chat=f"chat {place}", at=NOON + every_s * place, gap_s=gap_s, known=known)
        conduct = noted(conduct, Ended(ANN, NOON + every_s * place + 60, place < cut * len(openings)))
    for _ in range(disliked):
        conduct = noted(conduct, Disliked(ANN, NOON))
    for sign in lively:
        conduct = noted(conduct, Pressed(ANN, NOON, LIVELY[sign]))
    return conduct
