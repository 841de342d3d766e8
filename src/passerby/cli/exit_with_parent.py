"""`python -m passerby.cli.exit_with_parent COMMAND...`: a `passerby` command that ends cleanly when its parent is gone.

The parent holds the other end of its standard input.
"""

import os
import signal
import threading

from passerby.cli import main


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    main()
