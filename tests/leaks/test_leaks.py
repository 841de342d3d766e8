"""Nobody is unmasked: whatever a message holds, its reader learns nothing of its sender but what was typed.

Every case goes through the whole app, on one bot and across two, and everything that leaves is read: requests with
their files' names, chats as they are shown, log lines, the live store's log, the records.
"""

import pytest

from tests.leaks.cases import ALL
from tests.leaks.judge import Judge
from tests.leaks.stage import staged


@pytest.mark.parametrize("strangers", [False, True], ids=["acquainted", "just met"])
def test_nothing_of_the_sender_gets_out(strangers: bool) -> None:
    assert len(ALL) >= 300
    assert len({case.name for case in ALL}) == len(ALL)
    with staged(just_met=strangers) as stage:
        judge = Judge(stage, strangers=strangers)

        async def play() -> None:
            for case in ALL:
                await judge.play(case)

        stage.loop.run_until_complete(play())
    assert [str(complaint) for complaint in judge.complaints] == []
    assert judge.requests > 2 * len(ALL)
    assert judge.asked >= (300 if strangers else 10)
