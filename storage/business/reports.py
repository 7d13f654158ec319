"""Reports of a day: its figures, where they are kept, and who is told."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

FIGURES = text("""
  WITH span AS (
SELECT cast(:day AS date)::timestamp AT TIME ZONE 'UTC' AS since
     , (cast(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC' AS until
     )
SELECT jsonb_build_object(
       'customers', jsonb_build_object(
           'new', (SELECT count(*) FROM business.customers, span
                    WHERE created_at >= since AND created_at < until)),
       'jobs', (SELECT jsonb_build_object('completed', count(*),
                                          'amount_cents', coalesce(sum(amount_cents), 0))
                  FROM business.completed_jobs, span WHERE completed_at >= since AND completed_at < until),
       'opportunities', jsonb_build_object(
           'new', (SELECT count(*) FROM business.opportunities, span
                    WHERE created_at >= since AND created_at < until),
           'won', (SELECT count(*) FROM business.opportunities, span
                    WHERE closed_at >= since AND closed_at < until AND status = 'won'),
           'lost', (SELECT count(*) FROM business.opportunities, span
                     WHERE closed_at >= since AND closed_at < until AND status = 'lost')),
       'messages', (SELECT jsonb_build_object('sent', count(*) FILTER (WHERE status = 'done'),
                                              'failed', count(*) FILTER (WHERE status = 'failed'))
                      FROM business."OutboundJob", span
                     WHERE status IN ('done', 'failed')
                       AND "completedAt" >= since AND "completedAt" < until),
       'points', (SELECT jsonb_build_object('gained', coalesce(sum(points) FILTER (WHERE points > 0), 0),
                                            'spent', coalesce(-sum(points) FILTER (WHERE points < 0), 0))
                    FROM business.points_ledger, span WHERE at >= since AND at < until),
       'portal', (SELECT jsonb_build_object('events', count(*), 'customers', count(DISTINCT customer_id))
                    FROM business.portal_events, span WHERE at >= since AND at < until),
       'solves', (SELECT jsonb_build_object('count', count(*), 'points', coalesce(sum(points), 0))
                    FROM business.challenge_solves, span WHERE solved_at >= since AND solved_at < until)
       )
""")
LAST = text("SELECT max(day) FROM business.reports WHERE kind = 'daily' AND day < :day")
KEEP = text("""
INSERT INTO business.reports AS r (kind, day, content)
VALUES ('daily', :day, :content)
    ON CONFLICT (kind, day, scope) DO UPDATE
   SET content = excluded.content, made_at = now()
 WHERE r.content <> excluded.content
""").bindparams(bindparam("content", type_=JSONB))
TELL = text("""
INSERT INTO business.email_queue (to_address, subject, body, dedupe_key)
SELECT to_address, :subject, :body, :key || ':' || to_address
  FROM jsonb_array_elements_text(:recipients) AS to_address
    ON CONFLICT (dedupe_key) DO NOTHING
""").bindparams(bindparam("recipients", type_=JSONB))


def daily_figures(connection: Connection, day: date) -> dict[str, Any]:
    """What the day (UTC) has brought: counts, points, and amounts in cents, by area."""
    figures: dict[str, Any] = connection.execute(FIGURES, {"day": day}).scalar_one()
    return figures


def last_report(connection: Connection, day: date) -> date | None:
    """The latest day before that one of which there is a report."""
    found = connection.scalar(LAST, {"day": day.isoformat()})
    return None if found is None else date.fromisoformat(found)


def keep_report(connection: Connection, day: date, content: Mapping[str, Any]) -> bool:
    """Keep the day's report, in place of the one that there is; False where it says the same."""
    values = {"day": day.isoformat(), "content": dict(content)}
    return connection.execute(KEEP, values).rowcount > 0


def tell(connection: Connection, key: str, recipients: Sequence[str], subject: str, body: str) -> int:
    """Queue an e-mail to each recipient; once for each key, however often. Returns how many are new."""
    values = {"key": key, "recipients": list(recipients), "subject": subject, "body": body}
    return connection.execute(TELL, values).rowcount
