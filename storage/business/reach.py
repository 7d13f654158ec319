"""Whom a message may reach."""

from sqlalchemy import Connection, text

#: Of `business.customers c`, at `:now`: somebody to whom WhatsApp messages may be sent.
REACHABLE = "(c.phone IS NOT NULL AND c.whatsapp_consent_at <= :now)"
#: The same, and promotions may be among them.
PROMOTABLE = f"({REACHABLE} AND c.marketing_consent_at <= :now)"

ZONES = text("SELECT DISTINCT time_zone FROM business.customers")


def time_zones(connection: Connection) -> list[str]:
    """The customers' time zones, as they were entered: some may not exist."""
    return list(connection.scalars(ZONES))
