"""Counters, gauges and histograms of one process. Each addition is one in a dictionary; rendering is on request.

The ones of prometheus_client take a lock and several microseconds for each addition. Here, only the event loop's thread
adds. Every label has a closed list of values; any other value is shown as "other".
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

Label = str | int

OTHER = "other"
"""Shown instead of a value that is not in the label's list."""

MOST_SETS = 5_000
"""The most label sets that an instrument keeps. Nothing that comes from outside may grow without a limit."""

INSTRUMENTS: list["Instrument"] = []


class Instrument:
    """`meaning` is one sentence. Each label is given with the values that it may have."""

    kind: str

    def __init__(self, name: str, meaning: str, **labels: Collection[Label]) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = labels
        INSTRUMENTS.append(self)

    def _shown(self, values: tuple[Label, ...]) -> tuple[str, ...]:
        pairs = zip(self.labels.values(), values, strict=True)
        return tuple(str(value) if value in known else OTHER for known, value in pairs)

    def family(self) -> Metric:
        raise NotImplementedError

    def clear(self) -> None:
        """Forget all counts and values."""
        raise NotImplementedError


class Count:
    """The count of one label set. The hot path keeps it and adds to `n`: to look it up costs much more."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n: float = 0


class Counter(Instrument):
    """A label set without a count is not shown."""

    kind = "counter"

    def __init__(self, name: str, meaning: str, **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self._counts: dict[tuple[Label, ...], Count] = {}

    def of(self, *labels: Label) -> Count:
        """The count of a label set, to add to. It stays the same one after `clear`."""
        count = self._counts.get(labels)
        if count is None:
            if len(self._counts) >= MOST_SETS:
                labels = (OTHER,) * len(labels)
            count = self._counts.setdefault(labels, Count())
        return count

    def add(self, *labels: Label, count: float = 1) -> None:
        self.of(*labels).n += count

    def total(self, **chosen: Label) -> float:
        """The sum of all counts with these label values."""
        at = [(list(self.labels).index(label), value) for label, value in chosen.items()]
        return sum(count.n for key, count in self._counts.items() if all(key[index] == value for index, value in at))

    def family(self) -> Metric:
        family = CounterMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        sums: dict[tuple[str, ...], float] = {}
        for labels, count in self._counts.items():
            if count.n:
                shown = self._shown(labels)
                sums[shown] = sums.get(shown, 0) + count.n
        for shown, total in sums.items():
            family.add_metric(shown, total)
        return family

    def clear(self) -> None:
        for count in self._counts.values():
            count.n = 0


class Gauge(Instrument):
    kind = "gauge"

    def __init__(self, name: str, meaning: str, **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self._values: dict[tuple[Label, ...], float] = {}

    def set(self, value: float, *labels: Label) -> None:
        if labels in self._values or len(self._values) < MOST_SETS:
            self._values[labels] = value

    def drop(self, *labels: Label) -> None:
        """Remove the value, because another worker reports it from now on."""
        self._values.pop(labels, None)

    def value(self, *labels: Label) -> float:
        return self._values.get(labels, 0.0)

    @property
    def is_set(self) -> bool:
        """Whether it has any value."""
        return bool(self._values)

    def values(self) -> Iterator[tuple[tuple[Label, ...], float]]:
        return iter(self._values.items())

    def family(self) -> Metric:
        family = GaugeMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        for labels, value in self._values.items():
            shown = self._shown(labels)
            if OTHER not in shown:  # several values cannot be shown as one
                family.add_metric(shown, value)
        return family

    def clear(self) -> None:
        self._values.clear()


class Timings:
    """The times of one label set. The hot path keeps it and calls `observe`: to look it up costs much more."""

    __slots__ = ("bounds_s", "counts", "total_s")

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self.bounds_s = bounds_s
        self.counts = [0] * (len(bounds_s) + 1)
        self.total_s = 0.0

    def observe(self, value_s: float) -> None:
        self.counts[bisect_left(self.bounds_s, value_s)] += 1
        self.total_s += value_s

    def clear(self) -> None:
        self.counts = [0] * len(self.counts)
        self.total_s = 0.0


class Histogram(Instrument):
    """Counts by upper bounds, in seconds. Values above the last bound are counted, too.

    A label set without a value is not shown.
    """

    kind = "histogram"

    def __init__(self, name: str, meaning: str, bounds_s: Sequence[float], **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self.bounds_s = tuple(bounds_s)
        self._seen: dict[tuple[Label, ...], Timings] = {}

    def of(self, *labels: Label) -> Timings:
        """The times of a label set, to add to. They stay the same object after `clear`."""
        timings = self._seen.get(labels)
        if timings is None:
            if len(self._seen) >= MOST_SETS:
                labels = (OTHER,) * len(labels)
            timings = self._seen.setdefault(labels, Timings(self.bounds_s))
        return timings

    def observe(self, value_s: float, *labels: Label) -> None:
        self.of(*labels).observe(value_s)

    def _all(self) -> Iterator[tuple[tuple[Label, ...], Timings]]:
        """Each label set with a value."""
        return ((labels, timings) for labels, timings in self._seen.items() if any(timings.counts))

    def total(self) -> tuple[int, float]:
        """How many values were counted, and their sum in seconds, over all label values."""
        return sum(sum(each.counts) for _, each in self._all()), sum(each.total_s for _, each in self._all())

    def each(self) -> Iterator[tuple[tuple[Label, ...], int, float]]:
        """For each label set: how many values were counted, and their sum in seconds."""
        return ((labels, sum(timings.counts), timings.total_s) for labels, timings in self._all())

    def counts(self) -> tuple[int, ...]:
        """The counts of all buckets, over all label values. Empty if nothing was counted."""
        return tuple(map(sum, zip(*(timings.counts for _, timings in self._all()), strict=True)))

    def counts_each(self) -> Iterator[tuple[tuple[Label, ...], tuple[int, ...]]]:
        """For each label set: the counts of all buckets."""
        return ((labels, tuple(timings.counts)) for labels, timings in self._all())

    def family(self) -> Metric:
        family = HistogramMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        sums: dict[tuple[str, ...], tuple[list[int], float]] = {}
        for labels, timings in self._all():
            shown = self._shown(labels)
            before, value = sums.get(shown, ([0] * len(timings.counts), 0.0))
            sums[shown] = [a + b for a, b in zip(before, timings.counts, strict=True)], value + timings.total_s
        for shown, (counts, value) in sums.items():
            below, buckets = 0, []
            for bound, count in zip((*map(str, self.bounds_s), "+Inf"), counts, strict=True):
                below += count
                buckets.append((bound, float(below)))
            family.add_metric(shown, buckets, value)
        return family

    def clear(self) -> None:
        for timings in self._seen.values():
            timings.clear()
