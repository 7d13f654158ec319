"""`callboard alerts`."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callboard.storage.alerts import open_alert, resolve_alert
from helpers.sandboxed import sandboxed


def test_alerts_are_listed_until_they_are_over(run: Any, installed: Engine) -> None:
    assert run("alerts", "list").err == "No alert is open.\n"
    with installed.begin() as connection:
        open_alert(connection, "health", "disk", "[red]Full.", severity="critical")

    shown = run("alerts", "list").out
    for words in ("health", "disk", "[red]Full."):
        assert words in shown

    with installed.begin() as connection:
        resolve_alert(connection, "health", "disk")
    assert run("alerts", "list").err == "No alert is open.\n"
    assert run("alerts", "list", "--kind", "other", "--all").err == "There is no such alert.\n"
    (found,) = json.loads(run("alerts", "list", "--all", "--json").out)["alerts"]
    assert (found["subject"], found["severity"]) == ("disk", "critical")
    assert found["resolved_at"]


def test_an_alert_is_acknowledged_and_alerts_are_silenced(run: Any, installed: Engine) -> None:
    with installed.begin() as connection:
        open_alert(connection, "health", "disk", "Full.", severity="critical")
    (found,) = json.loads(run("alerts", "list", "--json").out)["alerts"]
    number = str(found["id"])

    assert "is acknowledged" in run("alerts", "ack", number, "--note", "on it").out
    assert "acknowledged by" in " ".join(run("alerts", "list").out.split())
    assert "not acknowledged any more" in run("alerts", "ack", number, "--undo").out
    assert run("alerts", "ack", "999").code == 1

    said = run("alerts", "silence", "--subject", "di*", "--for", "2h", "--reason", "they move").out
    assert "alerts about di*" in " ".join(said.split())
    (silence,) = json.loads(run("alerts", "silences", "--json").out)["silences"]
    assert silence["reason"] == "they move"
    assert "is over" in run("alerts", "unsilence", str(silence["id"])).out
    assert run("alerts", "silences").err == "There is no silence.\n"
    assert run("alerts", "silence", "--for", "soon", "--reason", "x").code == 2


def test_a_test_message_says_what_came_of_it_without_secrets(
    run: Any, installed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "CALLBOARD_ALERT_URLS" in run("alerts", "test").err
    with sandboxed() as sandbox:
        hook = sandbox.url.removeprefix("http://")
        urls = f"json://user:hunter2@{hook}/webhook,json://127.0.0.1:1/hunter2-path"
        monkeypatch.setenv("CALLBOARD_ALERT_URLS", urls)

        done = run("alerts", "test")

        assert done.code == 1
        assert f"json://{hook}  sent" in done.out
        assert "json://127.0.0.1:1  not sent: " in done.out
        assert "hunter2" not in done.out + done.err
        (sent,) = sandbox.deliveries("webhook")
        assert sent["body"]["title"] == "Callboard (local): a test"


def test_a_place_that_makes_no_sense_ends_the_start_before_anything_is_started(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_ALERT_URLS", "nonsense://hunter2")

    done = run("up")

    assert done.code == 2
    assert "CALLBOARD_ALERT_URLS is wrong: Apprise cannot read the URL at place 1" in " ".join(
        done.err.split()
    )
    assert "hunter2" not in done.err


def test_the_doctor_names_a_place_that_could_not_be_told(
    run: Any, installed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_ALERT_URLS", "json://127.0.0.1:1/x")
    with installed.begin() as connection:
        open_alert(connection, "health", "disk", "Full.")
        connection.execute(
            text(
                "INSERT INTO callboard.alert_messages (alert_id, place, what, severity, due_at, last_error)"
                " SELECT id, 'json://127.0.0.1:1', 'opened', severity, now(), 'refused' FROM callboard.alerts"
            )
        )

    checks = json.loads(run("doctor", "--json").out)
    (found,) = [each for each in checks if each["name"] == "Alerts"]
    assert (found["status"], found["detail"]) == ("warn", "json://127.0.0.1:1 was not told of 1: refused")
