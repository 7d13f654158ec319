"""The e-mail queue: claimed by a run, sent, and marked one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text

from callboard.core.limits import storable

COUNT = text("""
SELECT count(*) FROM business.email_queue
 WHERE status = 'pending' AND run_at <= now() AND claimed_at IS NULL
""")
FIELDS = """e.id, e.to_address, e.subject, e.body, e.message_id, e.attempts, e.max_attempts, e.created_at
     , e.claimed_at, e.created_at < now() - interval '1 day' AS old"""
CLAIM = text(f"""
  WITH due AS (
SELECT id
  FROM business.email_queue
 WHERE status = 'pending' AND run_at <= now() AND claimed_at IS NULL
 ORDER BY run_at, id
 LIMIT :limit
   FOR UPDATE SKIP LOCKED
     )
UPDATE business.email_queue e
   SET claimed_at = now(), attempts = attempts + 1
  FROM due
 WHERE e.id = due.id
RETURNING {FIELDS}
""")
LOOK = text(f"""
SELECT {FIELDS}
  FROM business.email_queue e
 WHERE e.status = 'pending' AND e.run_at <= now() AND e.claimed_at IS NULL AND e.id > :after
 ORDER BY e.id
 LIMIT :limit
""")
#: A worker that died is no fault of the letter: that attempt does not count.
GIVE_BACK = text("""
UPDATE business.email_queue
   SET claimed_at = NULL, attempts = greatest(attempts - 1, 0)
 WHERE id IN (
       SELECT id
         FROM business.email_queue
        WHERE status = 'pending' AND claimed_at <= now() - make_interval(secs => :lease_s)
          FOR UPDATE SKIP LOCKED
       )
""")
#: Sent is sent, whoever has the row by now.
SENT = text("""
UPDATE business.email_queue
   SET status = 'sent', sent_at = now(), claimed_at = NULL, error = NULL
 WHERE id = :id AND status <> 'sent'
""")
FAILED = text("""
UPDATE business.email_queue
   SET status = 'failed', claimed_at = NULL, error = :error
 WHERE id = :id AND status = 'pending' AND claimed_at = :claimed_at
""")
AGAIN = text("""
UPDATE business.email_queue
   SET run_at = now() + make_interval(secs => :delay_s), claimed_at = NULL, error = :error
 WHERE id = :id AND status = 'pending' AND claimed_at = :claimed_at
""")
RELEASE = text("""
UPDATE business.email_queue
   SET claimed_at = NULL, attempts = greatest(attempts - 1, 0)
     , run_at = CASE WHEN id = :behind THEN now() + interval '1 minute' ELSE run_at END
 WHERE id = ANY(:ids) AND status = 'pending' AND claimed_at = :claimed_at
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("behind", type_=BigInteger))


def count_due(connection: Connection) -> int:
    """How many letters are due."""
    count: int = connection.execute(COUNT).scalar_one()
    return count


def give_back(connection: Connection, lease_s: float) -> int:
    """Let go of what runs that are no more had claimed at least so many seconds ago. Returns how many."""
    return connection.execute(GIVE_BACK, {"lease_s": lease_s}).rowcount


def claim(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Letters that are due, the caller's from now on.

    They have `id, to_address, subject, body, message_id, attempts` (this one included), `max_attempts,
    created_at, claimed_at` and `old`: queued more than a day ago. All of a claim have the same `claimed_at`,
    which proves to the statements below that a letter is still the caller's.
    """
    rows = connection.execute(CLAIM, {"limit": limit}).all()
    return sorted(rows, key=lambda row: int(row.id))


def look(connection: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    """Letters that are due, in the order of their ids, with the same columns, left as they are."""
    return connection.execute(LOOK, {"after": after, "limit": limit}).all()


def mark_sent(connection: Connection, letter: int) -> None:
    """Mark a letter as sent."""
    connection.execute(SENT, {"id": letter})


def mark_failed(connection: Connection, letter: int, claimed_at: datetime, error: str) -> None:
    """Mark a letter as failed for good."""
    connection.execute(FAILED, {"id": letter, "claimed_at": claimed_at, "error": storable(error)})


def send_again(connection: Connection, letter: int, claimed_at: datetime, error: str, delay_s: float) -> None:
    """Have a letter sent again in so many seconds."""
    values = {"id": letter, "claimed_at": claimed_at, "error": storable(error), "delay_s": delay_s}
    connection.execute(AGAIN, values)


def release(
    connection: Connection, claimed_at: datetime, letters: Sequence[int], *, behind: int | None = None
) -> None:
    """Give letters back as if they had not been claimed; the one that is `behind` lets others go first."""
    connection.execute(RELEASE, {"ids": list(letters), "claimed_at": claimed_at, "behind": behind})
