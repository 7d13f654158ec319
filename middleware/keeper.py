"""Keeps a worker process known to be alive, its mutexes held, and the messages of dead workers moving."""

import json
import os
import platform
import threading
import time
from collections.abc import Iterable
from typing import Any

import redis
from dramatiq import Message
from dramatiq.errors import DecodeError

from callboard import __version__
from callboard.core.logging import get_logger
from callboard.core.memory import own_memory
from callboard.middleware import events, mutex
from callboard.middleware.consumer import check_fields
from callboard.middleware.delivery import Hold
from callboard.middleware.execution import Execution, now_ms
from callboard.middleware.janitor import Janitor
from callboard.middleware.recording import Recording
from callboard.middleware.scripts import load_script
from callboard.middleware.stuck import count_stuck

#: Seconds between two rounds; a third of the time after which a silent worker counts as dead.
ROUND = 5.0

#: Every so many rounds the janitor looks: longer apart than the reply to a fetch may take.
JANITOR = 6

#: Every so many rounds it tidies up, which costs a few commands for each queue of the fleet.
TIDY = 60

#: The most runs that a sign of life tells of.
MOST_RUNS = 128


class Keeper(threading.Thread):
    """The thread that does a round every few seconds, independently of what the worker's threads do."""

    def __init__(self, broker: Any, *, threads: int, queues: Iterable[str] | None) -> None:
        super().__init__(name="callboard-keeper", daemon=True)
        self._logger = get_logger(__name__)
        self._broker = broker
        self._threads = threads
        self._queues = queues
        self._stop_now = threading.Event()
        self._rescue = load_script(broker.client, "rescue")
        self._renew = load_script(broker.client, "renew")
        self._release = load_script(broker.client, "release")
        self._begun = now_ms()
        #: Milliseconds of silence after which a worker counts as dead.
        self._silence = max(broker.heartbeat_timeout, int(2 * ROUND * 1000))
        #: When Redis last answered a round, and until when nobody counts as dead (s, monotonic).
        self._heard = time.monotonic()
        self._patient_until = 0.0
        self._janitor = Janitor(broker)
        self._rounds = 0

    def stop(self) -> None:
        """End the thread, and take leave of the fleet: what this worker still holds is free at once."""
        self._stop_now.set()
        if self.is_alive():
            # A round under way would make this worker known again.
            self.join(2.0)
        broker, keys = self._broker, self._broker.keys
        try:
            with broker.client.pipeline() as pipeline:
                for queue in (*broker.queues, *broker.delay_queues):
                    pipeline.scard(keys.acks(broker.broker_id, queue))
                pipeline.time()
                *counts, (seconds, _) = pipeline.execute()
            held = sum(counts)
            with broker.client.pipeline() as pipeline:
                if held:
                    pipeline.zadd(keys.heartbeats, {broker.broker_id: seconds * 1000 - 2 * self._silence})
                else:
                    pipeline.zrem(keys.heartbeats, broker.broker_id)
                pipeline.hdel(keys.workers, broker.broker_id)
                pipeline.execute()
        except redis.RedisError as error:
            self._logger.warning("This worker could not take its leave: %s.", error)

    def run(self) -> None:
        """Do rounds until stopped."""
        told = False
        while True:
            try:
                self._do_round()
                self._rounds += 1
                if self._rounds % JANITOR == 0:
                    self._janitor.look()
                if self._rounds % TIDY == 0:
                    self._janitor.tidy()
                told = False
            except redis.RedisError as error:
                if not told:
                    self._logger.warning("No sign of life can be given for now: %s.", error)
                    told = True
            except Exception:
                # Whatever it was: without the next round, others would take this worker's messages.
                self._logger.exception("A round of the worker's keeper failed.")
            if self._stop_now.wait(ROUND):
                return

    def _do_round(self) -> None:
        broker = self._broker
        for execution in Recording.of(broker).live():
            for hold in execution.holds:
                if hold.leased:
                    self._keep(execution, hold)
        queues = [] if self._is_patient() else [*broker.queues, *broker.delay_queues]
        about = json.dumps(self._description())
        flat = self._rescue(keys=[broker.namespace], args=[broker.broker_id, self._silence, about, *queues])
        now = time.monotonic()
        if now - self._heard > self._silence / 1000:
            # Redis was away, or this process was: so may others have been, and they need time to be heard.
            self._patient_until = now + self._silence / 1000
        self._heard = now
        for i in range(0, len(flat), 3):
            self._report(flat[i].decode(), flat[i + 1].decode(), flat[i + 2])

    def _keep(self, execution: Execution, hold: Hold) -> None:
        held = [hold.kind, hold.name, hold.token]
        renewed = self._renew(keys=[self._broker.namespace], args=[*held, mutex.LEASE])
        if renewed and execution not in Recording.of(self._broker).live():
            # It was free because its run has ended meanwhile, and nobody would free it a second time.
            self._release(keys=[self._broker.namespace], args=held)
        elif not renewed and execution.window is not None and execution.window.interrupt(mutex.MutexLost):
            self._logger.error("Run %s of %s has lost its mutex; it ends.", execution.run_id, execution.job)

    def _is_patient(self) -> bool:
        now = time.monotonic()
        return now < self._patient_until or now - self._heard > self._silence / 1000

    def _report(self, worker: str, queue: str, payload: bytes) -> None:
        self._logger.warning("A message on queue %s was rescued from worker %s.", queue, worker)
        if queue.endswith(".DQ"):
            return
        try:
            message: Message[Any] = Message.decode(payload)
            check_fields(message, payload)
        except DecodeError:
            return
        self._broker.committer.record(events.lost(message, worker))

    def _description(self) -> dict[str, Any]:
        """What this process is and does now; `runs` are [run id, job, attempt, begun at (ms), lost]."""
        live = [each for each in Recording.of(self._broker).live() if each.started is not None]
        memory = own_memory()
        return {
            "pid": os.getpid(),
            "host": platform.node(),
            "version": __version__,
            "python": platform.python_version(),
            "threads": self._threads,
            "busy": len(live),
            "stuck": count_stuck(self._broker),
            "queues": sorted(self._queues or self._broker.queues),
            "memory": memory.size,
            "memory_kind": memory.kind,
            "started_at": self._begun,
            "runs": [
                [each.run_id, each.job, each.attempt, each.started, each.stuck] for each in live[:MOST_RUNS]
            ],
        }
