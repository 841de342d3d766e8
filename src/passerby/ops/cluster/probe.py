"""`python -m passerby.ops.cluster.probe /readyz`: a health check for containers with any role.

It asks every process that has a socket in RUN_DIR. The exit code is 0 if there is at least one and all answer with 200.
It reads one variable and imports almost nothing, because it runs every few seconds.
"""

import http.client
import os
import sys
from pathlib import Path

from passerby.ops.cluster import sockets


def main(directory: Path, path: str) -> int:
    names = sockets.names(directory)
    try:
        answers = [sockets.ask(directory, name, path)[0] for name in names]
    except sockets.Silent:
        return 1
    return 0 if names and all(answer == http.client.OK for answer in answers) else 1


if __name__ == "__main__":
    sys.exit(main(Path(os.environ.get("RUN_DIR", "run")), sys.argv[1]))
