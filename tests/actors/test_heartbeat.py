"""The heartbeat, as a worker runs it."""

import json
import time
from typing import Any

from dramatiq import Worker
from redis import Redis

from callboard.core.keys import Keys


def test_a_heartbeat_tells_how_late_after_its_slot_it_began(
    surroundings: Any, redis_client: Redis, namespace: str
) -> None:
    due_at = time.time_ns() // 1_000_000 - 5000
    message = surroundings.get_actor("heartbeat").message()
    surroundings.enqueue(message.copy(options={"trigger": "schedule", "due_at": due_at}))

    worker = Worker(surroundings, worker_threads=1)
    worker.start()
    surroundings.join("default", timeout=20_000)
    worker.join()
    worker.stop()

    entries: Any = redis_client.xrange(Keys(namespace).events)
    events = [event for _, entry in entries for event in json.loads(entry[b"e"])]
    (done,) = [event for event in events if event.get("s") == "succeeded"]
    assert done["res"]["processed"] == 1
    assert 5000 <= done["res"]["late_ms"] < 20_000


def test_a_heartbeat_called_by_hand_has_no_slot_to_be_late_for(surroundings: Any) -> None:
    assert surroundings.get_actor("heartbeat")() == {"processed": 1, "failed": 0}
