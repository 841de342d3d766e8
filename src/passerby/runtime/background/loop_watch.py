"""Watches the event loop: long turns are counted and logged, and a stuck loop ends the process.

Everything a worker does happens in one thread, in *turns* of the event loop. A turn that does not end stops the service
for everybody on this worker, and the loop cannot notice that itself. So a second thread checks every TICK_S whether the
loop still turns; the loop shows that with a *beat* every BEAT_S.

A turn longer than LONG_TURN_S is counted, and logged with the frames of our own code that the thread saw running.

A loop is *stuck* after a turn longer than STUCK_S that worked on one update, or longer than LOST_S on anything. The
process then ends with EXIT_STUCK, and its supervisor starts it again. The next process knows the update (see
`flight_recorder`). If a library's code holds the interpreter, the thread cannot run either. For this case a kernel
timer ends the process by SIGPROF, and `faulthandler` prints where it was.

Delays that are not the loop's fault do not count. On a busy machine, only the time during which the loop's thread had a
processor counts, or during which it waited inside a turn. If the process was stopped (SIGSTOP) or the machine slept,
the thread's own ticks are late too, and a late tick counts as two at most. The kernel timer counts processor time only.
"""

import asyncio
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from passerby.runtime.flight_recorder import EXIT_STUCK, FlightRecorder
from passerby.telemetry import logs, metrics

BEAT_S: Final = 0.05
TICK_S: Final = 0.05
LONG_TURN_S: Final = 0.25

STUCK_S: Final = 3.0
"""Less than the silence after which other workers take over. So the process is back and has reported its crash before
another worker gets the update."""

LOST_S: Final = 20.0
"""The limit for turns of no update, such as rewriting a large log: they are slow, but they end."""

UNINTERRUPTED_S: Final = 4.0
"""Seconds of processor time during which neither the loop nor the thread could run."""

REARM_S: Final = 0.5


class Stall:
    """How long the current turn takes, without delays that are not the loop's fault. Times in seconds, of any one
    clock."""

    def __init__(self) -> None:
        self.lasted_s = 0.0
        self._beats = -1
        self._mark = b""
        self._marked_s = 0.0
        """The part of that time during which one step of the same updates has run."""

    def tick(self, elapsed_s: float, worked_s: float, waits: bool, beats: int, mark: bytes) -> bool:
        """Take in a tick of the thread, `elapsed_s` after the last one. The loop's thread used `worked_s` of processor
        time, works on the updates in `mark`, and `waits` for something or not. Returns whether the loop has turned
        since.
        """
        if beats != self._beats:
            self._beats, self._mark = beats, mark
            self.lasted_s = self._marked_s = 0.0
            return True
        counted_s = max(min(worked_s, elapsed_s), min(elapsed_s, 2 * TICK_S) if waits else 0.0)
        self.lasted_s += counted_s
        self._marked_s = self._marked_s + counted_s if mark == self._mark else 0.0
        self._mark = mark
        return False

    @property
    def is_long(self) -> bool:
        return self.lasted_s > LONG_TURN_S

    @property
    def is_stuck(self) -> bool:
        return (bool(self._mark) and self._marked_s > STUCK_S) or self.lasted_s > LOST_S


