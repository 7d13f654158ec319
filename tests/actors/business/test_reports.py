"""The daily report, on the real tables."""

from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine, insert, text

from callboard.storage.tables.business import completed_jobs, portal_events
from helpers.promises import Promise, assert_kept

NAME = "generate-daily-reports"
DAY = "2026-11-24"


@pytest.fixture
def job(surroundings: Any, engine: Engine, add_customer: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The job, with a day that has a customer, two jobs and an event; what is of other days lies beside."""
    monkeypatch.setenv("REPORT_RECIPIENTS", "ada@example.org, otto@example.org")
    customer = add_customer(created_at=f"{DAY}T10:00:00Z")
    add_customer(created_at="2026-11-25T00:00:00Z")
    with engine.begin() as connection:
        jobs = [(f"{DAY}T00:00:00Z", 1_000), (f"{DAY}T23:59:59Z", 250), ("2026-11-23T23:59:59Z", 7)]
        connection.execute(
            insert(completed_jobs),
            [
                {"customer_id": customer, "title": "Work", "amount_cents": cents, "completed_at": at}
                for at, cents in jobs
            ],
        )
        connection.execute(
            insert(portal_events), [{"customer_id": customer, "kind": "login", "at": f"{DAY}T12:00:00Z"}]
        )
    return surroundings.get_actor(NAME)


def rows(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).all())


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, NAME, Promise("0 2 * * *", 1_800, 3, "reports"))


def test_the_day_is_added_up_and_everybody_is_told_once(job: Any, engine: Engine) -> None:
    first, second = job(day=DAY), job(day=DAY)

    assert first == {"processed": 1, "failed": 0, "day": DAY, "changed": True, "emails": 2}
    assert second == {"processed": 1, "failed": 0, "day": DAY, "changed": False, "emails": 0}
    (report,) = rows(engine, "SELECT kind, day, content FROM business.reports")
    assert (report.kind, report.day) == ("daily", DAY)
    assert report.content["customers"] == {"new": 1}
    assert report.content["jobs"] == {"completed": 2, "amount_cents": 1_250}
    assert report.content["portal"] == {"events": 1, "customers": 1}
    assert report.content["messages"] == {"sent": 0, "failed": 0}
    mails = rows(engine, "SELECT to_address, subject, body FROM business.email_queue ORDER BY to_address")
    assert [mail.to_address for mail in mails] == ["ada@example.org", "otto@example.org"]
    assert mails[0].subject == f"Daily report of {DAY}"
    assert "- Jobs: 2 completed, worth 12.50" in mails[0].body


def test_what_comes_to_light_later_changes_the_report_and_bothers_nobody(job: Any, engine: Engine) -> None:
    job(day=DAY)
    with engine.begin() as connection:
        connection.execute(text("UPDATE business.completed_jobs SET amount_cents = amount_cents + 1"))

    assert job(day=DAY)["changed"] is True

    (report,) = rows(engine, "SELECT content FROM business.reports")
    assert report.content["jobs"]["amount_cents"] == 1_252
    assert len(rows(engine, "SELECT FROM business.email_queue")) == 2


def test_days_on_which_nothing_was_at_work_get_their_report_too(job: Any, engine: Engine) -> None:
    job(day="2026-11-20")

    with time_machine.travel("2026-11-25T02:00:00Z", tick=False):
        result = job()
        again = job()

    assert result == {"processed": 4, "failed": 0, "day": DAY, "changed": True, "emails": 8}
    assert again["processed"] == 1
    days = rows(engine, "SELECT day FROM business.reports ORDER BY day")
    assert [report.day for report in days] == [f"2026-11-{day}" for day in range(20, 25)]


def test_the_first_report_is_of_one_day_and_a_long_silence_is_made_good_for_a_month(
    job: Any, engine: Engine
) -> None:
    with time_machine.travel("2026-11-25T02:00:00Z", tick=False):
        assert job()["processed"] == 1
    with time_machine.travel("2027-11-25T02:00:00Z", tick=False):
        assert job()["processed"] == 31


def test_a_dry_run_shows_the_report_and_keeps_nothing(job: Any, engine: Engine) -> None:
    shown = job(day=DAY, dry_run=True)

    assert shown["report"]["jobs"]["completed"] == 2
    assert rows(engine, "SELECT FROM business.reports") == []
    assert rows(engine, "SELECT FROM business.email_queue") == []


def test_without_a_day_it_is_the_one_before(job: Any, engine: Engine) -> None:
    day = job()["day"]

    (yesterday,) = rows(engine, "SELECT ((now() AT TIME ZONE 'UTC')::date - 1)::text AS day")
    assert day == yesterday.day


def test_a_day_that_is_none_is_refused(job: Any) -> None:
    with pytest.raises(ValueError, match="day is 'yesterday'; write it as 2026-11-25"):
        job(day="yesterday")
