"""Being asked, by whoever measures: commands on stdin, one a line; answers are JSON, one a line."""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any


def spent() -> dict[str, float]:
    """What this process has used so far, threads included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"user_s": used.ru_utime, "system_s": used.ru_stime}


def answer_commands(commands: Mapping[str, Callable[[], dict[str, Any]]]) -> None:
    """Say that we are ready, and answer from now on, in the running event loop."""

    def asked() -> None:
        for command in os.read(sys.stdin.fileno(), 1024).decode().split():
            print(json.dumps(commands[command]()), flush=True)

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), asked)
    print(json.dumps({"ready": True}), flush=True)
