"""The doctor's belief about a token: one refusal may be a mistake."""

import asyncio

import pytest

from passerby.ops.doctor import telegram
from passerby.ops.doctor.telegram import _confirmed
from passerby.ports.telegram import TokenRefused, Unavailable


@pytest.mark.parametrize(("refusals", "is_believed"), [(0, False), (1, False), (2, False), (3, True)])
def test_a_token_is_refused_only_if_every_try_says_so(
    monkeypatch: pytest.MonkeyPatch, refusals: int, is_believed: bool
) -> None:
    monkeypatch.setattr(telegram, "PAUSE_S", 0.0)
    answers = [TokenRefused()] * refusals

    async def username() -> str:
        if answers:
            raise answers.pop()
        return "a_bot"

    if is_believed:
        with pytest.raises(TokenRefused):
            asyncio.run(_confirmed(username))
    else:
        assert asyncio.run(_confirmed(username)) == "a_bot"
    assert answers == []


def test_another_fault_is_not_asked_about_again() -> None:
    asked = []

    async def username() -> str:
        asked.append(1)
        raise Unavailable("reset", uncertain=True)

    with pytest.raises(Unavailable):
        asyncio.run(_confirmed(username))
    assert len(asked) == 1
