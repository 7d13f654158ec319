"""Text that would like to be more than text, wherever the pages show what others wrote."""

import uuid
from datetime import datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb
from redis import Redis

from callboard.core.keys import Keys
from helpers.fleets import add_process, add_worker, now_ms

#: Markdown, HTML, LaTeX and directives of Streamlit, each of which would ask another host or leave a mark.
MARKUP = (
    "![p](https://evil.example/p.png) <img src=x onerror=pwned=1> <script>pwned=1</script> $x^2$ :red[r]"
    " :material/home: **b** `c` [l](javascript:pwned=1)"
)
#: What is obeyed and not shown: ESC, a space of no width, and what turns the direction of text.
HIDDEN = "\x1b[31m \u200b \u202egpj.exe"
TEXT = f"{MARKUP} {HIDDEN}"
JOB = "<img src=//evil.example onerror=pwned=1> ![p](//evil.example/j) $x^2$ :red[r] \u202egpj.exe"
QUEUE = "_under_.__score__"
NAME = "mallory <img src=x onerror=pwned=1> :red[r] $x^2$"
#: Longer than anybody reads.
ERROR = f"{TEXT}\n" + "![p](https://evil.example/p.png) \u202e" * 30_000 + "the end"
RUN, LETTER, BUSY = (uuid.UUID(int=number, version=4) for number in (0xBAD1, 0xBAD2, 0xBAD3))


def add_hostile(database: psycopg.Connection, client: Redis, keys: Keys, now: datetime) -> int:
    """Put it everywhere; returns the id of a schedule. It fits one database at a time."""
    _jobs(database)
    schedule_id = _schedule(database, now)
    _runs(database, now)
    _people(database)
    for scope, name in (("queue", QUEUE), ("job", JOB)):
        database.execute(
            "INSERT INTO callboard.pauses (scope, name, reason, paused_by) VALUES (%s, %s, %s, %s)",
            (scope, name, TEXT, NAME),
        )
    _alerts(database)
    _redis(client, keys)
    return schedule_id


def remove_hostile(database: psycopg.Connection) -> None:
    """Take it out of the database again."""
    for rows, value in (
        ("pauses WHERE reason = %s", TEXT),
        ("silences WHERE reason = %s", TEXT),
        ("alerts WHERE subject = %s", TEXT),
        ("bulk_actions WHERE requested_by = %s", NAME),
        ("audit WHERE who = %s", NAME),
        ("tokens WHERE name = %s", NAME),
        ("users WHERE name = %s", NAME),
        ("occurrences WHERE job_name = %s", JOB),
        ("schedules WHERE job_name = %s", JOB),
        ("attempts WHERE error = %s", ERROR),
        ("log_lines WHERE message = %s", TEXT),
        ("runs WHERE job = %s", JOB),
        ("rollups WHERE job = %s", JOB),
        ("jobs WHERE name = %s", JOB),
    ):
        database.execute(f"DELETE FROM callboard.{rows}", (value,))
    database.execute("DELETE FROM cron_job_config WHERE job_name = %s", (JOB,))


def _jobs(database: psycopg.Connection) -> None:
    database.execute(
        "INSERT INTO callboard.jobs (name, queue, description, category, source, options, signature)"
        " VALUES (%s, %s, %s, %s, '', %s, %s)",
        (
            JOB,
            QUEUE,
            TEXT,
            MARKUP[:60],
            Jsonb({"breaker": TEXT, "note": TEXT}),
            Jsonb([{"name": TEXT, "kind": "keyword", "type": TEXT, "default": TEXT, "required": False}]),
        ),
    )
    database.execute(
        "INSERT INTO cron_job_config (job_name, enabled, notes) VALUES (%s, false, %s)", (JOB, TEXT)
    )


def _schedule(database: psycopg.Connection, now: datetime) -> int:
    row = database.execute(
        "INSERT INTO callboard.schedules (job_name, key, expr, args, changed_by)"
        " VALUES (%s, %s, '0 3 * * *', %s, %s) RETURNING id",
        (JOB, TEXT, Jsonb([TEXT]), NAME),
    ).fetchone()
    assert row is not None
    database.execute(
        "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason)"
        " VALUES (%s, %s, %s, 'missed', %s)",
        (row[0], now - timedelta(minutes=5), JOB, TEXT),
    )
    return int(row[0])


