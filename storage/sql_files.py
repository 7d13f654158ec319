"""Functions, views and triggers, each in a file of its own: `storage/sql/<kind>/<name>.sql`.

Every file can be run again at any time (`CREATE OR REPLACE`). One that uses another of them says so in
a line `-- needs: views/cron_job_logs, functions/hist_add`; the rest come in the order of their names,
functions first. A change that PostgreSQL cannot replace (a view's columns, a function's result) takes a
migration that drops the old one.

Those of the kind `cron` are pg_cron's surface, in a schema of that name. Where pg_cron itself, or anybody
else, has that schema, they are left out.
"""

import re
from graphlib import TopologicalSorter
from pathlib import Path

from sqlalchemy import Connection, text

SQL = Path(__file__).parent / "sql"
KINDS = ("functions", "views", "triggers", "cron")

_CRON_IS_FREE = text("""
SELECT NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron')
   AND (to_regnamespace('cron') IS NULL
        OR has_schema_privilege('cron', 'CREATE')
           AND NOT EXISTS (SELECT FROM pg_class
                            WHERE relnamespace = to_regnamespace('cron') AND relkind IN ('r', 'p')))
""")


def sql_files() -> list[str]:
    """The files' names (`views/cron_job_logs`), each after those that it needs."""
    names = [f"{kind}/{path.stem}" for kind in KINDS for path in sorted((SQL / kind).glob("*.sql"))]
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in names:
        sorter.add(name, *_needs(name))
    return list(sorter.static_order())


def read_sql(name: str) -> str:
    """The text of one file."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def apply_sql_files(connection: Connection) -> None:
    """Run them all, in the connection's transaction."""
    cron = connection.scalar(_CRON_IS_FREE)
    if cron:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS cron"))
    for name in sql_files():
        if name.startswith("cron/") and not cron:
            continue
        connection.connection.cursor().execute(read_sql(name))


def _needs(name: str) -> list[str]:
    return [
        need.strip()
        for line in re.findall(r"^-- needs: (.+)$", read_sql(name), flags=re.MULTILINE)
        for need in line.split(",")
    ]
