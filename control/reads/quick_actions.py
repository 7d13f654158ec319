"""The jobs that operators start by one click, and what became of that of late."""

from collections.abc import Sequence
from dataclasses import dataclass

from callboard.control.context import Context
from callboard.control.reads.run_search import find
from callboard.control.reads.runs import Run
from callboard.core.search import Search
from callboard.storage.queries import quick_actions as queries

#: The most buttons that one card holds.
MOST = 12
#: How far back (hours) the log reaches.
LOG_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class QuickAction:
    """A job that names itself by the option `quick_action`; `dry_run`: whether it can try without writing."""

    job: str
    label: str
    description: str | None
    enabled: bool
    dry_run: bool


def quick_actions(context: Context) -> tuple[QuickAction, ...]:
    """All of them, by their labels."""
    with context.read() as connection:
        rows = queries.quick_actions(connection, limit=MOST)
    return tuple(
        QuickAction(
            job=row["name"],
            label=row["label"],
            description=row["description"],
            enabled=row["enabled"],
            dry_run=any(each["name"] == "dry_run" for each in row["signature"] or ()),
        )
        for row in rows
    )


def execution_log(context: Context, actions: Sequence[QuickAction], *, limit: int) -> tuple[Run, ...]:
    """The runs of the last day of these jobs, whoever asked for them, the latest sent first."""
    if not actions:
        return ()
    search = Search(jobs=tuple(action.job for action in actions))
    return find(context, search, hours=LOG_HOURS, limit=limit)[0]
