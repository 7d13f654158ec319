from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from callboard.control.actions.run_job import run_job
from callboard.control.reads.runs import ended, history, run, running
from callboard.core.errors import BadInput, NotFound
from helpers.declarations import declare, job, log_execution, run_ids


def test_history_is_the_started_runs_latest_first(context, engine):
    declare(engine, job("report"), job("other"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for minutes in (3, 1, 2):
            log_execution(connection, "report", now - timedelta(minutes=minutes), ms=minutes)
        log_execution(connection, "report", now - timedelta(days=31), ms=9)
        log_execution(connection, "other", now)
        connection.execute(text("SELECT callboard.request_run('report')"))

    assert [each.duration_ms for each in history(context, "report")] == [1, 2, 3]
    assert [each.duration_ms for each in history(context, "report", limit=2)] == [1, 2]
    assert [each.duration_ms for each in history(context, "report", days=60)] == [1, 2, 3, 9]


def test_history_goes_on_where_the_last_page_ended(context, engine):
    declare(engine, job("report"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for minutes in range(1, 6):
            log_execution(connection, "report", now - timedelta(minutes=minutes), ms=minutes)

    first = history(context, "report", limit=2)
    second = history(context, "report", limit=2, before=first[-1].started_at)

    assert [each.duration_ms for each in (*first, *second)] == [1, 2, 3, 4]


@pytest.mark.parametrize(("limit", "days"), [(0, 30), (1001, 30), (50, 0), (50, 367), (-1, 30)])
def test_a_limit_or_span_out_of_range_is_refused_by_name(context, engine, limit, days):
    declare(engine, job("report"))

    with pytest.raises(BadInput, match=r"The (limit|days) must be from 1 to (1000|366), not"):
        history(context, "report", limit=limit, days=days)


def test_running_shows_what_is_executed_now_the_longest_first(context, engine):
    declare(engine, job("one"), job("two"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        log_execution(connection, "one", now - timedelta(seconds=5), ms=None)
        log_execution(connection, "two", now - timedelta(seconds=50), ms=None)
        log_execution(connection, "two", now - timedelta(seconds=70), ms=10)

    assert [each.job for each in running(context)] == ["two", "one"]
    (one,) = running(context, job="one")
    assert one.running_ms(now) == 5000
    assert not one.ended
    assert one.elapsed_ms is None


def test_a_run_comes_with_its_attempts_and_log_lines(context, engine):
    declare(engine, job("report", max_attempts=2))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        log_execution(connection, "report", now, ms=120, error="the second time too")
        connection.execute(
            text("""
            INSERT INTO callboard.attempts (run_id, enqueued_at, attempt, execution_id, state, error)
            SELECT run_id, enqueued_at, n, CASE n WHEN 2 THEN execution_id ELSE gen_random_uuid() END
                 , 'failed', 'no ' || n
              FROM callboard.runs, generate_series(1, 2) n
            """)
        )
        connection.execute(
            text("""
            INSERT INTO callboard.log_lines (run_id, enqueued_at, attempt, seq, at, level, message)
            SELECT run_id, enqueued_at, n, s, now(), 'info', 'line ' || s
              FROM callboard.runs, generate_series(1, 2) n, generate_series(1, 3) s
            """)
        )
    (run_id,) = run_ids(engine, "report")

    found = run(context, str(run_id))

    assert found.run.run_id == run_id
    assert found.run.error == "the second time too"
    assert found.run.elapsed_ms == 120
    assert [(each.attempt, each.error) for each in found.attempts] == [(1, "no 1"), (2, "no 2")]
    assert [(each.attempt, each.seq) for each in found.logs] == [(n, s) for n in (1, 2) for s in (1, 2, 3)]


def test_a_run_whose_only_attempt_succeeded_shows_that_attempt(context, engine):
    declare(engine, job("report"))
    with engine.begin() as connection:
        log_execution(connection, "report", datetime.now(UTC), ms=5)

    (attempt,) = run(context, run_ids(engine, "report")[0]).attempts

    assert (attempt.attempt, attempt.state, attempt.duration_ms) == (1, "succeeded", 5)


def test_an_unknown_run_and_a_word_that_is_no_id_are_told_apart(context):
    with pytest.raises(NotFound, match="There is no run"):
        run(context, uuid4())
    with pytest.raises(BadInput, match="'latest' is not the id of a run"):
        run(context, "latest")


def test_of_many_runs_those_that_have_ended_are_found_in_one_look(context, engine):
    declare(engine, job("report"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        log_execution(connection, "report", now - timedelta(seconds=2), ms=5)
        log_execution(connection, "report", now - timedelta(seconds=1), ms=None)
    done, going = run_ids(engine, "report")

    assert ended(context, [done, going, uuid4()], since=now - timedelta(days=1)) == [done]
    assert ended(context, [], since=now) == []


def test_secrets_are_masked_in_the_arguments_that_are_shown_and_kept_for_the_job(context, engine, operator):
    named = [
        {"name": name, "kind": "positional_or_keyword", "type": "str", "required": True}
        for name in ("user", "password")
    ]
    declare(engine, job("report", signature=named))
    sent = run_job(context, operator, "report", args=["mara"], kwargs={"password": "hunter2"}).run_id
    again = run_job(context, operator, "report", args=["mara", "hunter2"]).run_id

    assert (run(context, sent).args, run(context, sent).kwargs) == (["mara"], {"password": "***"})
    assert run(context, again).args == ["mara", "***"]
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT args FROM callboard.runs WHERE run_id = :id"), {"id": again})
        assert kept.scalar_one() == ["mara", "hunter2"]
