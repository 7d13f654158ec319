"""From PostgreSQL to the fleet: what is switched off or paused, and which runs must not go on.

Workers read neither from PostgreSQL. What they obey is in Redis: a hash of switches, a hash of ended runs,
and a channel that says when either has changed.
"""

from typing import Any, cast
from uuid import UUID

import orjson
from redis import Redis
from sqlalchemy import Connection, Engine

from callboard.core.keys import Keys
from callboard.core.logging import get_logger
from callboard.middleware.switches import KINDS, RESUMED, order_end
from callboard.storage.signals import Signal, disabled_jobs, mark_signalled, pauses, take_signals

log = get_logger(__name__)

#: The most signals sent in one transaction.
BATCH = 1_000


def sync_switches(engine: Engine, client: Redis, keys: Keys) -> int:
    """Make the switches in Redis equal to those in PostgreSQL. Returns how many differed.

    Raises:
        redis.RedisError, sqlalchemy.exc.SQLAlchemyError: nothing was changed; call again later.
    """
    with engine.begin() as connection:
        wanted = _wanted(connection)
        control = cast(dict[bytes, bytes], client.hgetall(keys.control))
        ours = tuple(kind.encode() for kind in KINDS)
        found = {field: value for field, value in control.items() if field.startswith(ours)}
        changed = {field: value for field, value in wanted.items() if found.get(field) != value}
        gone = [field for field in found if field not in wanted]
        if not changed and not gone:
            return 0
        with client.pipeline(transaction=True) as pipeline:
            if any(field.startswith(b"paused:") for field in gone):
                seconds, _ = client.time()
                changed[RESUMED] = orjson.dumps({"at": seconds * 1000})
            if changed:
                pipeline.hset(keys.control, mapping=cast(Any, changed))
            if gone:
                pipeline.hdel(keys.control, *gone)
            pipeline.publish(keys.signals, "control")
            pipeline.execute()
    log.info("Switches passed on to the fleet.", action="switches_sent", off=len(changed), on=len(gone))
    return len(changed) + len(gone)


def _wanted(connection: Connection) -> dict[bytes, bytes]:
    """The fields of the control hash that are to be there."""
    fields: dict[str, dict[str, Any]] = {
        f"disabled:{switch.job_name}": {
            "reason": switch.reason or KINDS["disabled:"],
            "by": switch.by,
            "at": switch.at,
        }
        for switch in disabled_jobs(connection)
    }
    for pause in pauses(connection):
        about = {"reason": pause.reason, "by": pause.by, "at": pause.at}
        fields[f"paused:{pause.scope}:{pause.name}"] = about
    return {field.encode(): orjson.dumps(about) for field, about in fields.items()}


def send_signals(engine: Engine, client: Redis, keys: Keys) -> int:
    """Tell the fleet of runs that were ended. Returns how many signals were sent.

    Raises:
        redis.RedisError, sqlalchemy.exc.SQLAlchemyError: the signals stay; sent twice they do no harm.
    """
    with engine.begin() as connection:
        signals = take_signals(connection, BATCH)
        if not signals:
            return 0
        with client.pipeline(transaction=True) as pipeline:
            for signal in signals:
                run_id = _run_id(signal)
                if run_id is None:
                    log.error("A signal names no run.", action="signal_dropped", signal=signal.id)
                    continue
                order = {name: signal.payload.get(name) for name in ("state", "reason", "by")}
                order_end(pipeline, keys, run_id, {**order, "at": signal.at})
            pipeline.execute()
        mark_signalled(connection, [signal.id for signal in signals])
    return len(signals)


def _run_id(signal: Signal) -> str | None:
    try:
        return str(UUID(str(signal.payload["run_id"])))
    except (KeyError, TypeError, ValueError):
        return None
