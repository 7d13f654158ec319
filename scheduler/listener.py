"""Hears of changes in the database and passes the word on, in a thread of its own."""

import threading
from collections.abc import Callable, Iterable

import psycopg

from callboard.core.logging import get_logger
from callboard.scheduler.outage import Outage
from callboard.storage.notices import Hear, Notices, NoticesLostError

log = get_logger(__name__)


class Listener(threading.Thread):
    """Follows notices; while there are none to follow, says so and tries to get them back."""

    def __init__(
        self,
        url: str,
        channels: Iterable[str],
        hear: Hear,
        on_change: Callable[[bool], None],
    ) -> None:
        """Parameters:
        hear: called with the channel and the sender of each notice.
        on_change: called with True when notices begin to arrive, with False when they cease. Whatever changed
            in between was not heard of.
        """
        super().__init__(name="callboard-listener", daemon=True)
        self._url = url
        self._channels = list(channels)
        self._hear = hear
        self._on_change = on_change
        self._ending = threading.Event()
        self._outage = Outage("PostgreSQL (notices)")

    def stop(self) -> None:
        """End the thread."""
        self._ending.set()

    def run(self) -> None:
        """Follow notices until stopped."""
        while not self._ending.is_set():
            following = False
            try:
                with Notices(self._url, self._channels) as notices:
                    notices.prove(self._hear)
                    self._outage.over()
                    following = True
                    self._on_change(True)
                    notices.follow(self._hear, self._ending.is_set)
            except (psycopg.Error, NoticesLostError, OSError) as error:
                if following:
                    self._on_change(False)
                self._ending.wait(self._outage.failed(error))
