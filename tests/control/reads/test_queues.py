import dramatiq
import pytest

from callboard.control.context import Context
from callboard.control.reads.queues import queues
from callboard.core.errors import Unavailable
from helpers.declarations import declare, job


def test_queues_count_what_waits_and_what_is_delayed(context, engine, broker):
    @dramatiq.actor(queue_name="mail", actor_name="send")
    def send() -> None:
        raise AssertionError("nobody works here")

    declare(engine, job("send", queue="mail"), job("other"))
    for _ in range(3):
        send.send()
    send.send_with_options(delay=60_000)

    found = {each.name: each for each in queues(context)}

    assert sorted(found) == ["default", "mail"]
    assert (found["mail"].waiting, found["mail"].delayed, found["mail"].taken, found["mail"].dead) == (
        3,
        1,
        0,
        0,
    )
    assert found["default"].waiting == 0


def test_queues_without_redis_say_so_in_a_sentence(settings, engine):
    declare(engine, job("other"))
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})

    with Context(away) as context, pytest.raises(Unavailable, match="Redis does not answer"):
        queues(context)
