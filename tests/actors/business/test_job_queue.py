"""The job queue's housekeeping, on real history."""

from typing import Any

from sqlalchemy import Engine, text

from helpers.promises import Promise, assert_kept

NAME = "job_queue_cleanup"

ADD = text("""
INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, trigger, finished_at)
VALUES (gen_random_uuid(), now() - :days * interval '1 day', :job, 'default', :state, 19, 1, :trigger
      , now() - :days * interval '1 day')
""")


def add(engine: Engine, job: str, *, days: int = 15, state: str = "succeeded", trigger: str = "code") -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT callboard.ensure_partitions(now() - interval '60 days')"))
        connection.execute(ADD, {"job": job, "days": days, "state": state, "trigger": trigger})


def left(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        query = text("SELECT task_type, status FROM job_queue ORDER BY task_type, status")
        return [tuple(row) for row in connection.execute(query)]


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, NAME, Promise("15 3 * * *", 600, 3, "cleanup"))


def test_what_succeeded_two_weeks_ago_goes_and_all_else_stays(surroundings: Any, engine: Engine) -> None:
    # Given old successes of the queue, and beside them what is young, has failed, or is of other jobs
    add(engine, "game_platform_sync")
    add(engine, "asked-for-by-sql", trigger="sql")
    add(engine, "game_platform_sync", days=13)
    add(engine, "game_platform_sync", state="failed")
    add(engine, "health-check")
    job = surroundings.get_actor(NAME)
    # When it is cleaned up: for show, and twice in batches of one
    results = [job(dry_run=True), job(batch_size=1), job()]
    # Expect the two to be gone
    assert results == [
        {"processed": 0, "failed": 0, "found": 2, "dry_run": True},
        {"processed": 2, "failed": 0},
        {"processed": 0, "failed": 0},
    ]
    assert left(engine) == [
        ("game_platform_sync", "failed"),
        ("game_platform_sync", "succeeded"),
        ("health-check", "succeeded"),
    ]
