"""Callboard: the control plane for Dramatiq.

Every public name is loaded on first use, so that importing a part of Callboard (the command line,
say) does not pay for the whole. Taking one of the names below also makes Callboard's broker
Dramatiq's default, unless the application has set a broker of its own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callboard.core.backoff import exponential, fixed, linear
    from callboard.core.cron import cron
    from callboard.middleware.broker import Broker
    from callboard.middleware.execution import current_run, progress

__version__ = "0.1.0"

__all__ = ["Broker", "cron", "current_run", "exponential", "fixed", "linear", "progress"]

_HOMES = {
    "Broker": "callboard.middleware.broker",
    "cron": "callboard.core.cron",
    "current_run": "callboard.middleware.execution",
    "exponential": "callboard.core.backoff",
    "fixed": "callboard.core.backoff",
    "linear": "callboard.core.backoff",
    "progress": "callboard.middleware.execution",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'callboard' has no attribute {name!r}")
    import_module("callboard.middleware.default").ensure_broker()
    return getattr(import_module(_HOMES[name]), name)
