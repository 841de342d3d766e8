"""The audit's chain shows every later change, and names the first row that does not fit."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.audit import AuditRow, chained, first_broken

NOW = 1_800_000_000.5


def rows(count: int) -> list[AuditRow]:
    made = [AuditRow(0, NOW + at, at % 3, f"team.done_{at}", f"#{at}", "{}", "") for at in range(count)]
    return list(chained(made, None))


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
    assert first_broken(chain, None) == at + 1


@given(at=st.integers(0, 3))
def test_a_missing_or_moved_row_is_named(at: int) -> None:
    chain = rows(5)
    missing = chain[:at] + chain[at + 1 :]
    assert first_broken(missing, None) == at + 1
    chain[at], chain[at + 1] = chain[at + 1], chain[at]
    assert first_broken(chain, None) == at + 1


def test_a_row_that_was_put_in_later_is_named() -> None:
    chain = rows(3)
    added = chain[1]._replace(number=3, action="team.invited")
    assert first_broken([*chain[:2], added, chain[2]._replace(number=4)], None) == 3
