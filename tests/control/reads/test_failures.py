"""What failed of late, and what became of each slot."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from callboard.control.reads.failures import failures
from callboard.control.reads.ledger import ledger
from callboard.core.errors import BadInput
from helpers.declarations import declare, job, log_execution


def test_failures_of_all_jobs_come_the_latest_first(context, engine):
    declare(engine, job("report"), job("other"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        log_execution(connection, "report", now - timedelta(hours=3), error="first")
        log_execution(connection, "other", now - timedelta(hours=2), error="second")
        log_execution(connection, "other", now - timedelta(hours=1))
        log_execution(connection, "report", now - timedelta(hours=30), error="too long ago")

    assert [run.error for run in failures(context, hours=24)] == ["second", "first"]
    assert [run.error for run in failures(context, hours=24, limit=1)] == ["second"]
    assert [run.job for run in failures(context, hours=24, job="report")] == ["report"]
    assert len(failures(context, hours=48)) == 3


@pytest.mark.parametrize("limit", [0, 1_001])
def test_a_limit_out_of_range_is_refused(context, limit):
    with pytest.raises(BadInput):
        failures(context, limit=limit)
    with pytest.raises(BadInput):
        ledger(context, "report", limit=limit)


def test_the_ledger_says_of_each_slot_what_became_of_it(context, engine):
    now = datetime.now(UTC).replace(microsecond=0)
    run_id = uuid4()
    add = text(
        "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason, run_id)"
        " VALUES (:schedule, :due, :job, :became, :reason, :run)"
    )
    with engine.begin() as connection:
        for age, became, reason, run in (
            (2, "fired", None, run_id),
            (1, "skipped_overlap", "It was running.", None),
        ):
            values = {"schedule": 1, "due": now - timedelta(minutes=age), "job": "report", "became": became}
            connection.execute(add, values | {"reason": reason, "run": run})
        values = {"schedule": 2, "due": now, "job": "other", "became": "fired", "reason": None, "run": None}
        connection.execute(add, values)

    latest, first = ledger(context, "report")

    assert (latest.disposition, latest.reason, latest.run_id) == ("skipped_overlap", "It was running.", None)
    assert (first.disposition, first.run_id, first.due_at) == ("fired", run_id, now - timedelta(minutes=2))
    # The schedule is gone; what became of its slots is not.
    assert first.expr is None
    assert ledger(context, "nobody") == ()
