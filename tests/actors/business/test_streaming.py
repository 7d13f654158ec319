"""Streaming videos, on the real tables, against the sandbox's Cloudflare."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from callboard.storage.tables.business import streamings
from helpers.promises import Promise, assert_kept
from helpers.sandboxed import Sandboxed, sandboxed

NAME = "process-streaming-video-queue"


@pytest.fixture
def cloudflare(surroundings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox


@pytest.fixture
def job(surroundings: Any, cloudflare: Sandboxed) -> Any:
    return surroundings.get_actor(NAME)


def add_videos(engine: Engine, *uids: str, provider: str = "cloudflare") -> None:
    with engine.begin() as connection:
        connection.execute(insert(streamings), [{"external_id": uid, "provider": provider} for uid in uids])


def videos(engine: Engine) -> dict[str, tuple[Any, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT external_id, status, duration, error FROM business.streamings")
        )
        return {row[0]: tuple(row[1:]) for row in rows}


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, NAME, Promise("*/5 * * * *", 120, 3, "streaming"))


def test_videos_become_what_cloudflare_says_of_them(job: Any, engine: Engine) -> None:
    # Given one of each kind, one that Cloudflare does not have, and one of another provider
    add_videos(engine, "ready1", "ready2", "error1", "queued1", "gone1")
    add_videos(engine, "ready9", provider="elsewhere")
    # When the job runs, in batches of two
    result = job(batch_size=2)
    # Expect each to be what it is, and the lost one to be recorded and left
    assert result == {"processed": 4, "failed": 1, "ready": 2, "error": 1, "queued": 1}
    found = videos(engine)
    assert found["ready1"][0] == "ready"
    assert 20 <= found["ready1"][1] <= 3_620
    assert found["error1"] == ("error", None, "The file was not recognized as a valid video file.")
    assert found["queued1"] == found["gone1"] == found["ready9"] == ("queued", None, None)
    with engine.connect() as connection:
        item, error = connection.execute(text("SELECT item, error FROM business.item_failures")).one()
    assert item.startswith("videos:")
    assert "The requested resource was not found (10003, HTTP 404)" in error
    # And the second time only those that are queued are asked for
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM business.streamings WHERE external_id = 'gone1'"))
    assert job() == {"processed": 1, "failed": 0, "ready": 0, "error": 0, "queued": 1}


def test_a_token_that_is_not_valid_fails_the_run_and_no_video(
    job: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_SANDBOX_TOKEN", "wrong")
    add_videos(engine, "ready1", "ready2")

    with pytest.raises(Exception, match=r"Authentication error \(10000, HTTP 401\)"):
        job()

    assert videos(engine)["ready1"][0] == "queued"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM business.item_failures")) == 0


def test_a_dry_run_asks_and_changes_nothing(job: Any, engine: Engine) -> None:
    add_videos(engine, "ready1")

    assert job(dry_run=True)["ready"] == 1

    assert videos(engine)["ready1"][0] == "queued"
