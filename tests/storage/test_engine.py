"""Connections: where they go, and what their sessions may do."""

from datetime import UTC, datetime

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, text
from sqlalchemy.exc import InternalError, OperationalError

from callboard.storage.engine import driver_url, make_engine, psycopg_url
from helpers.databases import Databases


def test_times_come_back_in_utc(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"
        noon = connection.scalar(text("SELECT timestamptz '2026-07-01 12:00+02'"))
    assert noon == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert noon.utcoffset().total_seconds() == 0


def test_a_read_only_session_refuses_to_write(database_url: str) -> None:
    engine = make_engine(database_url, read_only=True)
    with (
        engine.connect() as connection,
        pytest.raises(InternalError, match="read-only"),
    ):
        connection.execute(text("INSERT INTO cron_job_config (job_name) VALUES ('a-job')"))
    engine.dispose()


def test_a_statement_that_takes_too_long_is_given_up(database_url: str) -> None:
    engine = make_engine(database_url, statement_timeout_ms=1_000)
    with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(60)"))
    engine.dispose()


def test_a_connection_that_died_in_the_pool_is_replaced(databases: Databases, database_url: str) -> None:
    engine, other = make_engine(database_url, pool_size=1), make_engine(database_url, autocommit=True)
    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != pid
    engine.dispose()
    other.dispose()


def test_a_session_is_named_and_keeps_the_options_of_its_url(database_url: str) -> None:
    engine = make_engine(f"{database_url}&options=-cwork_mem%3D5MB", application_name="callboard tests")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "callboard tests"
        assert connection.scalar(text("SHOW work_mem")) == "5MB"
        assert connection.scalar(text("SHOW timezone")) == "UTC"
    engine.dispose()


def test_json_comes_back_as_it_went_in(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT jsonb_build_object('a', '[1, \"ü\"]'::jsonb)")) == {
            "a": [1, "ü"]
        }


@pytest.mark.parametrize(
    "given",
    [
        "postgres://me:p%40ss@host/base",
        "postgresql://me:p%40ss@host/base",
        "postgresql+psycopg://me:p%40ss@host/base",
    ],
)
def test_a_url_is_taken_with_any_of_its_schemes(given: str) -> None:
    assert driver_url(given).drivername == "postgresql+psycopg"
    assert psycopg_url(given) == "postgresql://me:p%40ss@host/base"


def test_a_url_may_name_a_socket_directory() -> None:
    address = conninfo_to_dict(psycopg_url("postgresql://me@/base?host=/run/pg"))
    assert address == {"user": "me", "dbname": "base", "host": "/run/pg"}


def test_json_that_is_nested_too_deeply_to_be_read_hides_no_other_row(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT v::jsonb FROM (VALUES (repeat('[', 2000) || repeat(']', 2000)), ('[1]')) j (v)")
        )
        assert list(rows.scalars()) == ["[cut: nested too deeply]", [1]]
