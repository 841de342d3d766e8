"""Shows where CPU time goes: it looks at the main thread's stack at a fixed interval of CPU time.

`ITIMER_PROF` counts the whole process. So samples caused by native threads are assigned to the Python code that runs
next; `threads` says how much time was theirs. Profilers that trace calls (cProfile) make small functions look
expensive. This one costs less than one per cent.
"""

import signal
from collections import Counter, defaultdict
from pathlib import Path
from types import FrameType

EVERY_S = 0.001


def _name(frame: FrameType) -> str:
    code = frame.f_code
    path = Path(code.co_filename)
    return f"{'/'.join(path.parts[-2:])}:{code.co_qualname}"


class Sampler:
    def __init__(self) -> None:
        self.samples = 0
        self._own: Counter[str] = Counter()
        self._with_callees: Counter[str] = Counter()
        self._lines: Counter[str] = Counter()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _: int, frame: FrameType | None) -> None:
        self.samples += 1
        if frame is None:
            return
        self._own[_name(frame)] += 1
        self._lines[f"{_name(frame)}:{frame.f_lineno}"] += 1
        seen = set()
        at: FrameType | None = frame
        while at is not None:
            name = _name(at)
            if name not in seen:
                seen.add(name)
                self._with_callees[name] += 1
            at = at.f_back

    def report(self, most: int = 40) -> dict[str, object]:
        def shares(counted: Counter[str]) -> list[tuple[str, float]]:
            return [(name, round(n / max(1, self.samples), 4)) for name, n in counted.most_common(most)]

        return {
            "samples": self.samples,
            "own": shares(self._own),
            "with_callees": shares(self._with_callees),
            "lines": shares(self._lines),
        }


def threads() -> dict[str, float]:
    """CPU seconds so far, by thread name."""
    spent: defaultdict[str, float] = defaultdict(float)
    for task in Path("/proc/self/task").iterdir():
        name = (task / "comm").read_text().strip()
        spent[name] += int((task / "schedstat").read_text().split()[0]) / 1e9
    return dict(spent)
