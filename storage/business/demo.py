"""Demo data: into the schema `business` by COPY, and out of it again."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, text

from callboard.storage.tables.base import metadata
from callboard.storage.tables.business import SCHEMA


def count_customers(connection: Connection) -> int:
    """How many customers there are."""
    count: int = connection.execute(text("SELECT count(*) FROM business.customers")).scalar_one()
    return count


def empty(connection: Connection) -> None:
    """Remove all rows of all tables of the schema, and count their ids from 1 again."""
    names = ", ".join(
        f'{SCHEMA}."{table.name}"' for table in metadata.sorted_tables if table.schema == SCHEMA
    )
    connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


def fill(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Copy rows into a table, and let its ids go on after them."""
    driver: Any = connection.connection.driver_connection
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
    if rows and "id" in columns and isinstance(rows[0][0], int):
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
            {"name": f'{SCHEMA}."{table}"', "last": rows[-1][0]},
        )
