"""Having messages sent: rows of `"OutboundJob"`, written in the transaction that decides to send."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.core.courtesy import courteous

#: The latest state of the row that has the key, whoever made it.
QUEUE = text("""
  WITH given AS (
SELECT customer_id, "to", body, run_at, key
  FROM jsonb_to_recordset(:messages)
       AS m (customer_id bigint, "to" text, body text, run_at timestamptz, key text)
     ), added AS (
INSERT INTO business."OutboundJob" ("customerId", "to", payload, "runAt", "idempotencyKey")
SELECT customer_id, "to", jsonb_build_object('text', body), run_at, key
  FROM given
 ORDER BY key
    ON CONFLICT ("idempotencyKey") DO NOTHING
RETURNING id, "idempotencyKey" AS key
     )
SELECT key, id FROM added
 UNION ALL
SELECT o."idempotencyKey", o.id
  FROM business."OutboundJob" o
  JOIN given ON given.key = o."idempotencyKey"
""").bindparams(bindparam("messages", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a customer. One `key` (`offer:17`) is sent once, however often it is queued."""

    key: str
    customer_id: int
    to: str
    text: str
    #: Of the customer: messages wait for a decent hour there.
    time_zone: str = field(default="UTC")


def queue_messages(connection: Connection, messages: Sequence[Message], now: datetime) -> dict[str, int]:
    """Queue messages for the outbound runner. Returns the ids of their rows, by key.

    Rows that were there already stay what they are.
    """
    if not messages:
        return {}
    given: list[dict[str, Any]] = [
        {
            "customer_id": each.customer_id,
            "to": each.to,
            "body": each.text,
            "run_at": courteous(now, each.time_zone).isoformat(),
            "key": each.key,
        }
        for each in messages
    ]
    return {row.key: row.id for row in connection.execute(QUEUE, {"messages": given})}
