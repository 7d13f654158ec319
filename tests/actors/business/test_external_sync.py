"""The external service's records, on the real table, against the sandbox's service."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from helpers.answering import Answer, answering
from helpers.promises import Promise, assert_kept
from helpers.sandboxed import Sandboxed, sandboxed

NAME = "sync-external-data"


@pytest.fixture
def service(surroundings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox


@pytest.fixture
def job(surroundings: Any) -> Any:
    return surroundings.get_actor(NAME)


def scalar(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.scalar(text(query))


RECORDS = "SELECT count(*) FROM business.external_records"
CURSOR = "SELECT cursor FROM business.sync_cursors WHERE name = 'external_records'"


def page(*records: dict[str, Any], cursor: str, more: bool) -> Answer:
    return Answer(body=orjson.dumps({"records": records, "cursor": cursor, "has_more": more}))


def record(identity: str, hour: int, **more: Any) -> dict[str, Any]:
    return {"id": identity, "changed_at": f"2026-11-20T{hour:02}:00:00Z", "data": {"hour": hour}, **more}


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, NAME, Promise("0 */6 * * *", 300, 4, "sync"))


def test_all_changes_of_the_last_month_are_fetched_once(job: Any, service: Sandboxed, engine: Engine) -> None:
    first = job()
    assert first["failed"] == 0
    assert first["processed"] == 8_640
    assert 1_500 < scalar(engine, RECORDS) <= 2_000
    assert scalar(engine, f"{RECORDS} WHERE deleted_at IS NOT NULL") > 10
    assert int(scalar(engine, CURSOR)) > 8_640
    # And then only what is new, of which there is hardly anything yet
    assert job()["processed"] <= 1


def test_a_deleted_record_is_marked_and_one_that_is_old_news_is_left(
    job: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering() as service:
        monkeypatch.setenv("EXTERNAL_URL", service.url)
        monkeypatch.setenv("EXTERNAL_TOKEN", "a-token")
        # Given a page of two, and one in which one is deleted, one comes late, and one makes no sense
        service.script = [
            page(record("a", 1), record("b", 5), cursor="one", more=True),
            page(
                record("a", 2, deleted=True, data=None), record("b", 4), {"id": "c"}, cursor="two", more=False
            ),
        ]
        result = job()
    # Expect them so, with their last data, and the cursor of the last page
    assert result == {"processed": 4, "failed": 1, "stored": 2, "deleted": 1}
    with engine.connect() as connection:
        query = text("SELECT external_id, data, deleted_at IS NULL FROM business.external_records ORDER BY 1")
        rows = [tuple(row) for row in connection.execute(query)]
    assert rows == [("a", {"hour": 1}, False), ("b", {"hour": 5}, True)]
    assert scalar(engine, CURSOR) == "two"
    assert [asked.headers["authorization"] for asked in service.asked] == ["Bearer a-token"] * 2
    assert "cursor=one" in service.asked[1].path
    error = scalar(engine, "SELECT error FROM business.item_failures WHERE item = 'records:c'")
    assert error.startswith("The record c makes no sense")


def test_the_cursor_stays_where_the_last_page_that_was_stored_ends(
    job: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering() as service:
        monkeypatch.setenv("EXTERNAL_URL", service.url)
        monkeypatch.setenv("EXTERNAL_TOKEN", "a-token")
        service.script = [page(record("a", 1), cursor="one", more=True), Answer(status=403)]
        with pytest.raises(Exception, match="refused GET v1/records: HTTP 403"):
            job()
    assert scalar(engine, CURSOR) == "one"
    assert scalar(engine, RECORDS) == 1


def test_a_dry_run_changes_nothing(job: Any, service: Sandboxed, engine: Engine) -> None:
    assert job(dry_run=True)["processed"] == 8_640
    assert scalar(engine, RECORDS) == 0
    assert scalar(engine, CURSOR) is None


def test_a_page_of_nothing_but_nonsense_is_recorded_and_passed(
    job: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering() as service:
        monkeypatch.setenv("EXTERNAL_URL", service.url)
        monkeypatch.setenv("EXTERNAL_TOKEN", "a-token")
        service.script = [page({"id": "a"}, {"id": "b"}, cursor="one", more=False)]
        with pytest.raises(Exception, match="Most items failed: 2 of 2"):
            job()
        service.script = [page(record("c", 3), cursor="two", more=False)]
        assert job()["stored"] == 1
    assert "cursor=one" in service.asked[1].path
    assert scalar(engine, "SELECT count(*) FROM business.item_failures") == 2


def test_an_empty_page_before_others_is_no_end(
    job: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering() as service:
        monkeypatch.setenv("EXTERNAL_URL", service.url)
        monkeypatch.setenv("EXTERNAL_TOKEN", "a-token")
        service.script = [page(cursor="one", more=True), page(record("a", 1), cursor="two", more=False)]
        assert job()["stored"] == 1
    assert scalar(engine, CURSOR) == "two"
