"""A job's page: figures, schedule, executions, slots, buttons."""

from collections.abc import Callable
from datetime import datetime

import psycopg
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.panel import home
from helpers.panel_control import fill_redis

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
JOB = "views/job.py"


def shown(at: AppTest) -> str:
    """All plain text on the page."""
    return "\n".join(html.value for html in at.html)


def test_the_figures_are_the_jobs_own(look: Look, database: psycopg.Connection) -> None:
    rows = database.execute(
        "SELECT count(*), count(*) FILTER (WHERE state = 'failed') FROM callboard.runs"
        " WHERE job = 'process-referrals' AND state IN ('succeeded', 'failed')"
    ).fetchone()
    assert rows is not None

    at = look(JOB, job="process-referrals")

    figures = {metric.label: metric.value for metric in at.metric}
    assert not at.exception
    assert figures["Executions"] == str(rows[0])
    assert figures["Failures"] == str(rows[1])
    assert figures["Success rate"] == f"{100 * (rows[0] - rows[1]) / rows[0]:.1f}%".replace(".0%", "%")


def test_executions_are_listed_the_latest_first_with_status_duration_and_error(look: Look) -> None:
    at = look(JOB, job="process-referrals")

    (table,) = [frame.value for frame in at.dataframe]
    assert table["started"].is_monotonic_decreasing
    assert table["state"].iloc[0] == ["Waiting"]
    failed = table[table["state"].str[0] == "Failed"]
    assert (failed["duration"] > 0).all()
    assert (failed["error"] != "").all()


def test_few_runs_are_drawn_one_by_one_and_many_as_percentiles(look: Look) -> None:
    few = look(JOB, job="process-referrals")
    many = look(JOB, job="health-check")

    captions = [each.value for each in few.caption], [each.value for each in many.caption]
    assert "each run, of its last attempt" in captions[0]
    assert "median, and 10th to 95th percentile" in captions[1]
    assert len(few.get("vega_lite_chart")) == len(many.get("vega_lite_chart")) == 2


def test_the_slots_tell_what_became_of_each_time_it_was_due(look: Look, filled: datetime) -> None:
    at = look(JOB, job="health-check", job_tab="Slots")
    at.session_state["job_tab"] = "Slots"
    at.run()

    (ledger,) = [frame.value for frame in at.dataframe]
    assert ledger["due"].is_monotonic_decreasing
    # Nobody decides what has fallen due since.
    decided = ledger[ledger["due"] <= filled]
    assert len(decided) > 100
    assert {word for words in decided["became"] for word in words} <= {"Fired", "Late", "Overlap"}


def test_schedule_and_options_are_in_words(look: Look) -> None:
    at = look(JOB, job="sync-coach-calendar")
    at.session_state["job_tab"] = "Schedule and options"
    at.run()

    text = shown(at)
    assert "*/10 6-22 * * *" in text
    assert "Europe/Paris" in text
    assert "coach_id: int" in text
    assert "5" in text


def test_a_job_that_is_off_says_so_and_why(look: Look) -> None:
    at = look(JOB, Role.OPERATOR, job="cleanup-old-alerts")

    assert "Off until the audit is over." in shown(at)
    assert at.button(key="run_now").disabled
    assert at.button(key="switch_on").label == "Switch on"


def test_a_viewer_has_no_buttons(look: Look) -> None:
    at = look(JOB, Role.VIEWER, job="health-check")

    assert not {"run_now", "switch_off", "switch_on"} & {button.key for button in at.button}


def test_the_switch_is_turned_and_audited(look: Look, database: psycopg.Connection) -> None:
    at = look(JOB, Role.OPERATOR, job="cleanup-old-alerts")

    at.button(key="switch_on").click().run()

    row = database.execute(
        "SELECT enabled FROM cron_job_config WHERE job_name = 'cleanup-old-alerts'"
    ).fetchone()
    assert row == (True,)
    audit = "SELECT who, address, action, outcome FROM callboard.audit WHERE origin = 'panel' AND target = %s"
    found = database.execute(audit, ("cleanup-old-alerts",)).fetchall()
    assert found == [("otto", "10.0.0.9", "enable_job", "done")]
    assert any(text.value == "cleanup-old-alerts is switched on." for text in at.text)
    database.execute("UPDATE cron_job_config SET enabled = false WHERE job_name = 'cleanup-old-alerts'")


