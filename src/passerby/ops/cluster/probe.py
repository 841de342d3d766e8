"""`python -m passerby.ops.cluster.probe /readyz`: a health check for containers, whichever role runs in them.

Asks every process that has a socket in RUN_DIR. Exit code 0 if each answers with 200, and there is one. It reads one
variable and imports next to nothing: it runs every few seconds.
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
