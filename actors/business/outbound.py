"""Outbound messages: what is queued in `"OutboundJob"` is sent by WhatsApp."""

import time
from collections.abc import Sequence
from typing import Any, Final

import dramatiq

from callboard import cron, current_run, progress
from callboard.actors.composing import Composed, compose, says_stop
from callboard.actors.database import engine
from callboard.actors.items import MostFailed
from callboard.actors.outgoing import Tally, delay_s
from callboard.actors.providers.whatsapp import WhatsApp
from callboard.actors.sending import Sending, Sent
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
    one that fails otherwise is queued again, for later and later, until its attempts are used up. While
    WhatsApp is away the run fails, and its messages wait without losing an attempt.

    Args:
        max: the most messages to send in this run; by default all.
        batch_size: how many are claimed at a time.
        dry_run: look which could be sent, and send none.

    Returns:
        `{"processed": sent, "failed": failed for good, "requeued": for a later attempt, "ids": {"processed":
        [...], "failed": [...]}}`, of the ids the first 1,000 each.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    if max is not None and max < 0:
        raise ValueError(f"max is {max}; it must be at least 0.")
    tally = Tally()
    if dry_run:
        return _look(tally, batch_size, max) | {"dry_run": True}
    run = current_run()
    with engine().begin() as connection:
        # The mutex sees to it that no other run is at work: what is `running` now was left by a dead one.
        outbound.give_back(connection, 0.0 if run is not None and run.fence else LEASE_S)
        due = outbound.count_due(connection)
    if not due:
        return tally.result()
    total = due if max is None or max > due else max
    until = time.monotonic() + WORK_S
    provider = WhatsApp()
    with Sending(lambda message: _send(provider, message), threads=THREADS, until=until) as sending:
        while time.monotonic() < until:
            limit = batch_size if max is None else min(batch_size, max - tally.tried)
            with engine().begin() as connection:
                rows = outbound.claim(connection, limit) if limit > 0 else ()
            if not rows:
                break
            _work(rows, sending, tally)
            done = tally.tried
            progress(done, total if total > done else done, "messages sent")
    return tally.outcome()


def _send(provider: WhatsApp, message: Composed) -> str:
    return provider.send_text(message.to, message.text, key=message.key)


def _work(rows: Sequence[Any], sending: Sending, tally: Tally) -> None:
    """Send a batch and mark it. Raises ServiceError where the provider is away."""
    log.info("[JOB-RUNNER] Processing %d job(s)", len(rows), action="outbound_batch")
    stops = {row.customer_id: row.created_at for row in rows if row.customer_id and says_stop(row)}
    sent = Sent()
    try:
        with engine().begin() as connection:
            outbound.withdraw_consent(connection, stops)
        messages = _compose(rows, sent, logged=LOGGED - tally.tried)
        sending.send(messages, sent)
    finally:
        # Also when the run is interrupted: what has gone out must be known to have gone out.
        _mark(rows, sent, tally)
    if sent.outage is not None:
        raise sent.outage


def _compose(rows: Sequence[Any], sent: Sent, *, logged: int) -> list[Composed]:
    messages = []
    for number, row in enumerate(rows):
        if number < logged:
            log.info(
                "[JOB-RUNNER] Processing job %d (requestId: %s)",
                row.id,
                row.request_id,
                action="outbound_processing",
            )
        try:
            messages.append(compose(row))
        except BadInput as error:
            sent.refused[row.id] = str(error)
        except Exception as error:  # noqa: BLE001 - the orchestrator may fail at one message
            sent.failed[row.id] = error
        else:
            if number < logged:
                log.info("[JOB-RUNNER] Sending outbound for job %d", row.id, action="outbound_sending")
    return messages


def _mark(rows: Sequence[Any], sent: Sent, tally: Tally) -> None:
    claimed_at = rows[0].started_at
    failed, later = dict(sent.refused), {}
    released = set(sent.untried)
    if sent.outage is not None:
        # No message loses an attempt to an outage, unless it has been with us for longer than outages last.
        released |= {row.id for row in rows if row.id in sent.failed and not row.old}
    known = {*sent.done, *sent.refused, *sent.failed, *sent.untried}
    # Interrupted before it was so much as handed over.
    released |= {row.id for row in rows if row.id not in known}
    for row in rows:
        error = sent.failed.get(row.id)
        if error is None or row.id in released:
            continue
        if row.attempts >= row.max_attempts:
            failed[row.id] = f"Given up after {row.attempts} attempts: {error}"
        else:
            later[row.id] = (str(error), delay_s(row.attempts, error))
    with engine().begin() as connection:
        outbound.mark_done(connection, sent.done)
        outbound.mark_failed(connection, claimed_at, failed)
        outbound.queue_again(connection, claimed_at, later)
        why = None if sent.outage is None else str(sent.outage)
        outbound.release(connection, claimed_at, sorted(released), why)
    _tell(rows, sent, failed, later, logged=LOGGED - tally.tried)
    tally.add(sorted(sent.done), sorted(failed), len(later) + len(released))


def _tell(rows: Sequence[Any], sent: Sent, failed: Any, later: Any, *, logged: int) -> None:
    for row in rows[: logged if logged > 0 else 0]:
        if row.id in sent.done:
            log.info("[JOB-RUNNER] Job %d completed successfully", row.id, action="outbound_done")
        elif row.id in failed:
            log.warning("[JOB-RUNNER] Job %d failed: %s", row.id, failed[row.id], action="outbound_failed")
        elif row.id in later:
            error, seconds = later[row.id]
            log.warning(
                "[JOB-RUNNER] Job %d is tried again in %.0f s: %s",
                row.id,
                seconds,
                error,
                action="outbound_again",
            )


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
        sent = Sent()
        good = _compose(rows, sent, logged=0)
        tally.add([message.id for message in good], sorted(sent.refused), len(sent.failed))
    return tally.result()
