"""Set waiting work going at once, instead of within a second or so."""

from dataclasses import dataclass

from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.queues import queues
from callboard.core.errors import Unavailable
from callboard.scheduler.relay import BATCH, RedisUnavailable, Relay

#: Seconds for which a queue remembers that its workers are to wake up.
WAKE_S = 60


@dataclass(frozen=True, slots=True)
class Kicked:
    """What was set going, and what is there: `sent` messages that lay in the outbox, and how many now wait
    for a worker, are being worked on, are due later, and are held back (`parked`).

    `workers` is the number of processes that are there to work; `paused` the reason why none does.
    """

    sent: int
    waiting: int
    running: int
    delayed: int
    parked: int
    workers: int
    paused: str | None


def kick(context: Context, principal: Principal) -> Kicked:
    """Send what is due in the outbox, and wake the workers of every queue in which something waits.

    Where nothing waits it does nothing. What is paused stays paused, and what is due later comes later.

    Raises:
        NotAllowed: the role does not include `jobs:run`.
        Unavailable: PostgreSQL or Redis does not answer.
    """
    with audited(context, principal, permission="jobs:run", action="kick", target="queues") as entry:
        relay = Relay(context.writer, context.broker)
        sent = 0
        try:
            while (count := relay.send()) > 0:
                sent += count
                if count < BATCH:
                    break
        except RedisUnavailable as error:
            raise Unavailable(str(error)) from error
        found = queues(context)
        with reaching_redis(), context.redis.pipeline(transaction=False) as pipeline:
            for queue in found:
                if queue.waiting:
                    pipeline.lpush(context.keys.wake(queue.name), "1")
                    pipeline.expire(context.keys.wake(queue.name), WAKE_S)
            pipeline.zcard(context.keys.heartbeats)
            workers = int(pipeline.execute()[-1])
        entry.after = {"sent": sent}
    whole = next((queue.pause for queue in found if queue.pause and queue.pause.scope == "all"), None)
    return Kicked(
        sent=sent,
        waiting=sum(queue.waiting for queue in found),
        running=sum(queue.taken for queue in found),
        delayed=sum(queue.delayed for queue in found),
        parked=sum(queue.parked for queue in found),
        workers=workers,
        paused=whole.reason if whole else None,
    )
