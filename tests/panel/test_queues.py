"""The page of queues: quick actions with their log, limits with their holders, and what is drained."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.core.settings import Settings
from callboard.panel import home, loaders
from callboard.panel.palette import ORANGE
from callboard.panel.parts.limit_rows import used
from helpers.panel_control import fill_redis

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
QUEUES, QUEUE = "views/queues.py", "views/queue.py"
OFFERS, DELIVERIES = "process-opportunity-offers", "process-promotion-deliveries"
HOSTILE = "tenant:![p](https://evil.example/p.png) <img src=https://evil.example/q.png> :red[x] $x$"


@pytest.fixture(autouse=True)
def tidy(database: psycopg.Connection, panel_settings: Settings) -> Iterator[None]:
    home.settle(panel_settings)
    yield
    database.execute("DELETE FROM callboard.pauses")
    database.execute("DELETE FROM callboard.outbox")
    database.execute("DELETE FROM callboard.runs WHERE requested_by IN ('otto', 'ada')")
    database.execute("UPDATE cron_job_config SET enabled = true WHERE job_name = %s", (DELIVERIES,))
    home.context().redis.flushdb()


def keys(at: AppTest) -> set[str]:
    return {str(button.key) for button in at.button}


def asked(database: psycopg.Connection) -> list[tuple[object, ...]]:
    """What was asked for by hand, the earliest first: job, arguments, by whom."""
    return database.execute(
        "SELECT target, after -> 'kwargs', who FROM callboard.audit WHERE action = 'run_job' ORDER BY id"
    ).fetchall()


def test_a_quick_action_runs_its_job_with_one_click_and_says_where_to_look(
    look: Look, database: psycopg.Connection
) -> None:
    before = len(asked(database))
    at = look(QUEUES, Role.OPERATOR)

    at.button(key=f"quick_{DELIVERIES}").click().run()

    assert not at.exception
    assert asked(database)[before:] == [(DELIVERIES, {}, "otto")]
    assert any("Deliver promotions is sent to its queue." in text.value for text in at.text)
    assert "told_open" in keys(at)
    (log,) = [frame.value for frame in at.dataframe]
    assert log["action"].iloc[0] == "Deliver promotions"
    assert "otto" in log["trigger"].iloc[0]


def test_a_dry_run_is_passed_on_where_the_job_knows_one_and_offered_where_it_does(
    look: Look, database: psycopg.Connection
) -> None:
    before = len(asked(database))
    at = look(QUEUES, Role.OPERATOR)

    at.toggle(key="quick_dry_run").set_value(True).run()
    assert at.button(key=f"quick_{DELIVERIES}").disabled
    at.button(key=f"quick_{OFFERS}").click().run()

    assert asked(database)[before:] == [(OFFERS, {"dry_run": True}, "otto")]
    assert any("Send offers, a dry run, is sent to its queue." in text.value for text in at.text)


def test_one_that_runs_already_is_refused_with_the_reason_and_none_is_made(
    look: Look, database: psycopg.Connection
) -> None:
    context = home.context()
    context.redis.set(context.keys.mutex(DELIVERIES), "somebody")
    at = look(QUEUES, Role.OPERATOR)

    at.button(key=f"quick_{DELIVERIES}").click().run()

    assert any("is already running" in text.value for text in at.text)
    assert database.execute("SELECT count(*) FROM callboard.outbox").fetchone() == (0,)


def test_a_job_that_is_switched_off_has_a_button_that_says_so(
    look: Look, database: psycopg.Connection
) -> None:
    database.execute("UPDATE cron_job_config SET enabled = false WHERE job_name = %s", (DELIVERIES,))
    button = look(QUEUES, Role.OPERATOR).button(key=f"quick_{DELIVERIES}")
    assert button.disabled
    assert "switched off" in button.help


def test_limits_are_shown_with_who_holds_them_and_their_minute_begins_anew(look: Look) -> None:
    context = home.context()
    fill_redis(context.redis, context.keys)
    at = look(QUEUES, Role.OPERATOR)
    shown = "\n".join(each.value for each in at.html)
    assert f'<div style="color:{ORANGE}">4 of 4</div>' in shown
    assert "31 of 300" in shown
    assert len([key for key in keys(at) if key.startswith("holder_tenant:acme_")]) == 4

    at.button(key="reset_limit_tenant:acme").click().run()

    assert not at.exception
    assert any("The minute of the limit tenant:acme begins anew." in text.value for text in at.text)
    assert context.redis.exists(context.keys.rate("tenant:acme")) == 0
    assert context.redis.zcard(context.keys.slots("tenant:acme")) == 4
    assert "reset_limit_tenant:acme" not in keys(at)


def test_a_limit_that_is_used_up_stands_out() -> None:
    assert (used("Running", 4, 4).said, used("Running", 4, 4).strained) == ("4 of 4", True)
    assert (used("Begun", 3, 4).said, used("Begun", 3, 4).strained) == ("3 of 4", False)
    assert used("Waiting", 1_200, None).said == "1,200"


def test_a_key_made_of_arguments_is_shown_as_the_text_that_it_is(look: Look) -> None:
    context = home.context()
    context.redis.hset(context.keys.rate(HOSTILE), str(2**40), 3)
    at = look(QUEUES, Role.OPERATOR)
    assert not at.exception
    interpreted = [str(each.value) for each in (*at.markdown, *at.caption)]
    interpreted += [each.label for each in at.button]
    assert not any("evil.example" in text for text in interpreted)
    assert any("evil.example" in html.value and "<img" not in html.value for html in at.html)


def test_a_queue_that_is_paused_and_has_nothing_under_way_is_marked_drained(
    look: Look, database: psycopg.Connection
) -> None:
    context = home.context()
    database.execute(
        "INSERT INTO callboard.pauses (scope, name, reason, paused_by)"
        " VALUES ('queue', 'mail', 'upgrade', 'ada')"
    )
    context.redis.zadd(context.keys.heartbeats, {"w": 2**45})
    context.redis.sadd(context.keys.acks("w", "mail"), "m")
    assert "drained" not in badges(look(QUEUES, Role.OPERATOR))
    context.redis.delete(context.keys.acks("w", "mail"))
    loaders.forget()
    assert "drained" in badges(look(QUEUES, Role.OPERATOR))


def badges(at: AppTest) -> str:
    return "\n".join(each.value for each in at.markdown)


def test_a_viewer_sees_the_log_and_the_limits_and_is_offered_nothing(look: Look) -> None:
    context = home.context()
    fill_redis(context.redis, context.keys)
    at = look(QUEUES, Role.VIEWER)
    assert len(at.dataframe) == 1
    assert not any(key.startswith(("quick_", "reset_")) for key in keys(at))
    assert not at.toggle


def test_the_page_of_a_queue_has_the_quick_actions_of_its_jobs_alone(
    look: Look, database: psycopg.Connection
) -> None:
    queues = dict(
        database.execute(
            "SELECT name, queue FROM callboard.jobs WHERE name = ANY(%s)", ([OFFERS, DELIVERIES],)
        ).fetchall()
    )
    shown = {key for key in keys(look(QUEUE, Role.OPERATOR, queue=queues[OFFERS])) if "quick_process" in key}

    assert shown == {f"quick_{name}" for name, queue in queues.items() if queue == queues[OFFERS]}
    none = look(QUEUE, Role.OPERATOR, queue="sync")
    assert not [key for key in keys(none) if key.startswith("quick_")]
