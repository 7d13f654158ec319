"""Bounds how many runs of a kind go on at a time, and how many begin in a minute, across the fleet.

A run that finds its limit used up is parked: it holds no thread and burns no attempt. The slot of a worker
that died is free within its lease.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import redis
from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.core.logging import get_logger
from callboard.core.plain import words
from callboard.core.states import RunState
from callboard.middleware import mutex
from callboard.middleware.delivery import Delivery, Hold
from callboard.middleware.options import refuse
from callboard.middleware.scripts import load_script
from callboard.middleware.skips import park, skip
from callboard.middleware.templates import check_template, fill

#: The largest bounds.
MOST = 1_000_000

_USE = '{"key": "tenant:{tenant_id}", "concurrent": 4, "per_minute": 600} or a list of such'


class Limits(Middleware):
    """The actor option `limit`: one or several of {key, concurrent, per_minute}.

    The key may contain the names of arguments, and is shared by all jobs that name it; without one it is the
    job's name. One of the two numbers is enough.
    """

    def __init__(self) -> None:
        self._logger = get_logger(__name__)

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"limit"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        if "limit" not in actor.options:
            return
        for limit in _listed(actor.options["limit"]):
            if not _is_limit(limit):
                raise refuse(actor, "limit", _USE)
            check_template(actor, "limit", limit.get("key", ""))

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        self._take = load_script(broker.client, "limit")

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not isinstance(message, Delivery) or message.execution is None:
            return
        actor = broker.get_actor(message.actor_name)
        limits = actor.options.get("limit")
        if not limits:
            return
        try:
            bounds = [
                (fill(limit.get("key", message.actor_name), actor, message), limit)
                for limit in _listed(limits)
            ]
        except Exception as error:
            message.fail()
            reason = f"the limit {limits} does not fit the arguments: {words(error)}"
            raise skip(message, reason, RunState.DEAD) from error
        token = f"{message.message_id}:{uuid4()}"
        arguments: list[str | int] = [token, mutex.LEASE]
        for name, limit in bounds:
            arguments += [name, limit.get("concurrent") or 0, limit.get("per_minute") or 0]
        try:
            used_up, second = self._take(keys=[broker.namespace], args=arguments)
        except redis.RedisError as error:
            self._logger.warning("A limit cannot be asked for now: %s. Its run waits.", error)
            used_up, second = 1, 0
        if used_up:
            name = bounds[used_up - 1][0]
            raise park(message, f"limit|{name}", f"limit: {name} is used up", "limit")
        held = (
            Hold(
                "limit",
                name,
                token,
                leased="concurrent" in limit,
                counted=second if "per_minute" in limit else 0,
            )
            for name, limit in bounds
        )
        message.execution.holds = (*message.execution.holds, *held)


def _listed(limits: Any) -> list[Any]:
    return list(limits) if isinstance(limits, list | tuple) else [limits]


def _is_limit(limit: Any) -> bool:
    return (
        isinstance(limit, Mapping)
        and set(limit) <= {"key", "concurrent", "per_minute"}
        and isinstance(limit.get("key", ""), str)
        and any(limit.get(bound) for bound in ("concurrent", "per_minute"))
        and all(_is_bound(limit[bound]) for bound in ("concurrent", "per_minute") if bound in limit)
    )


def _is_bound(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST
