import json

import pytest
from sqlalchemy import text

from callboard.control.actions.run_job import AlreadyRunning, run_job
from callboard.control.context import Context
from callboard.control.reads.runs import run
from callboard.core.errors import BadInput, Disabled, NotAllowed, NotFound
from callboard.core.keys import Keys
from helpers.declarations import audit, declare, job, run_ids
from helpers.queues import queued

SIGNATURE = [
    {"name": "city", "kind": "positional_or_keyword", "type": "str", "default": None, "required": True},
    {"name": "days", "kind": "positional_or_keyword", "type": "int", "default": 7, "required": False},
]


def outbox(engine) -> int:
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM callboard.outbox")).scalar_one()


def test_a_run_is_in_redis_and_pending_when_the_call_returns(
    context, engine, operator, redis_client, namespace
):
    declare(engine, job("report", queue="mail", signature=SIGNATURE))

    requested = run_job(context, operator, "report", args=["Paris"], kwargs={"days": 3})

    assert requested.state == "sent"
    assert requested.job == "report"
    assert outbox(engine) == 0
    keys = Keys(namespace)
    (redis_id,) = redis_client.lrange(keys.queue("mail"), 0, -1)
    message = json.loads(redis_client.hget(keys.messages("mail"), redis_id))
    assert message["message_id"] == str(requested.run_id)
    assert (message["actor_name"], message["args"], message["kwargs"]) == ("report", ["Paris"], {"days": 3})
    assert message["options"]["trigger"] == "manual"
    assert message["options"]["requested_by"] == "otto"
    detail = run(context, requested.run_id)
    assert (detail.run.state, detail.run.requested_by, detail.args) == ("pending", "otto", ["Paris"])


def test_the_request_is_audited_with_the_run_it_became(context, engine, operator):
    declare(engine, job("report"))

    requested = run_job(context, operator, "report")

    (row,) = audit(engine)
    assert (row["who"], row["action"], row["target"], row["outcome"]) == ("otto", "run_job", "report", "done")
    assert row["after"] == {"run_id": str(requested.run_id), "args": [], "kwargs": {}}


def test_while_redis_is_away_the_outbox_keeps_the_run_and_the_answer_says_so(settings, engine, operator):
    declare(engine, job("report"))
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})

    with Context(away) as context:
        requested = run_job(context, operator, "report")

    assert requested.state == "queued"
    assert outbox(engine) == 1
    assert run_ids(engine, "report") == [requested.run_id]


def test_a_job_that_is_switched_off_does_not_run(context, engine, operator):
    declare(engine, job("report"))
    with engine.begin() as connection:
        connection.execute(text("SELECT toggle_cron_job('report', false)"))

    with pytest.raises(Disabled, match="report is switched off"):
        run_job(context, operator, "report")

    assert run_ids(engine, "report") == []
    assert audit(engine)[-1]["outcome"] == "refused"


def test_a_viewer_may_not_run_a_job(context, engine, viewer):
    declare(engine, job("report"))

    with pytest.raises(NotAllowed, match="jobs:run"):
        run_job(context, viewer, "report")

    assert run_ids(engine, "report") == []
    assert audit(engine)[-1]["outcome"] == "refused"


def test_an_unknown_job_is_answered_with_those_that_come_close(context, engine, operator):
    declare(engine, job("report"))

    with pytest.raises(NotFound, match="Did you mean report"):
        run_job(context, operator, "reprot")


def test_arguments_that_do_not_fit_are_refused_before_anything_is_sent(context, engine, operator):
    declare(engine, job("report", signature=SIGNATURE))

    with pytest.raises(BadInput, match="needs the argument 'city'"):
        run_job(context, operator, "report")

    assert run_ids(engine, "report") == []
    assert outbox(engine) == 0


def test_a_job_whose_mutex_is_held_is_refused_to_those_who_ask(
    context, engine, operator, redis_client, namespace
):
    declare(
        engine,
        job("report"),
        job("patient", options={"mutex": True, "overlap": "wait"}),
        job("free", options={}),
    )
    for name in ("report", "patient", "free"):
        redis_client.set(Keys(namespace).mutex(name), "somebody")

    with pytest.raises(AlreadyRunning, match="report is already running"):
        run_job(context, operator, "report", if_running="refuse")

    assert run_ids(engine, "report") == []
    assert run_job(context, operator, "report").state == "sent"
    assert run_job(context, operator, "patient", if_running="refuse").state == "sent"
    assert run_job(context, operator, "free", if_running="refuse").state == "sent"


def test_a_key_that_is_taken_returns_the_run_that_has_it(context, engine, operator, broker):
    declare(engine, job("report"))

    first = run_job(context, operator, "report", idempotency_key="today")
    second = run_job(context, operator, "report", idempotency_key="today")
    other = run_job(context, operator, "report", idempotency_key="tomorrow")

    assert (second.run_id, second.existing, first.existing) == (first.run_id, True, False)
    assert other.run_id != first.run_id
    assert len(queued(context.broker)) == 2


def test_code_and_operators_share_the_keys_of_a_job(context, engine, operator, broker):
    import dramatiq

    declare(engine, job("report"))
    dramatiq.actor(lambda: None, broker=broker, actor_name="report", idempotency_key="always")
    message = broker.get_actor("report").send()

    assert str(run_job(context, operator, "report", idempotency_key="always").run_id) == message.message_id


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_of_no_proper_length_is_refused(context, engine, operator, key):
    declare(engine, job("report"))

    with pytest.raises(BadInput, match="An idempotency key has 1 to 200"):
        run_job(context, operator, "report", idempotency_key=key)


def test_a_key_is_free_again_where_the_request_was_refused(context, engine, operator, redis_client):
    declare(engine, job("report"))
    redis_client.set(context.keys.mutex("report"), "somebody")
    with pytest.raises(AlreadyRunning):
        run_job(context, operator, "report", idempotency_key="k", if_running="refuse")
    redis_client.delete(context.keys.mutex("report"))

    assert not run_job(context, operator, "report", idempotency_key="k", if_running="refuse").existing


def test_a_key_is_taken_for_a_day_and_by_ids_that_are_no_uuids_too(context, engine, operator, redis_client):
    declare(engine, job("report"))
    run_job(context, operator, "report", idempotency_key="k")
    assert 86_000 < redis_client.ttl(context.keys.once("report", "k")) <= 86_400

    redis_client.set(context.keys.once("report", "foreign"), "order-17")
    found = run_job(context, operator, "report", idempotency_key="foreign")
    assert (found.existing, found.run_id.version) == (True, 5)
