"""The game platform's coordinated full sync: what it sends, and how often."""

from typing import Any
from uuid import uuid4

import pytest

from callboard.actors.business import game_platform_full
from callboard.core.keys import Keys
from helpers.promises import Promise, assert_kept

NAME = "game_platform_full_sync"


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, NAME, Promise(None, 60, 3, "sync"))


def test_run_twice_it_sends_one_chain(
    surroundings: Any, redis_client: Any, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run that is delivered twice
    own = uuid4()
    monkeypatch.setattr(game_platform_full, "run_id", lambda: own)
    job = surroundings.get_actor(NAME)

    first, second = job(), job()

    assert first == second
    assert first["wait_s"] == 30
    assert redis_client.llen(Keys(namespace).queue("default")) == 1


def test_a_wait_into_the_past_is_refused(surroundings: Any) -> None:
    with pytest.raises(ValueError, match="wait_s is -1"):
        surroundings.get_actor(NAME)(wait_s=-1)
