"""The jobs that remove what has outlived its use, on the real tables."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from dramatiq import Worker
from sqlalchemy import Connection, Engine, text

from callboard.core.keys import Keys

NOW = datetime.now(UTC)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def call(broker: Any, name: str, **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = broker.get_actor(name)(**arguments)
    return result


def add_sessions(engine: Engine, *sessions: tuple[datetime, datetime | None]) -> None:
    """Sessions of one user, each by when it expires and when it was revoked."""
    with engine.begin() as connection:
        user = connection.execute(
            text(
                "INSERT INTO callboard.users (name, role, password_hash)"
                " VALUES ('eva', 'viewer', 'x') RETURNING id"
            )
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO callboard.sessions (user_id, token_sha256, expires_at, revoked_at)"
                " VALUES (:user, :token, :expires, :revoked)"
            ),
            [
                {"user": user, "token": uuid4().bytes, "expires": expires, "revoked": revoked}
                for expires, revoked in sessions
            ],
        )


def add_alerts(engine: Engine, *alerts: tuple[datetime, datetime | None]) -> None:
    """Alerts, each by when it was opened and resolved."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.alerts (opened_at, resolved_at, kind, severity, subject, message)"
                " VALUES (:opened, :resolved, 'health', 'warning', 'disk', 'Full.')"
            ),
            [{"opened": opened, "resolved": resolved} for opened, resolved in alerts],
        )


def add_checks(engine: Engine, *moments: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO callboard.uptime_checks (checked_at, status) VALUES (:at, 'healthy')"),
            [{"at": moment} for moment in moments],
        )


def add_runs(engine: Engine, *runs: tuple[datetime, str]) -> None:
    """Runs of one attempt, each by its moment and its state."""
    with engine.begin() as connection:
        for moment, state in runs:
            connection.execute(
                text(
                    "SELECT callboard.ensure_partitions(cast(:at AS timestamptz), cast(:at AS timestamptz))"
                ),
                {"at": moment},
            )
            connection.execute(
                text(
                    "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, started_at)"
                    " VALUES (gen_random_uuid(), :at, 'old', 'default', :state, 19, :at)"
                ),
                {"at": moment, "state": state},
            )


def count(engine: Engine, table: str) -> int:
    with engine.begin() as connection:
        number: int = connection.execute(text(f"SELECT count(*) FROM callboard.{table}")).scalar_one()
    return number


def moments(connection: Connection, table: str, column: str) -> list[datetime]:
    return list(connection.execute(text(f"SELECT {column} FROM callboard.{table} ORDER BY 1")).scalars())


def test_sessions_that_expired_or_were_revoked_go_and_the_others_stay(
    surroundings: Any, engine: Engine
) -> None:
    tomorrow = days_ago(-1)
    add_sessions(
        engine, (days_ago(1), None), (days_ago(0.001), None), (tomorrow, days_ago(2)), (tomorrow, None)
    )

    result = call(surroundings, "cleanup-expired-sessions")

    assert result == {"processed": 3, "failed": 0}
    assert count(engine, "sessions") == 1


def test_uptime_logs_go_after_ninety_days(surroundings: Any, engine: Engine) -> None:
    add_checks(engine, days_ago(91), days_ago(90.01), days_ago(89.9), days_ago(0))

    result = call(surroundings, "cleanup-old-uptime-logs")

    assert result == {"processed": 2, "failed": 0}
    with engine.connect() as connection:
        assert moments(connection, "uptime_checks", "checked_at") == [days_ago(89.9), days_ago(0)]


def test_an_alert_goes_ninety_days_after_it_was_resolved_and_never_while_it_is_open(
    surroundings: Any, engine: Engine
) -> None:
    add_alerts(engine, (days_ago(300), None), (days_ago(300), days_ago(91)), (days_ago(300), days_ago(89)))

    result = call(surroundings, "cleanup-old-alerts")

    assert result == {"processed": 1, "failed": 0}
    with engine.connect() as connection:
        left = connection.execute(text("SELECT resolved_at FROM callboard.alerts")).scalars().all()
    assert set(left) == {None, days_ago(89)}


