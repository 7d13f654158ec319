"""Every statement printed in docs/sql.md runs as it stands, and does what is said there."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.storage.engine import psycopg_url

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
TABLES = [block for block in BLOCKS if block.startswith("CREATE TABLE")]
#: (statement, block it stands in): a block may hold several.
STATEMENTS = [
    statement.strip()
    for block in BLOCKS
    if block not in TABLES
    for statement in re.findall(r"[^;]+;", re.sub(r"--.*", "", block))
]

_JOBS = """
INSERT INTO callboard.jobs (name, source, signature) VALUES
    ('your-job', 'tests', '[]'), ('health-check', 'tests', '[]'),
    ('game-platform-sync', 'tests', '[{"name": "coach_id", "kind": "keyword_only", "required": false}]')
"""
_EXECUTIONS = """
INSERT INTO cron_job_logs (job_name, status, started_at, duration_ms, error_message) VALUES
    ('your-job', 'completed', now() - interval '2 hours', 1000, NULL),
    ('your-job', 'failed', now() - interval '3 hours', 2000, 'The server is away'),
    ('your-job', 'failed', now() - interval '4 hours', 2000, 'The server is away'),
    ('your-job', 'started', now() - interval '90 minutes', NULL, NULL),
    ('health-check', 'started', now() - interval '10 minutes', NULL, NULL),
    ('health-check', 'completed', now() - interval '20 minutes', 4000, NULL),
    ('health-check', 'completed', now() - interval '100 days', 4000, NULL)
"""


@pytest.fixture
def connection(database_url: str) -> "psycopg.Connection[dict[str, object]]":
    connected = psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row)
    connected.execute(_JOBS)
    connected.execute("SELECT cron.schedule('game_platform_sync_incremental', '*/30 * * * *', 'SELECT 1')")
    connected.execute(_EXECUTIONS)
    return connected


def test_the_page_holds_statements() -> None:
    assert len(TABLES) == 2
    assert len(STATEMENTS) >= 17


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_of_the_page_runs_as_it_stands(statement: str, connection: psycopg.Connection) -> None:
    connection.execute(statement)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_page_has_those_columns_of_those_types_and_defaults_in_that_order(
    table: str, connection: psycopg.Connection
) -> None:
    # Given the CREATE TABLE of the page
    name, body = re.fullmatch(r"CREATE TABLE (\w+) \((.*)\);\n", table, flags=re.DOTALL).groups()
    lines = [line.strip() for line in re.sub(r"--.*", "", body).strip().splitlines()]
    printed = [tuple(line.replace(",", "").split()[:2]) for line in lines]
    # Expect what is there under that name to have the same columns
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (f"public.{name}",),
    ).fetchall()
    short = {"character varying": "VARCHAR", "timestamp with time zone": "TIMESTAMPTZ"}
    existing = [
        (row["attname"], re.sub("|".join(short), lambda found: short[found[0]], row["type"]).upper())
        for row in rows
    ]
    assert existing == printed


def test_ending_stuck_executions_changes_only_those_that_are_stuck(connection: psycopg.Connection) -> None:
    # Given one execution started 90 minutes ago and one 10 minutes ago
    statement = next(statement for statement in STATEMENTS if statement.startswith("UPDATE"))
    # When the page's UPDATE runs
    assert connection.execute(statement).rowcount == 1
    # Expect the first to have failed with that message, and the second to go on
    rows = connection.execute(
        "SELECT job_name, status, error_message FROM cron_job_logs"
        " WHERE started_at > now() - interval '100 minutes' ORDER BY started_at"
    ).fetchall()
    assert [tuple(row.values()) for row in rows] == [
        ("your-job", "failed", "Manually terminated - stuck job"),
        ("health-check", "completed", None),
        ("health-check", "started", None),
    ]


def test_toggling_with_any_text_for_a_user_returns_true(connection: psycopg.Connection) -> None:
    statement = next(statement for statement in STATEMENTS if "toggle_cron_job" in statement)
    assert connection.execute(statement).fetchone() == {"toggle_cron_job": True}


def test_the_failure_details_are_grouped_by_message(connection: psycopg.Connection) -> None:
    statement = next(statement for statement in STATEMENTS if "occurrences" in statement)
    assert connection.execute(statement).fetchall() == [
        {"error_message": "The server is away", "occurrences": 2}
    ]


def test_the_cleanup_returns_how_many_executions_it_deleted(connection: psycopg.Connection) -> None:
    statement = next(statement for statement in STATEMENTS if "cleanup" in statement)
    assert connection.execute(statement).fetchone() == {"cleanup_old_cron_logs": 1}
    assert connection.execute(statement).fetchone() == {"cleanup_old_cron_logs": 0}


def test_the_columns_named_in_comments_are_those_that_come_back(connection: psycopg.Connection) -> None:
    for block in BLOCKS:
        if "-- Returns:\n" not in block:
            continue
        statement, _, comment = block.partition("-- Returns:\n")
        named = re.findall(r"\w+", comment)
        found = [column.name for column in connection.execute(statement).description]
        assert found == named
