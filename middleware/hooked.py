"""How a broker calls its middleware: in order, found once, and proof against what hooks raise."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware, MiddlewareError

from callboard.core.errors import BadInput


class HookedBroker(RedisBroker):
    """Dramatiq's Redis broker that calls only the hooks that a middleware has."""

    def __init__(self, **options: Any) -> None:
        self._hooks: dict[str, list[Callable[..., Any]]] = {}
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def add_middleware(self, middleware: Middleware, **where: Any) -> None:
        """Add a middleware; see Dramatiq's documentation."""
        super().add_middleware(middleware, **where)
        self._hooks.clear()

    def emit_before(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Call the hooks of a signal, in the middleware's order."""
        for hook in self._implementations(f"before_{signal}"):
            try:
                hook(self, *args, **kwargs)
            except (MiddlewareError, BadInput):
                raise
            except Exception:
                self.logger.critical("Unexpected failure in %r.", hook, exc_info=True)

    def emit_after(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Call the hooks of a signal, in the reverse of the middleware's order."""
        for hook in reversed(self._implementations(f"after_{signal}")):
            try:
                hook(self, *args, **kwargs)
            except Exception:
                self.logger.critical("Unexpected failure in %r.", hook, exc_info=True)
            except BaseException:
                if threading.current_thread() is threading.main_thread():
                    raise
                # An interrupt that came too late, or a hook that exits: a worker thread would die of it, the
                # other hooks be left out, and a success might be taken for a failure.
                self.logger.critical("Unexpected failure in %r.", hook, exc_info=True)

    def _implementations(self, name: str) -> list[Callable[..., Any]]:
        hooks = self._hooks.get(name)
        if hooks is None:
            default = getattr(Middleware, name, None)
            found: Iterable[Any] = (getattr(middleware, name, default) for middleware in self.middleware)
            hooks = [hook for hook in found if getattr(hook, "__func__", hook) is not default]
            self._hooks[name] = hooks
        return hooks
