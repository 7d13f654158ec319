"""Outbound messages by what has become of them."""

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

#: Each count finds its rows by an index; the table keeps what was sent long ago.
STATES = text("""
SELECT (SELECT count(*) FROM public."OutboundJob" WHERE status = 'queued') AS queued
     , due.count AS due
     , due.waited_s AS oldest_due_s
     , (SELECT count(*) FROM public."OutboundJob" WHERE status = 'running') AS running
     , (SELECT count(*) FROM public."OutboundJob"
         WHERE status = 'done' AND "completedAt" > now() - interval '1 hour') AS done_last_hour
     , (SELECT count(*) FROM public."OutboundJob"
         WHERE status = 'failed' AND "completedAt" > now() - interval '24 hours') AS failed_last_day
     , (SELECT count(*) FROM public."OutboundJob" WHERE status = 'uncertain') AS uncertain
  FROM (SELECT count(*) AS count, extract(epoch FROM now() - min("runAt"))::float AS waited_s
          FROM public."OutboundJob"
         WHERE status = 'queued' AND "runAt" <= now()) AS due
""")


def states(connection: Connection) -> Row:
    """`queued, due, oldest_due_s` (None: nothing is due), `running, done_last_hour`, and what went wrong:
    `failed_last_day, uncertain`.
    """
    return connection.execute(STATES).mappings().one()
