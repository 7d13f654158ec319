"""Outbound messages: what is queued in `"OutboundJob"` is sent by WhatsApp."""

import threading
import time
from collections.abc import Set
from functools import partial
from typing import Any, Final

import dramatiq
from sqlalchemy import Connection

from callboard import cron, current_run, progress
from callboard.actors.apart import apart
from callboard.actors.composing import Composed, compose, decent_hour, says_stop
from callboard.actors.database import engine
from callboard.actors.items import MostFailed
from callboard.actors.outgoing import Tally
from callboard.actors.providers.whatsapp import WhatsApp
from callboard.actors.sending import UNMARKED, Sending
from callboard.actors.settling import Batch, marking, settle
from callboard.actors.uncertain import clear_uncertain, tell_uncertain
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput
from callboard.core.logging import get_logger
from callboard.storage.business import outbound

log = get_logger(__name__)

#: Messages on their way at a time.
THREADS: Final = 16
#: Seconds after which a run begins no other batch; its limit is a minute later.
WORK_S: Final = 240.0
#: Where no mutex says that nobody else works: seconds after which a claim counts as forsaken.
LEASE_S: Final = 120.0
#: Why a message is uncertain that a run had claimed which is no more.
KILLED: Final = "WhatsApp may have it or not: its run was killed before that was noted."
#: Messages that are logged one by one, at most: a run keeps so many lines only.
LOGGED: Final = 100


