"""Points: a gain is written down once, and customers.points stays the sum of the ledger."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ARRAY, BigInteger, Connection, Integer, Text, bindparam, text

ADD = text("""
  WITH added AS (
INSERT INTO business.points_ledger (customer_id, points, reason, reference)
SELECT * FROM unnest(:customers, :points, :reasons, :references)
    ON CONFLICT (customer_id, reason, reference) DO NOTHING
RETURNING customer_id, points
     ),
       sums AS (SELECT customer_id, sum(points) AS points FROM added GROUP BY customer_id)
UPDATE business.customers c
   SET points = c.points + sums.points
  FROM sums
 WHERE c.id = sums.customer_id
""").bindparams(
    bindparam("customers", type_=ARRAY(BigInteger)),
    bindparam("points", type_=ARRAY(Integer)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("references", type_=ARRAY(Text)),
)


class Gain(NamedTuple):
    """Points of a customer; of the same reason and reference they are given once."""

    customer_id: int
    points: int
    reason: str
    reference: str


def add_points(connection: Connection, gains: Sequence[Gain]) -> None:
    """Write gains into the ledger, and add those that are new to the customers' points."""
    if not gains:
        return
    customers, points, reasons, references = (list(column) for column in zip(*gains, strict=True))
    given = {"customers": customers, "points": points, "reasons": reasons, "references": references}
    connection.execute(ADD, given)
