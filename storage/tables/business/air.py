"""Air quality: where it is measured, what was measured, and what comes of a day."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from callboard.storage.tables.base import NOW, TRUE, metadata, moment
from callboard.storage.tables.business.base import SCHEMA, key, refers, words

#: Pollutants, in micrograms a cubic metre.
POLLUTANTS = ("pm2_5", "pm10", "o3", "no2", "so2", "co")

locations = Table(
    "locations",
    metadata,
    key(),
    words("slug", unique=True),
    words("name"),
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    words("time_zone", server_default="UTC"),
    Column("enabled", Boolean, nullable=False, server_default=TRUE),
    CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="latitude"),
    schema=SCHEMA,
    comment="One row per place whose air is measured.",
)

measurements = Table(
    "measurements",
    metadata,
    refers("location_id", "locations", nullable=False),
    moment("measured_at", nullable=False),
    *(Column(name, Double, comment="Micrograms a cubic metre.") for name in POLLUTANTS),
    Column("us_aqi", Integer, comment="0 to 500, by the breakpoints of the US EPA."),
    Column("eu_aqi", Integer, comment="1 (good) to 6 (extremely poor), by the European Environment Agency."),
    Column("dominant", Text, comment="The pollutant that the US index comes from."),
    moment("fetched_at", nullable=False, server_default=NOW),
    PrimaryKeyConstraint("location_id", "measured_at"),
    CheckConstraint(
        # PostgreSQL takes NaN for more than infinity.
        " AND ".join(f"{name} >= 0 AND {name} < 'Infinity'" for name in POLLUTANTS),
        name="concentrations",
    ),
    Index("measurements_measured_at_idx", "measured_at"),
    schema=SCHEMA,
    comment="One row per place and time of measurement.",
)


def _figures() -> tuple[Column[object], ...]:
    return (
        Column("measurements", Integer, nullable=False),
        *(Column(f"{name}_mean", Double) for name in POLLUTANTS),
        *(Column(f"{name}_max", Double) for name in POLLUTANTS),
        Column("us_aqi", Integer, comment="The day's own, as the US EPA reckons it; NULL: too few hours."),
        Column("us_aqi_mean", Double),
        Column("us_aqi_max", Integer),
        Column("eu_aqi_max", Integer),
        Column("dominant", Text, comment="The pollutant that `us_aqi` comes from."),
        moment("computed_at", nullable=False, server_default=NOW),
    )


current_day = Table(
    "current_day_aggregates",
    metadata,
    refers("location_id", "locations", primary_key=True),
    Column("day", Date, nullable=False, comment="In the place's time zone."),
    *_figures(),
    schema=SCHEMA,
    comment="One row per place: the figures of its present day so far.",
)

daily_statistics = Table(
    "daily_statistics",
    metadata,
    refers("location_id", "locations", nullable=False),
    Column("day", Date, nullable=False, comment="In the place's time zone."),
    *_figures(),
    moment("finalised_at", nullable=False, server_default=NOW),
    PrimaryKeyConstraint("location_id", "day"),
    Index("daily_statistics_day_idx", "day"),
    schema=SCHEMA,
    comment="One row per place and day that is over.",
)
