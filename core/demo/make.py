"""All tables, in an order in which each refers only to those before it."""

from collections.abc import Iterator
from datetime import date

from callboard.core.demo.activity import activity
from callboard.core.demo.outreach import outreach
from callboard.core.demo.people import people
from callboard.core.demo.rows import Ground, Rows


def make(customers: int, seed: int, today: date) -> Iterator[Rows]:
    """The rows of each table. There is at least one customer."""
    ground = Ground(customers, seed, today)
    made = people(ground)
    yield from made
    jobs = next(rows for rows in made if rows.table == "completed_jobs")
    yield from outreach(ground, jobs)
    yield from activity(ground)
