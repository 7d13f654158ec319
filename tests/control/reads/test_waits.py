"""What runs waited for, as the recorder has written it."""

from uuid import uuid4

import pytest
from sqlalchemy import Engine

from callboard.control.context import Context
from callboard.control.reads.waits import queue_waits
from callboard.core.clock import to_ms, utcnow
from callboard.storage.engine import psycopg_url
from helpers.declarations import declare, job
from helpers.lives import connect, ended, event, record


def test_what_runs_were_held_back_by_is_told_apart_where_they_have_told_it(
    context: Context, engine: Engine
) -> None:
    declare(engine, job("send", queue="mail"))
    sent = to_ms(utcnow()) - 180_000
    stamps = {"at": sent, "fet": sent + 800, "sta": sent + 1_000, "q": "mail"}
    begun = event(str(uuid4()), "send", hld={"mutex": 500, "pause": 100}, **stamps)
    with connect(psycopg_url(context.settings.database_url)) as connection:
        record(connection, [begun], [ended(begun, "succeeded", 10)])

    found = queue_waits(context, "mail", "hour")

    assert {each.part: each.mean_ms for each in found.parts} == pytest.approx({
        "lag": 0, "delay": 0, "pause": 100, "mutex": 500, "worker": 200, "hand": 200,
    })  # fmt: skip
