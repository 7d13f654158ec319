"""The page of schedules: listed, explained, edited with a preview, by whoever may."""

from collections.abc import Callable, Iterator
from datetime import datetime

import psycopg
import pytest
from psycopg.rows import dict_row
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.control.reads.ledger import UNDECIDED
from callboard.panel import home
from callboard.panel.parts import schedule_table
from callboard.panel.parts.ledger import LOOKS
from helpers.fleets import add_worker

pytestmark = pytest.mark.usefixtures("filled", "kept")

Look = Callable[..., AppTest]
PAGE = "views/schedules.py"
JOB = "health-check"


@pytest.fixture
def kept(filled: datetime, database: psycopg.Connection) -> Iterator[None]:
    """What a test does to schedules is undone."""
    columns = "expr, tz, kwargs, enabled, checked_until, misfire, misfire_limit, grace_ms, changed_by"
    database.execute(f"CREATE TEMP TABLE before AS SELECT id, {columns} FROM callboard.schedules")
    yield
    database.execute("DELETE FROM callboard.schedules WHERE id NOT IN (SELECT id FROM before)")
    database.execute(
        f"UPDATE callboard.schedules s SET ({columns}) = (SELECT {columns} FROM before b WHERE b.id = s.id)"
    )


def row(database: psycopg.Connection, job: str = JOB, key: str = "%") -> dict[str, object]:
    query = "SELECT * FROM callboard.schedules WHERE job_name = %s AND key LIKE %s"
    with database.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, (job, key)).fetchone()
    assert found is not None
    return found


def test_all_schedules_are_listed_and_searched(look: Look, database: psycopg.Connection) -> None:
    at = look(PAGE, Role.VIEWER)

    (rows,) = [frame.value for frame in at.dataframe]
    assert not at.exception
    ((total,),) = database.execute("SELECT count(*) FROM callboard.schedules").fetchall()
    assert len(rows) == total
    (shown,) = rows[rows["name"].str.startswith(f"{JOB}/")].to_dict("records")
    assert (shown["expr"], shown["switch"]) == (row(database)["expr"], ["On"])

    at.text_input(key="q").set_value(JOB).run()
    assert len(at.dataframe[0].value) == 1
    at.segmented_control(key="status").set_value("Off").run()
    assert at.dataframe == []


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.VIEWER, set()),
        (Role.OPERATOR, {"schedule_add", "schedule_templates"}),
    ],
)
def test_a_viewer_is_offered_to_look_alone(
    look: Look, database: psycopg.Connection, role: Role, offered: set[str]
) -> None:
    buttons = {button.key for button in look(PAGE, role).button}
    assert buttons & {"schedule_add", "schedule_templates"} == offered

    at = look(PAGE, role, schedule=str(row(database)["id"]))
    buttons = {button.key for button in at.button}
    changing = {"schedule_edit", "schedule_switch", "schedule_reset", "schedule_delete"}
    assert bool(buttons & changing) is bool(offered)
    assert at.dataframe[0].value["due"].is_monotonic_decreasing


def test_the_ledger_is_filtered_by_job_and_by_what_became(look: Look) -> None:
    at = look(PAGE, Role.VIEWER)
    at.session_state["schedules_tab"] = "Ledger"
    at.run()
    assert not at.exception
    everything = at.dataframe[0].value
    assert everything["job"].nunique() > 3

    at.selectbox(key="ledger_job").set_value(JOB).run()
    assert "job" not in at.dataframe[0].value
    at.text_input(key="why_job").set_value("03:00").run()
    assert not at.exception
    at.text_input(key="why_job").set_value("noon").run()
    assert any("is no moment" in text.value for text in at.text)


def test_a_schedule_that_is_gone_says_so(look: Look) -> None:
    at = look(PAGE, Role.OPERATOR, schedule="424242")

    assert any("There is no such schedule" in each.value for each in at.caption)


def test_an_edit_shows_what_it_changes_and_is_saved(look: Look, database: psycopg.Connection) -> None:
    before = row(database)
    at = look(PAGE, Role.OPERATOR, schedule=str(before["id"]))
    at.button(key="schedule_edit").click().run()
    expr = f"edit_expr_{before['id']}"
    at.text_input(key=expr).set_value("7 3 * * *")
    at.button(key="schedule_edit").click().run()
    assert any("At 03:07 every day" in each.value for each in at.caption)
    assert any(each.value.startswith("First to go: ") for each in at.caption)

    at.button(key="schedule_edit").click()
    at.button(key="edit_confirm").click().run()

    assert not at.exception
    after = row(database)
    assert (after["expr"], after["changed_by"], after["kwargs"]) == ("7 3 * * *", "otto", before["kwargs"])


