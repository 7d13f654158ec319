"""The page of the fleet."""

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.core.settings import Settings
from callboard.panel import home
from helpers.fleets import add_fleet

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
PAGE = "views/workers.py"


@pytest.fixture(autouse=True)
def tidy(panel_settings: Settings) -> Iterator[None]:
    home.settle(panel_settings)
    yield
    home.context().redis.flushdb()


def test_an_empty_fleet_says_how_to_start_a_worker(look: Look) -> None:
    at = look(PAGE, Role.VIEWER)

    assert not at.exception
    assert any("Start one with `callboard worker`" in caption.value for caption in at.caption)


def test_processes_their_load_and_their_troubles_are_shown(look: Look) -> None:
    add_fleet(home.context().redis, home.context().keys)

    at = look(PAGE, Role.OPERATOR)

    assert not at.exception
    assert [(metric.label, metric.value) for metric in at.metric] == [
        ("Worker processes alive", "3"),
        ("Threads busy", "5 of 32"),
        ("Memory of all", "1.1 GB"),
        ("Version", "0.1.0"),
    ]
    workers, runs, others = (table.value for table in at.dataframe)
    assert [list(each) for each in workers["state"]] == [
        ["Alive"],
        ["Alive"],
        ["Alive", "Old version", "1 lost"],
        ["Silent"],
        ["Dead"],
    ]
    assert workers["threads"].iloc[0] == "3 of 8"
    assert workers["doing"].iloc[0].startswith("process-referrals 1:3")
    assert list(runs["job"])[:2] == ["weekly-cleanup", "process-referrals"]
    assert "stack" in runs
    assert list(others["does"]) == ["keeps 34 schedules", "records", "stands by", "serves", "serves"]


def test_a_viewer_is_not_offered_the_stack(look: Look) -> None:
    add_fleet(home.context().redis, home.context().keys)

    at = look(PAGE, Role.VIEWER)

    assert "stack" not in at.dataframe[1].value


def test_who_asks_for_a_run_that_has_ended_is_told_so(look: Look) -> None:
    add_fleet(home.context().redis, home.context().keys)
    at = look(PAGE, Role.OPERATOR)
    at.session_state["stack_asked"] = "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c00"
    at.run()

    assert not at.exception
    assert any("There is no run" in text.value for text in at.text)
