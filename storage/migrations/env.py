"""How Alembic runs the migrations: on the connection, and in the transaction, of `storage.migrate`.

A migration is named `<number>_<pre|post>_<what>`: `pre` may run while the previous version of the code
still works on the database (it adds), `post` only once that is gone (it takes away).
"""

from alembic import context

from callboard.storage.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
)
context.run_migrations()
