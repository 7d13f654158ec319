"""What Sentry is told of schedules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.monitors import longest_minutes, monitor


@pytest.mark.parametrize(
    ("expr", "read"),
    [
        ("0 8 * * *", "0 8 * * *"),
        ("*/5 9-17 1,15 JAN-MAR mon-fri", "*/5 9-17 1,15 JAN-MAR mon-fri"),
        ("0 8 * * WED", "0 8 * * WED"),
        ("@daily", "0 0 * * *"),
        ("*/10 * * * * *", None),
        ("0 8 L * *", None),
        ("0 8 LW * *", None),
        ("0 8 * * 5L", None),
        ("0 8 * * mon#2", None),
    ],
)
def test_what_sentry_cannot_read_has_no_monitor(expr: str, read: str | None) -> None:
    found = monitor("send-mail", "code:1", expr, "Europe/Paris")

    assert (found and found["expr"]) == read
    if found:
        assert (found["slug"], found["tz"]) == ("send-mail", "Europe/Paris")


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100))
def test_every_name_has_a_slug_of_its_own(one: str, other: str) -> None:
    slugs = []
    for name in (one, other):
        found = monitor(name, "code:1", "0 8 * * *", "UTC")
        assert found is not None
        assert re.fullmatch(r"[a-z0-9_-]{1,50}", found["slug"])
        slugs.append(found["slug"])
    assert (slugs[0] == slugs[1]) == (one == other)


def test_schedules_of_one_job_are_monitors_of_their_own() -> None:
    slugs = {monitor("send-mail", key, "0 8 * * *", "UTC")["slug"] for key in ("code:1", "code:2", "noon")}

    assert len(slugs) == 3
    assert "send-mail-noon" in slugs


def test_a_run_may_take_as_long_as_its_attempts() -> None:
    assert longest_minutes(600_000, 3) == 31
    assert longest_minutes(60_000, 1) == longest_minutes(None, None) == 30
    assert longest_minutes(float("inf"), 5) == 40_320
