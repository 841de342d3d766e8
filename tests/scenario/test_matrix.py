"""Which combinations the long forms leave out."""

from itertools import combinations, product

from tests.scenario.conftest import is_left_out
from tests.scenario.kinds import SENT
from tests.scenario.stores import STORES

HISTORIES = ["fresh", "killed", "restarted"]
AXES = {"store": list(STORES), "history": HISTORIES, "home": [False, True]}


def test_each_kind_meets_each_two_of_store_history_and_home() -> None:
    for kind in SENT:
        flows = [dict(zip(AXES, values, strict=True)) for values in product(*AXES.values())]
        left = [flow for flow in flows if not is_left_out("test_a_flow", {"kind": kind, **flow}, HISTORIES)]
        for one, other in combinations(AXES, 2):
            met = {(flow[one], flow[other]) for flow in left}
            assert met == set(product(AXES[one], AXES[other])), kind


def test_a_plain_message_goes_through_everything() -> None:
    for store, history, home in product(*AXES.values()):
        assert not is_left_out(
            "test_a_flow", {"kind": "text", "store": store, "history": history, "home": home}, HISTORIES
        )
