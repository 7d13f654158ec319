"""The SQL of reads and actions: one concern a file; its functions take a connection and return rows."""

from typing import TypeAlias

from sqlalchemy import RowMapping

#: One row, by column name.
Row: TypeAlias = RowMapping