def test_a_role_lost_since_the_page_was_drawn_is_lost(look: Look, database: psycopg.Connection) -> None:
    at = look(JOB, Role.OPERATOR, job="cleanup-old-alerts")
    database.execute("UPDATE callboard.users SET role = 'viewer' WHERE name = 'otto'")
    st.cache_resource.clear()
    try:
        at.button(key="switch_on").click().run()

        assert any("may not do this" in text.value for text in at.text)
        row = database.execute(
            "SELECT enabled FROM cron_job_config WHERE job_name = 'cleanup-old-alerts'"
        ).fetchone()
        assert row == (False,)
    finally:
        database.execute("UPDATE callboard.users SET role = 'operator' WHERE name = 'otto'")


def test_a_name_that_no_job_has_brings_the_names_that_come_close(look: Look) -> None:
    at = look(JOB, job="health-chek")

    assert any("Did you mean health-check?" in text.value for text in at.text)
    assert not at.metric


def test_a_job_that_never_ran_says_what_to_do(look: Look, filled: datetime) -> None:
    at = look(JOB, job="cleanup-old-logs", window="24 hours")

    if filled.weekday() != 6:
        assert any("Press Run now, or choose a longer window." in each.value for each in at.caption)


def test_what_is_out_of_the_ordinary_is_told_with_a_way_to_the_run(
    look: Look, database: psycopg.Connection
) -> None:
    run_id = "11111111-2222-4333-8444-555555555555"
    database.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, started_at"
        ", attempt_started_at, finished_at, duration_ms, trigger) VALUES (%s, now(), 'health-check'"
        ", 'default', 'succeeded', 19, now() - interval '1 min', now() - interval '1 min', now(), 60000"
        ", 'schedule')",
        (run_id,),
    )
    at = look(JOB, job="health-check")

    database.execute("DELETE FROM callboard.runs WHERE run_id = %s", (run_id,))
    assert "times the usual" in shown(at)
    assert any(str(button.key).startswith("anomaly_") for button in at.button)


def test_an_admin_sees_who_did_what_to_the_job_and_its_schedules(
    look: Look, database: psycopg.Connection
) -> None:
    database.execute(
        "INSERT INTO callboard.audit (who, origin, action, target, outcome) SELECT 'ada', 'panel', 'edit'"
        ", unnest(ARRAY['health-check/code:0', 'job health-check', 'health-checks']), 'done'"
    )
    at = look(JOB, job="health-check")
    at.session_state["job_tab"] = "Audit"
    at.run()

    (trail,) = [frame.value for frame in at.dataframe]
    assert {"health-check/code:0", "job health-check"} <= set(trail["target"])
    assert "health-checks" not in set(trail["target"])
    operator = look(JOB, Role.OPERATOR, job="health-check")
    assert "Audit" not in [tab.label for tab in operator.tabs]


def test_the_breaker_of_a_job_is_told_with_a_way_to_close_it(
    look: Look, database: psycopg.Connection
) -> None:
    set_option = "UPDATE callboard.jobs SET options = options || %s WHERE name = 'send-review-requests'"
    database.execute(set_option, ('{"breaker": "whatsapp"}',))
    context = home.context()
    fill_redis(context.redis, context.keys)
    at = look(JOB, Role.OPERATOR, job="send-review-requests")

    context.redis.flushdb()
    database.execute("UPDATE callboard.jobs SET options = options - 'breaker'")
    assert "ConnectTimeout: no answer within 10 s" in shown(at)
    assert at.button(key="reset_whatsapp").label == "Close now"


def test_a_schedule_is_edited_and_added_where_its_job_is(look: Look, database: psycopg.Connection) -> None:
    where = "SELECT id, expr FROM callboard.schedules WHERE job_name = 'sync-coach-calendar' ORDER BY id"
    before = database.execute(where).fetchall()
    edit = f"job_schedule_edit_{before[0][0]}"

    def opened(role: Role) -> AppTest:
        at = look(JOB, role, job="sync-coach-calendar")
        at.session_state["job_tab"] = "Schedule and options"
        return at.run()

    assert "job_schedule_add" not in {button.key for button in opened(Role.VIEWER).button}
    at = opened(Role.OPERATOR)
    try:
        at.button(key=edit).click().run()
        at.text_input(key=f"edit_expr_{before[0][0]}").set_value("7 3 * * *")
        at.button(key=edit).click().run()
        assert any("At 03:07 every day" in each.value for each in at.caption)
        at.button(key=edit).click()
        at.button(key="edit_confirm").click().run()
        assert not at.exception
        assert database.execute(where).fetchall()[0][1] == "7 3 * * *"

        at.button(key="job_schedule_add").click().run()
        assert at.selectbox(key="new_job").options == ["sync-coach-calendar"]
        at.button(key="job_schedule_template").click().run()
        assert at.selectbox(key="template_sync").value == "sync-coach-calendar"
    finally:
        database.execute("UPDATE callboard.schedules SET expr = %s WHERE id = %s", before[0][::-1])
