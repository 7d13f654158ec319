"""Puts back what Redis counts as taken by this process, and the process does not have.

A reply that is lost, or an outage at the wrong moment, can leave such messages behind; while this process
lives, nobody else would ever look at them. A consumer looks when it begins anew; this is for everything else.

It also forgets for how long messages were held back that are no more: workers of an older version leave that.
"""

import json
from typing import Any

from callboard.core.logging import get_logger

#: So many notes of how long a message was held back are looked at in one look, about.
NOTES = 50


class Janitor:
    """Looks again and again, and puts back what was astray at the last look already.

    What is astray once may be on its way: fetched, with the reply still coming.
    """

    def __init__(self, broker: Any) -> None:
        self._logger = get_logger(__name__)
        self._broker = broker
        #: What was astray at the last look, by queue.
        self._astray: dict[str, set[str]] = {}
        #: How far through those notes it is, as Redis counts.
        self._cursor = 0

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

    def tidy(self) -> int:
        """Look at the next notes, and drop those whose message is on no queue. Returns how many went."""
        client, keys = self._broker.client, self._broker.keys
        self._cursor, notes = client.hscan(keys.held, self._cursor, count=NOTES)
        if not notes:
            return 0
        ids = list(notes)
        queues = self._queues()
        # At one moment: between two a message could be moved from a queue to another.
        with client.pipeline(transaction=True) as pipeline:
            for queue in queues:
                for redis_id in ids:
                    pipeline.hexists(keys.messages(queue), redis_id)
            found = pipeline.execute()
        gone = [redis_id for number, redis_id in enumerate(ids) if not any(found[number :: len(ids)])]
        if gone:
            client.hdel(keys.held, *gone)
        return len(gone)

    def _queues(self) -> list[str]:
        """All queues that this process, or any that Redis knows of, serves or has parked messages of."""
        broker = self._broker
        with broker.client.pipeline(transaction=False) as pipeline:
            pipeline.hvals(broker.keys.workers)
            pipeline.hkeys(broker.keys.parked)
            workers, parked = pipeline.execute()
        served = {queue for each in workers for queue in _served(each)}
        named = {*broker.queues, *served, *(queue.decode() for queue in parked)}
        return sorted({*named, *(f"{queue}.DQ" for queue in named if not queue.endswith(".DQ"))})


def _served(description: bytes) -> list[str]:
    try:
        found = json.loads(description)["queues"]
    except (ValueError, TypeError, LookupError):
        return []
    return [queue for queue in found if isinstance(queue, str)] if isinstance(found, list) else []
