from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from callboard.control.reads.jobs import categories, jobs
from callboard.control.reads.jobs import job as read_job
from callboard.core.errors import NotFound
from helpers.declarations import declare, job, log_execution


def test_a_job_that_never_ran_has_no_data_rather_than_a_bad_mark(context, engine):
    declare(engine, job("health-check", "*/5 * * * *"))

    (found,) = jobs(context)

    assert found.name == "health-check"
    assert found.enabled
    assert found.state == "idle"
    assert found.last_run is None
    assert found.stats.executions == 0
    assert found.stats.success_rate is None
    assert found.stats.mark == "none"


def test_schedules_come_in_words_with_their_next_time(context, engine):
    declare(engine, job("report", "0 8 * * * @ Europe/Paris", "*/5 * * * *"))
    before = datetime.now(UTC)

    (found,) = jobs(context)

    assert [each.words for each in found.schedules] == [
        "At 08:00 every day (Europe/Paris)",
        "Every 5 minutes",
    ]
    assert found.schedule_words == "At 08:00 every day (Europe/Paris); Every 5 minutes"
    assert found.schedule == "0 8 * * *; */5 * * * *"
    assert before < found.next_run_at <= before + timedelta(minutes=5, seconds=5)
    assert found.next_run_at == min(each.next_at for each in found.schedules)


def test_a_job_that_is_switched_off_has_no_next_run(context, engine):
    declare(engine, job("report", "*/5 * * * *"))
    with engine.begin() as connection:
        connection.execute(text("SELECT toggle_cron_job('report', false)"))

    (found,) = jobs(context)

    assert not found.enabled
    assert found.state == "disabled"
    assert found.next_run_at is None


def test_statistics_count_what_ended_in_the_last_days_only(context, engine):
    declare(engine, job("report"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for hours in range(19):
            log_execution(connection, "report", now - timedelta(hours=hours, minutes=1), ms=100)
        log_execution(connection, "report", now - timedelta(minutes=2), ms=700, error="no")
        log_execution(connection, "report", now - timedelta(days=20), ms=5, error="long ago")

    (found,) = jobs(context, days=7)

    stats = found.stats
    assert (stats.executions, stats.successes, stats.failures) == (20, 19, 1)
    assert stats.success_rate == 95.0
    assert stats.mark == "ok"
    assert stats.average_ms == 130.0
    assert (stats.minimum_ms, stats.maximum_ms) == (100, 700)
    assert jobs(context, days=30)[0].stats.executions == 21


def test_statistics_agree_with_the_public_function(context, engine):
    declare(engine, job("report"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for days in range(12):
            log_execution(
                connection,
                "report",
                now - timedelta(days=days, hours=3),
                ms=days * 10,
                error="no" * (days % 3 == 0),
            )
        row = connection.execute(text("SELECT * FROM get_cron_job_stats('report', 10)")).mappings().one()

    stats = read_job(context, "report", days=10).stats

    assert stats.executions == row["total_runs"] == 10
    assert stats.failures == row["failed_runs"]
    assert stats.success_rate == float(row["success_rate"])
    assert round(stats.average_ms) == row["avg_duration_ms"]
    assert stats.last_failure_at == row["last_failure_at"]


def test_a_running_job_says_so_and_counts_its_runs(context, engine):
    declare(engine, job("report"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        log_execution(connection, "report", now - timedelta(minutes=2), ms=50)
        log_execution(connection, "report", now - timedelta(seconds=10), ms=None)

    (found,) = jobs(context)

    assert found.state == "running"
    assert found.running == 1
    assert found.last_run.state == "processing"
    assert found.last_run.finished_at is None


def test_jobs_come_by_category_and_can_be_filtered_by_it(context, engine):
    declare(
        engine,
        job("sweep", category="cleanup"),
        job("health-check"),
        job("loose", category=None),
        job("archive", category="cleanup"),
    )

    found = jobs(context)

    assert [each.name for each in found] == ["archive", "sweep", "health-check", "loose"]
    assert categories(found) == {"cleanup": 2, "monitoring": 1, "other": 1}
    assert [each.name for each in jobs(context, category="cleanup")] == ["archive", "sweep"]


def test_a_job_that_the_code_no_longer_declares_is_not_shown(context, engine):
    declare(engine, job("old"), job("new"))
    declare(engine, job("new"))

    assert [each.name for each in jobs(context)] == ["new"]


def test_an_unknown_job_is_answered_with_the_names_that_come_close(context, engine):
    declare(engine, job("health-check"), job("cleanup-old-logs"))

    with pytest.raises(NotFound, match=r"no job named 'health-chek'. Did you mean health-check\?") as caught:
        read_job(context, "health-chek")

    assert caught.value.matches == ["health-check"]


@pytest.mark.parametrize(
    "name", ["", "\0", "x\0y", "\ud800", "'; DROP TABLE callboard.jobs; --", "x" * 10_000, "../.."]
)
def test_hostile_names_are_only_unknown(context, engine, name):
    declare(engine, job("health-check"))

    with pytest.raises(NotFound) as caught:
        read_job(context, name)

    assert len(str(caught.value)) < 300
    assert [each.name for each in jobs(context)] == ["health-check"]


def test_a_job_without_a_limit_of_attempts_says_so(context, engine):
    declare(engine, job("endless", max_attempts=None, time_limit_ms=None))

    found = read_job(context, "endless")

    assert found.max_attempts is None
    assert found.timeout_s is None
