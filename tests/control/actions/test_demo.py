"""Made-up data on the real tables."""

import pytest
from sqlalchemy import text

from callboard.control.actions import demo
from callboard.core.errors import BadInput, Conflict, NotAllowed

SUMS = """
SELECT count(*) FROM business.customers c
 WHERE points <> (SELECT coalesce(sum(l.points), 0) FROM business.points_ledger l WHERE l.customer_id = c.id)
"""


def test_tables_are_filled_refused_replaced_and_emptied(context, engine, admin):
    tables = []
    done = demo.seed(context, admin, 60, 7, told=tables.append)
    assert (done.customers, len(tables)) == (60, demo.TABLES)
    with pytest.raises(Conflict, match="60 customers already"):
        demo.seed(context, admin, 10, 7)
    demo.seed(context, admin, 20, 7, replace=True)
    with engine.begin() as connection:
        assert connection.scalar(text(SUMS)) == 0
        # The next id follows those that were filled in.
        added = "INSERT INTO business.locations (slug, name, latitude, longitude) VALUES ('x', 'X', 0, 0)"
        assert connection.scalar(text(f"{added} RETURNING id")) == 10
        assert connection.scalar(text("SELECT count(*) FROM callboard.uptime_checks")) > 0
    assert demo.customers(context) == 20
    assert demo.clear(context, admin) == 20
    assert demo.customers(context) == 0
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM callboard.uptime_checks")) == 0
        assert connection.scalar(text("SELECT count(*) FROM callboard.alerts")) == 0


def test_what_is_there_already_is_not_mixed_with_what_is_made_up(context, engine, admin):
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO business.locations (slug, name, latitude, longitude) VALUES ('x', 'X', 0, 0)")
        )
    with pytest.raises(Conflict, match=r"business\.locations has rows already; give --replace"):
        demo.seed(context, admin, 10, 7)
    assert demo.customers(context) == 0


def test_only_an_admin_may_and_only_sensible_numbers_are_taken(context, admin, operator):
    with pytest.raises(NotAllowed):
        demo.seed(context, operator, 10, 7)
    with pytest.raises(NotAllowed):
        demo.clear(context, operator)
    with pytest.raises(BadInput):
        demo.seed(context, admin, 0, 7)
    with pytest.raises(BadInput):
        demo.seed(context, admin, 1, 7, competitors=-1)
    assert demo.customers(context) == 0
