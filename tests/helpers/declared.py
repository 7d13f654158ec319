"""Callboard's own actors on the broker of a test."""

from importlib import import_module, reload
from pkgutil import iter_modules
from typing import Any


def declare_actors(broker: Any) -> None:
    """Declare all of them on that broker, which must be Dramatiq's global one."""
    import callboard.actors

    # The first import of a session has declared them already, on whichever broker was the global one.
    broker.actors.clear()
    for module in iter_modules(callboard.actors.__path__):
        name = f"callboard.actors.{module.name}"
        reload(import_module(name))
    assert broker.actors, "the actors went to another broker"
