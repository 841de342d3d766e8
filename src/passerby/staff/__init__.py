"""The abilities of the staff bot and of staff commands: one folder each, with its texts. `ALL` contains all of them.

Every package in this folder is a staff feature, and exports it as `feature`. The public bots know none of them. A staff
feature imports the dialogue, the domain and the kernel, and never another feature.
"""

from importlib import import_module
from pkgutil import iter_modules

from passerby.kernel.staff import StaffFeature


def _feature(name: str) -> StaffFeature:
    feature: StaffFeature = import_module(f"{__name__}.{name}").feature
    return feature


ALL: tuple[StaffFeature, ...] = tuple(_feature(module.name) for module in iter_modules(__path__))
