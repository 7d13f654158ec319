"""Demo data: into the schema `business` by COPY, and out of it again."""

from datetime import date, timedelta
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Table, bindparam, exists, select, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.core.demo import Rows
from callboard.storage.business.reports import daily_figures
from callboard.storage.tables.base import metadata
from callboard.storage.tables.business import SCHEMA

FORGET_ALERTS = text("""
DELETE FROM callboard.alerts WHERE kind IN ('review', 'air_quality') OR details ->> 'demo' = 'true'
""")
FORGET_CHECKS = text("DELETE FROM callboard.uptime_checks WHERE checks ->> 'demo' = 'true'")
REPORT = text("""
INSERT INTO business.reports (kind, day, content, made_at)
SELECT 'daily', day::text, :content, (day + 1 + time '02:00') AT TIME ZONE 'UTC'
  FROM (SELECT cast(:day AS date) AS day) of
""").bindparams(bindparam("content", type_=JSONB))


def count_customers(connection: Connection) -> int:
    """How many customers there are."""
    count: int = connection.execute(text("SELECT count(*) FROM business.customers")).scalar_one()
    return count


def first_filled(connection: Connection) -> str | None:
    """The name of a table of the schema that has rows; None where all are empty."""
    for table in _tables():
        if connection.scalar(select(exists().select_from(table))):
            return table.name
    return None


def empty(connection: Connection) -> None:
    """Remove all rows of all tables of the schema, and count their ids from 1 again.

    The alerts of what is no more go with them, and what was made up in other schemas.
    """
    names = ", ".join(f'{SCHEMA}."{table.name}"' for table in _tables())
    connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    connection.execute(FORGET_ALERTS)
    connection.execute(FORGET_CHECKS)


def fill(connection: Connection, made: Rows) -> int:
    """Copy rows into their table, and let its ids go on after them. Returns how many there were."""
    driver: Any = connection.connection.driver_connection
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(made.schema, made.table), sql.SQL(", ").join(map(sql.Identifier, made.columns))
    )
    count, last = 0, None
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in made.rows:
            copy.write_row(row)
            count, last = count + 1, row[0]
    if made.columns[0] == "id" and isinstance(last, int):
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
            {"name": f'{made.schema}."{made.table}"', "last": last},
        )
    return count


def report_days(connection: Connection, today: date, days: int) -> int:
    """Make the daily reports of so many days up to the day before yesterday, as of their nights."""
    for ago in range(days + 1, 1, -1):
        day = today - timedelta(days=ago)
        connection.execute(REPORT, {"day": day, "content": daily_figures(connection, day)})
    return days


def _tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.schema == SCHEMA]
