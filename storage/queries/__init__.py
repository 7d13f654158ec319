"""The SQL of reads and actions: one concern a file; its functions take a connection and return rows."""

from collections.abc import Mapping
from typing import Any, TypeAlias

#: One row, by column name.
Row: TypeAlias = Mapping[str, Any]
