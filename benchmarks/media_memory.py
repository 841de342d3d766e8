"""Measures the product's memory while large files move from one bot to another. It must not grow with the files.

    python -m benchmarks.media_memory                 200 files of 20 MB
    python -m benchmarks.media_memory --short         10 files of 20 MB

The product is `benchmarks.product`, in its own process. The sandbox, which holds the bytes, is in this process. They
talk over loopback. The product's RSS is read from /proc every few milliseconds. *Files in flight* are counted from
outside: the product has called getFile, and has not sent the file yet.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.load_peer import people
from benchmarks.sides import Side
from botapi_sandbox import Answer, Upload, World
from botapi_sandbox.service import make_world, running
from botapi_sandbox.world import Switches

MB = 2**20
SAMPLE_S = 0.005
SETTLE_S = 2.0
GIVE_UP_S = 900.0


class Watched:
    """Counts the files in flight at the sandbox, and the files that have arrived."""

    def __init__(self, world: World) -> None:
        self.in_flight = self.most_in_flight = self.arrived = self.bytes = 0
        self._call = world.call
        world.call = self.call  # type: ignore[method-assign]

    def call(
        self, token: str, method: str, params: Mapping[str, Any], files: Mapping[str, Upload] | None = None
    ) -> Answer:
        answer = self._call(token, method, params, files)
        if method == "getFile" and answer.status == 200:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        elif method == "sendDocument" and files:
            self.in_flight -= 1
            if answer.status == 200:
                self.arrived += 1
                self.bytes += sum(len(upload.data) for upload in files.values())
        return answer


def rss_mb(process: int) -> float:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB


async def measure(files: int, size: int, pairs: int) -> dict[str, float]:
    """Move `files` files of `size` bytes from one half of `pairs` pairs to the other."""
    switches = Switches(limits=False, journal_length=1000, file_bytes_kept=4 * size)
    world = make_world(bots=2, seed=1, switches=switches)
    everybody = people(pairs, list(world.state.bots))
    for number, (_, bot) in enumerate(everybody):
        person = world.add_person(f"Person {number}")
        world.chat(world.state.bots[bot], person.id).started = True
    watched = Watched(world)
    data = bytes(range(256)) * (size // 256)
    with tempfile.TemporaryDirectory(prefix="passerby-bench-") as directory:
        async with running(world) as sandbox:
            tokens = ",".join(bot.token for bot in world.state.bots.values())
            where = ("--url", sandbox.url, "--tokens", tokens, "--directory", directory, "--pairs", pairs)
            product = await asyncio.to_thread(Side, "product", *where)
            try:
                return await _cross(world, watched, product, everybody, data, files)
            finally:
                await asyncio.to_thread(product.end)


async def _cross(
    world: World, watched: Watched, product: Side, everybody: list[tuple[int, int]], data: bytes, files: int
) -> dict[str, float]:
    process = product.pid
    # A small file first. It loads everything that is needed once, so that this counts as the start.
    world.phones.upload(*everybody[0], "document", Upload(b"first", "first.pdf", "application/pdf"))
    await _until(lambda: watched.arrived == 1)
    await asyncio.sleep(SETTLE_S)
    before = peak = rss_mb(process)
    watched.most_in_flight = watched.bytes = 0
    samples: list[float] = []
    began = time.perf_counter()
    for number in range(files):
        # The same bytes under another id are a different file, for Telegram and for the product.
        sender = everybody[2 * number % len(everybody)]
        world.phones.upload(*sender, "document", Upload(data, f"{number}.pdf", "application/pdf"))
        await asyncio.sleep(0)

    def done() -> bool:
        samples.append(rss_mb(process))
        return watched.arrived == files + 1

    await _until(done)
    took_s = time.perf_counter() - began
    peak = max(peak, *samples)
    await asyncio.sleep(SETTLE_S)
    third = max(1, len(samples) // 3)
    return {
        "files": files,
        "megabytes": watched.bytes / MB,
        "seconds": round(took_s, 1),
        "rss_before_mb": round(before, 1),
        "rss_peak_first_third_mb": round(max(samples[:third]), 1),
        "rss_peak_last_third_mb": round(max(samples[-third:]), 1),
        "rss_peak_mb": round(peak, 1),
        "rss_after_mb": round(rss_mb(process), 1),
        "most_files_in_flight": watched.most_in_flight,
    }


async def _until(condition: Any) -> None:
    async with asyncio.timeout(GIVE_UP_S):
        while not condition():
            await asyncio.sleep(SAMPLE_S)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.media_memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    files = 10 if options.short else options.files
    found = asyncio.run(measure(files, options.megabytes * MB, options.pairs))
    moved = f"{found['files']} files, {found['megabytes']:.0f} MB, {found['seconds']} s"
    peak = f"{found['rss_peak_mb']} MB ({found['rss_peak_first_third_mb']} in the first third, "
    peak += f"{found['rss_peak_last_third_mb']} in the last)"
    print(f"{moved}; RSS before {found['rss_before_mb']} MB, peak {peak}, after {found['rss_after_mb']} MB")
    print(f"at most {found['most_files_in_flight']} files in flight")
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
