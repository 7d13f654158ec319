"""Names that no job has, and those that come close."""

import difflib
from collections.abc import Sequence

from callboard.control.context import Context
from callboard.core.errors import NotFound
from callboard.storage.queries import jobs as queries


class UnknownJob(NotFound):
    """No job has that name; `matches` are the names that come close, the closest first."""

    def __init__(self, name: str, names: Sequence[str]) -> None:
        self.matches = difflib.get_close_matches(name[:200], names, n=3, cutoff=0.5)
        shown = name if len(name) <= 100 else f"{name[:100]}..."
        hint = f" Did you mean {_either(self.matches)}?" if self.matches else ""
        super().__init__(f"There is no job named {shown!r}.{hint}")


def unknown_job(context: Context, name: str) -> UnknownJob:
    """The error for a name that no job has."""
    with context.read() as connection:
        return UnknownJob(name, queries.names(connection))


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
