"""Made-up business data: nothing impossible among them, nothing missing, and all that is added up adds up."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from callboard.control.actions import demo as actions
from callboard.core.demo import make
from callboard.storage.business import air_days, air_quality, demo, opportunity_analytics, promotion_analytics
from callboard.storage.engine import make_engine, psycopg_url
from helpers.sense import NEVER

DAY = date(2026, 11, 20)
NOW = datetime.combine(DAY, time(), UTC)
#: What is planned, or was promised, lies in the future rightly.
PLANS = {
    ("promotions", "starts_at"),
    ("promotions", "ends_at"),
    ("offers", "expires_at"),
    ("sessions", "expires_at"),
    ("OutboundJob", "runAt"),
}
#: Nothing has failed yet.
EMPTY = {"item_failures"}
COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables
 USING (table_schema, table_name)
 WHERE table_schema = 'business' AND table_type = 'BASE TABLE' AND data_type LIKE 'timestamp%'
"""
STATES = r"""
SELECT cls.relname AS "table", col.attname AS "column", pg_get_constraintdef(con.oid) AS states
  FROM pg_constraint con
  JOIN pg_class cls ON cls.oid = con.conrelid
  JOIN pg_attribute col ON col.attrelid = cls.oid AND col.attnum = con.conkey[1]
 WHERE con.connamespace = 'business'::regnamespace AND con.contype = 'c' AND cardinality(con.conkey) = 1
   AND pg_get_constraintdef(con.oid) LIKE '%ANY (ARRAY[%'
"""


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Engine]:
    engine = make_engine(module_database_url)
    with engine.begin() as connection:
        for made in make(500, 7, DAY):
            demo.fill(connection, made)
        demo.report_days(connection, DAY, actions.REPORTS)
    yield engine
    engine.dispose()


@pytest.fixture
def undone(filled: Engine) -> Iterator[Connection]:
    """A connection whose changes are undone."""
    with filled.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture(scope="module")
def query(module_database_url: str, filled: Engine) -> Iterator[Any]:
    with psycopg.connect(psycopg_url(module_database_url), autocommit=True) as connection:
        yield lambda words: connection.execute(words.replace(":now", f"'{NOW.isoformat()}'")).fetchall()


@pytest.mark.parametrize("sentence", NEVER)
def test_never_otherwise(query: Any, sentence: str) -> None:
    assert query(NEVER[sentence])[:5] == []


def test_only_plans_lie_after_the_end_of_the_data(query: Any) -> None:
    columns = set(query(COLUMNS))
    assert columns >= PLANS
    late = {
        column: query(f"""SELECT max("{column[1]}") FROM business."{column[0]}" """)[0][0]
        for column in columns - PLANS
    }
    assert {column: at for column, at in late.items() if at is not None and at >= NOW} == {}


def test_every_state_that_a_row_may_have_occurs(query: Any) -> None:
    constraints = query(STATES)
    assert len(constraints) > 10
    for table, column, states in constraints:
        occurring = {row[0] for row in query(f'SELECT DISTINCT "{column}" FROM business."{table}"')}
        missing = set(re.findall(r"'([^']+)'::text", states)) - occurring
        assert not missing or table in EMPTY, (table, column, missing)


def test_no_table_is_left_out(query: Any) -> None:
    tables = {row[0] for row in query("SELECT tablename FROM pg_tables WHERE schemaname = 'business'")}
    empty = {table for table in tables if not query(f'SELECT 1 FROM business."{table}" LIMIT 1')}
    assert empty == EMPTY


def test_the_figures_of_opportunities_are_those_that_the_job_would_count_all_but_yesterdays(
    undone: Connection,
) -> None:
    first = opportunity_analytics.first_day(undone)
    assert first is not None
    days = [first + timedelta(days=number) for number in range((DAY - first).days)]
    counted = opportunity_analytics.compute(undone, days, NOW)
    changed = undone.scalars(
        text("SELECT day FROM business.opportunity_daily WHERE computed_at = :now"), {"now": NOW}
    )
    assert counted.removed == 0
    assert set(changed) == {days[-1]}


def test_the_figures_of_promotions_are_those_that_the_job_would_count_all_but_yesterdays(
    undone: Connection,
) -> None:
    ids = list(undone.scalars(text("SELECT id FROM business.promotions")))
    counted = promotion_analytics.compute(undone, ids, NOW - timedelta(days=100), NOW)
    changed = undone.scalars(
        text("SELECT day FROM business.promotion_daily WHERE computed_at = :now"), {"now": NOW}
    )
    assert counted.removed == 0
    assert set(changed) == {DAY - timedelta(days=1)}


def test_a_days_air_is_what_the_job_would_make_of_its_hours(undone: Connection) -> None:
    kept = "SELECT * FROM business.daily_statistics WHERE location_id = 1 ORDER BY day"
    before = [dict(row) for row in undone.execute(text(kept)).mappings()]
    undone.execute(text("DELETE FROM business.daily_statistics"))
    air_days.finalise(undone, [1], NOW, 91)
    after = [dict(row) for row in undone.execute(text(kept)).mappings()]
    # The last day was over, but the run of that night is still to come.
    assert [row["day"] for row in after[:-1]] == [row["day"] for row in before]
    for made, computed in zip(before, after, strict=False):
        for name in air_quality.COLUMNS:
            assert made[name] == pytest.approx(computed[name]), (made["day"], name)


def test_the_present_days_air_is_what_the_job_would_make_of_its_hours(undone: Connection) -> None:
    kept = text("SELECT * FROM business.current_day_aggregates ORDER BY location_id")
    before = [dict(row) for row in undone.execute(kept).mappings()]
    run = NOW - timedelta(hours=1)
    undone.execute(text("DELETE FROM business.measurements WHERE measured_at >= :run"), {"run": run})
    air_quality.add_up_today(undone, [row["location_id"] for row in before], run)
    after = [dict(row) for row in undone.execute(kept).mappings()]
    assert len(before) >= 5
    for made, computed in zip(before, after, strict=True):
        for name in ("location_id", "day", *air_quality.COLUMNS):
            expected = computed[name]
            assert made[name] == (pytest.approx(expected) if isinstance(expected, float) else expected), name


def test_the_next_id_follows_those_that_were_made_up(undone: Connection) -> None:
    last = undone.scalar(text("SELECT max(id) FROM business.completed_jobs"))
    added = text(
        "INSERT INTO business.completed_jobs (customer_id, title, amount_cents, completed_at)"
        " VALUES (1, 'Work', 100, now()) RETURNING id"
    )
    assert undone.scalar(added) == last + 1


@pytest.mark.parametrize("customers", [2, 40])
def test_a_handful_of_customers_makes_sense_too(databases: Any, customers: int) -> None:
    url = databases.fresh()
    engine = make_engine(url)
    with engine.begin() as connection:
        for made in make(customers, 3, date(2028, 2, 29)):
            demo.fill(connection, made)
    end = datetime(2028, 2, 29, tzinfo=UTC).isoformat()
    with psycopg.connect(psycopg_url(url)) as connection:
        wrong = {
            sentence: rows
            for sentence, words in NEVER.items()
            if (rows := connection.execute(words.replace(":now", f"'{end}'")).fetchall())
        }
    engine.dispose()
    databases.drop(url)
    assert wrong == {}