def test_executions_go_after_the_days_that_the_settings_name(
    surroundings: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_RETENTION_DAYS", "30")
    add_runs(engine, (days_ago(200), "succeeded"), (days_ago(31), "failed"), (days_ago(29), "succeeded"))

    result = call(surroundings, "cleanup-old-logs")

    assert result == {"processed": 2, "failed": 0}
    with engine.connect() as connection:
        assert moments(connection, "runs", "enqueued_at") == [days_ago(29)]


def test_a_run_that_has_not_finished_is_kept_however_old(surroundings: Any, engine: Engine) -> None:
    add_runs(engine, (days_ago(200), "processing"), (days_ago(200), "succeeded"))

    result = call(surroundings, "cleanup-old-logs", batch_size=1)

    assert result == {"processed": 1, "failed": 0}
    assert count(engine, "runs") == 1


def test_a_reader_that_holds_on_to_the_history_does_not_stop_its_cleanup(
    surroundings: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callboard.actors.cleanup_old_logs.TRIES", 2)
    monkeypatch.setattr("callboard.actors.cleanup_old_logs.PAUSE_S", 0.1)
    add_runs(engine, (days_ago(200), "succeeded"), (days_ago(100), "failed"))
    with engine.begin() as reader:
        reader.execute(text("SELECT count(*) FROM callboard.runs"))

        result = call(surroundings, "cleanup-old-logs")

    assert result == {"processed": 2, "failed": 0}
    assert count(engine, "runs") == 0


def test_rollups_by_the_minute_go_and_those_by_the_day_stay(surroundings: Any, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.rollups (width_s, bucket, job, queue)"
                " SELECT width, now() - interval '300 days' + n * interval '1 day', 'old', 'default'"
                "   FROM unnest('{60,86400}'::int[]) AS width, generate_series(1, 5) AS n"
            )
        )

    call(surroundings, "cleanup-old-logs", batch_size=2)

    with engine.connect() as connection:
        left = connection.execute(text("SELECT DISTINCT width_s FROM callboard.rollups")).scalars().all()
    assert left == [86400]
    assert count(engine, "rollups") == 5


@pytest.mark.parametrize(
    ("job", "fill", "table"),
    [
        ("cleanup-old-uptime-logs", lambda engine: add_checks(engine, *[days_ago(100)] * 7), "uptime_checks"),
        (
            "cleanup-old-alerts",
            lambda engine: add_alerts(engine, *[(days_ago(100), days_ago(99))] * 7),
            "alerts",
        ),
        (
            "cleanup-expired-sessions",
            lambda engine: add_sessions(engine, *[(days_ago(1), None)] * 7),
            "sessions",
        ),
        ("cleanup-old-logs", lambda engine: add_runs(engine, *[(days_ago(100), "failed")] * 7), "runs"),
    ],
)
class TestEachCleanup:
    def test_a_dry_run_says_how_many_and_removes_none(
        self, surroundings: Any, engine: Engine, job: str, fill: Any, table: str
    ) -> None:
        fill(engine)

        result = call(surroundings, job, dry_run=True)

        assert result == {"processed": 0, "failed": 0, "found": 7, "dry_run": True}
        assert count(engine, table) == 7

    def test_batches_smaller_than_the_whole_remove_the_whole_and_a_repetition_nothing(
        self, surroundings: Any, engine: Engine, job: str, fill: Any, table: str
    ) -> None:
        fill(engine)

        first = call(surroundings, job, batch_size=3)
        second = call(surroundings, job, batch_size=3)

        assert (first["processed"], second["processed"]) == (7, 0)
        assert count(engine, table) == 0

    def test_a_batch_of_no_rows_is_refused(
        self, surroundings: Any, engine: Engine, job: str, fill: Any, table: str
    ) -> None:
        with pytest.raises(ValueError, match="batch_size is 0"):
            call(surroundings, job, batch_size=0)


def test_a_row_that_someone_else_holds_is_passed_by_and_not_waited_for(
    surroundings: Any, engine: Engine
) -> None:
    add_checks(engine, days_ago(100), days_ago(101))
    with engine.begin() as other:
        other.execute(text("SELECT id FROM callboard.uptime_checks ORDER BY id LIMIT 1 FOR UPDATE"))

        answer: list[dict[str, Any]] = []
        thread = threading.Thread(
            target=lambda: answer.append(call(surroundings, "cleanup-old-uptime-logs")), daemon=True
        )
        thread.start()
        thread.join(timeout=10)

        assert answer == [{"processed": 1, "failed": 0}]
    assert call(surroundings, "cleanup-old-uptime-logs") == {"processed": 1, "failed": 0}


def test_in_a_worker_a_cleanup_tells_its_progress_and_its_result(
    surroundings: Any, engine: Engine, redis_client: Any, namespace: str
) -> None:
    # Given five old entries, and a worker
    add_checks(engine, *[days_ago(100)] * 5)
    message = surroundings.get_actor("cleanup-old-uptime-logs").send(batch_size=2)
    worker = Worker(surroundings, worker_threads=1)
    worker.start()

    # When it has run the job in batches of two
    surroundings.join("default", timeout=20_000)
    worker.join()
    worker.stop()

    # Then the run's record says so
    entries = redis_client.xrange(Keys(namespace).events)
    events = [event for _, entry in entries for event in json.loads(entry[b"e"])]
    (last,) = [
        event for event in events if event.get("id") == message.message_id and event.get("s") == "succeeded"
    ]
    assert last["res"] == {"processed": 5, "failed": 0}
    assert last["prg"]["done"] == 5
    assert count(engine, "uptime_checks") == 0


def test_changes_of_breakers_go_with_the_alerts_of_their_time(surroundings: Any, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.breaker_changes (breaker, at, from_state, to_state)"
                " VALUES ('mail', :at, 'closed', 'open')"
            ),
            [{"at": days_ago(days)} for days in (1, 89, 91, 200)],
        )
    assert call(surroundings, "cleanup-old-alerts", batch_size=1) == {"processed": 2, "failed": 0}
    with engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM callboard.breaker_changes")).scalar_one()
    assert left == 2
