"""The page of dead letters: what went wrong, and who is offered to do something about it."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.core.settings import Settings
from callboard.panel import home
from callboard.storage.engine import make_engine
from helpers.letters import add_letters

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
PAGE = "views/dead_letters.py"


@pytest.fixture
def letters(panel_settings: Settings, database: psycopg.Connection) -> Iterator[None]:
    """Three dead letters of one error and one of another; they are gone afterwards."""
    home.settle(panel_settings)
    engine = make_engine(panel_settings.database_url)
    client, keys = home.context().redis, home.context().keys
    add_letters(engine, client, keys, 3, job="health-check", error="no [red]luck", mark="aaaa")
    add_letters(engine, client, keys, 1, job="process-referrals", error="no time", mark="bbbb")
    database.execute(
        "INSERT INTO callboard.jobs (name, queue, source) VALUES ('dead-letters', 'default', '')"
    )
    yield
    for table in ("runs WHERE fingerprint IN ('aaaa', 'bbbb')", "runs WHERE job = 'dead-letters'",
                  "bulk_actions", "outbox WHERE job_name = 'dead-letters'",
                  "jobs WHERE name = 'dead-letters'"):  # fmt: skip
        database.execute(f"DELETE FROM callboard.{table}")
    engine.dispose()


def test_errors_are_shown_with_how_often_and_where(look: Look, letters: None) -> None:
    at = look(PAGE)

    (rows,) = [frame.value for frame in at.dataframe]
    assert not at.exception
    assert list(rows["error"]) == ["ValueError: no [red]luck", "ValueError: no time"]
    assert list(rows["letters"]) == [3, 1]
    assert list(rows["jobs"]) == ["health-check", "process-referrals"]

    at.text_input(key="q").set_value("TIME").run()
    (rows,) = [frame.value for frame in at.dataframe]
    assert list(rows["letters"]) == [1]


@pytest.mark.parametrize(
    ("role", "offered"),
    [(Role.VIEWER, set()), (Role.OPERATOR, {"letters_requeue", "letters_drop"})],
)
def test_a_viewer_is_offered_to_look_alone(look: Look, letters: None, role: Role, offered: set[str]) -> None:
    at = look(PAGE, role)
    at.session_state["letters_asked"] = "aaaa"
    at.run()

    assert {button.key for button in at.button} & {"letters_requeue", "letters_drop"} == offered


def test_all_of_an_error_are_requeued_and_the_progress_is_shown_until_it_is_aborted(
    look: Look, letters: None, database: psycopg.Connection
) -> None:
    at = look(PAGE, Role.OPERATOR)
    at.session_state["letters_asked"] = "aaaa"
    at.run()
    at.session_state["letters_asked"] = "aaaa"
    at.button(key="letters_requeue").click().run()

    query = "SELECT id, state, total, requested_by FROM callboard.bulk_actions"
    ((action, *what),) = database.execute(query).fetchall()
    assert what == ["queued", 3, "otto"]
    at = look(PAGE, Role.OPERATOR)
    at.button(key=f"abort_{action}").click().run()
    ((_, state, *_),) = database.execute(query).fetchall()
    assert state == "aborted"


def test_the_address_names_the_error_that_is_looked_at(look: Look, letters: None) -> None:
    at = look(PAGE, Role.OPERATOR, error="bbbb")
    assert at.button(key="letters_requeue").label == "Requeue all"
    assert any("ValueError: no time" in html.value for html in at.html)

    gone = look(PAGE, Role.OPERATOR, error="cccc")
    assert any("are dealt with" in each.value for each in gone.caption)
