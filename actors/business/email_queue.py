"""E-mail: what is queued in `business.email_queue` is sent by SMTP."""

import threading
import time
from functools import partial
from typing import Any, Final

import dramatiq

from callboard import cron, current_run, progress
from callboard.actors.apart import apart
from callboard.actors.database import engine
from callboard.actors.items import MostFailed
from callboard.actors.outgoing import Tally, delay_s, patiently
from callboard.actors.providers.errors import Deferred, Denied, Refused, Unreachable
from callboard.actors.providers.mail import Letter, Mailer
from callboard.core.error_words import words_of
from callboard.core.logging import get_logger
from callboard.storage.business import email_queue

log = get_logger(__name__)

#: Seconds after which a run begins no other letter; its limit is a minute later.
WORK_S: Final = 240.0
#: Where no mutex says that nobody else works: seconds after which a claim counts as forsaken.
LEASE_S: Final = 600.0
#: Letters that are logged one by one, at most.
LOGGED: Final = 100


@dramatiq.actor(
    actor_name="process-email-queue",
    description="Send the e-mail that is due",
    category="email",
    periodic=cron("* * * * *"),
    misfire="skip",
    time_limit=300_000,
    max_retries=0,
    mutex=True,
    breaker="mail",
    breaker_threshold=3,
    # A run a minute: failures that follow each other are more than the usual window apart.
    breaker_window=300_000,
    when_open="skip",
    notify_shutdown=True,
    # Wrong addresses are no sign that the mail server is away.
    throws=MostFailed,
)
def process_email_queue(
    max: int | None = None,  # noqa: A002 - as of run-outbound-jobs
    batch_size: int = 50,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Send the queued letters that are due, until there are none or four minutes are over.

    Each is marked as soon as the mail server has taken it, and has the same Message-ID in every attempt. One
    that is refused (5xx) fails at once; one that is deferred (4xx) is sent again, later and later, until its
    attempts are used up. While the mail server is away the run fails, and no letter loses an attempt.

    Args:
        max: the most letters to send in this run; by default all.
        batch_size: how many are claimed at a time.
        dry_run: count what is due, and send none.

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
        # The mutex sees to it that no other run is at work: what is claimed now was left by a dead one.
        email_queue.give_back(connection, 0.0 if run is not None and run.fence else LEASE_S)
        due = email_queue.count_due(connection)
    if not due:
        return tally.result()
    total = due if max is None or max > due else max
    until = time.monotonic() + WORK_S
    with Mailer() as mailer:
        while time.monotonic() < until:
            limit = batch_size if max is None else min(batch_size, max - tally.tried)
            if limit < 1 or not apart(partial(_batch, limit, mailer, tally, until)):
                break
            progress(tally.tried, total if total > tally.tried else tally.tried, "letters sent")
    return tally.outcome()


def _batch(limit: int, mailer: Mailer, tally: Tally, until: float, stop: threading.Event) -> bool:
    """Claim a batch and send it; False where none is due. Raises ServiceError: the mail server is away."""
    with engine().begin() as connection:
        rows = email_queue.claim(connection, limit)
    if not rows:
        return False
    left, at = [row.id for row in rows], None
    try:
        for row in rows:
            if stop.is_set() or time.monotonic() >= until:
                break
            at = row.id
            _send(mailer, row, tally)
            left.remove(row.id)
    finally:
        with engine().begin() as connection:
            # Perhaps it is this letter that breaks the connection: the others go first next time.
            behind = at if at in left else None
            email_queue.release(connection, rows[0].claimed_at, left, behind=behind)
        tally.add([], [], len(left))
    return True


def _send(mailer: Mailer, row: Any, tally: Tally) -> None:
    try:
        mailer.send(
            Letter(
                to=row.to_address,
                subject=row.subject,
                body=row.body,
                message_id=row.message_id,
                written_at=row.created_at,
            )
        )
    except (Denied, Unreachable) as error:
        if isinstance(error, Denied) or not row.old:
            raise
        # Nothing takes a whole day to come back: perhaps it is this letter that breaks the connection.
        _later(row, error, tally)
    except Refused as error:
        _fail(row, str(error), tally)
    except Deferred as error:
        _later(row, error, tally)
    except Exception as error:
        log.exception("A letter could not be sent.", action="letter_broken", letter=row.id)
        _later(row, error, tally)
    else:
        patiently(partial(_mark_sent, row.id))
        _tell(tally, "Letter %d was sent.", row.id, action="letter_sent")
        tally.add([row.id], [], 0)


def _mark_sent(letter: int) -> None:
    with engine().begin() as connection:
        email_queue.mark_sent(connection, letter)


def _later(row: Any, error: Exception, tally: Tally) -> None:
    if row.attempts >= row.max_attempts:
        _fail(row, f"Given up after {row.attempts} attempts: {words_of(error)}", tally)
        return
    seconds = delay_s(row.attempts, error)
    with engine().begin() as connection:
        email_queue.send_again(connection, row.id, row.claimed_at, words_of(error), seconds)
    words = "Letter %d is sent again in %.0f s: %s"
    _tell(tally, words, row.id, seconds, words_of(error), action="letter_again")
    tally.add([], [], 1)


def _fail(row: Any, error: str, tally: Tally) -> None:
    with engine().begin() as connection:
        email_queue.mark_failed(connection, row.id, row.claimed_at, error)
    _tell(tally, "Letter %d failed: %s", row.id, error, action="letter_failed")
    tally.add([], [row.id], 0)


def _tell(tally: Tally, words: str, *values: Any, action: str) -> None:
    if tally.tried < LOGGED:
        log.info(words, *values, action=action)


def _look(tally: Tally, batch_size: int, most: int | None) -> dict[str, Any]:
    after = 0
    while most is None or tally.tried < most:
        limit = batch_size if most is None else min(batch_size, most - tally.tried)
        with engine().connect() as connection:
            rows = email_queue.look(connection, after, limit)
        if not rows:
            break
        after = rows[-1].id
        tally.add([row.id for row in rows], [], 0)
    return tally.result()
