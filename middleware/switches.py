"""What operators have switched, as this worker process knows it.

The switches live in a hash in Redis, written by the scheduler from PostgreSQL. A worker reads it when it
starts and whenever a signal says that it has changed, so a check costs nothing and a change arrives in
milliseconds. After a lost connection everything is read again.
"""

import json
import threading
import time
from typing import Any

import redis

from callboard.core.keys import Keys
from callboard.core.logging import get_logger

#: Seconds of silence after which the connection is tried, and to wait for what then comes back. A network may
#: swallow one without a sign, and whoever only listens never notices.
QUIET = 15.0
PATIENCE = 5.0

#: The most signals that are answered by reading once.
MOST = 10_000

#: Seconds after which an order to end a run is forgotten: longer than any message may be delayed.
ENDED_KEPT = 8 * 86_400


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
        disabled = {}
        for field, value in control.items():
            kind, _, name = field.decode("utf-8", "replace").partition(":")
            if kind == "disabled":
                disabled[name] = str(_object(value).get("reason") or "the job is switched off")
        self.disabled = disabled

        orders: Any = self._client.hgetall(self._keys.ended)
        ended = {run.decode("utf-8", "replace"): _object(value) for run, value in orders.items()}
        oldest = (time.time() - ENDED_KEPT) * 1000
        stale = [run for run, order in ended.items() if _is_before(order.get("at"), oldest)]
        if stale:
            self._client.hdel(self._keys.ended, *stale)
        self.ended = {run: order for run, order in ended.items() if run not in stale}

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
                    # Thousands may come at once, as when all runs of a job are ended.
                    for _ in range(MOST):
                        if listener.get_message(timeout=0.0) is None:
                            break
                    self.read()
            elif asked is None and now >= until:
                listener.ping()
                asked = now
            elif now >= until:
                raise redis.TimeoutError("the connection has gone silent")


def _is_before(at: object, oldest: float) -> bool:
    return isinstance(at, int | float) and at < oldest


def _object(value: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(value)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
