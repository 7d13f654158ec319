"""Callboard's own actors on the broker of a test."""

import sys
from importlib import import_module, reload
from pkgutil import iter_modules
from typing import Any


def declare_actors(broker: Any) -> None:
    """Declare all of them on that broker, which must be Dramatiq's global one."""
    import callboard.actors

    for module in iter_modules(callboard.actors.__path__):
        name = f"callboard.actors.{module.name}"
        reload(sys.modules[name]) if name in sys.modules else import_module(name)
    assert broker.actors, "the actors went to another broker"
