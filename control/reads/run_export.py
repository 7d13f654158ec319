"""Runs as a table to take along."""

from dataclasses import fields
from typing import Final

from callboard.control.context import Context
from callboard.control.reads.run_search import Wanted, all_of
from callboard.control.reads.runs import Run
from callboard.core.sheets import sheet

#: The most rows of a table.
MOST: Final = 5_000


def export(context: Context, wanted: Wanted) -> str:
    """The latest of the runs that fit, at most 5,000, as CSV with all that is known of each at a glance.

    Raises:
        BadInput: the words are none of a search.
    """
    columns = [field.name for field in fields(Run)]
    runs = all_of(context, wanted, MOST)
    return sheet(columns, ([getattr(run, column) for column in columns] for run in runs))
