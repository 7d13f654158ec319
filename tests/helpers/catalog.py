"""What a database's catalog says of its tables, as text that can be compared."""

from typing import Any

from sqlalchemy import Connection, text

_FACTS = {
    "table": """
        SELECT c.oid::regclass::text,
               concat_ws(' ', c.relkind, pg_get_partkeydef(c.oid), obj_description(c.oid, 'pg_class'))
    """,
    "column": """
        SELECT c.oid::regclass || '.' || a.attname,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                         pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
          FROM {tables} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    """,
    "constraint": """
        SELECT c.oid::regclass || ' ' || k.conname, pg_get_constraintdef(k.oid)
          FROM {tables} JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype <> 'n'
    """,
    "index": """
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
          FROM {tables} JOIN pg_index i ON i.indrelid = c.oid
    """,
}

_TABLES = """
(SELECT * FROM pg_class
  WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'
    AND relnamespace IN ('callboard'::regnamespace, 'public'::regnamespace)) AS c
"""


def facts(connection: Connection) -> dict[tuple[str, Any], Any]:
    """Tables, columns, constraints and indexes (not those of partitions), each with its definition."""
    found: dict[tuple[str, Any], Any] = {}
    for kind, query in _FACTS.items():
        sql = query.format(tables=_TABLES) if "{tables}" in query else f"{query} FROM {_TABLES}"
        for name, definition in connection.execute(text(sql)):
            found[kind, name] = definition
    return found
