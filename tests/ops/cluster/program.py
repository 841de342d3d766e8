"""A program for a cluster: it answers `/readyz` on its socket, and SIGTERM ends it. It runs as a process.

Files next to its socket say what it does, so that a test can change it between two runs:

    <name>.exits       end at once with this code
    <name>.unready     answer /readyz with 503 for as long as this file is there
    <name>.runs       a line with the process's number for each run (written, not read)
"""

import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path


def main(directory: Path, name: str) -> int:
    with (directory / f"{name}.runs").open("a") as runs:
        runs.write(f"{os.getpid()}\n")
    print(f"{name} begins", flush=True)
    if (exits := directory / f"{name}.exits").exists():
        print(f"{name} cannot work", flush=True)
        return int(exits.read_text())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    path = directory / f"{name}.sock"
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen()
    while True:
        connection, _ = listening.accept()
        # Some clients only connect, to see whether somebody listens.
        with connection, suppress(OSError):
            connection.recv(65536)
            status = "503 No" if (directory / f"{name}.unready").exists() else "200 OK"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())


if __name__ == "__main__":
    # A cluster adds these arguments: the role, --name, the name.
    sys.exit(main(Path(sys.argv[1]), sys.argv[-1]))
