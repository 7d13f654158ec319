"""Alerts are acknowledged and silenced, by whom may, and that is written down."""

from datetime import timedelta

import pytest

from callboard.control.actions import alerts as actions
from callboard.control.auth import Principal, Role
from callboard.control.principal import Scope
from callboard.control.reads.alerts import alerts, worst_first
from callboard.control.reads.silences import silences
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput, NotAllowed, NotFound
from callboard.storage.alerts import open_alert, resolve_alert
from helpers.declarations import audit
from helpers.rows import change

HOUR = timedelta(hours=1)


@pytest.fixture
def opened(engine, context):
    """Three alerts: of a disk, of a job and of a breaker; their ids by subject."""
    with engine.begin() as connection:
        open_alert(connection, "breaker_open", "mail", "The breaker mail is open.")
        open_alert(connection, "health", "disk", "Full.", severity="critical")
        open_alert(connection, "job_failures", "sync", "It fails.", severity="critical")
    return {each.subject: each.id for each in alerts(context)[0]}


def test_an_acknowledged_alert_stays_open_and_says_by_whom(context, engine, operator, opened):
    done = actions.acknowledge(context, operator, opened["disk"], note=" ordered a new one ")

    assert (done.open, done.acknowledged_by, done.ack_note) == (True, "otto", "ordered a new one")
    assert [each.subject for each in worst_first(alerts(context)[0])] == ["sync", "mail", "disk"]
    back = actions.unacknowledge(context, operator, opened["disk"])
    assert (back.acknowledged_at, back.acknowledged_by, back.ack_note) == (None, None, None)
    assert [row["action"] for row in audit(engine)] == ["acknowledge_alert", "unacknowledge_alert"]
    assert audit(engine)[0]["target"] == "health disk"


def test_whoever_may_not_is_refused_and_that_is_written_down(context, engine, viewer, opened):
    scoped = Principal("bot", Role.OPERATOR, "api", scope=Scope(jobs=frozenset({"sync"})))
    with pytest.raises(NotAllowed, match="alerts:manage"):
        actions.acknowledge(context, viewer, opened["disk"])
    with pytest.raises(NotAllowed, match="alerts:manage"):
        actions.silence(context, viewer, reason="x", until=utcnow() + HOUR)
    with pytest.raises(NotAllowed):
        actions.acknowledge(context, scoped, opened["disk"])

    assert actions.acknowledge(context, scoped, opened["sync"]).acknowledged_by == "bot"
    assert [row["outcome"] for row in audit(engine)] == ["refused"] * 3 + ["done"]


def test_what_is_over_or_was_never_is_not_acknowledged(context, engine, operator, opened):
    with engine.begin() as connection:
        resolve_alert(connection, "health", "disk")

    with pytest.raises(BadInput, match="is over"):
        actions.acknowledge(context, operator, opened["disk"])
    for unknown in (0, 2**70):
        with pytest.raises(NotFound, match="no alert"):
            actions.acknowledge(context, operator, unknown)
    with pytest.raises(BadInput, match="501 characters"):
        actions.acknowledge(context, operator, opened["sync"], note="x" * 501)


@pytest.mark.parametrize(
    ("kind", "subject", "found"),
    [
        (None, None, {"mail", "disk", "sync"}),
        ("health", "*", {"disk"}),
        (None, "*s*", {"disk", "sync"}),
        ("breaker_open", "m%", set()),
        (None, "mai_", set()),
        (None, "mail", {"mail"}),
    ],
)
def test_a_silence_covers_a_kind_a_pattern_of_subjects_or_everything(
    context, operator, opened, kind, subject, found
):
    made = actions.silence(
        context, operator, kind=kind, subject=subject, reason="they move", until=utcnow() + HOUR
    )

    silent = {each.subject for each in alerts(context)[0] if each.silenced_until is not None}
    assert silent == found
    assert silences(context)[0] == (made,)
    actions.end_silence(context, operator, made.id)
    assert silences(context)[0] == ()
    assert not any(each.silenced_until for each in alerts(context)[0])
    (over,) = silences(context, open_only=False)[0]
    assert over.ended_by == "otto"


def test_a_silence_that_begins_later_is_not_one_yet_and_may_be_called_off(context, operator, opened):
    start = utcnow() + HOUR
    made = actions.silence(context, operator, reason="x", start=start, until=start + HOUR)

    assert not any(each.silenced_until for each in alerts(context)[0])
    off = actions.end_silence(context, operator, made.id)
    assert off.until_at == off.from_at
    with pytest.raises(NotFound, match="no silence"):
        actions.end_silence(context, operator, made.id + 1)


def test_an_alert_that_opened_within_a_silence_is_remembered_as_silenced(context, engine, operator, opened):
    actions.silence(context, operator, reason="x", until=utcnow() + HOUR)
    with engine.begin() as connection:
        open_alert(connection, "health", "redis", "Away.")
        resolve_alert(connection, "health", "redis")
    change(engine, "UPDATE callboard.silences SET until_at = now()")

    by_subject = {each.subject: each for each in alerts(context, open_only=False)[0]}
    assert by_subject["redis"].silence_reason == "x"
    assert by_subject["disk"].silence_reason is None


@pytest.mark.parametrize(
    ("hours", "reason", "message"),
    [(1, " ", "reason"), (-1, "x", "over before it begins"), (24 * 91, "x", "90 at most")],
)
def test_a_silence_without_reason_or_end_is_refused(context, operator, hours, reason, message):
    with pytest.raises(BadInput, match=message):
        actions.silence(context, operator, reason=reason, until=utcnow() + hours * HOUR)
