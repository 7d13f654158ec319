"""What the tables of the schema `business` share."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Text

SCHEMA = "business"


def key(**options: Any) -> Column[Any]:
    """A numbered primary key."""
    return Column("id", BigInteger, Identity(always=False), primary_key=True, **options)


def refers(column: str, target: str, *, ondelete: str = "CASCADE", **options: Any) -> Column[Any]:
    """A reference to the `id` of another table; as a rule, the row goes with the one that it refers to."""
    return Column(column, BigInteger, ForeignKey(f"{SCHEMA}.{target}.id", ondelete=ondelete), **options)


def message(**options: Any) -> Column[Any]:
    """A reference to the outbound message that was made for the row."""
    return Column(
        "outbound_id", BigInteger, ForeignKey(f"{SCHEMA}.OutboundJob.id", ondelete="SET NULL"), **options
    )


def words(name: str, **options: Any) -> Column[Any]:
    """Text that must be there."""
    return Column(name, Text, nullable=False, **options)
