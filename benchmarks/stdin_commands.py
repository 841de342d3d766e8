"""How a measured process gets commands: one on each line of stdin. Each answer is one line of JSON."""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any


def spent() -> dict[str, float]:
    """Return the use of this process and its threads so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"user_s": used.ru_utime, "system_s": used.ru_stime}


def answer_commands(commands: Mapping[str, Callable[[], dict[str, Any]]]) -> None:
    """Report that this process is ready, and answer commands in the running event loop from now on."""

    def asked() -> None:
        for command in os.read(sys.stdin.fileno(), 1024).decode().split():
            print(json.dumps(commands[command]()), flush=True)

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), asked)
    print(json.dumps({"ready": True}), flush=True)