def test_an_expression_that_makes_no_sense_is_told_while_typing(
    look: Look, database: psycopg.Connection
) -> None:
    found = row(database)
    at = look(PAGE, Role.OPERATOR, schedule=str(found["id"]))
    at.button(key="schedule_edit").click().run()
    at.text_input(key=f"edit_expr_{found['id']}").set_value("61 * * * *")
    at.button(key="schedule_edit").click().run()

    assert any("minute" in each.value for each in at.text)
    assert "edit_confirm" not in {button.key for button in at.button}


def test_a_schedule_is_switched_off_reset_and_on_again(look: Look, database: psycopg.Connection) -> None:
    found = row(database)
    at = look(PAGE, Role.OPERATOR, schedule=str(found["id"]))

    at.button(key="schedule_switch").click().run()
    assert row(database)["enabled"] is False
    at.button(key="schedule_reset").click().run()
    assert row(database)["enabled"] is True
    assert any("is as its code says" in each.value for each in at.text)


def test_a_schedule_is_added_and_deleted(look: Look, database: psycopg.Connection) -> None:
    at = look(PAGE, Role.OPERATOR)
    at.button(key="schedule_add").click().run()
    at.selectbox(key="new_job").set_value(JOB)
    at.text_input(key="new_expr").set_value("0 6 * * 1")
    at.text_input(key="new_key").set_value("mondays")
    at.button(key="schedule_add").click()
    at.button(key="new_confirm").click().run()
    assert not at.exception
    made = row(database, key="mondays")
    assert (made["expr"], made["origin"], made["changed_by"]) == ("0 6 * * 1", "operator", "otto")

    at = look(PAGE, Role.OPERATOR, schedule=str(made["id"]))
    at.button(key="schedule_delete").click().run()
    at.button(key="schedule_delete").click()
    at.button(key="delete_confirm").click().run()
    assert database.execute("SELECT FROM callboard.schedules WHERE key = 'mondays'").fetchall() == []


def test_a_template_is_shown_and_applied(look: Look, database: psycopg.Connection) -> None:
    at = look(PAGE, Role.OPERATOR)
    at.button(key="schedule_templates").click().run()
    at.selectbox(key="template").set_value("off-season")
    at.selectbox(key="template_sync").set_value(JOB)
    at.selectbox(key="template_totals").set_value("process-referrals")
    at.button(key="schedule_templates").click().run()
    assert not at.exception
    assert {"Add", "Switch off"} <= {
        what for frame in at.dataframe if "what" in frame.value for what in frame.value["what"]
    }

    at.button(key="schedule_templates").click()
    at.button(key="template_confirm").click().run()

    assert row(database, key="template:%")["expr"] == "0 */4 * * *"
    assert row(database, "process-referrals", "template:%")["expr"] == "10 */4 * * *"


def test_every_look_of_a_switch_has_a_word_of_its_own() -> None:
    looks = [getattr(schedule_table, name) for name in ("ON", "OFF", "JOB_OFF", "NO_CODE", "RETIRED")]

    assert len({each.word for each in looks}) == len(looks)
    assert UNDECIDED in LOOKS


def test_the_calendar_tells_which_schedules_fall_due_on_a_day(look: Look) -> None:
    at = look(PAGE, Role.VIEWER)
    at.session_state["schedules_tab"] = "Calendar"
    at.run()

    days = at.segmented_control(key="calendar_day")
    assert not at.exception
    assert len(days.options) == 7
    (rows,) = [frame.value for frame in at.dataframe]
    often = rows[rows["name"].str.startswith("health-check/")]
    assert 0 < int(often["count"].iloc[0]) <= 288
    assert not rows["name"].str.startswith("cleanup-old-alerts").any()


def test_collisions_are_told_with_the_jobs_that_meet(look: Look) -> None:
    context = home.context()
    queues = ["default", "mail", "sync"]
    add_worker(context.redis, context.keys, "w1", silence_s=-3_600, threads=1, queues=queues)
    at = look(PAGE, Role.VIEWER)
    at.session_state["schedules_tab"] = "Collisions"
    at.run()

    context.redis.flushdb()
    (rows,) = [frame.value for frame in at.dataframe]
    assert not at.exception
    assert (rows["want"].str.endswith(" of 1")).all()
    assert rows["jobs"].str.contains("health-check").any()
    assert any("1 thread of 1 worker" in each.value for each in at.caption)
