"""Decides which worker holds which name. Every worker computes it from the same list of members and gets the same
result.

`spread` divides names so that no worker has more than one more than any other. It is *sticky*: a name stays with its
holder as long as that keeps the balance. So a worker that joins moves only the names that it will get, and a worker
that dies moves only the names that it had. Two workers that look at different member lists may disagree for a moment.
Then a name has no worker, or two ask for it, and the store gives it to one.

This module does not know what a name stands for, or how it is handed over.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=str)
Worker = TypeVar("Worker", bound=str)


def spread(names: Sequence[Name], workers: Sequence[Worker], holders: Mapping[Name, Worker]) -> dict[Name, Worker]:
    """Divide `names` among `workers`. Without workers, the result is empty.

    `holders` says which worker has which name now. A holder that is not in `workers` is gone. Names that cannot be
    divided evenly go to the first workers. A worker with too many names keeps the first ones in `names`.
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
    # The extra names go to workers that hold them already, so that they need not move.
    by_load = sorted(workers, key=lambda worker: (-min(len(held[worker]), share + 1), order[worker]))
    quota = {worker: share + (place < extra) for place, worker in enumerate(by_load)}
    owners = {name: worker for worker in workers for name in held[worker][: quota[worker]]}
    room = iter([worker for worker in workers for _ in range(quota[worker] - len(held[worker][: quota[worker]]))])
    for name in names:
        if name not in owners:
            owners[name] = next(room)
    return owners
