"""Lists over HTTP page by page, the latest first: each entry once, though entries are of one moment."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine, text

#: Where each list is, what it is called, and the start of a statement that fills it with ten entries.
LISTS = {
    "/api/alerts?open=false": (
        "alerts",
        """
INSERT INTO callboard.alerts (kind, subject, severity, message, opened_at)
SELECT 'health', 'server ' || n, 'warning', 'Away.', at""",
    ),
    "/api/breakers/changes?breaker=mail": (
        "changes",
        """
INSERT INTO callboard.breaker_changes (breaker, at, from_state, to_state)
SELECT 'mail', at, 'closed', 'open'""",
    ),
    "/api/dead-letters/bulk?": (
        "actions",
        """
INSERT INTO callboard.bulk_actions (what, filter, requested_by, total, state, created_at)
SELECT 'drop', jsonb_build_object('job', n), 'ada', 0, 'done', at""",
    ),
}
#: Three entries of one moment each.
TEN = """
  FROM generate_series(1, 10) AS n
 CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - n / 3 * interval '1 min' AS at) AS moments
"""


@pytest.mark.parametrize("path", LISTS)
def test_pages_follow_each_other_without_gap_or_repetition(
    api: httpx.Client, engine: Engine, path: str
) -> None:
    name, fill = LISTS[path]
    with engine.begin() as connection:
        connection.execute(text(fill + TEN))
    whole = api.get(path).json()

    pages: list[list[Any]] = []
    following: str | None = ""
    while following is not None:
        body = api.get(f"{path}&limit=4{following}").json()
        pages.append(body[name])
        following = body["nextCursor"] and f"&cursor={quote(body['nextCursor'])}"

    assert [len(page) for page in pages] == [4, 4, 2]
    assert [entry for page in pages for entry in page] == whole[name]
    assert whole["nextCursor"] is None


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_is_none_is_refused(api: httpx.Client, path: str) -> None:
    answer = api.get(f"{path}&cursor=somewhere")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("There is no page 'somewhere'")
