"""Keeps runs from overlapping.

A mutex is a token in Redis with a lease: its holder renews the lease while it runs, and when the holder
dies the mutex is free within the lease. It is released in the step that commits the run, and only by its
holder. Each holder gets a fencing number larger than all before it, with which a resource can refuse a
holder that was thought dead (`callboard.current_run().fence`).
"""

import time
from typing import Any
from uuid import uuid4

import redis
from dramatiq import MessageProxy
from dramatiq.middleware import Interrupt, Middleware

from callboard.core.holds import Cause
from callboard.core.logging import get_logger
from callboard.core.plain import words
from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery, Hold
from callboard.middleware.execution import now_ms
from callboard.middleware.options import check_choice, refuse
from callboard.middleware.scripts import load_script
from callboard.middleware.skips import park, skip
from callboard.middleware.switches import order_end
from callboard.middleware.templates import check_template, fill

#: Milliseconds after which a dead holder's mutex is free.
LEASE = 15_000

#: Seconds for which a mutex whose holder in this process has just ended may still show as taken: it is
#: released in the commit of that run.
LEAVING = 0.25

#: The most mutexes of which that is remembered.
MOST_LEFT = 1_000

#: What becomes of a run that finds its mutex taken.
POLICIES = ("skip", "wait", "buffer_one", "cancel_running")

#: Instead of a fencing number: another run holds the mutex; an earlier execution of the same run does; one
#: waits for it already and no second may; a later run has taken this one's place.
TAKEN, OWN, BUFFERED, REPLACED = 0, -1, -2, -3

#: The reasons recorded for runs that are turned away.
OVERLAP = "overlap: the job is already running"
REASONS = {
    TAKEN: OVERLAP,
    OWN: OVERLAP,
    BUFFERED: "overlap: the job is already running, and another run waits for its end",
    REPLACED: "overlap: a later run has taken its place",
}


class MutexLost(Interrupt):
    """Another run holds the mutex that this one was given: it was out of reach for longer than its lease."""


class Mutex(Middleware):
    """The actor options `mutex` and `overlap`.

    `mutex=True` lets one run of the job go on at a time; a name shares the mutex with other jobs, and may
    contain the names of arguments (`"sync:{tenant_id}"`). What becomes of a run that finds it taken is
    `overlap`: `"skip"`, the default; `"wait"`, as many as there are; `"buffer_one"`: one waits, the others
    are skipped; `"cancel_running"`: the one that runs is cancelled, and the latest takes its place. Waiting
    holds no worker thread and burns no attempt. A run that has begun already, a retry or one whose worker
    died, always waits.
    """

    def __init__(self) -> None:
        self._logger = get_logger(__name__)
        #: Whether the options hold at all.
        self.enabled = True
        #: When holders in this process have ended, by the name of their mutex (s, monotonic).
        self._left: dict[str, float] = {}

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"mutex", "overlap"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        check_choice(actor, "overlap", POLICIES)
        template = actor.options.get("mutex")
        if not isinstance(template, bool | str | None):
            raise refuse(actor, "mutex", "True or a name")
        if isinstance(template, str):
            check_template(actor, "mutex", template)

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        self._acquire = load_script(broker.client, "acquire")

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not self.enabled or not isinstance(message, Delivery) or message.execution is None:
            return
        actor = broker.get_actor(message.actor_name)
        template = message.options.get("mutex", actor.options.get("mutex"))
        if not template:
            return
        try:
            name = message.actor_name if template is True else fill(str(template), actor, message)
        except Exception as error:
            message.fail()
            reason = f"the mutex {template} does not fit the arguments: {words(error)}"
            raise skip(message, reason, RunState.DEAD) from error
        token = f"{message.message_id}:{uuid4()}"
        overlap = message.options.get("overlap", actor.options.get("overlap", "skip"))
        asked = "wait" if message.begun else overlap
        cause: Cause = "overlap" if asked in ("buffer_one", "cancel_running") else "mutex"
        try:
            fence, holder = self._take(broker.namespace, name, message, token, asked)
        except redis.RedisError as error:
            self._logger.warning("A mutex cannot be taken for now: %s. Its run waits.", error)
            raise park(message, f"mutex|{name}", OVERLAP, cause) from None
        if fence > 0:
            message.execution.holds = (*message.execution.holds, Hold("mutex", name, token))
            message.execution.fence = fence
            return
        if fence == TAKEN and overlap == "cancel_running":
            if message.begun:
                # It has held the mutex itself, and so came before whatever holds it now.
                raise skip(message, REASONS[REPLACED])
            self._cancel(broker, holder, message)
        if fence == OWN or (fence == TAKEN and asked != "skip"):
            raise park(message, f"mutex|{name}", OVERLAP, cause)
        raise skip(message, REASONS[fence])

    def after_process_message(self, broker: Any, message: MessageProxy, **outcome: Any) -> None:
        if not isinstance(message, Delivery) or message.execution is None:
            return
        for hold in message.execution.holds:
            if hold.kind == "mutex":
                if len(self._left) >= MOST_LEFT:
                    self._left.clear()
                self._left[hold.name] = time.monotonic()

    def after_skip_message(self, broker: Any, message: MessageProxy) -> None:
        self.after_process_message(broker, message)

    def _take(
        self, namespace: str, name: str, message: Delivery, token: str, overlap: str
    ) -> tuple[int, str]:
        """A fencing number, or what stands for it, and the id of the run that holds the mutex."""
        sent = message.message_timestamp
        arguments: list[str | int] = [name, message.message_id, token, LEASE, overlap, sent]
        fence, holder = self._acquire(keys=[namespace], args=arguments)
        while fence == TAKEN and overlap == "skip" and self._is_leaving(name):
            time.sleep(0.002)
            fence, holder = self._acquire(keys=[namespace], args=arguments)
        self._left.pop(name, None)
        return fence, holder.decode("utf-8", "replace")

    def _is_leaving(self, name: str) -> bool:
        left = self._left.get(name)
        return left is not None and time.monotonic() - left < LEAVING

    def _cancel(self, broker: Any, run_id: str, message: Delivery) -> None:
        """Order the end of the run that holds the mutex."""
        try:
            with broker.client.pipeline() as pipeline:
                order = {"state": "cancelled", "reason": REASONS[REPLACED], "by": message.actor_name}
                order_end(pipeline, broker.keys, run_id, {**order, "at": now_ms()})
                pipeline.execute()
        except redis.RedisError as error:
            self._logger.warning("Run %s cannot be cancelled for now: %s.", run_id, error)
