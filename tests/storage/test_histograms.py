"""Histograms in SQL are those of core.histogram, to the last digit."""

import math
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from callboard.core.histogram import BUCKETS, EDGES, bucket, histogram, merge, percentile
from callboard.storage.engine import psycopg_url

durations = st.lists(st.floats(0, 1e9), max_size=40)
counts = st.lists(st.integers(0, 1000), max_size=BUCKETS)
with_one_database = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def database(module_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(psycopg_url(module_database_url), autocommit=True) as connection:
        yield connection


def ask(database: psycopg.Connection, expression: str, *values: Any) -> Any:
    row = database.execute(f"SELECT {expression}", values).fetchone()
    assert row is not None
    return row[0]


def full(shorter: list[int]) -> list[int]:
    return shorter + [0] * (BUCKETS - len(shorter))


def test_the_bounds_are_the_same_numbers(database: psycopg.Connection) -> None:
    assert tuple(ask(database, "callboard.hist_edges()")) == EDGES


def test_a_duration_on_just_under_and_just_over_each_bound_falls_into_the_same_bucket(
    database: psycopg.Connection,
) -> None:
    near = [ms for edge in EDGES for ms in (math.nextafter(edge, 0), edge, math.nextafter(edge, math.inf))]
    near += [-5.0, 0.0, 0.999, 1e300, math.inf, math.nan]
    rows = database.execute("SELECT callboard.hist_bucket(ms) FROM unnest(%s::float8[]) AS ms", (near,))
    assert [row[0] for row in rows.fetchall()] == [bucket(ms) for ms in near]


@given(ms=durations)
@with_one_database
def test_a_histogram_of_durations_is_the_same(database: psycopg.Connection, ms: list[float]) -> None:
    found = ask(database, "callboard.hist_of(%s::float8[])", [*ms, None])
    assert full(found) == histogram(ms)
    assert not found or found[-1] > 0


@given(one=counts, other=counts)
@with_one_database
def test_a_sum_of_two_is_the_same_whichever_is_longer(
    database: psycopg.Connection, one: list[int], other: list[int]
) -> None:
    added = ask(database, "callboard.hist_add(%s::int[], %s::int[])", one, other)
    summed = ask(
        database,
        "(SELECT callboard.hist_sum(c::int[]) FROM jsonb_to_recordset(%s::jsonb) AS t (c text))",
        f'[{{"c": "{set_of(one)}"}}, {{"c": "{set_of(other)}"}}]',
    )
    assert full(added) == full(summed) == merge(one, other)


def set_of(numbers: list[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


@given(of=counts, q=st.floats(0, 1))
@with_one_database
def test_a_percentile_is_the_same(database: psycopg.Connection, of: list[int], q: float) -> None:
    assert ask(database, "callboard.hist_percentile(%s::int[], %s::float8)", of, q) == percentile(of, q)


def test_a_percentile_outside_0_to_1_is_refused(database: psycopg.Connection) -> None:
    with pytest.raises(errors.NumericValueOutOfRange, match="between 0 and 1, not 95"):
        ask(database, "callboard.hist_percentile('{1}', 95)")


def test_nothing_and_nothing_is_nothing(database: psycopg.Connection) -> None:
    assert ask(database, "callboard.hist_add(NULL, '{1,2}')") == [1, 2]
    assert ask(database, "callboard.hist_percentile('{}', 0.5)") is None
    assert ask(database, "callboard.hist_of(NULL)") == []
    assert ask(database, "callboard.hist_sum(c) FROM (SELECT NULL::int[] AS c) AS none") is None
