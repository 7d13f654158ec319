"""Callboard's own actors on the broker of a test."""

from importlib import import_module, reload
from pkgutil import iter_modules
from typing import Any


def declare_actors(broker: Any) -> None:
    """Declare all of them on that broker, which must be Dramatiq's global one."""
    import callboard.actors
    import callboard.actors.business

    # The first import of a session has declared them already, on whichever broker was the global one.
    broker.actors.clear()
    for package in (callboard.actors, callboard.actors.business):
        for module in iter_modules(package.__path__):
            if not module.ispkg:
                reload(import_module(f"{package.__name__}.{module.name}"))
    assert broker.actors, "the actors went to another broker"
