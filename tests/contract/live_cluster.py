"""A Redis cluster of three nodes on this machine, and the live store's contract on it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from time import sleep

from redis import Redis
from redis.crc import key_slot

from tests.contract.live_redis import RedisPlace
from tests.contract.servers import Valkey, start_valkey
from tests.ports import free_port

SLOTS = 16384
SLOT = key_slot(b"{passerby}")


class Cluster:
    def __init__(self, nodes: list[Valkey]) -> None:
        self.nodes = nodes
        hosts = ",".join(node.url.removeprefix("redis://").removesuffix("/0") for node in nodes)
        self.url = f"redis+cluster://{hosts}"

    @property
    def owner(self) -> Valkey:
        """The node that holds our keys."""
        return next(node for node in self.nodes if SLOT in slots_of(node))

    def node_id(self, node: Valkey) -> str:
        with Redis.from_url(node.url) as redis:
            return str(redis.execute_command("CLUSTER MYID").decode())


def slots_of(node: Valkey) -> set[int]:
    with Redis.from_url(node.url) as redis:
        me = next(line for line in redis.execute_command("CLUSTER", "NODES").decode().splitlines() if "myself" in line)
    slots: set[int] = set()
    for word in me.split()[8:]:
        first, _, last = word.partition("-")
        if first.isdigit():
            slots.update(range(int(first), int(last or first) + 1))
    return slots


@contextmanager
def start_cluster(size: int = 3, *more: str) -> Iterator[Cluster]:
    """Returns once every node knows where every slot is. A slot without a node does not stop the others."""
    with ExitStack() as stack:
        options = ("--appendonly", "yes", "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", *more)
        nodes = [stack.enter_context(start_valkey(*options, "--cluster-port", str(free_port()))) for _ in range(size)]
        by_hand = [stack.enter_context(Redis.from_url(node.url)) for node in nodes]
        for index, redis in enumerate(by_hand):
            redis.execute_command("CLUSTER ADDSLOTSRANGE", index * SLOTS // size, (index + 1) * SLOTS // size - 1)
            redis.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
        for redis in by_hand[1:]:
            first = by_hand[0].connection_pool.connection_kwargs
            bus = int(by_hand[0].config_get("cluster-port")["cluster-port"])
            redis.execute_command("CLUSTER MEET", "127.0.0.1", first["port"], bus)
        for redis in by_hand:
            while not {b"cluster_state:ok", b"cluster_slots_ok:16384"} <= set(
                redis.execute_command("CLUSTER", "INFO").split()
            ):
                sleep(0.02)
        yield Cluster(nodes)


class _Unserved(AbstractContextManager[None]):
    """No node has the slot of our keys, as after the loss of a node before its replica is promoted."""

    def __init__(self, owner: Valkey) -> None:
        self._owner = owner

    def _tell(self, command: str) -> None:
        with Redis.from_url(self._owner.url) as redis:
            redis.execute_command(command, SLOT)

    def __enter__(self) -> None:
        self._tell("CLUSTER DELSLOTS")

    def __exit__(self, *_: object) -> None:
        self._tell("CLUSTER ADDSLOTS")


class ClusterPlace(RedisPlace):
    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.owner, cluster.url)

    def lost(self) -> AbstractContextManager[None]:
        return _Unserved(self._server)