def _runs(database: psycopg.Connection, now: datetime) -> None:
    values = {
        "now": now,
        "begun": now - timedelta(minutes=3),
        "job": JOB,
        "queue": QUEUE,
        "text": TEXT,
        "error": ERROR,
        "json": Jsonb([TEXT]),
        "progress": Jsonb({"done": 1, "total": 2, "note": TEXT}),
        "run": RUN,
        "letter": LETTER,
        "busy": BUSY,
    }
    database.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts"
        ", started_at, attempt_started_at, finished_at, duration_ms, worker, requested_by, reason"
        ", error_type, error, traceback, progress, args, result, fingerprint, dead_letter)"
        " VALUES (%(run)s, %(begun)s, %(job)s, %(queue)s, 'failed', 19, 1, 1, %(begun)s, %(begun)s, %(now)s"
        ", 5, %(text)s, %(text)s, %(text)s, %(text)s, %(error)s, %(error)s, NULL, %(json)s, %(json)s, NULL"
        ", NULL)"
        ", (%(letter)s, %(begun)s, %(job)s, %(queue)s, 'dead', 19, 1, 1, %(begun)s, %(begun)s, %(now)s"
        ", 5, %(text)s, %(text)s, %(text)s, %(text)s, %(error)s, NULL, NULL, '[]', NULL, 'bad', 'bad')"
        ", (%(busy)s, %(begun)s, %(job)s, %(queue)s, 'processing', 15, 1, 1, %(begun)s, %(begun)s, NULL"
        ", NULL, %(text)s, %(text)s, NULL, NULL, NULL, NULL, %(progress)s, %(json)s, NULL, NULL, NULL)",
        values,
    )
    # So many successes of twenty seconds, and after them one of ten minutes, which is out of the ordinary
    database.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, ready_at"
        ", started_at, attempt_started_at, finished_at, wait_ms, duration_ms, requested_by)"
        " SELECT gen_random_uuid(), at, %(job)s, %(queue)s, 'succeeded', 19, 1, at, at, at"
        ", at + took * interval '1 ms', 0, took, %(text)s"
        "  FROM (SELECT %(now)s - number * interval '20 min' AS at"
        "             , CASE number WHEN 1 THEN 600000 ELSE 20000 + number END AS took"
        "          FROM generate_series(1, 30) AS number) AS given",
        values,
    )
    database.execute(
        "INSERT INTO callboard.rollups (width_s, bucket, job, queue, succeeded)"
        " VALUES (86400, date_trunc('day', %(now)s, 'UTC'), %(job)s, %(queue)s, 30)",
        values,
    )
    database.execute(
        "INSERT INTO callboard.attempts (run_id, enqueued_at, attempt, execution_id, state, started_at"
        ", worker, error_type, error)"
        " VALUES (%(run)s, %(begun)s, 1, %(run)s, 'failed', %(begun)s, %(text)s, %(text)s, %(error)s)",
        values,
    )
    database.execute(
        "INSERT INTO callboard.log_lines (run_id, enqueued_at, attempt, seq, at, level, message)"
        " VALUES (%(run)s, %(begun)s, 1, 1, %(begun)s, 'info', %(text)s)",
        values,
    )


def _people(database: psycopg.Connection) -> None:
    database.execute(
        "INSERT INTO callboard.users (name, role, issuer, subject) VALUES (%s, 'viewer', %s, 'x')",
        (NAME, TEXT),
    )
    database.execute(
        "INSERT INTO callboard.tokens (name, role, token_sha256, jobs, created_by)"
        " VALUES (%s, 'viewer', 'x', %s, %s)",
        (NAME, [JOB], NAME),
    )
    database.execute(
        "INSERT INTO callboard.audit (who, origin, address, action, target, before, after, outcome)"
        " VALUES (%s, 'api', %s, %s, %s, %s, %s, 'refused')",
        (NAME, TEXT, TEXT, JOB, Jsonb({TEXT: TEXT}), Jsonb({"note": ERROR})),
    )
    database.execute(
        "INSERT INTO callboard.bulk_actions (what, filter, requested_by, state, total, last_error)"
        " VALUES ('requeue', '{}', %s, 'running', 3, %s)",
        (NAME, TEXT),
    )


def _alerts(database: psycopg.Connection) -> None:
    for over in (False, True):
        database.execute(
            "INSERT INTO callboard.alerts (kind, subject, severity, message, details, opened_at, resolved_at"
            ", acknowledged_at, acknowledged_by, ack_note) VALUES (%s, %s, 'critical', %s, %s"
            ", now() - interval '1 hour', CASE WHEN %s THEN now() END, now(), %s, %s)",
            (MARKUP, TEXT, ERROR, Jsonb({TEXT: TEXT}), over, NAME, TEXT),
        )
    database.execute(
        "INSERT INTO callboard.silences (kind, subject, from_at, until_at, reason, created_by)"
        " VALUES (%s, %s, now(), now() + interval '1 hour', %s, %s)",
        (MARKUP, TEXT, TEXT, NAME),
    )


def _redis(client: Redis, keys: Keys) -> None:
    now = now_ms(client)
    client.sadd(keys.breakers, TEXT)
    client.hset(
        keys.breaker(TEXT),
        mapping={"state": "open", "until": now + 90_000, "opened_at": now - 9_000, "cause": ERROR},
    )
    client.hset(keys.rate(TEXT), str(now // 1000), 3)
    client.zadd(keys.slots(TEXT), {f"{BUSY}:1": now + 600_000})
    nul = f"\0 {TEXT}"
    begun = [[str(BUSY), JOB, 1, now - 9_000, True]]
    # It goes on living, however long the pages take: of the dead less is shown.
    said = {"silence_s": -600, "host": nul, "version": TEXT}
    add_worker(client, keys, "bad", stuck=1, queues=[QUEUE], runs=begun, **said)
    add_process(client, keys, "scheduler", "bad", **said)
