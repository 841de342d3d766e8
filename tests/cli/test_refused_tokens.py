"""A start tells the operator about tokens that Telegram refuses."""

import asyncio
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from botapi_sandbox.service import make_world, running
from botapi_sandbox.world.faults import Fault
from passerby.bootstrap import serving
from passerby.settings import Settings, WrongSetting

WRONG = "1999999:sandbox-nobody-knows-this-one"


def served(directory: Path, tokens: int, *wrong: str, faults: Sequence[Fault] = ()) -> list[MutableMapping[str, Any]]:
    """Serve until ready. Returns the log."""
    world = make_world(bots=tokens, seed=1)
    right = [bot.token for bot in world.state.bots.values()]

    async def main() -> None:
        async with running(world) as sandbox:
            sandbox.world.faults = list(faults)
            stop = asyncio.Event()
            settings = Settings(
                bot_tokens=tuple(map(SecretStr, (*right, *wrong))),
                bot_api_url=sandbox.url,
                sqlite_db_path=directory / "passerby.db",
                run_dir=directory / "run",
            )
            await serving.serve(settings, on_ready=stop.set, stop=stop)

    with capture_logs() as lines:
        asyncio.run(main())
    return lines


def ready(lines: list[MutableMapping[str, Any]]) -> MutableMapping[str, Any]:
    (line,) = [line for line in lines if line["event"] == "runtime.ready"]
    return line


def test_bots_whose_token_is_refused_are_not_counted_as_ready(tmp_path: Path) -> None:
    line = ready(served(tmp_path, 1, WRONG))
    assert line["bots"] == 1
    assert line["reason"].startswith("Telegram refuses the tokens of 1 more")


def test_all_bots_are_ready_if_telegram_refuses_none(tmp_path: Path) -> None:
    line = ready(served(tmp_path, 2))
    assert (line["bots"], "reason" in line) == (2, False)


def test_if_the_only_token_is_refused_no_other_bots_are_mentioned(tmp_path: Path) -> None:
    with capture_logs() as lines, pytest.raises(WrongSetting) as wrong:
        served(tmp_path, 0, WRONG)
    assert "Telegram refuses every one" in str(wrong.value)
    assert not any("others" in str(line.get("reason")) for line in lines)


@pytest.mark.parametrize("times", [1, 2])
def test_one_mistaken_refusal_of_the_only_token_does_not_end_the_start(tmp_path: Path, times: int) -> None:
    line = ready(served(tmp_path, 1, faults=[Fault(kind="401", method="getMe", count=times)]))
    assert line["bots"] == 1
