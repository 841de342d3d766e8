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


class Counter(Instrument):
    kind = "counter"

    def __init__(self, name: str, meaning: str, **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self._counts: dict[tuple[Label, ...], float] = {}

    def add(self, *labels: Label, count: float = 1) -> None:
        counts = self._counts
        if labels in counts:
            counts[labels] += count
            return
        if len(counts) >= MOST_SETS:
            labels = (OTHER,) * len(labels)
        counts[labels] = counts.get(labels, 0) + count

    def total(self, **chosen: Label) -> float:
        """The sum of all counts with these label values."""
        at = [(list(self.labels).index(label), value) for label, value in chosen.items()]
        return sum(count for key, count in self._counts.items() if all(key[index] == value for index, value in at))

    def family(self) -> Metric:
        family = CounterMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        sums: dict[tuple[str, ...], float] = {}
        for labels, count in self._counts.items():
            shown = self._shown(labels)
            sums[shown] = sums.get(shown, 0) + count
        for shown, count in sums.items():
            family.add_metric(shown, count)
        return family

    def clear(self) -> None:
        self._counts.clear()


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


class Histogram(Instrument):
    """Counts by upper bounds, in seconds. Values above the last bound are counted, too."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, bounds_s: Sequence[float], **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self.bounds_s = tuple(bounds_s)
        self._seen: dict[tuple[Label, ...], tuple[list[int], list[float]]] = {}

    def observe(self, value_s: float, *labels: Label) -> None:
        seen = self._seen.get(labels)
        if seen is None:
            if len(self._seen) >= MOST_SETS:
                labels = (OTHER,) * len(labels)
            seen = self._seen.setdefault(labels, ([0] * (len(self.bounds_s) + 1), [0.0]))
        counts, total = seen
        counts[bisect_left(self.bounds_s, value_s)] += 1
        total[0] += value_s

    def total(self) -> tuple[int, float]:
        """How many values were counted, and their sum in seconds, over all label values."""
        return sum(sum(counts) for counts, _ in self._seen.values()), sum(total[0] for _, total in self._seen.values())

    def each(self) -> Iterator[tuple[tuple[Label, ...], int, float]]:
        """For each label set: how many values were counted, and their sum in seconds."""
        return ((labels, sum(counts), total[0]) for labels, (counts, total) in self._seen.items())

    def counts(self) -> tuple[int, ...]:
        """The counts of all buckets, over all label values. Empty if nothing was counted."""
        return tuple(map(sum, zip(*(counts for counts, _ in self._seen.values()), strict=True)))

    def counts_each(self) -> Iterator[tuple[tuple[Label, ...], tuple[int, ...]]]:
        """For each label set: the counts of all buckets."""
        return ((labels, tuple(counts)) for labels, (counts, _) in self._seen.items())

    def family(self) -> Metric:
        family = HistogramMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        sums: dict[tuple[str, ...], tuple[list[int], float]] = {}
        for labels, (counts, total) in self._seen.items():
            shown = self._shown(labels)
            before, value = sums.get(shown, ([0] * len(counts), 0.0))
            sums[shown] = [a + b for a, b in zip(before, counts, strict=True)], value + total[0]
        for shown, (counts, value) in sums.items():
            below, buckets = 0, []
            for bound, count in zip((*map(str, self.bounds_s), "+Inf"), counts, strict=True):
                below += count
                buckets.append((bound, float(below)))
            family.add_metric(shown, buckets, value)
        return family

    def clear(self) -> None:
        self._seen.clear()
