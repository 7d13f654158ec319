"""The page of all jobs: filters, marks, and what each role is offered."""

from collections.abc import Callable

import psycopg
import pytest
from pandas import DataFrame
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
JOBS = "views/jobs.py"


def table(at: AppTest) -> DataFrame:
    (found,) = [frame.value for frame in at.dataframe]
    return found


def test_every_job_has_its_schedule_in_words_and_its_health(look: Look) -> None:
    at = look(JOBS)

    rows = table(at).set_index("job")
    assert not at.exception
    assert len(rows) == 16
    assert rows.loc["health-check", "schedule"] == "Every 5 minutes"
    assert rows.loc["health-check", "mark"] == ["Healthy"]
    assert rows.loc["process-referrals", "mark"] == ["Failing"]
    assert rows.loc["cleanup-old-alerts", "mark"] == ["Off"]
    assert rows.loc["export-ledger", "schedule"] == "No schedule"
    assert rows.loc["process-promotion-deliveries", "outcome"] == ["Running"]
    assert rows.loc["health-check", "p95"] == pytest.approx(0.45, abs=0.15)


def test_a_category_a_search_and_a_status_narrow_the_table(look: Look) -> None:
    at = look(JOBS)

    at.pills(key="category").select("loyalty").run()
    assert set(table(at)["job"]) == {"process-achievements", "process-referrals", "process-tier-upgrades"}

    at.text_input(key="q").set_value("refer conversions").run()
    assert list(table(at)["job"]) == ["process-referrals"]

    at.segmented_control(key="status").select("Off").run()
    assert not at.dataframe
    assert any("No job matches" in each.value for each in at.caption)


def test_the_filters_are_in_the_address(look: Look) -> None:
    at = look(JOBS, q="uptime minutes", status="All")

    assert list(table(at)["job"]) == ["health-check"]


@pytest.mark.parametrize(
    ("role", "offered"),
    [(Role.VIEWER, set()), (Role.OPERATOR, {"switch", "run"}), (Role.ADMIN, {"switch", "run"})],
)
def test_a_viewer_is_offered_neither_switch_nor_run(look: Look, role: Role, offered: set[str]) -> None:
    rows = table(look(JOBS, role))

    assert {"switch", "run"} & set(rows.columns) == offered


def test_a_click_on_run_opens_the_dialog_of_the_job_in_that_row(look: Look) -> None:
    at = look(JOBS, Role.OPERATOR)
    at.session_state["jobs_asked"] = ("run", "sync-coach-calendar")

    at.run()

    assert any("sync-coach-calendar" in html.value for html in at.html)
    assert at.number_input(key="argument_sync-coach-calendar_coach_id").value is None
    assert at.text_input(key="argument_sync-coach-calendar_since").value == "today"
    assert at.toggle(key="argument_sync-coach-calendar_full").value is False


def test_a_job_that_runs_is_found_by_its_status(look: Look, database: psycopg.Connection) -> None:
    running = database.execute("SELECT job FROM callboard.runs WHERE state = 'processing'").fetchall()

    at = look(JOBS, status="Running")

    assert set(table(at)["job"]) == {job for (job,) in running}
