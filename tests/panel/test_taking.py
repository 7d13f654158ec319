"""What is taken along as a file: all of what a page shows, no formula in it, and only for who may have it."""

import csv
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO

import psycopg
import pytest

from callboard.control.auth import Role, local_principal
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads import figure_sheets, ledger, letters, sheets
from callboard.core.clock import utcnow
from callboard.core.errors import NotAllowed, NotAuthenticated
from callboard.panel import home
from callboard.panel.parts import taking
from helpers.fleets import add_fleet
from helpers.panel_alerts import add_alerts, remove_alerts

pytestmark = pytest.mark.usefixtures("filled")

FORMULA = "=HYPERLINK(1)"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def test_every_table_can_be_taken_along(tokens: dict[Role, str], database: psycopg.Connection) -> None:
    context = home.context()
    add_alerts(database, said=FORMULA)
    add_fleet(context.redis, context.keys)
    database.execute(
        "INSERT INTO callboard.queue_samples"
        " (queue, at, depth, oldest_due_ms, in_flight, dead, workers, slots, busy)"
        " VALUES ('default', now(), 1, 0, 0, 0, 1, 8, 2)"
    )
    make: dict[str, Callable[[Context], str]] = {
        "jobs": partial(sheets.jobs_sheet, names={"health-check"}, days=30),
        "executions": partial(sheets.executions_sheet, job="health-check", days=30),
        "outcomes": partial(figure_sheets.outcomes_sheet, hours=24),
        "trend": partial(figure_sheets.trend_sheet, queue="default", job="health-check", span="day"),
        "backlog": partial(figure_sheets.backlog_sheet, queue="default", span="day"),
        "waits": partial(figure_sheets.waits_sheet, queue="default", span="day"),
        "calendar": partial(figure_sheets.calendar_sheet, tz="Europe/Paris"),
        "slots": partial(sheets.slots_sheet, wanted=ledger.Wanted(since=utcnow() - timedelta(days=30))),
        "schedules": partial(sheets.schedules_sheet, ids=range(1_000)),
        "alerts": partial(sheets.alerts_sheet, kind=None),
        "processes": sheets.fleet_sheet,
        "queues": sheets.queues_sheet,
        "users": partial(sheets.users_sheet, principal=local_principal()),
    }
    try:
        found = {name: rows_of(made(context)) for name, made in make.items()}
    finally:
        remove_alerts(database)
        database.execute("DELETE FROM callboard.queue_samples")
        context.redis.flushdb()

    assert all(found.values()), {name: len(rows) for name, rows in found.items()}
    (job,) = found["jobs"]
    assert (job["name"], job["stats.days"]) == ("health-check", "30")
    assert {"at", "wait_p95_ms", "usual.wait_p95_ms"} <= found["trend"][0].keys()
    assert {"at", "depth", "busy", "slots"} <= found["backlog"][0].keys()
    assert {row["what"] for row in found["waits"]} == {"wait", "threads"}
    assert {"day", "name", "slots", "first"} <= found["calendar"][0].keys()
    assert {"vera", "otto", "ada"} <= {user["name"] for user in found["users"]}
    assert len(found["slots"]) > 1_000, "several pages of them"
    assert len({(slot["schedule_id"], slot["due_at"]) for slot in found["slots"]}) == len(found["slots"])
    assert any(FORMULA in alert["message"] for alert in found["alerts"])
    assert rows_of(sheets.letters_sheet(context, letters.Wanted(text="nobody has said that"))) == []


def test_a_file_is_made_for_whom_may_have_it_by_the_time_of_the_click(tokens: dict[Role, str]) -> None:
    def audit(context: Context, viewer: Principal) -> str:
        return sheets.audit_sheet(context, viewer, None)

    made = partial(taking.made, address=None, permission="audit:view", make=audit)

    assert made(tokens[Role.ADMIN]).startswith("id,at,who,")
    with pytest.raises(NotAllowed):
        made(tokens[Role.VIEWER])
    with pytest.raises(NotAuthenticated, match="session has ended"):
        made("x" * 43)
