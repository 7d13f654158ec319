"""Keeps runs from overlapping.

A mutex is a token in Redis with a lease: its holder renews the lease while it runs, and when the holder
dies the mutex is free within the lease. It is released in the step that commits the run, and only by its
holder. Each holder gets a fencing number larger than all before it, with which a resource can refuse a
holder that was thought dead (`callboard.current_run().fence`).
"""

import inspect
import re
import time
from string import Formatter
from typing import Any
from uuid import uuid4

import redis
from dramatiq import MessageProxy
from dramatiq.middleware import Interrupt, Middleware

from callboard.core.errors import BadInput
from callboard.core.limits import storable
from callboard.core.logging import get_logger
from callboard.core.plain import words
from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery
from callboard.middleware.options import check_choice, refuse
from callboard.middleware.scripts import load_script
from callboard.middleware.skips import skip

#: Milliseconds after which a dead holder's mutex is free.
LEASE = 15_000

#: Milliseconds after which a run that waits for a mutex tries again.
WAIT = 1_000

#: Seconds for which a mutex whose holder in this process has just ended may still show as taken: it is
#: released in the commit of that run.
LEAVING = 0.25

#: The most mutexes of which that is remembered.
MOST_LEFT = 1_000

#: Instead of a fencing number: an earlier execution of the same run holds the mutex.
OWN = -1

#: The reason recorded for a run that found its mutex taken.
OVERLAP = "overlap: the job is already running"


class MutexLost(Interrupt):
    """Another run holds the mutex that this one was given: it was out of reach for longer than its lease."""


class Mutex(Middleware):
    """The actor options `mutex` and `overlap`.

    `mutex=True` lets one run of the job go on at a time; a name shares the mutex with other jobs, and may
    contain the names of arguments (`"sync:{tenant_id}"`). With `overlap="skip"`, the default, a run that
    finds the mutex taken is skipped; with `overlap="wait"` it waits without holding a worker thread or
    burning an attempt. So does, in any case, one that has begun already: a retry, or a run whose worker died.
    """

    def __init__(self) -> None:
        self._logger = get_logger(__name__)
        #: When holders in this process have ended, by the key of their mutex (s, monotonic).
        self._left: dict[str, float] = {}

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"mutex", "overlap"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        check_choice(actor, "overlap", ("skip", "wait"))
        template = actor.options.get("mutex")
        if not isinstance(template, bool | str | None):
            raise refuse(actor, "mutex", "True or a name")
        if isinstance(template, str):
            _check_template(template, actor)

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        self._acquire = load_script(broker.client, "acquire")

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not isinstance(message, Delivery) or message.execution is None:
            return
        actor = broker.get_actor(message.actor_name)
        template = message.options.get("mutex", actor.options.get("mutex"))
        if not template:
            return
        try:
            name = _name(template, actor, message)
        except Exception as error:
            message.fail()
            reason = f"the mutex {template} does not fit the arguments: {words(error)}"
            raise skip(message, reason, RunState.DEAD) from error
        key, token = broker.keys.mutex(name), f"{message.message_id}:{uuid4()}"
        fence = self._take([key, broker.keys.fence(name)], token)
        if fence is not None and fence > 0:
            message.execution.mutex = (key, token)
            message.execution.fence = fence
            return
        begun = message.begun or fence == OWN
        overlap = message.options.get("overlap", actor.options.get("overlap", "skip"))
        if fence is None or begun or overlap == "wait":
            since = message.options.get("ready_at", message.message_timestamp)
            follower = message.copy(options={"begun": True}) if begun else message.copy()
            message.retry = broker.follow_up(follower, WAIT, since)
            message.silent = True
        raise skip(message, OVERLAP)

    def after_process_message(self, broker: Any, message: MessageProxy, **outcome: Any) -> None:
        if isinstance(message, Delivery) and message.execution is not None and message.execution.mutex:
            if len(self._left) >= MOST_LEFT:
                self._left.clear()
            self._left[message.execution.mutex[0]] = time.monotonic()

    def after_skip_message(self, broker: Any, message: MessageProxy) -> None:
        self.after_process_message(broker, message)

    def _take(self, keys: list[str], token: str) -> int | None:
        """The fencing number; 0 where another run holds the mutex, or `OWN`; None where nobody can tell."""
        try:
            fence: int = self._acquire(keys=keys, args=[token, LEASE])
            while fence == 0 and self._is_leaving(keys[0]):
                time.sleep(0.002)
                fence = self._acquire(keys=keys, args=[token, LEASE])
        except redis.RedisError as error:
            self._logger.warning("A mutex cannot be taken for now: %s. Its run waits.", error)
            return None
        self._left.pop(keys[0], None)
        return fence

    def _is_leaving(self, key: str) -> bool:
        left = self._left.get(key)
        return left is not None and time.monotonic() - left < LEAVING


def _check_template(template: str, actor: Any) -> None:
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise BadInput(
            f"The actor {actor.actor_name} has mutex={template!r}, which is no template: {error}."
        ) from None
    parameters = inspect.signature(actor.fn).parameters
    for name in names:
        argument = re.split(r"[.\[]", name)[0]
        if argument not in parameters:
            raise BadInput(
                f"The actor {actor.actor_name} has mutex={template!r}, but no argument {argument or name!r};"
                " use the names of its arguments."
            )


def _name(template: str | bool, actor: Any, message: MessageProxy) -> str:
    if template is True:
        return str(message.actor_name)
    if "{" not in str(template):
        return str(template)
    bound = inspect.signature(actor.fn).bind(*message.args, **message.kwargs)
    bound.apply_defaults()
    return storable(str(template).format(**bound.arguments))
