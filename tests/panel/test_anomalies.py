"""The page Anomalies: all findings, found by kind and word, and what would be shown where there are none."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.core.anomalies import Finding
from callboard.core.sheets import records
from callboard.panel.parts import anomaly_rows
from callboard.panel.parts.anomaly_looks import against_usual

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
PAGE = "views/anomalies.py"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOSTILE = "=1+1 **bold** <b>"
FOUND = (
    Finding("missed", "mail", "The slot of mail/code:0.", NOW - timedelta(minutes=31), "critical",
            slot=NOW - timedelta(minutes=1), schedule_id=7),
    Finding("duration", "report", f"It took long. {HOSTILE}", NOW, run_id=UUID(int=3), ratio=7.04),
    Finding("suspicious_success", "report", HOSTILE, NOW, run_id=UUID(int=4), ratio=0.034),
    Finding("too_often", "sync", "3 runs began.", NOW),
)  # fmt: skip


@pytest.fixture
def missed(database: psycopg.Connection) -> Iterator[None]:
    """Nobody has decided the slots of one job for an hour, and those of the others are; undone afterwards."""
    before = database.execute("SELECT checked_until, id, job_name FROM callboard.schedules").fetchall()
    decide = "UPDATE callboard.schedules SET checked_until = %s WHERE id = %s"
    for until, number, job in before:
        hours = -1 if job == "health-check" else 1
        database.execute(decide, (until + timedelta(hours=hours), number))
    yield
    for until, number, _ in before:
        database.execute(decide, (until, number))


def jobs(at: AppTest) -> list[str]:
    """The jobs of the findings on the page, in their order."""
    return [button.label for button in at.button if str(button.key).startswith("anomaly_job_")]


def words(at: AppTest) -> str:
    return "\n".join(str(each.value) for each in [*at.html, *at.markdown, *at.caption, *at.text])


def test_all_findings_are_listed_with_evidence_and_filtered_by_kind_and_word(
    look: Look, missed: None
) -> None:
    at = look(PAGE, Role.VIEWER)

    said = words(at)
    assert not at.exception
    assert "has not become anything" in said
    assert "late" in said
    assert "Schedule collisions" in said
    assert jobs(at)[0] == "health-check"
    assert next(button.label for button in at.button if button.key == "anomaly_open_0") == "Slot"

    at.text_input(key="q").set_value("health-check decided-by-nobody").run()
    assert jobs(at) == []
    assert "Clear the search" in words(at)
    narrowed = look(PAGE, Role.VIEWER, kind="Missed")
    assert jobs(narrowed) == ["health-check"], words(narrowed)


def test_where_there_is_nothing_the_page_says_what_would_be_shown_and_from_how_many_runs_on(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callboard.control.reads.anomalies.anomalies", lambda context: ())

    said = words(look(PAGE, Role.VIEWER))

    assert "Nothing is out of the ordinary" in said
    assert "Told from 20 successes on" in said


def test_the_collisions_of_the_week_have_an_address_and_a_button_that_leads_there(look: Look) -> None:
    assert any(button.key == "open_collisions" for button in look(PAGE, Role.VIEWER).button)

    at = look("views/schedules.py", Role.VIEWER, schedules_tab="Collisions")

    assert not at.exception
    assert "its job's 95th percentile" in words(at)


def test_a_click_leads_to_the_run_the_schedule_or_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    for way in ("open_run", "open_schedule", "open_job"):
        monkeypatch.setattr(anomaly_rows, way, lambda name, way=way: opened.append((way, name)))

    for what, target in (("Run", "7a"), ("Slot", "7"), ("Runs", "mail")):
        anomaly_rows.go(what, target)

    assert opened == [("open_run", "7a"), ("open_schedule", 7), ("open_job", "mail")]


def test_findings_are_found_and_taken_along() -> None:
    assert anomaly_rows.shown(FOUND, kinds=["duration", "missed"], search="report LONG") == [FOUND[1]]
    assert [against_usual(each, NOW) for each in FOUND] == ["31 min late", "7.0 ×", "3 %", "none expected"]
    lines = records(Finding, FOUND).splitlines()
    assert lines[0] == "kind,job,evidence,since,severity,run_id,slot,schedule_id,ratio"
    assert f"'{HOSTILE}" in lines[3]
