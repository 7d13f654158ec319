"""Whom a message may reach."""

from sqlalchemy import Connection, text

#: Of `business.customers c`, at `:now`: somebody to whom WhatsApp messages may be sent.
REACHABLE = "(c.phone IS NOT NULL AND c.whatsapp_consent_at <= :now)"
#: The same, and promotions may be among them.
PROMOTABLE = f"({REACHABLE} AND c.marketing_consent_at <= :now)"


def undelivered(outbound_id: str) -> str:
    """That the message of that row (an expression) has failed for good: nobody can be reminded of it."""
    failed = f"m.id = {outbound_id} AND m.status = 'failed'"
    return f'EXISTS (SELECT FROM business."OutboundJob" m WHERE {failed})'


ZONES = text("SELECT DISTINCT time_zone FROM business.customers")


def time_zones(connection: Connection) -> list[str]:
    """The customers' time zones, as they were entered: some may not exist."""
    return list(connection.scalars(ZONES))
