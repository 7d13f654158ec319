"""Fill the schema `business` with made-up data, and empty it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from callboard.control.audit import audited
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.core.demo import make
from callboard.core.errors import BadInput, Conflict
from callboard.storage.business import demo
from callboard.storage.queries import audit as audit_queries

#: What the audit trail calls the data.
TARGET = "business"
MOST = 1_000_000
MOST_COMPETITORS = 100_000
#: Tables that are filled, for a progress bar.
TABLES = 35
#: Days of which there is a daily report.
REPORTS = 30


@dataclass(frozen=True, slots=True)
class Filled:
    """How many customers there are now, and how many rows in all were added."""

    customers: int
    rows: int


def customers(context: Context) -> int:
    """How many customers there are."""
    with context.read() as connection:
        return demo.count_customers(connection)


def untouched(context: Context) -> bool:
    """Whether there are no business data, and never were any made up or removed here."""
    with context.read() as connection:
        if demo.first_filled(connection) is not None:
            return False
        return not audit_queries.latest(connection, limit=1, target=TARGET)


def seed(
    context: Context,
    principal: Principal,
    count: int,
    number: int,
    *,
    competitors: int | None = None,
    replace: bool = False,
    today: date | None = None,
    told: Callable[[str], None] | None = None,
) -> Filled:
    """Fill the business tables; the same number on the same day (UTC) gives the same rows.

    Args:
        number: what all chance comes of.
        competitors: how many of the game platform; by default one for 20 customers, and ten at least.
        replace: empty the tables first.
        told: called with the name of each table that is filled.

    Raises:
        NotAllowed: the role does not include `demo:manage`.
        BadInput: there are to be too few or too many of them.
        Conflict: there are business data, and `replace` is not given.
    """
    with audited(context, principal, permission="demo:manage", action="seed_demo", target=TARGET) as entry:
        if not 1 <= count <= MOST:
            raise BadInput(f"{count} customers cannot be made up; ask for 1 to {MOST:,}.")
        if competitors is not None and not 0 <= competitors <= MOST_COMPETITORS:
            raise BadInput(f"{competitors} competitors cannot be made up; ask for 0 to {MOST_COMPETITORS:,}.")
        before = demo.count_customers(entry.connection)
        if before and not replace:
            raise Conflict(f"There are {before:,} customers already; give --replace to remove them first.")
        if replace:
            demo.empty(entry.connection)
        elif filled := demo.first_filled(entry.connection):
            raise Conflict(
                f"The table business.{filled} has rows already; give --replace to remove all first."
            )
        rows, day = 0, today or datetime.now(UTC).date()
        for made in make(count, number, day, competitors):
            rows += demo.fill(entry.connection, made)
            if told is not None:
                told(made.table)
        rows += demo.report_days(entry.connection, day, REPORTS)
        entry.before, entry.after = {"customers": before}, {"customers": count, "seed": number}
    return Filled(count, rows)


def clear(context: Context, principal: Principal) -> int:
    """Empty the business tables; returns how many customers there were.

    Raises:
        NotAllowed: the role does not include `demo:manage`.
    """
    with audited(context, principal, permission="demo:manage", action="clear_demo", target=TARGET) as entry:
        before = demo.count_customers(entry.connection)
        demo.empty(entry.connection)
        entry.before, entry.after = {"customers": before}, {"customers": 0}
    return before
