"""What operators have switched, as this worker process knows it.

The switches live in a hash in Redis, written by the scheduler from PostgreSQL. A worker reads it when it
starts and whenever a signal says that it has changed, so a check costs nothing and a change arrives in
milliseconds. After a lost connection everything is read again.
"""

import json
import threading
import time
from collections.abc import Callable
from math import isfinite
from typing import Any

import redis

from callboard.core.keys import Keys
from callboard.core.logging import get_logger
from callboard.middleware.execution import now_ms

#: Seconds of silence after which the connection is tried, and to wait for what then comes back. A network may
#: swallow one without a sign, and whoever only listens never notices.
QUIET = 20.0
PATIENCE = 5.0

#: What the fields of the control hash begin with, and the reason where none is given.
KINDS = {
    "disabled:": "the job is switched off",
    "paused:all:": "everything is paused",
    "paused:queue:": "the queue is paused",
    "paused:job:": "the job is paused",
}

#: The field of the control hash that tells when a pause has last ended: {at}, in ms.
RESUMED = b"resumed:"

#: What the signal begins with that asks where a run is: `stack <run id> <ask>`.
STACK = b"stack "

#: The most signals that are answered by reading once.
MOST = 10_000

#: Seconds after which an order to end a run is forgotten: longer than any message may be delayed. While
#: anything is paused, and for as long after the last pause, none is.
ENDED_KEPT = 8 * 86_400


def order_end(pipeline: Any, keys: Keys, run_id: str, order: dict[str, Any]) -> None:
    """Have a run ended, wherever it is: {state, reason, by, at (ms)}. The caller executes the pipeline."""
    pipeline.hset(keys.ended, run_id, json.dumps(order))
    pipeline.publish(keys.signals, f"end {run_id}")


