import pytest
from sqlalchemy import text

from callboard.control.actions.switches import set_enabled
from callboard.control.audit import audited, latest
from callboard.core.errors import Conflict, NotAllowed
from helpers.declarations import audit, declare, job


def test_what_fails_leaves_only_the_refusal(context, engine, admin):
    def refuse_halfway():
        with audited(context, admin, permission="jobs:toggle", action="try", target="it") as entry:
            entry.connection.execute(text("INSERT INTO cron_job_config (job_name) VALUES ('half')"))
            raise Conflict("Not now.")

    with pytest.raises(Conflict):
        refuse_halfway()

    (row,) = audit(engine)
    assert (row["action"], row["outcome"], row["reason"]) == ("try", "refused", "Not now.")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM cron_job_config")).scalar_one() == 0


def test_a_mistake_of_the_program_is_no_refusal(context, engine, admin):
    with (
        pytest.raises(ZeroDivisionError),
        audited(context, admin, permission="jobs:toggle", action="try", target="it"),
    ):
        _ = 1 / 0

    assert audit(engine) == []


def test_the_trail_is_read_page_by_page_by_admins_only(context, engine, admin, operator):
    declare(engine, job("one"), job("two"))
    for name in ("one", "two", "one"):
        set_enabled(context, operator, name, False)

    first = latest(context, admin, limit=2)
    rest = latest(context, admin, limit=2, before_id=first[-1].id)

    assert [row.target for row in (*first, *rest)] == ["one", "two", "one"]
    assert [row.target for row in latest(context, admin, target="two")] == ["two"]
    with pytest.raises(NotAllowed):
        latest(context, operator)
