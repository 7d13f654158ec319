"""Alerts for what is out of the ordinary, and for schedules that collide."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, text

from callboard.control.context import Context
from callboard.control.reads.collisions import PoolWeek
from callboard.control.watching import Watch, anomaly_alerts, collision_alerts, watch_duties
from callboard.core.anomalies import Finding
from callboard.core.clock import utcnow
from callboard.core.collisions import Collision, Week
from callboard.core.week import WEEK_MINUTES
from callboard.scheduler.process import SchedulerProcess
from callboard.storage.alerts import may_judge, open_alert
from callboard.storage.queries.anomalies import slowed
from helpers.declarations import declare, job
from helpers.waiting import wait_for

NOW = utcnow()
OPEN = text(
    "SELECT kind, subject, severity, message FROM callboard.alerts"
    " WHERE resolved_at IS NULL AND kind = 'anomaly'"
)

SILENCE = text("""
INSERT INTO callboard.silences (subject, until_at, reason, created_by)
VALUES (:subject, now() + interval '1 hour', 'Known', 'ada')
""")


def finding(kind: str, job: str, **more: Any) -> Finding:
    return Finding(kind, job, f"Evidence of {job}.", more.pop("since", NOW), **more)  # type: ignore[arg-type]


def test_a_slot_that_nobody_decided_opens_an_alert_that_closes_by_itself(
    context: Context, engine: Engine
) -> None:
    declare(engine, job("mail", "*/5 * * * *"))
    watch = Watch(context)
    watch.judge()
    with engine.begin() as connection:
        assert connection.execute(OPEN).all() == []
        connection.execute(text("UPDATE callboard.schedules SET checked_until = now() - interval '31 min'"))

    watch.judge()
    watch.judge()

    with engine.begin() as connection:
        (found,) = connection.execute(OPEN).all()
        connection.execute(text("UPDATE callboard.schedules SET checked_until = now()"))
    assert (found.kind, found.subject, found.severity) == ("anomaly", "mail", "critical")
    assert found.message.startswith("Slots missed: The slot of mail/code:")

    watch.judge()

    with engine.begin() as connection:
        assert connection.execute(OPEN).all() == []


def test_whoever_judges_the_health_of_queues_just_then_is_not_in_its_way(
    context: Context, engine: Engine
) -> None:
    with engine.begin() as connection:
        open_alert(connection, "anomaly", "gone", "It was.")
    with engine.begin() as connection:
        assert may_judge(connection, "health")

        Watch(context).judge()

    with engine.begin() as connection:
        assert connection.execute(OPEN).all() == []


def test_there_is_one_alert_a_job_whatever_is_found_of_it() -> None:
    (alert,) = anomaly_alerts([finding("running_long", "report"), finding("too_often", "report")], NOW)

    assert (alert.subject, alert.severity) == ("report", "warning")
    assert alert.message == "Running long: Evidence of report. 1 more finding."


def test_slots_that_many_jobs_miss_have_one_cause_and_one_alert() -> None:
    missed = [finding("missed", f"job-{number}", severity="critical") for number in range(5)]

    alerts = anomaly_alerts([*missed, finding("running_long", "job-1")], NOW)

    assert [(each.subject, each.severity) for each in alerts] == [
        ("job-1", "warning"), ("schedules", "critical"),
    ]  # fmt: skip
    assert "Slots of 5 jobs have become nothing: job-0, job-1, job-2 and 2 others." in alerts[1].message


def test_durations_are_told_of_once_half_of_a_jobs_last_ten_runs_are_off_the_same_way() -> None:
    slow, quick = ([finding("duration", "report", ratio=ratio) for _ in range(4)] for ratio in (2.5, 0.3))

    assert anomaly_alerts([*slow, *quick], NOW) == []
    (alert,) = anomaly_alerts([*slow, slow[0], *quick], NOW)

    assert (alert.subject, alert.severity) == ("report", "warning")
    assert alert.message == "Durations changed: Evidence of report. 4 more findings."


def test_durations_of_many_jobs_change_by_one_cause_and_have_one_alert() -> None:
    slow = [finding("duration", f"job-{number % 4}", ratio=2.5) for number in range(20)]

    (alert,) = anomaly_alerts(slow, NOW)

    assert alert.subject == "durations"
    assert alert.message.startswith("The durations of 4 jobs have changed: job-0, job-1, job-2 and 1 other.")
    assert alert.details["jobs"] == ["job-0", "job-1", "job-2", "job-3"]


def test_a_queue_says_for_its_jobs_that_they_are_slow_unless_its_alert_is_silenced(
    context: Context, engine: Engine
) -> None:
    declare(engine, job("report", queue="slow"), job("sync", queue="slower"), job("mail", queue="other"))
    with engine.begin() as connection:
        open_alert(connection, "queue_backlog", "slow", "It grows.", cause="slow_dependency")
        open_alert(connection, "queue_backlog", "other", "It grows.", cause="capacity")
        assert slowed(connection) == {"report"}

        both = {"cause": "slow_dependency", "queues": ["slow", "slower"]}
        open_alert(connection, "queue_bottleneck", "slow, slower", "They grow.", **both)
        assert slowed(connection) == {"report", "sync"}

        connection.execute(SILENCE, {"subject": "slow, slower"})
        assert slowed(connection) == {"report"}


def test_what_the_alert_of_a_queue_says_of_its_jobs_is_not_told_again() -> None:
    longer, shorter = (
        [finding("duration", job, ratio=ratio) for _ in range(5)]
        for job, ratio in (("report", 2.5), ("sync", 0.3))
    )
    found = [*longer, *shorter, finding("running_long", "report"), finding("too_often", "report")]

    told = anomaly_alerts(found, NOW, {"report", "sync"})

    assert [(each.subject, each.details["found"]) for each in told] == [
        ("sync", ["duration"]), ("report", ["too_often"]),
    ]  # fmt: skip


def test_runs_of_many_jobs_go_on_for_too_long_by_one_cause_and_have_one_alert() -> None:
    (alert,) = anomaly_alerts([finding("running_long", f"job-{number}") for number in range(4)], NOW)

    assert alert.subject == "long runs"
    assert alert.message.startswith("Runs of 4 jobs go on for longer than usual: job-0, job-1, job-2 and")


def test_a_run_that_took_long_and_a_strange_success_of_long_ago_are_listed_and_not_told() -> None:
    old = NOW - timedelta(hours=2)
    found = [finding("duration", "report", ratio=3.0), finding("suspicious_success", "sync", since=old)]

    assert anomaly_alerts(found, NOW) == []
    assert len(anomaly_alerts([finding("suspicious_success", "sync")], NOW)) == 1


def test_collisions_of_the_coming_day_are_told_once_for_queues_that_share_workers() -> None:
    near, next_one, far = (
        Collision(
            NOW + timedelta(hours=hours), 4, 1, 12, 8, ("a",), 0, 60_000.0, "warning", None, f"In {hours} h."
        )
        for hours in (3, 4, 30)
    )
    week = Week(NOW, 8, (0,) * WEEK_MINUTES, (near, next_one, far))
    served, unserved = PoolWeek(("default", "mail"), 1, 8, week), PoolWeek(("odd",), 0, 0, week)

    (alert,) = collision_alerts([served, unserved], NOW)

    assert alert.subject == "default, mail"
    assert alert.message.endswith(" (UTC): In 3 h. 1 more collision within a day.")
    assert (
        collision_alerts([PoolWeek(("later",), 1, 8, Week(NOW, 8, (0,) * WEEK_MINUTES, (far,)))], NOW) == []
    )


def test_the_schedulers_process_does_it_beside_its_own_duties(context: Context, engine: Engine) -> None:
    declare(engine, job("mail", "0 0 1 1 *"))
    with engine.begin() as connection:
        open_alert(connection, "anomaly", "gone", "It was.")

    with SchedulerProcess(context.settings, watch_duties(context)):

        def closed() -> bool:
            with engine.connect() as connection:
                return connection.execute(OPEN).all() == []

        wait_for(closed, what="the end of an alert that nothing speaks for")
