"""The database's clock, by which all schedulers and SQL agree on what time it is."""

from datetime import datetime

from sqlalchemy import Connection, text

_NOW = text("SELECT clock_timestamp()")


def database_time(connection: Connection) -> datetime:
    """The present time by the database's clock."""
    moment: datetime = connection.execute(_NOW).scalar_one()
    return moment
