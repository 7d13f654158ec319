"""What applications put into options for themselves, and fractions where whole numbers are usual."""

from typing import Any

import dramatiq
import psycopg
import pytest
from sqlalchemy import Engine, text

from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.storage.engine import psycopg_url
from callboard.storage.recorder.batch import Batch
from callboard.storage.recorder.write import prepare, write
from helpers.workers import declare, events, final_event, working


def record(settings: Settings, found: list[dict[str, Any]]) -> None:
    """Write events in one batch, as the recorder does while none is bad."""
    batch = Batch()
    for event in found:
        batch.add(event)
    with psycopg.connect(psycopg_url(settings.database_url)) as connection:
        prepare(connection)
        write(connection, batch, "stream", "1-1")


def states(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT run_id::text, state FROM callboard.runs"))
        return dict(rows.tuples().all())


def test_a_delay_with_a_fraction_is_recorded(broker: Broker, settings: Settings, engine: Engine) -> None:
    work = declare(broker, lambda: None, actor_name="work")
    message = work.send_with_options(delay=0.1 * 1000 + 0.5)
    with working(broker):
        final_event(broker, message)
    record(settings, events(broker, "run"))
    assert states(engine) == {message.message_id: "succeeded"}


def test_a_time_limit_with_a_fraction_is_recorded(broker: Broker, settings: Settings, engine: Engine) -> None:
    work = declare(broker, lambda: None, actor_name="work", time_limit=1.5 * 60_000)
    message = work.send()
    with working(broker):
        final_event(broker, message)
    record(settings, events(broker, "run"))
    assert states(engine) == {message.message_id: "succeeded"}


@pytest.mark.parametrize(
    "options",
    [
        {"due_at": "tomorrow"},
        {"due_at": 10**30},
        {"due_at": True},
        {"schedule_id": "nightly"},
        {"schedule_id": 2**70},
        {"ready_at": {"at": 1}},
        {"trigger": ["a", "list"]},
        {"requested_by": {"user": 7}},
        {"max_retries": 2.0},
        {"time_limit": 1_000.5},
    ],
    ids=str,
)
def test_an_option_that_an_application_uses_for_itself_keeps_no_run_out_of_the_record(
    broker: Broker, settings: Settings, engine: Engine, options: dict[str, Any]
) -> None:
    work = declare(broker, lambda: None, actor_name="work")
    message: dramatiq.Message[Any] = work.send_with_options(**options)
    with working(broker):
        assert final_event(broker, message)["s"] == "succeeded"
    record(settings, events(broker, "run"))
    assert states(engine) == {message.message_id: "succeeded"}
