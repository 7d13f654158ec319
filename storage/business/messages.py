"""Having messages sent: rows of `"OutboundJob"`, written in the transaction that decides to send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.core.courtesy import courteous
from callboard.core.wording import one_line

#: The latest state of the row that has the key, whoever made it.
QUEUE = text("""
  WITH given AS (
SELECT customer_id, "to", kind, payload, marketing, run_at, key
  FROM jsonb_to_recordset(:messages)
       AS m (customer_id bigint, "to" text, kind text, payload jsonb, marketing boolean, run_at timestamptz,
             key text)
     ), added AS (
INSERT INTO business."OutboundJob" ("customerId", "to", kind, payload, marketing, "runAt", "idempotencyKey")
SELECT customer_id, "to", kind, payload, marketing, run_at, key
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


#: The longest parameter of a template, in characters.
MAX_PARAMETER = 1_000


@dataclass(frozen=True, slots=True)
class Template:
    """A message that WhatsApp has approved, by its name there, with what stands for {{1}}, {{2}} ...

    Text of one's own choice reaches only who has written within the last 24 hours.
    """

    name: str
    parameters: tuple[str, ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a customer. One `key` (`offer:17`) is sent once, however often it is queued."""

    key: str
    customer_id: int
    to: str
    text: str
    #: Of the customer: messages wait for a decent hour there.
    time_zone: str = "UTC"
    #: Whether it needs consent to promotions too, when it is sent.
    marketing: bool = False
    #: What goes out in the place of the text, which then is for operators alone.
    template: Template | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """What the row says."""
        if self.template is None:
            return {"text": self.text}
        # A parameter is one line with something in it: WhatsApp refuses others.
        parameters = [one_line(value, MAX_PARAMETER) or "-" for value in self.template.parameters]
        named = {"name": self.template.name, "language": self.template.language, "parameters": parameters}
        return {"text": self.text, "template": named}


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
            "kind": "text" if each.template is None else "template",
            "payload": each.payload,
            "marketing": each.marketing,
            "run_at": courteous(now, each.time_zone).isoformat(),
            "key": each.key,
        }
        for each in messages
    ]
    return {row.key: row.id for row in connection.execute(QUEUE, {"messages": given})}
