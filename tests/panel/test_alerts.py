"""The page of alerts: the worst first, and who is offered to do something about them."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.panel import home
from callboard.panel.parts import alert_looks
from callboard.panel.parts.alert_looks import KINDS, kind_word
from helpers.panel_alerts import HOSTILE, OPEN, add_alerts, remove_alerts

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
PAGE = "views/alerts.py"


@pytest.fixture
def alerts(database: psycopg.Connection) -> Iterator[None]:
    """Alerts of every state; they are gone afterwards."""
    add_alerts(database)
    yield
    remove_alerts(database)


def words(at: AppTest) -> str:
    """All that the page shows as HTML or text."""
    return "\n".join(str(each.proto.body) for each in at.get("html")) + "\n".join(t.value for t in at.text)


def buttons(at: AppTest, start: str) -> list[Any]:
    return [button for button in at.button if str(button.key).startswith(start)]


def fill_in(at: AppTest, opener: str, confirm: str, **fields: str) -> None:
    """Open a dialog, fill it in and confirm it; AppTest runs the whole page, so that it opens once more."""
    at.button(key=opener).click().run()
    for name, value in fields.items():
        at.text_input(key=name).set_value(value)
    at.button(key=opener).click()
    at.button(key=confirm).click().run()


def test_open_alerts_are_shown_the_worst_first_and_hostile_ones_as_text(look: Look, alerts: None) -> None:
    at = look(PAGE)

    shown = words(at)
    assert not at.exception
    places = [shown.index(message.split(":")[0].replace("%", "%")) for _, _, _, _, message, _ in OPEN]
    assert places[0] < places[1] < places[4] < min(places[2], places[3])
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown
    assert "Acknowledged by otto" in shown
    assert "The new disk comes this afternoon" in shown
    assert "slack: a Connection error occurred" in shown
    assert "CALLBOARD_ALERT_URLS" in shown


def test_a_viewer_may_look_alone(look: Look, alerts: None) -> None:
    at = look(PAGE, Role.VIEWER)

    assert not at.exception
    assert buttons(at, "alert_go_")
    for start in ("alert_ack_", "alert_unack_", "alert_silence_", "silence_any"):
        assert not buttons(at, start)


def test_an_operator_acknowledges_with_a_note_and_takes_it_back(
    look: Look, alerts: None, database: psycopg.Connection
) -> None:
    at = look(PAGE, Role.OPERATOR)
    (number,) = database.execute("SELECT id FROM callboard.alerts WHERE subject = 'exports'").fetchone() or ()
    state = "SELECT acknowledged_by, ack_note FROM callboard.alerts WHERE id = %s"

    fill_in(at, f"alert_ack_{number}", "ack_confirm", ack_note="on it")

    assert not at.exception
    assert database.execute(state, (number,)).fetchone() == ("otto", "on it")
    at.run().button(key=f"alert_unack_{number}").click().run()
    assert database.execute(state, (number,)).fetchone() == (None, None)


def test_an_operator_silences_what_an_alert_is_about(
    look: Look, alerts: None, database: psycopg.Connection
) -> None:
    at = look(PAGE, Role.OPERATOR)
    (number,) = database.execute("SELECT id FROM callboard.alerts WHERE subject = 'exports'").fetchone() or ()

    fill_in(at, f"alert_silence_{number}", "silence_confirm")
    assert any("Give a reason" in text.value for text in at.text)
    fill_in(at, f"alert_silence_{number}", "silence_confirm", silence_reason="they move")

    assert not at.exception
    found = database.execute(
        "SELECT kind, subject, created_by, until_at - from_at < interval '2 h 1 min' FROM callboard.silences"
        " WHERE reason = 'they move'"
    ).fetchall()
    assert found == [("queue_bottleneck", "exports", "otto", True)]


def test_history_and_silences_have_their_tabs(look: Look, alerts: None) -> None:
    at = look(PAGE, alerts_tab="History")
    (rows,) = [frame.value for frame in at.dataframe]
    assert len(rows) == 11
    at.selectbox(key="alert_kind").set_value("breaker_open").run()
    (rows,) = [frame.value for frame in at.dataframe]
    assert list(rows["subject"]) == ["whatsapp", "smtp"]
    assert list(rows["lasted"]) == ["open", "5 min 00 s"]

    at = look(PAGE, alerts_tab="Silences")
    assert not at.exception
    assert "Alerts of the kind health about disk: The new disk comes this afternoon" in words(at)
    assert len(buttons(at, "silence_end_")) == 1


def test_the_overview_names_those_that_wait_for_somebody_and_nothing_where_none_does(
    look: Look, database: psycopg.Connection
) -> None:
    assert not buttons(look(), "open_alerts_go")
    add_alerts(database)
    st.cache_resource.clear()
    try:
        at = look()
    finally:
        remove_alerts(database)

    assert buttons(at, "open_alerts_go")
    assert any("3 alerts are open, 2 critical" in each.value for each in at.markdown)


def test_a_job_and_a_queue_name_the_alerts_about_them_alone_or_with_others(
    look: Look, database: psycopg.Connection, alerts: None
) -> None:
    database.execute(
        "INSERT INTO callboard.alerts (kind, severity, subject, message, details)"
        """ VALUES ('job_failures', 'warning', 'KeyError: id', 'Both fail.'"""
        """ , '{"jobs": ["health-check", "process-referrals"]}')"""
        """ , ('queue_bottleneck', 'warning', 'no workers', 'Nobody comes.', '{"queues": ["mail", "odd"]}')"""
    )

    for page, name, said in (
        ("job", "health-check", "KeyError: id: Both fail."),
        ("job", "send-review-requests", "send-review-requests fails 7.6 times"),
        ("queue", "mail", "no workers: Nobody comes."),
    ):
        at = look(f"views/{page}.py", **{page: name})
        assert not at.exception
        assert len(buttons(at, "open_alert_")) == 1
        assert said in words(at)
    assert not buttons(look("views/job.py", job="cleanup-old-logs"), "open_alert")


def test_every_kind_has_words_and_one_that_is_not_known_is_shown_as_it_is() -> None:
    from callboard.core.health.alarms import KINDS as JUDGED

    assert set(JUDGED) <= set(KINDS)
    assert kind_word("custom") == "custom"


def test_an_address_names_one_alert_and_one_of_a_queue_leads_to_its_health(
    look: Look, database: psycopg.Connection, alerts: None
) -> None:
    row = database.execute(
        "SELECT id, subject FROM callboard.alerts WHERE kind = 'queue_bottleneck' AND resolved_at IS NULL"
    ).fetchone()
    assert row is not None

    at = look(PAGE, alert=str(row[0]))

    assert [button.key for button in buttons(at, "alert_link_")] == [f"alert_link_{row[0]}"]
    assert at.button(key=f"alert_go_{row[0]}").label == "Open health"
    at.button(key="all_alerts").click().run()
    assert len(buttons(at, "alert_link_")) > 1
    assert any("That alert is over" in each.value for each in look(PAGE, alert="0").caption)


def test_alerts_about_several_jobs_or_queues_lead_to_what_they_have_in_common(
    look: Look, database: psycopg.Connection, alerts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute(
        "INSERT INTO callboard.alerts (kind, severity, subject, message, details)"
        """ VALUES ('job_failures', 'warning', 'KeyError: id', '.'"""
        """ , '{"error_type": "KeyError", "jobs": ["a"]}')"""
        """ , ('queue_bottleneck', 'warning', 'no workers', '.'"""
        """ , '{"cause": "no_consumer", "queues": ["a"]}')"""
        """ , ('queue_bottleneck', 'warning', 'a, b', '.', '{"cause": "capacity", "queues": ["a", "b"]}')"""
    )
    found = database.execute("SELECT subject, id FROM callboard.alerts WHERE message = '.'").fetchall()
    ids = dict(found)

    at = look(PAGE)
    said = {subject: at.button(key=f"alert_go_{alert}").label for subject, alert in ids.items()}
    assert said == {"KeyError: id": "Open the runs", "no workers": "Open workers", "a, b": "Open health"}

    gone: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(alert_looks, "leave", lambda page, **query: gone.append((page, query)))
    for subject in ("KeyError: id", "no workers"):
        at.button(key=f"alert_go_{ids[subject]}").click().run()
    assert gone == [("views/runs.py", {"q": "state:failed,dead error:KeyError"}), ("views/workers.py", {})]


def test_alerts_that_are_switched_off_are_not_taken_for_nothing_amiss(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = look(PAGE)
    assert any("Nothing is amiss" in each.value for each in at.caption)

    switched_off = {"cron_enable_alert_notifications": False}
    monkeypatch.setattr(home.context(), "settings", home.context().settings.model_copy(update=switched_off))
    assert any("Alerts are switched off" in each.value for each in at.run().caption)
