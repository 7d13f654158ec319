"""What becomes of a batch of outbound messages: each is marked with what came of sending it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from callboard.actors.database import engine
from callboard.actors.outgoing import Tally, delay_s, patiently
from callboard.actors.sending import Said, Sent
from callboard.actors.uncertain import tell_uncertain
from callboard.core.error_words import words_of
from callboard.core.logging import get_logger
from callboard.storage.business import outbound

log = get_logger(__name__)


@dataclass(slots=True)
class Batch:
    """The messages of one claim. `repeatable`: the provider delivers once what it is sent twice."""

    rows: Sequence[Any]
    repeatable: bool = True
    sent: Sent = field(default_factory=Sent)
    #: Those for which it is no decent hour, until when.
    put_off: dict[int, datetime] = field(default_factory=dict)


@contextmanager
def marking() -> Iterator[Callable[[Said], None]]:
    """Gives what marks messages that have gone out, as soon as they have, over one connection."""
    # Each statement is committed by itself: a third of the ways to the server and back.
    pool = engine().execution_options(isolation_level="AUTOCOMMIT")
    held: list[Connection] = []

    def mark(said: Said) -> None:
        if not held:
            held.append(pool.connect())
        try:
            outbound.mark_done(held[0], said)
        except IntegrityError:
            # Whatever they are called: they went out all the same.
            outbound.mark_done(held[0], dict.fromkeys(said))
        except (OperationalError, InterfaceError):
            held.pop().invalidate()
            raise

    try:
        yield lambda said: patiently(partial(mark, said))
    finally:
        for connection in held:
            connection.close()


def settle(batch: Batch, tally: Tally, *, logged: int) -> None:
    """Mark what is left of a batch, count it all, and tell of the first `logged` messages."""
    rows, sent = batch.rows, batch.sent
    claimed_at = rows[0].started_at
    failed, later, uncertain = dict(sent.refused), {}, {}
    known = {*sent.done, *sent.refused, *sent.failed, *sent.untried, *batch.put_off}
    # Those that were given up before their turn came, or before they were so much as handed over.
    released = {*sent.untried, *(row.id for row in rows if row.id not in known)}
    for row in rows:
        error = sent.failed.get(row.id)
        if error is None:
            continue
        if not batch.repeatable and getattr(error, "maybe_done", False):
            uncertain[row.id] = f"WhatsApp may have it or not: {words_of(error)}"
        elif sent.outage is not None and not row.old:
            # No message loses an attempt to an outage, unless it has been with us for longer than those last.
            released.add(row.id)
        elif row.attempts >= row.max_attempts:
            failed[row.id] = f"Given up after {row.attempts} attempts: {words_of(error)}"
        else:
            later[row.id] = (words_of(error), delay_s(row.attempts, error))

    def note() -> None:
        outage = sent.outage
        why = None if outage is None else words_of(outage)
        wait_s = 0.0 if outage is None else outage.retry_after or 0.0
        with engine().begin() as connection:
            outbound.mark_failed(connection, claimed_at, failed)
            outbound.mark_uncertain(connection, claimed_at, uncertain)
            if uncertain:
                tell_uncertain(connection)
            outbound.queue_again(connection, claimed_at, later)
            outbound.put_off(connection, claimed_at, batch.put_off)
            outbound.release(connection, claimed_at, sorted(released), why, wait_s)

    patiently(note)
    _tell(batch, failed, later, uncertain, logged=logged)
    again = len(later) + len(released) + len(batch.put_off)
    tally.add(sorted(sent.done), sorted(failed), again, len(uncertain))


def _tell(
    batch: Batch,
    failed: dict[int, str],
    later: dict[int, tuple[str, float]],
    uncertain: dict[int, str],
    *,
    logged: int,
) -> None:
    for row in batch.rows[: logged if logged > 0 else 0]:
        if row.id in batch.sent.done:
            log.info("[JOB-RUNNER] Job %d completed successfully", row.id, action="outbound_done")
        elif row.id in failed:
            log.warning("[JOB-RUNNER] Job %d failed: %s", row.id, failed[row.id], action="outbound_failed")
        elif row.id in uncertain:
            words = uncertain[row.id]
            log.warning("[JOB-RUNNER] Job %d is uncertain: %s", row.id, words, action="outbound_uncertain")
        elif row.id in batch.put_off:
            until = batch.put_off[row.id].isoformat()
            log.info("[JOB-RUNNER] Job %d waits until %s", row.id, until, action="outbound_put_off")
        elif row.id in later:
            error, seconds = later[row.id]
            log.warning(
                "[JOB-RUNNER] Job %d is tried again in %.0f s: %s",
                row.id,
                seconds,
                error,
                action="outbound_again",
            )
