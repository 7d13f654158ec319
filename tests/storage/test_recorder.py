"""What workers do is in PostgreSQL soon after, all of it and once."""

import logging
import time
import uuid
from datetime import timedelta
from typing import Any

import dramatiq
import psycopg
import pytest
from sqlalchemy import Engine

from callboard.core.backoff import fixed
from callboard.core.cron import cron
from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.middleware.execution import current_run, progress
from callboard.storage.recorder import process
from helpers.lives import BASE, ended, event
from helpers.recorders import FINISHED, put, recording, select, wait_for_rows, wait_until_read
from helpers.waiting import wait_for
from helpers.workers import declare, final_events, working


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorder that notices within 50 ms that it is to stop."""
    monkeypatch.setattr(process, "BLOCK_MS", 50)


@pytest.mark.parametrize("counted", [True, False])
def test_figures_are_added_up_where_the_settings_say_so(
    broker: Broker, settings: Settings, counted: bool
) -> None:
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        return None

    with (
        recording(settings.model_copy(update={"cron_enable_metrics_collection": counted})),
        working(broker),
    ):
        work.send()
        (row,) = wait_for_rows(settings, 1, FINISHED)

    assert row["state"] == "succeeded"
    assert bool(select(settings, "SELECT * FROM callboard.rollups")) is counted


@pytest.mark.parametrize("told", [True, False])
def test_a_breaker_that_opens_has_an_alert_where_the_settings_say_so(
    broker: Broker, settings: Settings, told: bool
) -> None:
    @dramatiq.actor(max_retries=0, breaker=True, breaker_threshold=1)
    def work() -> None:
        raise ConnectionError("down")

    with (
        recording(settings.model_copy(update={"cron_enable_alert_notifications": told})),
        working(broker),
    ):
        work.send()
        wait_for_rows(settings, 1, "SELECT * FROM callboard.breaker_changes")

    assert bool(select(settings, "SELECT * FROM callboard.alerts WHERE kind = 'breaker_open'")) is told


def test_a_run_that_succeeds_becomes_one_row_and_no_attempt(broker: Broker, settings: Settings) -> None:
    @dramatiq.actor(max_retries=2, time_limit=5_000)
    def work(number: int, *, name: str) -> dict[str, int]:
        progress(1, 2, "half")
        logging.getLogger("app").warning("working")
        return {"processed": number, "failed": 0}

    with recording(settings), working(broker):
        message = work.send(3, name="x")
        (row,) = wait_for_rows(settings, 1, FINISHED)

    assert str(row["run_id"]) == message.message_id
    assert row["enqueued_at"].timestamp() * 1000 == pytest.approx(message.message_timestamp)
    assert (row["job"], row["queue"], row["state"], row["rank"]) == ("work", "default", "succeeded", 19)
    assert (row["attempt"], row["max_attempts"], row["trigger"]) == (1, 3, "code")
    assert (row["args"], row["kwargs"]) == ([3], {"name": "x"})
    assert (row["result"], row["progress"]) == (
        {"processed": 3, "failed": 0},
        {"done": 1, "total": 2, "note": "half"},
    )
    assert row["enqueued_at"] <= row["fetched_at"] <= row["started_at"] <= row["finished_at"]
    assert row["attempt_started_at"] == row["started_at"]
    assert (row["worker"], row["time_limit_ms"]) == (broker.broker_id, 5_000)
    assert row["wait_ms"] == (row["started_at"] - row["enqueued_at"]) / timedelta(milliseconds=1)
    assert row["error"] is row["error_type"] is row["traceback"] is row["reason"] is None
    assert select(settings, "SELECT * FROM callboard.attempts") == []
    (line,) = select(settings, "SELECT * FROM callboard.log_lines")
    assert (line["attempt"], line["seq"], line["level"], line["message"]) == (1, 0, "warning", "working")
    assert str(line["run_id"]) == message.message_id

    # And the public view shows it
    (shown,) = select(settings, "SELECT * FROM cron_job_logs")
    assert (shown["job_name"], shown["status"], shown["attempts"]) == ("work", "completed", 1)


def test_a_run_that_fails_keeps_a_row_for_each_attempt(broker: Broker, settings: Settings) -> None:
    @dramatiq.actor(max_retries=2, backoff=fixed(20))
    def work() -> None:
        run = current_run()
        assert run is not None
        logging.getLogger("app").warning("attempt %d", run.attempt)
        raise ConnectionError(f"attempt {run.attempt}")

    with recording(settings), working(broker):
        work.send()
        (row,) = wait_for_rows(settings, 1, FINISHED)

    assert (row["state"], row["attempt"], row["max_attempts"]) == ("failed", 3, 3)
    assert (row["error_type"], row["error"]) == ("ConnectionError", "attempt 3")
    assert "in work" in row["traceback"]
    attempts = select(settings, "SELECT * FROM callboard.attempts ORDER BY attempt")
    assert [(a["attempt"], a["state"], a["error"]) for a in attempts] == [
        (number, "failed", f"attempt {number}") for number in (1, 2, 3)
    ]
    assert attempts[0]["started_at"] == row["started_at"] < row["attempt_started_at"]
    lines = select(settings, "SELECT attempt, seq, message FROM callboard.log_lines ORDER BY attempt")
    assert [tuple(line.values()) for line in lines] == [(n, 0, f"attempt {n}") for n in (1, 2, 3)]
    (minute,) = select(
        settings,
        "SELECT sum(started) s, sum(failed) f, sum(retried) r FROM callboard.rollups WHERE width_s=86400",
    )
    assert minute == {"s": 1, "f": 1, "r": 2}


def test_a_run_is_seen_while_it_waits_for_its_retry_and_while_it_runs(
    broker: Broker, settings: Settings
) -> None:
    @dramatiq.actor(max_retries=1, backoff=fixed(700))
    def work() -> None:
        run = current_run()
        assert run is not None
        if run.attempt == 1:
            raise ConnectionError
        progress(1, 3)
        time.sleep(0.5)

    state = "SELECT * FROM callboard.runs WHERE state = %s"
    with recording(settings), working(broker):
        work.send()
        (waiting,) = wait_for_rows(settings, 1, state, "pending")
        (running,) = wait_for_rows(settings, 1, state, "processing")
        (ended_,) = wait_for_rows(settings, 1, state, "succeeded")
    assert (waiting["attempt"], waiting["rank"]) == (2, 20)
    assert waiting["next_retry_at"] > waiting["attempt_started_at"]
    assert (running["attempt"], running["rank"], running["progress"]["done"]) == (2, 25, 1)
    assert running["next_retry_at"] is None
    assert (ended_["attempt"], ended_["rank"]) == (2, 29)
    assert running["started_at"] == ended_["started_at"] < ended_["attempt_started_at"]


def test_a_finished_run_is_visible_within_half_a_second(broker: Broker, settings: Settings) -> None:
    @dramatiq.actor(max_retries=0)
    def work() -> None:
        pass

    with recording(settings), working(broker):
        work.send()
        wait_for_rows(settings, 1, FINISHED)
        delays = []
        for number in range(2, 12):
            begun = time.monotonic()
            work.send()
            wait_for_rows(settings, number, FINISHED)
            delays.append(time.monotonic() - begun)
    assert sorted(delays)[5] < 0.5


def test_a_run_that_was_asked_for_in_sql_stays_one_row(
    broker: Broker, settings: Settings, engine: Engine
) -> None:
    # Given a declared job, and a run of it that SQL has asked for and a scheduler has sent
    @dramatiq.actor(max_retries=0)
    def work(number: int) -> int:
        return number

    with recording(settings), working(broker):
        wait_for_rows(settings, 1, "SELECT FROM callboard.jobs WHERE name = 'work' AND declared")
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("SELECT callboard.request_run('work', '[7]', '{}', 'ada')")
        (asked,) = select(settings, "SELECT message FROM callboard.outbox")
        broker.enqueue_many([dramatiq.Message(**asked["message"])], once=True)
        (row,) = wait_for_rows(settings, 1, FINISHED)

    # Then it is one row, which knows who asked
    assert select(settings, "SELECT count(*) AS n FROM callboard.runs") == [{"n": 1}]
    assert (row["state"], row["result"], row["requested_by"], row["trigger"]) == (
        "succeeded",
        7,
        "ada",
        "manual",
    )


def test_a_run_that_sql_has_ended_stays_as_sql_left_it(settings: Settings) -> None:
    # Given a run in the middle of its work, ended by an UPDATE of the public view
    run_id = str(uuid.uuid4())
    begun = event(run_id, "work")
    with recording(settings):
        put(settings, [begun])
        wait_for_rows(settings, 1, "SELECT FROM callboard.runs WHERE state = 'processing'")
        with psycopg.connect(settings.database_url) as connection:
            connection.execute(
                "UPDATE cron_job_logs SET status = 'failed', completed_at = now(), error_message = 'stuck'"
                " WHERE status = 'started'"
            )

        # When its worker tells how it went after all
        put(settings, [ended(begun, "succeeded", 50, res=1)])
        wait_until_read(settings)

    # Then nothing changes any more, and it counts once
    (row,) = select(settings, "SELECT state, error, result FROM callboard.runs")
    assert (row["state"], row["error"], row["result"]) == ("failed", "stuck", None)
    (counted,) = select(
        settings,
        "SELECT sum(started) s, sum(succeeded) o, sum(failed) f FROM callboard.rollups WHERE width_s = 3600",
    )
    assert counted == {"s": 1, "o": 0, "f": 1}


def test_a_slot_whose_run_was_turned_away_says_so(settings: Settings) -> None:
    # Given slots that have been fired, and runs that a gate, an operator or nobody stopped
    reasons = {
        "overlap: the job is already running": ("skipped", "skipped_overlap"),
        "disabled: too loud": ("skipped", "skipped_disabled"),
        "stale: 90.0 s old, and may be 10 s at most": ("skipped", "missed"),
        "wrong day": ("cancelled", "cancelled"),
        None: ("succeeded", "fired"),
    }
    with psycopg.connect(settings.database_url) as connection:
        for number in range(len(reasons)):
            connection.execute(
                "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition)"
                " VALUES (%s, to_timestamp(%s), 'work', 'fired')",
                (number, BASE / 1000),
            )
    told = []
    for number, (reason, (state, _)) in enumerate(reasons.items()):
        one = event(str(uuid.uuid4()), "work", sch=number, due=BASE, trg="schedule", s=state, fin=BASE + 20)
        if reason is not None:
            del one["sta"]
            one["why"] = reason
        told.append(one)
    with recording(settings):
        put(settings, told)
        wait_until_read(settings)
    found = select(settings, "SELECT disposition, reason FROM callboard.occurrences ORDER BY schedule_id")
    assert [(row["disposition"], row["reason"]) for row in found] == [
        (disposition, reason) for reason, (_, disposition) in reasons.items()
    ]


def test_a_slot_whose_run_had_begun_stays_fired_although_it_was_turned_away_later(settings: Settings) -> None:
    run_id, execution = str(uuid.uuid4()), str(uuid.uuid4())
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(
            "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition)"
            " VALUES (1, to_timestamp(%s), 'work', 'fired')",
            (BASE / 1000,),
        )
    slot = {"sch": 1, "due": BASE, "trg": "schedule"}
    begun = event(run_id, "work", s="processing", **slot)
    later = event(run_id, "work", s="cancelled", fin=BASE + 20, why="disabled: too loud", x=execution, **slot)
    del later["sta"]
    with recording(settings):
        put(settings, [begun], [later])
        wait_until_read(settings)
    (found,) = select(settings, "SELECT disposition FROM callboard.occurrences")
    assert found == {"disposition": "fired"}
    (row,) = select(settings, "SELECT state, started_at IS NOT NULL AS begun FROM callboard.runs")
    assert row == {"state": "cancelled", "begun": True}


def test_jobs_are_registered_as_workers_declare_them(broker: Broker, settings: Settings) -> None:
    broker.source = "shop.jobs"
    declare(
        broker, lambda page: None, actor_name="export", category="reports", max_retries=2, time_limit=9_000,
        periodic=cron("0 8 * * *", tz="Europe/Paris"), enabled=False, description="Export it.",
    )  # fmt: skip
    with recording(settings), working(broker):
        (job,) = wait_for_rows(settings, 1, "SELECT * FROM callboard.jobs")
    assert (job["name"], job["queue"], job["category"], job["description"], job["source"]) == (
        "export",
        "default",
        "reports",
        "Export it.",
        "shop.jobs",
    )
    assert (job["declared"], job["time_limit_ms"], job["max_attempts"]) == (True, 9_000, 3)
    assert [parameter["name"] for parameter in job["signature"]] == ["page"]
    (schedule,) = select(settings, "SELECT * FROM callboard.schedules")
    assert (schedule["job_name"], schedule["expr"], schedule["tz"]) == (
        "export",
        "0 8 * * *",
        "Europe/Paris",
    )
    (switch,) = select(settings, "SELECT * FROM cron_job_config")
    assert (switch["job_name"], switch["enabled"]) == ("export", False)


def test_a_job_that_ran_and_was_never_declared_is_entered_by_name(settings: Settings) -> None:
    run_id = str(uuid.uuid4())
    with recording(settings):
        put(settings, [ended(event(run_id, "foreign", q="mail"), "succeeded", 5)])
        wait_for_rows(settings, 1, FINISHED)
    assert select(settings, "SELECT name, queue, declared FROM callboard.jobs") == [
        {"name": "foreign", "queue": "mail", "declared": False}
    ]


AWKWARD = {
    "tabs and lines": "a\tb\nc\rd\r\ne",
    "backslashes": "\\ \\\\ \\t \\n \\. \\x41 \\101",
    "COPY's NULL": "\\N",
    "the recorder's NULL among others": "a\x01b",
    "COPY's end": "\\.",
    "quotes": "'single' \"double\" $$dollar$$ {brace}",
    "other controls": "".join(map(chr, range(2, 32))),
    "signs of all sorts": "é ß 漢 \U0001f3ad \u200b \ufeff \u2028",
    "nothing": "",
}


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_any_text_comes_back_as_it_was(settings: Settings, text: str) -> None:
    # Given a run with that text wherever text may stand
    run_id = str(uuid.uuid4())
    begun = event(run_id, "work", args=[text], kw={text: text}, by=text, w=text)
    prg = {"done": 1, "total": 2, "note": text}
    end = ended(
        begun, "failed", 5, err=[text or "E", text, text], why=text, res={text: [text]}, prg=prg,
        logs=[[BASE, "info", text], [BASE, "info", text]], seq=0,
    )  # fmt: skip
    with recording(settings):
        put(settings, [end])
        (row,) = wait_for_rows(settings, 1, FINISHED)

    # Then it is the same in PostgreSQL
    for column in ("error", "traceback", "reason", "requested_by", "worker"):
        assert row[column] == text, column
    assert (row["args"], row["kwargs"], row["result"]) == ([text], {text: text}, {text: [text]})
    assert row["progress"]["note"] == text
    (attempt,) = select(settings, "SELECT error, traceback, reason FROM callboard.attempts")
    assert set(attempt.values()) == {text}
    lines = select(settings, "SELECT message FROM callboard.log_lines ORDER BY seq")
    assert [line["message"] for line in lines] == [text, text]


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        (b'"nul \\u0000 here"', "nul \ufffd here"),
        (b'"lone \\ud800 surrogate"', "lone \ufffd surrogate"),
        (b'"\\\\u0000 is no nul"', "\\ufffd is no nul"),
        (b"123456789012345678901234567890", None),
        (b"NaN", None),
        (b"[" * 400 + b"]" * 400, None),
    ],
    ids=["NUL", "a surrogate", "a backslash", "a huge number", "NaN", "depth"],
)
def test_what_postgresql_cannot_store_is_replaced_and_loses_nothing_else(
    settings: Settings, raw: bytes, stored: Any
) -> None:
    run_id = str(uuid.uuid4())
    entry = (
        b'[{"k":"run","id":"%s","at":%d,"job":"work","q":"default","s":"succeeded","n":1,"x":"%s","w":"w",'
        b'"sta":%d,"fin":%d,"ms":1,"args":[%s]}]'
        % (run_id.encode(), BASE, str(uuid.uuid4()).encode(), BASE, BASE + 1, raw)
    )
    with recording(settings):
        put(settings, entry)
        (row,) = wait_for_rows(settings, 1, FINISHED)
    if stored is not None:
        assert row["args"] == [stored]


def test_every_job_of_a_busy_fleet_is_there_in_the_end(broker: Broker, settings: Settings) -> None:
    # Given a few thousand jobs, some of which fail, recorded while they run
    @dramatiq.actor(max_retries=1, backoff=fixed(10))
    def work(number: int) -> int:
        if number % 50 == 0:
            raise ConnectionError
        return number

    broker.enqueue_many(work.message(number) for number in range(3_000))
    with recording(settings), working(broker, threads=8):
        wait_for_rows(settings, 3_000, FINISHED, timeout=60)
        wait_until_read(settings)

    # Then each has its row, and the rollups add up to that
    states = select(settings, "SELECT state, count(*) AS n FROM callboard.runs GROUP BY state ORDER BY state")
    assert [tuple(row.values()) for row in states] == [("failed", 60), ("succeeded", 2_940)]
    assert select(settings, "SELECT count(*) AS n FROM callboard.attempts") == [{"n": 120}]
    for width in (60, 3_600, 86_400):
        (counted,) = select(
            settings,
            "SELECT sum(started) a, sum(succeeded) b, sum(failed) c, sum(retried) d FROM callboard.rollups"
            " WHERE width_s = %s",
            width,
        )
        assert counted == {"a": 3_000, "b": 2_940, "c": 60, "d": 60}, width


def test_an_empty_stream_leaves_a_sign_of_life(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SIGN_OF_LIFE", 0.1)
    query = "SELECT updated_at FROM callboard.stream_position WHERE stream = %s"
    key = Keys(settings.callboard_namespace).events
    with recording(settings):
        (first,) = wait_for_rows(settings, 1, query, key)
        wait_for(lambda: select(settings, query, key)[0]["updated_at"] > first["updated_at"])


def test_events_of_any_age_find_a_partition(settings: Settings) -> None:
    # Given runs of years ago, of today and of years to come, as a clock that is wrong makes them
    now = int(time.time() * 1000)
    moments = [0, now - 400 * 86_400_000, now, now + 400 * 86_400_000]
    told = [
        ended(event(str(uuid.uuid4()), "work", at=at, sta=at + 1, logs=[[at, "info", "x"]]), "failed", 1)
        for at in moments
    ]
    with recording(settings):
        put(settings, told)
        found = wait_for_rows(settings, len(moments), FINISHED)
    assert [round(row["enqueued_at"].timestamp() * 1000) for row in found] == moments
    assert select(settings, "SELECT count(*) AS n FROM callboard.log_lines") == [{"n": 4}]


def test_final_events_of_the_worker_and_rows_of_the_recorder_agree(
    broker: Broker, settings: Settings
) -> None:
    @dramatiq.actor(max_retries=1, backoff=fixed(5), mutex=True)
    def work(number: int) -> None:
        if number == 3:
            raise ValueError

    with working(broker, threads=3):
        for number in range(9):
            work.send(number)
        told = {one["id"]: one for one in final_events(broker, 9)}
        with recording(settings):
            found = wait_for_rows(settings, 9, FINISHED)
    for row in found:
        one = told[str(row["run_id"])]
        assert (row["state"], row["attempt"], row["reason"]) == (one["s"], one["n"], one.get("why"))