class LoopWatch:
    """Watches the loop that `begin` was called in, until it is closed. `on_beat` is called on each beat, in the loop.

    `end` ends the process; it does not return.
    """

    def __init__(
        self,
        recorder: FlightRecorder,
        on_beat: Callable[[], None] = lambda: None,
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self._recorder = recorder
        self._on_beat = on_beat
        self._end = end
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="loop-watch", daemon=True)
        self._seen: tuple[str, ...] = ()
        self._timer: asyncio.TimerHandle | None = None
        self._beaten_at = 0.0
        self._worked_at = 0.0
        self._stalled_s = 0.0

    def begin(self) -> None:
        self._watched = threading.current_thread()
        self._loop = asyncio.get_running_loop()
        self._worked_s = _processor_clock(threading.get_ident())
        self._waits = _waiting(threading.get_native_id())
        self._beaten_at, self._worked_at = time.monotonic(), self._worked_s()  # noqa: TID251  # see `_beat`
        self._beat()
        _arm_dump()
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread.is_alive():
            self._thread.join()
        _disarm()

    def _beat(self) -> None:
        now, worked = time.monotonic(), self._worked_s()  # noqa: TID251  # measures the loop itself
        late_s = now - self._beaten_at - BEAT_S
        # If code holds the interpreter, only its processor time shows that.
        if late_s > LONG_TURN_S and max(worked - self._worked_at, self._stalled_s) > LONG_TURN_S:
            metrics.LONG_TURNS.add()
            logs.record("loop.long_turn", "warning", duration_s=round(late_s, 2), frames=self._seen)
        self._seen = ()
        self._beaten_at, self._worked_at, self._stalled_s = now, worked, 0.0
        self._recorder.beat()
        self._on_beat()
        self._timer = self._loop.call_later(BEAT_S, self._beat)

    def _look(self) -> None:
        stall = Stall()
        looked_at, worked_at = time.monotonic(), self._worked_s()  # noqa: TID251  # a thread has no loop, so no `Clock`
        rearmed_at = float("-inf")
        while not self._over.wait(TICK_S):
            now, worked = time.monotonic(), self._worked_s()  # noqa: TID251  # as above
            if now - rearmed_at > REARM_S:
                rearmed_at = now
                _rearm(UNINTERRUPTED_S)
            waits = self._waits()
            came_round = stall.tick(
                now - looked_at, worked - worked_at, waits, self._recorder.beats, self._recorder.current
            )
            looked_at, worked_at = now, worked
            if came_round:
                continue
            self._stalled_s = stall.lasted_s
            if stall.is_long and not self._seen:
                self._seen = frames_of(self._watched)
            if stall.is_stuck and sys.gettrace() is None:
                self._seen = frames_of(self._watched)
                reason = "the event loop is stuck; this process ends so that it is started again"
                logs.record(
                    "loop.stuck", "error", duration_s=round(stall.lasted_s, 2), frames=self._seen, reason=reason
                )
                self._recorder.end_stuck()
                self._end(EXIT_STUCK)
                return


def frames_of(thread: threading.Thread) -> tuple[str, ...]:
    """Where a thread is in our own code, innermost last: `runtime/delivery/courier.py:120 deliver`."""
    frame: FrameType | None = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001  # it is made for this
    found: list[str] = []
    while frame is not None:
        if (name := logs.name_of_frame(frame.f_code, frame.f_lineno)) is not None:
            found.append(name)
        frame = frame.f_back
    return tuple(reversed(found[: logs.FRAME_LIMIT]))


def _processor_clock(thread: int) -> Callable[[], float]:
    """A thread's processor time in seconds; the whole process's on systems that do not tell."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    clock = time.pthread_getcpuclockid(thread)
    return lambda: time.clock_gettime(clock)


def _waiting(thread: int) -> Callable[[], bool]:
    """Whether a thread waits for something other than a processor; False on systems that do not tell."""
    file = Path(f"/proc/self/task/{thread}/stat")

    def waits() -> bool:
        try:
            # The name, in brackets, may hold anything; the state is the letter after it.
            return file.read_bytes().rpartition(b") ")[2][:1] != b"R"
        except OSError:
            return False

    return waits


def _arm_dump() -> None:
    """When the kernel timer runs out, print where the loop is, then end by the signal."""
    if hasattr(signal, "SIGPROF") and sys.stderr is not None:
        try:
            # All threads: the kernel may deliver the signal to a thread that only waits.
            faulthandler.register(signal.SIGPROF, file=2, all_threads=True, chain=True)
        except (OSError, ValueError, RuntimeError):
            return  # then it ends without printing anything


def _rearm(delay_s: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, delay_s)


def _disarm() -> None:
    _rearm(0.0)
    if hasattr(signal, "SIGPROF"):
        faulthandler.unregister(signal.SIGPROF)
