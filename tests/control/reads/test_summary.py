from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from callboard.control.reads.summary import summary
from helpers.declarations import declare, job, log_execution


def test_the_six_figures_of_an_empty_system_are_zeros_and_no_rate(context):
    found = summary(context)

    assert (found.total_jobs, found.enabled_jobs, found.disabled_jobs, found.running_jobs) == (0, 0, 0, 0)
    assert (found.total_executions, found.total_failures) == (0, 0)
    assert found.overall_success_rate is None
    assert found.mark == "none"


def test_the_six_figures_add_up_over_all_jobs(context, engine):
    declare(engine, job("one"), job("two"), job("three"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(text("SELECT toggle_cron_job('three', false)"))
        for minutes in range(1, 8):
            log_execution(connection, "one", now - timedelta(minutes=minutes))
        log_execution(connection, "two", now - timedelta(minutes=3), error="no")
        log_execution(connection, "two", now - timedelta(seconds=3), ms=None)

    found = summary(context)

    assert (found.total_jobs, found.enabled_jobs, found.disabled_jobs, found.running_jobs) == (3, 2, 1, 1)
    assert (found.total_executions, found.total_failures) == (8, 1)
    assert found.overall_success_rate == 87.5
    assert found.mark == "warning"
