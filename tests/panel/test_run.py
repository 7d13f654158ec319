"""A run's page: steps, facts, log, traceback; and text that would like to be more than text."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
RUN = "views/run.py"
HOSTILE = (
    "![pixel](https://evil.example/p.png) <img src=https://evil.example/q.png onerror=alert(1)>"
    " [link](javascript:alert(1)) :material/home: :red[red] $x^2$ `tick` # head\n\u202eright to left"
)


def one(database: psycopg.Connection, where: str) -> str:
    row = database.execute(
        f"SELECT run_id FROM callboard.runs WHERE {where} ORDER BY enqueued_at DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_failed_run_shows_its_error_log_and_traceback(look: Look, database: psycopg.Connection) -> None:
    run_id = one(database, "job = 'process-referrals' AND state = 'failed' AND attempt = 2")

    at = look(RUN, run=run_id)

    assert not at.exception
    codes = [code.value for code in at.code]
    assert any(code.startswith(("OperationalError: ", "TimeLimitExceeded: ")) for code in codes)
    log = next(html.value for html in at.html if "Run begins, attempt 2" in html.value)
    assert "#1" in log
    assert 'font-weight:600">ERROR' in log
    assert any(code.startswith("Traceback (most recent call last):") for code in codes)
    (attempts,) = [frame.value for frame in at.dataframe]
    assert list(attempts["attempt"]) == [1, 2]
    assert run_id in "\n".join(html.value for html in at.html)


def test_a_run_under_way_shows_its_progress_and_log_so_far(look: Look, database: psycopg.Connection) -> None:
    at = look(RUN, run=one(database, "state = 'processing' AND progress IS NOT NULL"))

    assert at.progress[0].value == 71
    assert any("scoring campaigns" in html.value for html in at.html)
    assert any("Campaign 4471 has no audience" in html.value for html in at.html)


def test_a_run_that_waits_for_its_retry_says_when(look: Look, database: psycopg.Connection) -> None:
    at = look(RUN, run=one(database, "state = 'pending'"))

    text = "\n".join(html.value for html in at.html)
    assert "Next attempt" in text
    assert any("Retrying" in each.value for each in at.markdown)


def test_result_and_arguments_are_shown_as_they_are(look: Look, database: psycopg.Connection) -> None:
    at = look(RUN, run=one(database, "job = 'export-ledger' AND state = 'succeeded'"))

    shown = [json.loads(code.value) for code in at.code if code.language == "json"]
    assert {"args", "kwargs"} == set(shown[0])
    assert shown[0]["kwargs"]["quarter"].startswith("2026-Q")
    assert shown[1]["processed"] > 0


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("nonsense", "is not the id of a run"),
        (str(uuid.UUID(int=0)), "There is no run"),
        ("", "is not the id"),
    ],
)
def test_an_address_that_names_no_run_is_answered_with_a_sentence(look: Look, wanted: str, said: str) -> None:
    at = look(RUN, run=wanted)

    assert any(said in text.value for text in at.text)
    assert not at.exception


def test_hostile_text_is_shown_as_text_on_every_page(
    look: Look, database: psycopg.Connection, filled: datetime
) -> None:
    run_id = uuid.uuid4()
    database.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts"
        ", started_at, attempt_started_at, finished_at, duration_ms, error_type, error, traceback, worker"
        ", requested_by, reason)"
        " VALUES (%s, %s, 'health-check', 'default', 'failed', 19, 1, 1, %s, %s, %s, 5, %s, %s, %s, %s, %s"
        ", %s)",
        (
            run_id,
            filled,
            filled,
            filled,
            filled + timedelta(seconds=1),
            HOSTILE,
            HOSTILE,
            "x" * 1_000_000,
            HOSTILE,
            HOSTILE,
            HOSTILE,
        ),
    )
    try:
        pages = (look(RUN, run=str(run_id)), look("views/job.py", job="health-check"), look())

        for at in pages:
            assert not at.exception
            elements = [*at.markdown, *at.caption, *at.title, *at.button, *at.metric]
            interpreted = [str(getattr(each, "label", "")) + str(each.value) for each in elements]
            assert not any("evil.example" in text for text in interpreted)
            assert not any("<img" in html.value for html in at.html)
        assert any("evil.example" in code.value for code in pages[0].code)
    finally:
        database.execute("DELETE FROM callboard.runs WHERE run_id = %s", (run_id,))
