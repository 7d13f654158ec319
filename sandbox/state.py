"""What the sandbox remembers: in memory, bounded, and from any thread."""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from starlette.requests import Request

#: Things of one kind that are kept; the oldest go first.
KEPT = 250_000
#: Requests that are kept for looking at.
LOGGED = 2_000


class Shelf:
    """Things by key, the oldest dropped when there are too many."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._things: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._things)

    def get(self, key: str) -> Any:
        """The thing, or None."""
        with self._lock:
            return self._things.get(key)

    def put(self, key: str, thing: Any) -> None:
        """Keep the thing under that key."""
        with self._lock:
            self._things[key] = thing
            while len(self._things) > self._kept:
                self._things.popitem(last=False)

    def once(self, key: str, make: Callable[[], Any]) -> tuple[Any, bool]:
        """The thing under that key, made now if there is none; and whether there was one."""
        with self._lock:
            found = self._things.get(key)
            if found is not None:
                return found, True
            made = make()
            self.put(key, made)
            return made, False

    def latest(self, limit: int) -> list[Any]:
        """The youngest things, the youngest first."""
        with self._lock:
            return list(islice(reversed(self._things.values()), limit))


@dataclass
class State:
    """One sandbox's memory. `token` is what its services take for a good one."""

    token: str = "sandbox"  # noqa: S105 - opens nothing
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOGGED))
    _counts: dict[str, Counter[str]] = field(default_factory=dict)
    _shelves: dict[str, Shelf] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def shelf(self, name: str, kept: int = KEPT) -> Shelf:
        """The things of one kind, by a name such as `whatsapp.messages`."""
        with self._lock:
            return self._shelves.setdefault(name, Shelf(kept))

    def count(self, service: str, what: str, number: int = 1) -> None:
        """Add to a figure of a service."""
        with self._lock:
            self._counts.setdefault(service, Counter())[what] += number

    def counts(self) -> dict[str, dict[str, int]]:
        """The figures of every service that has any."""
        with self._lock:
            return {service: dict(counted) for service, counted in sorted(self._counts.items())}

    def deliver(self, service: str, key: str, thing: dict[str, Any]) -> dict[str, Any]:
        """Note that something has reached somebody; it is listed by `/_deliveries/<service>`."""
        noted = {"at": now(), **thing}
        self.shelf(f"{service}.deliveries").put(key, noted)
        self.count(service, "deliveries")
        return noted

    def deliveries(self, service: str, limit: int = KEPT) -> list[dict[str, Any]]:
        """What has reached somebody, the latest first."""
        return self.shelf(f"{service}.deliveries").latest(limit)

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._counts.clear()
            self._shelves.clear()
            self.log.clear()


def state_of(request: Request) -> State:
    """The memory of the sandbox that serves the request."""
    state: State = request.app.state.sandbox
    return state


def now() -> str:
    """The present time, as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
