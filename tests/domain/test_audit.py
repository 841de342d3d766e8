"""The audit's chain shows every later change, and names the first row that does not fit."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.audit import AuditRow, chained, first_broken

NOW = 1_800_000_000.5


def rows(count: int) -> list[AuditRow]:
    made = [AuditRow(0, NOW + at, at % 3, f"team.done_{at}", f"#{at}", "{}", "") for at in range(count)]
    return list(chained(made, None))


def broken(chain: list[AuditRow]) -> int | None:
    found = first_broken(chain, None)
    return found.number if found is not None else None


def test_a_chain_that_is_whole_is_accepted_also_in_parts() -> None:
    chain = rows(5)
    assert [row.number for row in chain] == [1, 2, 3, 4, 5]
    assert first_broken(chain, None) is None
    assert first_broken(chain[2:], chain[1]) is None
    assert first_broken([], None) is None
    later = list(chained([AuditRow(0, NOW, None, "later", "", "{}", "")], chain[-1]))
    assert first_broken([*chain, *later], None) is None


@given(at=st.integers(0, 4), field=st.sampled_from(AuditRow._fields))
def test_a_changed_row_is_named(at: int, field: str) -> None:
    chain = rows(5)
    value = getattr(chain[at], field)
    other = f"{value}x" if isinstance(value, str) else value + 1
    chain[at] = chain[at]._replace(**{field: other})
    assert broken(chain) == at + 1


@given(at=st.integers(0, 3))
def test_a_missing_or_moved_row_is_named(at: int) -> None:
    chain = rows(5)
    missing = chain[:at] + chain[at + 1 :]
    assert broken(missing) == at + 1
    chain[at], chain[at + 1] = chain[at + 1], chain[at]
    assert broken(chain) == at + 1


def test_a_row_that_was_put_in_later_is_named() -> None:
    chain = rows(3)
    added = chain[1]._replace(number=3, action="team.invited")
    assert broken([*chain[:2], added, chain[2]._replace(number=4)]) == 3


def test_it_is_said_what_the_first_row_that_does_not_fit_means() -> None:
    chain = rows(4)
    assert first_broken([chain[0], *chain[2:]], None) == (2, "is missing, or was moved: row 3 follows row 1")
    changed = [chain[0], chain[1]._replace(reason="x"), *chain[2:]]
    assert first_broken(changed, None) == (2, "was changed later, or the row before it was")
    assert first_broken([chain[0], chain[0]], None) == (2, "was added later, or moved: row 1 is in its place")
