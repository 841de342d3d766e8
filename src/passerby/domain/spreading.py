"""Who of the living holds what: every worker works it out for itself, from the same roll, and comes to the same.

`spread` shares names out so that nobody has more than one more than anybody else. It is *sticky*: what somebody holds
stays where it is as long as that keeps the balance, so a worker that joins moves only what it is to have, and one that
dies only what it had. Two workers that look at rolls of different moments may disagree for a moment; then a name has
nobody, or is asked for by two, and the store gives it to one.

What a name stands for, and how it is handed over, is none of this module's business.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=str)
Worker = TypeVar("Worker", bound=str)


def spread(names: Sequence[Name], workers: Sequence[Worker], holders: Mapping[Name, Worker]) -> dict[Name, Worker]:
    """Share `names` out among `workers`; empty without workers.

    `holders` says who has what now; those who are not among `workers` count as gone. What is left over goes to those
    who come first in `workers`, and of what a worker has too much of, it keeps what comes first in `names`.
    """
    if not workers:
        return {}
    order = {worker: place for place, worker in enumerate(workers)}
    held: dict[Worker, list[Name]] = {worker: [] for worker in workers}
    for name in names:
        holder = holders.get(name)
        if holder in held:
            held[holder].append(name)
    share, extra = divmod(len(names), len(workers))
    # One more goes to those who have it already, so that it need not move.
    by_load = sorted(workers, key=lambda worker: (-min(len(held[worker]), share + 1), order[worker]))
    quota = {worker: share + (place < extra) for place, worker in enumerate(by_load)}
    owners = {name: worker for worker in workers for name in held[worker][: quota[worker]]}
    room = iter([worker for worker in workers for _ in range(quota[worker] - len(held[worker][: quota[worker]]))])
    for name in names:
        if name not in owners:
            owners[name] = next(room)
    return owners
