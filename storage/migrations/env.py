"""How Alembic runs the migrations: on the connection, and in the transaction, of `storage.migrate`.

To write a new one: `python -m callboard.storage.migrations <what it does>`.
"""

from typing import Any

from alembic import context

from callboard.storage.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]


def belongs(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:  # noqa: ARG001
    """Whether a table is ours to compare: not a partition, not Alembic's own."""
    partitions = context.config.attributes.get("partitions", ())
    return not (kind == "table" and reflected and (name == "alembic_version" or name in partitions))


context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_object=belongs,
    compare_server_default=True,
)
context.run_migrations()
