"""The events that a worker writes to the stream, as compact JSON.

Each is an object with a kind `k`: `run` (a run has come to a state), `note` (a running run says something:
progress and log lines), `lost` (an execution was broken off, as by the death of its worker, and the run goes
again) and `jobs` (the actors that a worker knows). Times are ms since the epoch. A key that would hold
nothing is left out.

Keys of a `run`: id, at (enqueued), job, q (queue), s (state), n (attempt), m (attempts at most), x
(execution id), w (worker), trg (trigger), sch (schedule id), due, by (who asked), rdy (ready), fet
(fetched), sta (started), fin (finished), ms (duration), lim (time limit), args, kw, res (result), prg
(progress), err ([type, text, traceback]), why (reason), rat (retry at), logs ([[at, level, text],
...]), hld (ms for which it was held back before its first start, by cause), dl (the id in Redis of its dead
letter), flw (the chain and the group that it is a part of).
"""

import traceback
from typing import Any

import orjson

from callboard.core.hiding import hide
from callboard.core.limits import MAX_ARGS_BYTES, MAX_ERROR, MAX_RESULT_BYTES, MAX_TRACEBACK, cut
from callboard.core.plain import plain, words
from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery
from callboard.middleware.execution import Execution, now_ms

#: (type, text) of the error that stands for the death of a worker.
WORKER_LOST = ("WorkerLost", "The worker died while the job was running.")


def encode(event: dict[str, Any]) -> bytes:
    """Encode an event; a value that JSON does not know is shown by its `str`."""
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        return orjson.dumps(plain(event))


def started(execution: Execution, worker: str) -> bytes:
    """The event of a run that is being executed."""
    event = _about(execution.message, execution, worker)
    event["s"] = RunState.PROCESSING
    _add_notes(event, execution)
    return encode(event)


def note(execution: Execution) -> bytes:
    """The event of what a running run has said since the last one."""
    message = execution.message
    event = {"k": "note", "id": execution.run_id, "at": message.message_timestamp, "n": execution.attempt}
    _add_notes(event, execution)
    return encode(event)


def finished(delivery: Delivery, worker: str, *, dead: bool) -> bytes:
    """The event of a delivery about to be acknowledged or dead-lettered; b"" if it leaves no trace."""
    if delivery.silent:
        return b""
    execution = delivery.execution or Execution(delivery)
    if delivery.broken_off is not None and not dead:
        return lost(delivery, worker, delivery.broken_off, execution)
    event = _about(delivery, execution, worker)
    error = delivery.exception
    if execution.skip is not None:
        event["s"], event["why"] = execution.skip
    elif delivery.retry is not None and not dead:
        event["s"], event["rat"] = RunState.PENDING, delivery.retry_at
    elif execution.interrupt is not None and error is not None:
        event["s"], event["why"], by = execution.interrupt
        if by:
            event.setdefault("by", by)
    elif dead and execution.started is None:
        event["s"], event["why"] = (
            RunState.DEAD,
            cut(words(error), MAX_ERROR) if error else "refused by a middleware",
        )
    elif dead or error is not None:
        event["s"] = RunState.FAILED
    else:
        event["s"] = RunState.SUCCEEDED
        if execution.result is not None:
            event["res"] = bounded_result(execution.result)
    event["fin"] = execution.finished or now_ms()
    if execution.duration_ms is not None:
        event["ms"] = execution.duration_ms
    if dead and event["s"] in (RunState.FAILED, RunState.DEAD):
        event["dl"] = delivery.redis_id
    if error is not None and execution.skip is None:
        event["err"] = describe_error(error, execution)
    _add_notes(event, execution)
    if execution.progress is not None:
        # Again, even if a note has told it: whoever reads both at once keeps what the outcome says.
        event["prg"] = execution.progress
    return encode(event)


def describe_error(error: BaseException, execution: Execution) -> list[str]:
    """[type, text, traceback] of an exception, within the limits and without secrets."""
    name = type(error).__name__
    text = words(error)
    if name == "TimeLimitExceeded" and execution.limit_ms:
        text = f"Job timeout after {execution.limit_ms / 1000:g} seconds"
    trace = "".join(traceback.format_exception(error, limit=50))
    return [name, cut(hide(text) or name, MAX_ERROR), cut(hide(trace), MAX_TRACEBACK)]


