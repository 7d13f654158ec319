"""What all declared tables share: the metadata, the schema's name, the common column types."""

from typing import Any

from sqlalchemy import Column, DateTime, MetaData, String, text

SCHEMA = "callboard"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    },
)

#: A job's name. Callboard refuses longer ones when an actor is declared.
JOB_NAME_LENGTH = 100

NOW = text("now()")
TRUE = text("true")
FALSE = text("false")
ZERO = text("0")


def moment(name: str, **options: Any) -> Column[Any]:
    """A point in time, UTC."""
    return Column(name, DateTime(timezone=True), **options)


def job_name(name: str = "job_name", **options: Any) -> Column[Any]:
    """The name of a job.

    Everywhere of the type that the public views promise: a view that had to cast it could use no index.
    """
    return Column(name, String(JOB_NAME_LENGTH), **options)


def one_of(column: str, *values: str) -> str:
    """The condition that a column holds one of these values."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"
