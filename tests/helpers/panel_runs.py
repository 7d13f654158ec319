"""The runs of a business that never was: past ones, some asked for by hand, and those under way."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from helpers.panel_jobs import JOBS, DemoJob
from helpers.panel_rows import History, log, run_row, traceback

WORKERS = ("worker-1:4120", "worker-1:4121", "worker-2:733")


def past(
    history: History,
    job: DemoJob,
    schedule_id: int,
    due: Iterator[datetime],
    now: datetime,
    dice: random.Random,
) -> None:
    """The runs of a schedule's past slots."""
    for at in due:
        if not job.enabled and now - at < timedelta(days=2):
            history.occurrences.append(
                (schedule_id, at, job.name, "skipped_disabled", "The job is off.", None, at)
            )
            continue
        if dice.random() < 0.004:
            reason = "The run before was still going on."
            history.occurrences.append((schedule_id, at, job.name, "skipped_overlap", reason, None, at))
            continue
        run_id = uuid.UUID(int=dice.getrandbits(128), version=4)
        late = dice.random() < 0.003
        decided = at + timedelta(milliseconds=dice.uniform(4, 40) + (95_000 if late else 0))
        history.occurrences.append(
            (schedule_id, at, job.name, "late" if late else "fired", None, run_id, decided)
        )
        finish(
            history, job, run_id, decided, dice, now, schedule_id=schedule_id, due_at=at, trigger="schedule"
        )


def finish(
    history: History,
    job: DemoJob,
    run_id: uuid.UUID,
    enqueued: datetime,
    dice: random.Random,
    now: datetime,
    *,
    schedule_id: int | None = None,
    due_at: datetime | None = None,
    trigger: str = "manual",
    requested_by: str | None = None,
    kwargs: dict[str, Any] | None = None,
) -> None:
    """One run, from its enqueueing to its end, retries included."""
    recent = now - enqueued < timedelta(hours=60)
    share = job.lately if recent and job.lately is not None else job.failing
    attempts = 0
    at = enqueued + timedelta(milliseconds=dice.lognormvariate(2.2, 0.9))
    first: datetime | None = None
    rush = 1.6 if job.name == "process-promotion-deliveries" and 15 <= enqueued.hour <= 18 else 1.0
    while True:
        attempts += 1
        first = first or at
        failed = dice.random() < (share if attempts == 1 else max(0.35, share))
        kind, text = dice.choice(job.errors)
        timed_out = failed and kind == "TimeLimitExceeded"
        took_s = job.time_limit_s if timed_out else job.typical_s * rush * dice.lognormvariate(0, 0.28)
        end = at + timedelta(seconds=took_s)
        execution = uuid.UUID(int=dice.getrandbits(128), version=4)
        worker = dice.choice(WORKERS)
        error = text.format(limit=job.time_limit_s)
        trace = traceback(job, kind, error) if failed else None
        if failed or attempts > 1:
            history.attempts.append(
                (
                    run_id,
                    enqueued,
                    attempts,
                    execution,
                    "failed" if failed else "succeeded",
                    at,
                    end,
                    round(took_s * 1000),
                    worker,
                    kind if failed else None,
                    error if failed else None,
                    trace,
                    None,
                )
            )
        if now - enqueued < timedelta(days=2):
            history.lines.extend(
                log(job, run_id, enqueued, attempts, at, end, error if failed else None, dice)
            )
        if not failed or attempts >= job.max_attempts:
            break
        at = end + timedelta(seconds=5 * attempts)
    state = "failed" if failed else "succeeded"
    done = max(1, int(job.typical_s * 11))
    history.runs.append(
        run_row(
            job,
            run_id,
            enqueued,
            state,
            attempts,
            trigger=trigger,
            schedule_id=schedule_id,
            due_at=due_at,
            started_at=first,
            attempt_started_at=at,
            finished_at=end,
            wait_ms=round((first - enqueued).total_seconds() * 1000),
            duration_ms=round(took_s * 1000),
            execution_id=execution,
            worker=worker,
            error_type=kind if failed else None,
            error=error if failed else None,
            traceback=trace,
            kwargs=kwargs or {},
            result=None if failed else {"processed": done, "failed": dice.randrange(3)},
            requested_by=requested_by,
        )
    )


def by_hand(history: History, now: datetime, dice: random.Random) -> None:
    """A few runs that somebody asked for."""
    ledger = next(job for job in JOBS if job.name == "export-ledger")
    for number, quarter in enumerate(("2026-Q1", "2026-Q2", "2026-Q3")):
        at = now - timedelta(hours=9 + 3 * number, minutes=dice.randrange(50))
        run_id = uuid.UUID(int=dice.getrandbits(128), version=4)
        finish(history, ledger, run_id, at, dice, now, requested_by="mara", kwargs={"quarter": quarter})


def present(history: History, now: datetime, dice: random.Random) -> None:
    """Two runs under way, one with progress, and one that waits for its retry."""
    by_name = {job.name: job for job in JOBS}
    for name, since_s, progress in (
        ("calculate-promotion-analytics", 133, {"done": 7_412, "total": 10_300, "note": "scoring campaigns"}),
        ("process-promotion-deliveries", 9, None),
    ):
        started = now - timedelta(seconds=since_s)
        run_id = uuid.UUID(int=dice.getrandbits(128), version=4)
        row = run_row(
            by_name[name],
            run_id,
            started - timedelta(milliseconds=12),
            "processing",
            1,
            trigger="manual" if progress else "schedule",
            requested_by="mara" if progress else None,
            started_at=started,
            attempt_started_at=started,
            wait_ms=12,
            worker=WORKERS[0],
            execution_id=uuid.UUID(int=dice.getrandbits(128), version=4),
            progress=progress,
        )
        history.runs.append(row)
        history.lines.extend(
            (
                run_id,
                started - timedelta(milliseconds=12),
                1,
                seq,
                started + timedelta(seconds=at),
                level,
                text,
            )
            for seq, at, level, text in (
                (1, 0.01, "info", "Run begins"),
                (2, 0.4, "info", "Loaded 10300 campaigns from the warehouse"),
                (3, 6.1, "warning", "Campaign 4471 has no audience; it is left out"),
            )
        )
    job = by_name["process-referrals"]
    enqueued = now - timedelta(minutes=5)
    run_id = uuid.UUID(int=dice.getrandbits(128), version=4)
    kind, text = job.errors[0]
    started, ended = enqueued + timedelta(seconds=0.02), now - timedelta(seconds=20)
    execution = uuid.UUID(int=dice.getrandbits(128), version=4)
    took = round((ended - started).total_seconds() * 1000)
    history.attempts.append(
        (
            run_id,
            enqueued,
            1,
            execution,
            "failed",
            started,
            ended,
            took,
            WORKERS[2],
            kind,
            text,
            traceback(job, kind, text),
            None,
        )
    )
    history.runs.append(
        run_row(
            job,
            run_id,
            enqueued,
            "pending",
            2,
            started_at=started,
            attempt_started_at=started,
            wait_ms=20,
            error_type=kind,
            error=text,
            next_retry_at=now + timedelta(seconds=40),
        )
    )
