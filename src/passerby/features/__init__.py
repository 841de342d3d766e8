"""The abilities of Passerby: one folder each, with its texts. `ALL` contains all of them.

Every package in this folder is a feature, and exports it as `feature`. There is no list to edit: a new folder is found
at the next start. A feature imports the dialogue, the domain and the kernel, and never another feature.
"""

from importlib import import_module
from pkgutil import iter_modules

from passerby.kernel.feature import Feature


def _feature(name: str) -> Feature:
    feature: Feature = import_module(f"{__name__}.{name}").feature
    return feature


# In alphabetical order. The order does not matter, because two features cannot have the same command, word or button.
ALL: tuple[Feature, ...] = tuple(_feature(module.name) for module in iter_modules(__path__))