def undecodable(redis_id: str, queue: str, payload: bytes, error: Exception, worker: str) -> bytes:
    """The event of a message that cannot be decoded, and so has no job, no arguments and no id of its own."""
    now = now_ms()
    shown = cut(payload.decode("utf-8", "replace"), 1000)
    return encode(
        {
            "k": "run", "id": redis_id, "at": now, "job": "(undecodable)", "q": queue, "s": RunState.DEAD,
            "n": 1, "w": worker, "fin": now, "dl": redis_id,
            "why": "the message cannot be decoded", "args": [shown], "err":
            [type(error).__name__, cut(str(error), MAX_ERROR), ""],
        }
    )  # fmt: skip


def lost(
    message: Any, worker: str, error: tuple[str, str] = WORKER_LOST, execution: Execution | None = None
) -> bytes:
    """The event of an execution that was broken off: by default because its worker died."""
    event = {
        "k": "lost", "id": message.message_id, "at": message.message_timestamp, "job": message.actor_name,
        "n": message.options.get("retries", 0) + 1, "w": worker, "fin": now_ms(), "err": error,
    }  # fmt: skip
    if execution is not None:
        _add_notes(event, execution)
    return encode(event)


def _about(message: Any, execution: Execution, worker: str) -> dict[str, Any]:
    options = message.options
    event = {
        "k": "run", "id": execution.run_id, "at": message.message_timestamp, "job": execution.job,
        "q": message.queue_name, "n": execution.attempt, "x": execution.execution_id, "w": worker,
        "fet": getattr(message, "fetched", None),
    }  # fmt: skip
    flow = {name: options[name] for name in ("chain", "group") if isinstance(options.get(name), dict)}
    group = options.get("group_completion_uuid")
    if isinstance(group, str):
        following = options.get("group_completion_callbacks")
        listed = following if isinstance(following, list) else []
        flow["group"] = {
            "id": group,
            "then": [
                [each.get("message_id"), each.get("actor_name")] for each in listed if isinstance(each, dict)
            ],
        }
    if flow:
        event["flw"] = flow
    args, kwargs = bounded_arguments(message, getattr(message, "size", 0))
    if args:
        event["args"] = args
    if kwargs or args is not message.args:
        event["kw"] = kwargs
    if execution.started is not None:
        event["sta"] = execution.started
    if execution.attempt == 1 and (held := getattr(message, "held", None)):
        event["hld"] = held
    # Either may have a fraction, or come with the message and be anything.
    limit, attempts = execution.limit_ms, execution.max_attempts
    if limit is not None and 0 <= limit < MAX_NUMBER:
        event["lim"] = int(limit)
    if attempts is not None and 0 <= attempts < MAX_ATTEMPTS:
        event["m"] = int(attempts)
    for key, option, kind in _OPTIONS:
        if option in options and _is_ours(value := options[option], kind):
            event[key] = value
    return event


#: The latest moment (ms since the epoch) that every database driver reads back: the end of the year 9999.
MAX_NUMBER = 253_402_300_799_000

#: The most attempts that the tables hold.
MAX_ATTEMPTS = 2**31

_OPTIONS = (
    ("trg", "trigger", str),
    ("sch", "schedule_id", int),
    ("due", "due_at", int),
    ("by", "requested_by", str),
    ("rdy", "ready_at", int),
)


def _is_ours(value: object, kind: type) -> bool:
    """Whether an option is what Callboard makes of it; applications may use its name for themselves."""
    return type(value) is kind and (not isinstance(value, int) or 0 <= value < MAX_NUMBER)


def _add_notes(event: dict[str, Any], execution: Execution) -> None:
    if execution.progress_new:
        execution.progress_new = False
        event["prg"] = execution.progress
    if len(execution.log_lines) > execution.sent_lines:
        lines = execution.log_lines[execution.sent_lines :]
        event["logs"], event["seq"] = lines, execution.sent_lines
        execution.sent_lines += len(lines)


def bounded_arguments(message: Any, size: int) -> tuple[Any, Any]:
    """A message's arguments as they are recorded: whole, or how many bytes it has."""
    if size <= MAX_ARGS_BYTES:
        return message.args, message.kwargs
    return [f"[cut: a message of {size} bytes]"], {}


def bounded_result(result: Any) -> Any:
    """A result as it is recorded: whole, or its beginning and how many bytes it has."""
    encoded = encode({"r": result})
    if len(encoded) <= MAX_RESULT_BYTES:
        return result
    return {"cut": cut(encoded.decode("utf-8", "replace"), 2000), "bytes": len(encoded)}
