"""Keeps runs from overlapping.

A mutex is a token in Redis with a lease: its holder renews the lease while it runs, and when the holder
dies the mutex is free within the lease. It is released in the step that commits the run, and only by its
holder. Each holder gets a fencing number larger than all before it, with which a resource can refuse a
holder that was thought dead (`callboard.current_run().fence`).
"""

import inspect
from typing import Any
from uuid import uuid4

from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.core.errors import BadInput
from callboard.middleware.delivery import Delivery
from callboard.middleware.scripts import load_script
from callboard.middleware.skips import skip

#: Milliseconds after which a dead holder's mutex is free.
LEASE = 15_000

#: Milliseconds after which a run that waits for a mutex tries again.
WAIT = 1_000

#: The reason recorded for a run that found its mutex taken.
OVERLAP = "overlap: the job is already running"


class Mutex(Middleware):
    """The actor options `mutex` and `overlap`.

    `mutex=True` lets one run of the job go on at a time; a name shares the mutex with other jobs, and may
    contain the names of arguments (`"sync:{tenant_id}"`). With `overlap="skip"`, the default, a run that
    finds the mutex taken is skipped; with `overlap="wait"` it waits without holding a worker thread or
    burning an attempt.
    """

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"mutex", "overlap"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        overlap = actor.options.get("overlap", "skip")
        if overlap not in ("skip", "wait"):
            raise BadInput(f"The actor {actor.actor_name} has overlap={overlap!r}; use 'skip' or 'wait'.")

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        self._acquire = load_script(broker.client, "acquire")

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not isinstance(message, Delivery) or message.execution is None:
            return
        actor = broker.get_actor(message.actor_name)
        template = message.options.get("mutex", actor.options.get("mutex"))
        if not template:
            return
        name = _name(template, actor, message)
        key, token = broker.keys.mutex(name), str(uuid4())
        fence = self._acquire(keys=[key, broker.keys.fence(name)], args=[token, LEASE])
        if fence:
            message.execution.mutex = (key, token)
            message.execution.fence = fence
        elif message.options.get("overlap", actor.options.get("overlap", "skip")) == "wait":
            message.retry = broker.follow_up(message.copy(), WAIT)
            message.silent = True
            raise skip(message, OVERLAP)
        else:
            raise skip(message, OVERLAP)


def _name(template: str | bool, actor: Any, message: MessageProxy) -> str:
    if template is True:
        return str(message.actor_name)
    if "{" not in str(template):
        return str(template)
    bound = inspect.signature(actor.fn).bind(*message.args, **message.kwargs)
    bound.apply_defaults()
    return str(template).format(**bound.arguments)
