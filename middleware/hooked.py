"""How a broker calls its middleware: in order, found once, and proof against what hooks raise."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware, MiddlewareError

from callboard.core.errors import BadInput
from callboard.middleware.delivery import Delivery
from callboard.middleware.stack import adapted, stock_kind

#: The hooks that say that a message is done with.
_ENDS = ("after_skip_message", "before_ack", "after_ack")


class HookedBroker(RedisBroker):
    """Dramatiq's Redis broker that calls only the hooks that a middleware has."""

    def __init__(self, **options: Any) -> None:
        self._hooks: dict[str, list[Callable[..., Any]]] = {}
        #: The middleware that the application has not brought, and may bring in its place.
        self.defaults: list[Middleware] = []
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def add_middleware(self, middleware: Middleware, **where: Any) -> None:
        """Add a middleware; see Dramatiq's documentation.

        It replaces what the broker has of its kind by default: two of most kinds would do everything twice.
        """
        added = adapted(middleware)
        if added is None:
            return
        kind = stock_kind(added)
        replaced = next((old for old in self.defaults if kind and stock_kind(old) is kind), None)
        if replaced is None:
            super().add_middleware(added, **where)
        else:
            place = self.middleware.index(replaced)
            self.middleware.remove(replaced)
            self.defaults.remove(replaced)
            super().add_middleware(added, **where)
            if not any(where.values()):
                self.middleware.insert(place, self.middleware.pop())
        self._hooks.clear()

    def emit_before(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Call the hooks of a signal, in the middleware's order."""
        for hook in self._concerned(f"before_{signal}", args):
            try:
                hook(self, *args, **kwargs)
            except (MiddlewareError, BadInput):
                raise
            except Exception:
                self.logger.critical("Unexpected failure in %r.", hook, exc_info=True)

    def emit_after(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Call the hooks of a signal, in the reverse of the middleware's order."""
        for hook in reversed(self._concerned(f"after_{signal}", args)):
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

    def _concerned(self, name: str, args: tuple[Any, ...]) -> list[Callable[..., Any]]:
        hooks = self._implementations(name)
        if name in _ENDS and isinstance(args[0], Delivery) and args[0].moves:
            # Nothing has been decided of what merely waits, or goes back: it has no result, and no end.
            return [hook for hook in hooks if hook.__module__.startswith("callboard.")]
        return hooks

    def _implementations(self, name: str) -> list[Callable[..., Any]]:
        hooks = self._hooks.get(name)
        if hooks is None:
            default = getattr(Middleware, name, None)
            found: Iterable[Any] = (getattr(middleware, name, default) for middleware in self.middleware)
            hooks = [hook for hook in found if getattr(hook, "__func__", hook) is not default]
            self._hooks[name] = hooks
        return hooks