@dramatiq.actor(
    actor_name="run-outbound-jobs",
    description="Send the WhatsApp messages that are due",
    category="outbound",
    periodic=cron("*/30 * * * * *"),
    misfire="skip",
    time_limit=300_000,
    max_retries=0,
    mutex=True,
    breaker="whatsapp",
    breaker_threshold=3,
    # While WhatsApp is away a run takes its time: failures may be more than the usual window apart.
    breaker_window=300_000,
    when_open="skip",
    notify_shutdown=True,
    # Wrong numbers are no sign that WhatsApp is away.
    throws=MostFailed,
)
def run_outbound_jobs(
    max: int | None = None,  # noqa: A002 - the name that the address has always had
    batch_size: int = 200,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Send the queued messages that are due, until there are none or four minutes are over.

    A message is sent with its idempotency key, the same in every attempt. One that is refused fails at once;
    one that fails otherwise is queued again, for later and later, until its attempts are used up; one that
    WhatsApp may have taken, from this run or from one that was killed, is `uncertain` and not sent again by
    itself. While WhatsApp is away the run fails, and its messages wait without losing an attempt. Nobody is
    written to at night but in answer.

    Args:
        max: the most messages to send in this run; by default all.
        batch_size: how many are claimed at a time.
        dry_run: look which could be sent, and send none.

    Returns:
        `{"processed": sent, "failed": failed for good, "requeued": for a later attempt, "ids": {"processed":
        [...], "failed": [...]}}`, of the ids the first 1,000 each; and `"uncertain"` where there are any.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    if max is not None and max < 0:
        raise ValueError(f"max is {max}; it must be at least 0.")
    tally = Tally()
    if dry_run:
        return _look(tally, batch_size, max) | {"dry_run": True}
    run = current_run()
    # The mutex sees to it that no other run is at work: what is `running` now was left by a dead one.
    lease_s = 0.0 if run is not None and run.fence else LEASE_S
    with engine().begin() as connection:
        clear_uncertain(connection)
        if not outbound.count_due(connection) and not outbound.any_forsaken(connection, lease_s):
            return tally.result()
    provider = WhatsApp()
    careful = not provider.repeatable
    with engine().begin() as connection:
        left = _take_over(connection, lease_s, careful=careful)
        due = outbound.count_due(connection)
    total = due if max is None or max > due else max
    until = time.monotonic() + WORK_S
    at_once = min(batch_size, UNMARKED) if careful else batch_size
    with Sending(partial(_send, provider), threads=THREADS, until=until, careful=careful) as sending:
        while time.monotonic() < until:
            limit = at_once if max is None else min(at_once, max - tally.tried)
            if limit < 1 or not apart(partial(_batch, limit, provider, sending, tally)):
                break
            done = tally.tried
            progress(done, total if total > done else done, "messages sent")
    tally.uncertain += left
    return tally.outcome()


def _take_over(connection: Connection, lease_s: float, *, careful: bool) -> int:
    """See to what runs that were killed had claimed; returns how many messages of it are uncertain."""
    if not careful:
        outbound.give_back(connection, lease_s)
        return 0
    left = outbound.set_apart(connection, lease_s, KILLED)
    if left:
        tell_uncertain(connection)
        log.warning(
            "[JOB-RUNNER] %d job(s) are uncertain: %s", left, KILLED, action="outbound_uncertain", left=left
        )
    return left


def _send(provider: WhatsApp, message: Composed) -> str:
    if message.template is None:
        return provider.send_text(message.to, message.text, key=message.key)
    name, language, parameters = message.template
    return provider.send_template(message.to, name, parameters, language=language, key=message.key)


def _batch(limit: int, provider: WhatsApp, sending: Sending, tally: Tally, stop: threading.Event) -> bool:
    """Claim a batch, send it and mark it; False where none is due. Raises ServiceError: WhatsApp is away."""
    with engine().begin() as connection:
        rows = outbound.claim(connection, limit)
    if not rows:
        return False
    log.info("[JOB-RUNNER] Processing %d job(s)", len(rows), action="outbound_batch")
    stops = {row.customer_id: row.created_at for row in rows if row.customer_id and says_stop(row)}
    batch = Batch(rows, repeatable=provider.repeatable)
    try:
        with engine().begin() as connection:
            stopped = outbound.withdraw_consent(connection, stops)
        messages = _compose(batch, stopped, logged=LOGGED - tally.tried)
        with marking() as mark:
            sending.send(messages, batch.sent, mark, stop)
    finally:
        # What has gone out is marked by now; the rest must not be left claimed.
        settle(batch, tally, logged=LOGGED - tally.tried)
    if batch.sent.outage is not None:
        raise batch.sent.outage
    return True


def _compose(batch: Batch, stopped: Set[int], *, logged: int) -> list[Composed]:
    """The messages that can go out now; of the others it is noted what is to become of them."""
    messages, now = [], utcnow()
    for number, row in enumerate(batch.rows):
        if number < logged:
            log.info(
                "[JOB-RUNNER] Processing job %d (requestId: %s)",
                row.id,
                row.request_id,
                action="outbound_processing",
            )
        try:
            message = compose(row, stopped=row.customer_id in stopped)
        except BadInput as error:
            batch.sent.refused[row.id] = str(error)
            continue
        except Exception as error:  # noqa: BLE001 - the orchestrator may fail at one message
            batch.sent.failed[row.id] = error
            continue
        at = decent_hour(row, now)
        if at > now:
            batch.put_off[row.id] = at
            continue
        messages.append(message)
        if number < logged:
            log.info("[JOB-RUNNER] Sending outbound for job %d", row.id, action="outbound_sending")
    return messages


def _look(tally: Tally, batch_size: int, most: int | None) -> dict[str, Any]:
    """What a run would do: how many it would send, and which could never be."""
    after = 0
    while most is None or tally.tried < most:
        limit = batch_size if most is None else min(batch_size, most - tally.tried)
        with engine().connect() as connection:
            rows = outbound.look(connection, after, limit)
        if not rows:
            break
        after = rows[-1].id
        batch = Batch(rows)
        good = _compose(batch, frozenset(), logged=0)
        later = len(batch.sent.failed) + len(batch.put_off)
        tally.add([message.id for message in good], sorted(batch.sent.refused), later)
    return tally.result()
