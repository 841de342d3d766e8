"""Phones that are written by hand, for the judge. Ids are times, in seconds."""

from simulated_people.judge import judge
from simulated_people.phrases import Asks, Said
from simulated_people.verdict import Fault, Line, Verdict

ANN, BOB, EVE = 1, 2, 3


def found(id_: int) -> Line:
    return Line(id_, id_, mine=False, notice=Said.FOUND)


def notice(id_: int, what: Said = Said.OTHER, reply_to: int | None = None) -> Line:
    return Line(id_, id_, mine=False, notice=what, answers=what is not Said.FOUND, reply_to=reply_to)


def left(id_: int) -> Line:
    return Line(id_, id_, mine=False, notice=Said.LEFT)


def wrote(id_: int, words: str | None = None, *, confirmed: bool = True) -> Line:
    return Line(id_, id_, mine=True, mark=words, confirmed=confirmed, asks=None if words else Asks.SEARCH)


def next_(id_: int) -> Line:
    return Line(id_, id_, mine=True, asks=Asks.NEXT)


def stop(id_: int) -> Line:
    return Line(id_, id_, mine=True, asks=Asks.STOP)


def got(id_: int, words: str) -> Line:
    return Line(id_, id_, mine=False, mark=words)


def cut_off(id_: int) -> Line:
    return Line(id_, id_, mine=False, notice=Said.CUT_OFF)


def verdict(*phones: list[Line], kills: tuple[float, ...] = ()) -> Verdict:
    return judge(dict(enumerate(phones, ANN)), [Fault(at, at) for at in kills])


def verdict_of_power_cut(at: float, *phones: list[Line]) -> Verdict:
    """Two duplicates are excused, and notices of the three seconds before may come again."""

    return judge(dict(enumerate(phones, ANN)), [Fault(at, at, 2, 3.0)])


def gone(id_: int) -> Line:
    return Line(id_, id_, mine=False, gone=True)
