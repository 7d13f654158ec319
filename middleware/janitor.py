"""Puts back what Redis counts as taken by this process, and the process does not have.

A reply that is lost, or an outage at the wrong moment, can leave such messages behind; while this process
lives, nobody else would ever look at them. A consumer looks when it begins anew; this is for everything else.
"""

from typing import Any

from callboard.core.logging import get_logger


class Janitor:
    """Looks again and again, and puts back what was astray at the last look already.

    What is astray once may be on its way: fetched, with the reply still coming.
    """

    def __init__(self, broker: Any) -> None:
        self._logger = get_logger(__name__)
        self._broker = broker
        #: What was astray at the last look, by queue.
        self._astray: dict[str, set[str]] = {}

    def look(self) -> int:
        """Look at all queues that this process serves. Returns how many messages were put back."""
        count = 0
        for queue, hand in self._broker.hands():
            before = self._astray.get(queue, set())
            # First what Redis says: what is committed meanwhile is missing from both.
            astray = self._broker.fetched(queue) - hand.ids()
            lost = sorted(astray & before)
            if lost:
                self._logger.warning(
                    "%d messages on queue %s were astray in this worker; they go back.", len(lost), queue
                )
                self._broker.give_back(queue, lost)
            self._astray[queue] = astray - before
            count += len(lost)
        return count
