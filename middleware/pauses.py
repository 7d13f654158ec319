"""How long the pauses of a queue have held back what lies on it.

A message on a paused queue is touched by nobody, so nothing is noted of it: whoever fetches it later knows
what pauses there were.
"""

from callboard.middleware.execution import now_ms

#: The most pauses that are remembered; the oldest are forgotten.
MOST = 100


class Pauses:
    """The pauses of one queue, as its consumer has seen them. Times are ms since the epoch."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        #: [begin, end so far] of each, the oldest first.
        self._seen: list[list[int]] = []

    def __bool__(self) -> bool:
        return bool(self._seen)

    def see(self, since: int) -> None:
        """Note that a pause that began then still holds."""
        now = now_ms()
        if self._seen and (since == self._seen[-1][0] or since < self._seen[-1][1]):
            self._seen[-1][1] = max(now, self._seen[-1][1])
            return
        self._seen.append([since, max(now, since)])
        del self._seen[:-MOST]

    def held(self, ready: int) -> int:
        """For how long they have held back what was ready then."""
        return sum(max(0, end - max(begin, ready)) for begin, end in self._seen)

    def forget(self) -> None:
        """Everything that they have held back has been fetched."""
        self._seen.clear()