class Switches:
    """The switches of one worker process, kept current by a thread.

    The client must not renew a lost connection by itself: what was switched meanwhile has to be read.
    """

    def __init__(self, client: redis.Redis, keys: Keys, broker_id: str) -> None:
        self._logger = get_logger(__name__)
        self._client = client
        self._keys = keys
        self._own_channel = f"{keys.signals}.{broker_id}"
        self._stopping = False
        self._connected = threading.Event()
        #: Names of the jobs that are switched off, each with the reason.
        self.disabled: dict[str, str] = {}
        #: What is paused, each with the reason: everything, queues, jobs.
        self.paused_all: str | None = None
        self.paused_queues: dict[str, str] = {}
        self.paused_jobs: dict[str, str] = {}
        #: Since when (ms since the epoch), by the field of the control hash.
        self._paused_at: dict[str, int] = {}
        #: Called with the jobs that are no longer paused, when any pause has ended.
        self.resumed: Callable[[set[str]], None] = _nothing
        #: Called with the id of a run, and of the ask, when somebody asks where it is.
        self.asked: Callable[[str, str], None] = _nothing
        #: Ids of the runs that must not go on, each with {state, reason, by}.
        self.ended: dict[str, dict[str, Any]] = {}
        self._thread = threading.Thread(target=self._run, name="callboard-switches", daemon=True)

    def start(self, timeout: float = 5.0) -> None:
        """Begin; waits until the switches have been read once, or for `timeout` seconds."""
        self._thread.start()
        self._connected.wait(timeout)

    def stop(self) -> None:
        """Stop listening."""
        self._stopping = True
        try:
            self._client.publish(self._own_channel, "stop")
        except redis.RedisError:
            return
        self._thread.join(1.0)

    def read(self) -> None:
        """Read all switches."""
        control: Any = self._client.hgetall(self._keys.control)
        found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        began: dict[str, int] = {}
        for field, value in control.items():
            text = field.decode("utf-8", "replace")
            kind = next((kind for kind in KINDS if text.startswith(kind)), None)
            if kind is not None:
                about = _object(value)
                found[kind][text.removeprefix(kind)] = str(about.get("reason") or KINDS[kind])
                at = about.get("at")
                if isinstance(at, int | float) and isfinite(at):
                    began[text] = int(at)
                else:
                    began[text] = self._paused_at.get(text, now_ms())
        self._paused_at = began
        self.disabled = found["disabled:"]
        self._pause(found["paused:all:"].get(""), found["paused:queue:"], found["paused:job:"])

        orders: Any = self._client.hgetall(self._keys.ended)
        ended = {run.decode("utf-8", "replace"): _object(value) for run, value in orders.items()}
        oldest = (time.time() - ENDED_KEPT) * 1000
        resumed_at = _object(control.get(RESUMED, b"")).get("at")
        paused = self.paused_all is not None or self.paused_queues or self.paused_jobs
        if paused or (resumed_at is not None and not _is_before(resumed_at, oldest)):
            # What a pause has held back may be older than any delay.
            oldest = 0.0
        stale = [run for run, order in ended.items() if _is_before(order.get("at"), oldest)]
        if stale:
            self._client.hdel(self._keys.ended, *stale)
        self.ended = {run: order for run, order in ended.items() if run not in stale}

    def paused_since(self, queue: str) -> int | None:
        """Since when (ms since the epoch) a queue is paused, or everything is; None where neither is."""
        fields = ("paused:all:", f"paused:queue:{queue}")
        return min((self._paused_at[each] for each in fields if each in self._paused_at), default=None)

    def _pause(self, everything: str | None, queues: dict[str, str], jobs: dict[str, str]) -> None:
        ended = set(self.paused_jobs) - set(jobs)
        resumed = ended or set(self.paused_queues) - set(queues) or (self.paused_all and everything is None)
        self.paused_all, self.paused_queues, self.paused_jobs = everything, queues, jobs
        if resumed:
            self.resumed(ended)

    def _run(self) -> None:
        told = False
        while not self._stopping:
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as listener:
                    listener.subscribe(self._keys.signals, self._own_channel)
                    self.read()
                    self._connected.set()
                    told = False
                    self._listen(listener)
            except (redis.RedisError, OSError) as error:
                if told:
                    time.sleep(1.0)
                else:
                    self._logger.warning("Switches cannot be read for now: %s.", error)
                    told = True
            except Exception:
                # Whatever it was: without this thread, no switch would arrive any more.
                self._logger.exception("Listening to switches failed; it begins anew.")
                time.sleep(1.0)

    def _listen(self, listener: Any) -> None:
        heard = time.monotonic()
        asked: float | None = None
        while not self._stopping:
            until = heard + QUIET if asked is None else asked + PATIENCE
            message = listener.get_message(timeout=max(0.0, until - time.monotonic()))
            now = time.monotonic()
            if message is not None:
                heard, asked = now, None
                if message["type"] == "message" and not self._stopping:
                    self._obey(listener, message)
            elif asked is None and now >= until:
                listener.ping()
                asked = now
            elif now >= until:
                raise redis.TimeoutError("the connection has gone silent")

    def _obey(self, listener: Any, message: Any) -> None:
        """Obey a signal, and those that came with it: thousands may, as when all runs of a job are ended."""
        heard: set[bytes] = set()
        for _ in range(MOST):
            if message["type"] == "message":
                heard.add(message["data"])
            message = listener.get_message(timeout=0.0)
            if message is None:
                break
        questions = {signal for signal in heard if signal.startswith(STACK)}
        for question in questions:
            run_id, _, ask = question.removeprefix(STACK).decode("utf-8", "replace").partition(" ")
            self.asked(run_id, ask)
        if b"look" in heard:
            self.resumed(set())
        if heard - questions:
            self.read()


def _nothing(*_: object) -> None:
    """Where no message is held back, and no run is known, there is nothing to do."""


def _is_before(at: object, oldest: float) -> bool:
    return isinstance(at, int | float) and at < oldest


def _object(value: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(value)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
