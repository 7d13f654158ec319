"""What a query plan says of the rows that it touches."""

from collections.abc import Iterator
from typing import Any


def scanned(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table or an index."""
    if "Relation Name" in plan:
        yield plan
    for below in plan.get("Plans", ()):
        yield from scanned(below)


def touched(scan: dict[str, Any]) -> float:
    """The rows that a scan looked at, those that it left out included."""
    removed = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
    rows: float = (scan["Actual Rows"] + removed) * scan["Actual Loops"]
    return rows
