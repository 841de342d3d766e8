import pytest

from passerby.dialogue.spans import span
from passerby.kernel.text import text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5.0, text("people.minutes", minutes=0)),
        (59.9, text("people.minutes", minutes=0)),
        (7199.0, text("people.minutes", minutes=119)),
        (7200.0, text("people.hours", hours=2)),
        (172_799.0, text("people.hours", hours=47)),
        (172_800.0, text("people.days", days=2)),
    ],
)
def test_a_time_is_said_in_the_unit_that_a_reader_would_use(seconds: float, said: object) -> None:
    assert span(seconds) == said
