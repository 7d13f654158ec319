"""Says which jobs a worker knows: the registry is the broker's actors, and nothing is listed twice."""

import inspect
from collections.abc import Mapping
from typing import Any

from dramatiq import Actor

from callboard.middleware import events
from callboard.middleware.options import schedules_of
from callboard.middleware.retries import Retries
from callboard.middleware.time_limit import TimeLimit

#: The longest signature default that is shown.
MAX_DEFAULT = 200


def declaration(broker: Any) -> bytes:
    """The event that declares all actors of a broker."""
    return events.encode({"k": "jobs", "source": broker.source, "jobs": describe_actors(broker)})


def describe_actors(broker: Any) -> list[dict[str, Any]]:
    """Each actor of a broker as `storage.registry.register_jobs` takes it."""
    return [_describe(broker, actor) for actor in broker.actors.values()]


def _describe(broker: Any, actor: Actor[Any, Any]) -> dict[str, Any]:
    options = actor.options
    retries = next((m for m in broker.middleware if isinstance(m, Retries)), Retries())
    time_limit = next((m for m in broker.middleware if isinstance(m, TimeLimit)), TimeLimit())
    limit = options.get("time_limit", time_limit.time_limit)
    return {
        "name": actor.actor_name,
        "queue": actor.queue_name,
        "description": options.get("description") or _first_line(actor.fn),
        "category": options.get("category"),
        "enabled": bool(options.get("enabled", True)),
        "options": {name: _option(name, value) for name, value in options.items() if name != "periodic"},
        "time_limit_ms": None if limit == float("inf") else int(limit),
        "max_attempts": retries.max_attempts(options),
        "signature": _signature(actor.fn),
        "schedules": [
            {
                "key": schedule.name or f"code:{number}",
                "expr": schedule.expr,
                "tz": schedule.tz,
                "args": [],
                "kwargs": {},
                "misfire": options.get("misfire", "run_once"),
                "misfire_limit": options.get("misfire_limit", 100),
                "grace_ms": options.get("grace", 60_000),
            }
            for number, schedule in enumerate(schedules_of(actor), start=1)
        ],
    }


def _option(name: str, value: Any) -> Any:
    """An option as people read it; limits as they are, since the API lists them."""
    if name != "limit" or not value:
        return _plain(value)
    if isinstance(value, Mapping):
        return {part: _plain(bound) for part, bound in value.items()}
    return [_option(name, each) for each in value]


def _first_line(function: Any) -> str | None:
    text = inspect.getdoc(function)
    return text.splitlines()[0] if text else None


def _signature(function: Any) -> list[dict[str, Any]]:
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        required = parameter.default is inspect.Parameter.empty
        annotation = parameter.annotation
        parameters.append(
            {
                "name": parameter.name,
                "kind": parameter.kind.name.lower(),
                "type": None
                if annotation is inspect.Parameter.empty
                else inspect.formatannotation(annotation),
                "default": None if required else _plain(parameter.default),
                "required": required
                and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD),
            }
        )
    return parameters


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)[:MAX_DEFAULT]
