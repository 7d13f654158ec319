"""Streaming videos, on the real tables, against the sandbox's Cloudflare."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, insert, text

from callboard.storage.tables.business import streamings
from helpers.answering import Answer, answering
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
    # Expect each to be what it is, and the lost one to have failed
    assert result == {"processed": 5, "failed": 0, "ready": 2, "error": 2, "queued": 1}
    found = videos(engine)
    assert found["ready1"][0] == "ready"
    assert 20 <= found["ready1"][1] <= 3_620
    assert found["error1"] == ("error", None, "The file was not recognized as a valid video file.")
    assert found["queued1"] == found["ready9"] == ("queued", None, None)
    assert found["gone1"][0] == "error"
    assert "The requested resource was not found (10003, HTTP 404)" in found["gone1"][2]
    # And the second time only those that are queued are asked for
    assert job() == {"processed": 1, "failed": 0, "ready": 0, "error": 0, "queued": 1}


def test_an_answer_that_makes_no_sense_is_recorded_and_the_video_waits_its_turn(
    surroundings: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_videos(engine, "odd", "even")
    with answering() as service:
        for name, value in {
            "CLOUDFLARE_URL": service.url,
            "CLOUDFLARE_ACCOUNT_ID": "abc",
            "CLOUDFLARE_STREAM_API_TOKEN": "a-token",
        }.items():
            monkeypatch.setenv(name, value)
        queued = orjson.dumps({"success": True, "result": {"status": {"state": "inprogress"}}})
        service.script = [Answer(body=b"{}", after_s=0.1), Answer(body=queued, after_s=0.1)]
        monkeypatch.setattr("callboard.actors.business.streaming.WORK_S", 0.05)
        job = surroundings.get_actor(NAME)
        # When there is time for one video in each run, and the answer for the first makes no sense
        with pytest.raises(Exception, match="Most items failed: 1 of 1"):
            job(batch_size=1)
        job(batch_size=1)
    # Expect the second run to have gone on with the other
    assert [asked.path.rsplit("/", 1)[1] for asked in service.asked] == ["odd", "even"]
    assert videos(engine)["odd"] == videos(engine)["even"] == ("queued", None, None)


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
