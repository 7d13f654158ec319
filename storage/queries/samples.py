"""How queues stood: their samples of every ten seconds, and what those of an hour add up to."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

HOUR = timedelta(hours=1)

SAMPLES = text("""
SELECT q.queue, f.at AS first_at, f.depth AS first_depth, f.dead AS first_dead
     , coalesce((SELECT min(s.at)
                   FROM callboard.queue_samples s
                  WHERE s.queue = q.queue AND s.at > coalesce(z.at, :day)), NULL) AS since
  FROM unnest(cast(:queues AS text[])) AS q (queue)
  LEFT JOIN LATERAL (SELECT at, depth, dead
                       FROM callboard.queue_samples s
                      WHERE s.queue = q.queue AND s.at >= :start
                      ORDER BY at
                      LIMIT 1) f ON true
  LEFT JOIN LATERAL (SELECT at
                       FROM callboard.queue_samples s
                      WHERE s.queue = q.queue AND s.at >= :day AND s.depth = 0
                      ORDER BY at DESC
                      LIMIT 1) z ON true
""")

DEPTHS = text("""
SELECT queue, date_bin(cast(:width AS interval), at, timestamptz 'epoch') AS at
     , avg(depth)::float8 AS depth, max(depth) AS peak, avg(parked)::float8 AS parked
     , avg(in_flight)::float8 AS in_flight, avg(busy)::float8 AS busy, avg(slots)::float8 AS slots
     , max(dead) AS dead
  FROM callboard.queue_samples
 WHERE at >= :start AND (cast(:queue AS text) IS NULL OR queue = :queue)
 GROUP BY 1, 2
 ORDER BY 1, 2
""")

DEPTHS_BY_HOUR = text("""
SELECT queue, date_bin(cast(:width AS interval), bucket, timestamptz 'epoch') AS at
     , sum(depth_sum)::float8 / sum(samples) AS depth, max(depth_max) AS peak
     , sum(parked_sum)::float8 / sum(samples) AS parked
     , sum(in_flight_sum)::float8 / sum(samples) AS in_flight
     , sum(busy_sum)::float8 / sum(samples) AS busy, sum(slots_sum)::float8 / sum(samples) AS slots
     , max(dead_max) AS dead
  FROM callboard.queue_sample_hours
 WHERE bucket >= :start AND (cast(:queue AS text) IS NULL OR queue = :queue)
 GROUP BY 1, 2
 ORDER BY 1, 2
""")

LATELY = text("""
SELECT at, depth FROM callboard.queue_samples WHERE queue = :queue AND at >= :start ORDER BY at
""")

MEANS = text("""
SELECT count(*) AS samples, min(at) AS first_at, max(at) AS last_at
     , avg(depth)::float8 AS depth, avg(parked)::float8 AS parked
  FROM callboard.queue_samples
 WHERE queue = :queue AND at >= :start
""")

MEANS_BY_HOUR = text("""
SELECT coalesce(sum(samples), 0)::bigint AS samples, min(first_at) AS first_at, max(last_at) AS last_at
     , sum(depth_sum)::float8 / sum(samples) AS depth, sum(parked_sum)::float8 / sum(samples) AS parked
  FROM callboard.queue_sample_hours
 WHERE queue = :queue AND bucket >= :start
""")


def sampled(
    connection: Connection, queues: Sequence[str], *, start: datetime, day: datetime
) -> dict[str, Row]:
    """By queue: the first sample since `start`, and since when (at most since `day`) work has waited."""
    values = {"queues": list(queues), "start": start, "day": day}
    return {row["queue"]: row for row in connection.execute(SAMPLES, values).mappings()}


def by_hour(width: timedelta) -> bool:
    """Whether buckets of that width are made of hours, which are kept for longer than samples."""
    return not width % HOUR


def depths(
    connection: Connection, *, width: timedelta, start: datetime, queue: str | None = None
) -> Sequence[Row]:
    """One row a queue and bucket of that width (counted from the Unix epoch) with samples, in their order.

    Where the buckets are made of hours, `start` is the start of one.
    """
    query = DEPTHS_BY_HOUR if by_hour(width) else DEPTHS
    return connection.execute(query, {"width": width, "start": start, "queue": queue}).mappings().all()


def lately(connection: Connection, queue: str, *, start: datetime) -> list[tuple[datetime, int]]:
    """Moment and depth of each sample of a queue since then, the oldest first."""
    rows = connection.execute(LATELY, {"queue": queue, "start": start})
    return [(row.at, row.depth) for row in rows]


def means(connection: Connection, queue: str, *, start: datetime) -> Row:
    """One row: how many samples there are since then, from when to when, and what waited on average."""
    whole = start == start.replace(minute=0, second=0, microsecond=0)
    query = MEANS_BY_HOUR if whole else MEANS
    return connection.execute(query, {"queue": queue, "start": start}).mappings().one()
