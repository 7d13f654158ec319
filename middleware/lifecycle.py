"""Starts and stops what a worker process needs beside its threads."""

from collections import defaultdict
from typing import Any

import redis
from dramatiq import ConnectionClosed, MessageProxy
from dramatiq.common import iter_queue
from dramatiq.middleware import Middleware

from callboard.middleware.capture import Capture
from callboard.middleware.declare import declaration
from callboard.middleware.isolation import Isolation
from callboard.middleware.keeper import Keeper
from callboard.middleware.parking import Parking, pause_lot
from callboard.middleware.stacks import Stacks
from callboard.middleware.switches import Switches
from callboard.middleware.work_queue import WorkQueue


class Lifecycle(Middleware):
    """Boot: listen to the switches, be known to the fleet, declare the jobs. Shutdown: the reverse."""

    def __init__(self) -> None:
        self._keeper: Keeper | None = None
        self._parking: Parking | None = None
        self._capture = Capture()

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        broker.draining = False
        Isolation.of(broker).start(broker)
        worker.work_queue = WorkQueue()
        self._parking = parking = Parking(broker.client, broker.keys)
        broker.committer.look = parking.look
        broker.switches = Switches(broker.direct, broker.keys, broker.broker_id)

        def resumed(jobs: set[str]) -> None:
            parking.look(pause_lot(job) for job in jobs)
            broker.rouse()

        broker.switches.resumed = resumed
        broker.switches.asked = Stacks(broker).asked
        broker.switches.start()
        parking.start()
        self._capture.install()
        broker.committer.record(declaration(broker))
        self._keeper = Keeper(broker, threads=worker.worker_threads, queues=worker.consumer_whitelist)
        self._keeper.start()

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        try:
            broker.drain()
            _hand_back(worker)
        except (redis.RedisError, ConnectionClosed) as error:
            broker.logger.warning("Consumers end by themselves, since Redis does not answer: %s.", error)

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        broker.committer.stop()
        broker.switches.stop()
        if self._parking is not None:
            self._parking.stop()
        self._capture.remove()
        if self._keeper is not None:
            self._keeper.stop()
        Isolation.of(broker).stop()


def _hand_back(worker: Any) -> None:
    """Let others have at once what no thread has begun: what runs may take all of the grace."""
    fetched: dict[str, list[MessageProxy]] = defaultdict(list)
    for item in iter_queue(worker.work_queue):
        fetched[item.message.queue_name].append(item.message)
        worker.work_queue.task_done()
    for queue, messages in fetched.items():
        worker.consumers[queue].requeue_messages(messages)
