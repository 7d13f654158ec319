"""Arguments that are nested too deeply to be read hold up nothing but their own run or schedule."""

from uuid import UUID

from sqlalchemy import Engine, text

from callboard.middleware.broker import Broker
from callboard.scheduler.relay import Relay
from callboard.scheduler.timetable import Timetable
from callboard.storage.slots import load_schedules

DEEP = "jsonb_build_array((repeat('[', 2000) || repeat(']', 2000))::jsonb)"


def add_job(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO callboard.jobs (name, queue, source) VALUES ('job', 'default', 'here')")
        )


def request(engine: Engine, args: str) -> UUID:
    with engine.begin() as connection:
        run_id: UUID = connection.execute(text(f"SELECT callboard.request_run('job', {args})")).scalar_one()
        return run_id


def test_the_outbox_is_sent_past_a_message_that_cannot_be_read(engine: Engine, broker: Broker) -> None:
    add_job(engine)
    deep = request(engine, DEEP)
    request(engine, "'[1]'")
    assert Relay(engine, broker).send() == 2
    assert broker.client.llen(broker.keys.queue("default")) == 1
    with engine.connect() as connection:
        state = text("SELECT state FROM callboard.runs WHERE run_id = :run")
        assert connection.execute(state, {"run": deep}).scalar_one() == "dead"
        assert connection.execute(text("SELECT count(*) FROM callboard.outbox")).scalar_one() == 0


def test_a_schedule_that_cannot_be_read_is_set_aside(engine: Engine) -> None:
    add_job(engine)
    with engine.begin() as connection:
        for key, args in (("good", "'[]'"), ("deep", DEEP)):
            connection.execute(
                text(
                    "INSERT INTO callboard.schedules (job_name, key, expr, origin, args)"
                    f" VALUES ('job', '{key}', '* * * * *', 'operator', {args})"
                )
            )
        timetable = Timetable()
        timetable.replace(load_schedules(connection))
    assert len(timetable.entries) == 2
    assert len(timetable.unreadable) == 1
    assert timetable.next_wake() is not None
