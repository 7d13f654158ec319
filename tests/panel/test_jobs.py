"""The page of all jobs: filters, marks, and what each role is offered."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import psycopg
import pytest
from pandas import DataFrame
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.panel.parts.job_bulk import KINDS

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
    assert 0.3 <= rows.loc["health-check", "p95"] < 0.6
    assert 3 <= len(rows.loc["health-check", "days"]) <= 4


def test_a_category_a_search_and_a_status_narrow_the_table(look: Look) -> None:
    at = look(JOBS)

    at.pills(key="category").select("loyalty").run()
    assert set(table(at)["job"]) == {"process-achievements", "process-referrals", "process-tier-upgrades"}

    at.text_input(key="q").set_value("refer conversions").run()
    assert list(table(at)["job"]) == ["process-referrals"]

    linked = look(JOBS, category="loyalty")
    assert set(table(linked)["job"]) == {"process-achievements", "process-referrals", "process-tier-upgrades"}

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


def test_what_can_be_done_to_several_jobs_waits_for_a_choice(look: Look) -> None:
    at = look(JOBS, Role.OPERATOR)
    assert {at.button(key=f"bulk_{what}").disabled for what in KINDS} == {True}

    choose(at, "health-check", "cleanup-old-logs")
    assert any(each.value == "2 jobs chosen" for each in at.caption)
    assert {at.button(key=f"bulk_{what}").disabled for what in KINDS} == {False}

    viewer = look(JOBS, Role.VIEWER)
    assert not [button for button in viewer.button if str(button.key).startswith("bulk_")]


def test_several_jobs_are_switched_off_with_one_reason_and_each_outcome_is_told(
    look: Look, database: psycopg.Connection
) -> None:
    names = ["opportunity-reminders", "process-achievements"]
    switch = "UPDATE cron_job_config SET enabled = %s, notes = NULL WHERE job_name = ANY(%s)"
    database.execute(switch, (False, names[:1]))
    try:
        at = choose(look(JOBS, Role.OPERATOR), *names)
        confirm(at, "bulk_off", names, bulk_why="the auditors are here")

        rows = database.execute(
            "SELECT job_name, enabled, notes FROM cron_job_config WHERE job_name = ANY(%s) ORDER BY 1",
            (names,),
        ).fetchall()
        told = "\n".join(html.value for html in at.html)
        assert not at.exception
        assert rows == [(name, False, "the auditors are here") for name in names]
        assert "was off already" in told
        assert "is switched off" in told
        audit = "SELECT count(*) FROM callboard.audit WHERE who = 'otto' AND target = ANY(%s)"
        assert database.execute(audit, (names,)).fetchone() == (2,)
    finally:
        database.execute(switch, (True, names))


def test_what_a_job_refuses_is_told_beside_its_name(look: Look) -> None:
    names = ["sync-coach-calendar", "export-ledger"]
    at = choose(look(JOBS, Role.OPERATOR), *names)
    confirm(at, "bulk_run", names)

    told = "\n".join(html.value for html in at.html)
    assert "coach_id" in told
    assert "quarter" in told


def choose(at: AppTest, *names: str) -> AppTest:
    """Choose the rows of those jobs."""
    rows = list(table(at)["job"])
    key = next(frame.key for frame in at.dataframe)
    at.session_state[key] = {"selection": {"rows": [rows.index(name) for name in names], "columns": []}}
    return at.run()


def confirm(at: AppTest, opener: str, names: Sequence[str], **fields: str) -> None:
    """Open the dialog, fill it in and confirm it; AppTest runs the whole page, so that it opens once more."""
    at.button(key=opener).click().run()
    for name, value in fields.items():
        at.text_input(key=name).set_value(value)
    at.session_state["jobs_asked"] = (opener.removeprefix("bulk_"), tuple(names))
    at.button(key="bulk_confirm").click().run()


def test_jobs_about_which_something_is_out_of_the_ordinary_are_found_by_their_status(
    look: Look, database: psycopg.Connection
) -> None:
    fired = "SELECT checked_until FROM callboard.schedules WHERE job_name = 'health-check'"
    before = database.execute(fired).fetchone()
    set_back = "UPDATE callboard.schedules SET checked_until = %s WHERE job_name = 'health-check'"
    assert before is not None
    database.execute(set_back, (before[0] - timedelta(hours=1),))
    at = look(JOBS, status="Unusual")
    database.execute(set_back, before)

    assert "health-check" in set(table(at)["job"])
    assert "export-ledger" not in set(table(at)["job"])
