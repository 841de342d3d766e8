"""Links by which the accounts of a barred farm came."""

import pytest

from passerby.domain.farms.sources import sources_of
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.journey import Journey
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Reason, Sanction, SanctionKind

NOW = 1_800_000_000.0


def account(number: int, source: str | None, kind: SanctionKind | None = SanctionKind.BANNED) -> Participant:
    journey = Journey(source, BotId(7), "en", NOW) if source is not None else None
    sanctions = (Sanction("s", kind, Reason.SPAM, NOW, NOW + 10, by=1),) if kind is not None else ()
    return Participant(PersonId(number), 1, journey=journey, sanctions=sanctions)


def test_a_link_is_watched_when_two_barred_accounts_of_one_farm_came_by_it() -> None:
    barred = [(5, account(1, "spring")), (5, account(2, "spring", SanctionKind.SUSPENDED))]
    assert sources_of(barred, NOW) == {"spring"}
    assert sources_of(barred, NOW + 10) == frozenset(), "their bans are over"


@pytest.mark.parametrize(
    "accounts",
    [
        [(5, account(1, "spring"))],
        [(5, account(1, "spring")), (6, account(2, "spring"))],
        [(5, account(1, "spring")), (5, account(2, "summer"))],
        [(5, account(number, "spring", None)) for number in range(5)],
        [(5, account(number, "spring", SanctionKind.SLOW)) for number in range(5)],
        *([(5, account(number, source)) for number in range(5)] for source in (None, "", "invite", "affiliate")),
    ],
)
def test_other_links_are_not_watched(accounts: list[tuple[int, Participant]]) -> None:
    assert sources_of(accounts, NOW) == frozenset()
