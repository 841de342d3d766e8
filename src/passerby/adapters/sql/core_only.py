"""Imports SQLAlchemy's asynchronous engine without its ORM, which we do not use: the ORM takes a tenth of a start.

`sqlalchemy.ext.asyncio` imports the ORM for its sessions. So the package is entered without its own module being run.
Code that asks it for anything but the engine gets all of it, as usual.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any, Final

_PACKAGE: Final = "sqlalchemy.ext.asyncio"
_OURS: Final = ("AsyncConnection", "AsyncEngine", "create_async_engine")


def _enter() -> None:
    spec = find_spec(_PACKAGE)
    if _PACKAGE in sys.modules or spec is None or spec.loader is None:
        return
    package, loader = module_from_spec(spec), spec.loader

    def the_rest(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, name)

    sys.modules[_PACKAGE] = package
    engine = import_module(f"{_PACKAGE}.engine")
    for name in _OURS:
        setattr(package, name, getattr(engine, name))
    package.__dict__["__getattr__"] = the_rest


_enter()
