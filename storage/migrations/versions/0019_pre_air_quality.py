"""Air quality."""

import sqlalchemy as sa
from alembic import op

revision = "0019_pre_air_quality"
down_revision = "0018_pre_content"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "locations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
            name=op.f("locations_latitude_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("locations_pkey")),
        sa.UniqueConstraint("slug", name=op.f("locations_slug_key")),
        schema="business",
        comment="One row per place whose air is measured.",
    )
    op.create_table(
        "measurements",
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pm2_5", sa.Double(), nullable=True, comment="Micrograms a cubic metre."),
        sa.Column("pm10", sa.Double(), nullable=True, comment="Micrograms a cubic metre."),
        sa.Column("o3", sa.Double(), nullable=True, comment="Micrograms a cubic metre."),
        sa.Column("no2", sa.Double(), nullable=True, comment="Micrograms a cubic metre."),
        sa.Column("so2", sa.Double(), nullable=True, comment="Micrograms a cubic metre."),
        sa.Column("co", sa.Double(), nullable=True, comment="Micrograms a cubic metre."),
        sa.Column(
            "us_aqi", sa.Integer(), nullable=True, comment="0 to 500, by the breakpoints of the US EPA."
        ),
        sa.Column(
            "eu_aqi",
            sa.Integer(),
            nullable=True,
            comment="1 (good) to 6 (extremely poor), by the European Environment Agency.",
        ),
        sa.Column(
            "dominant", sa.Text(), nullable=True, comment="The pollutant that the US index comes from."
        ),
        sa.Column("fetched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["business.locations.id"],
            name=op.f("measurements_location_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "pm2_5 >= 0 AND pm2_5 < 'Infinity' AND pm10 >= 0 AND pm10 < 'Infinity' AND "
            "o3 >= 0 AND o3 < 'Infinity' AND no2 >= 0 AND no2 < 'Infinity' AND "
            "so2 >= 0 AND so2 < 'Infinity' AND co >= 0 AND co < 'Infinity'",
            name=op.f("measurements_concentrations_check"),
        ),
        sa.PrimaryKeyConstraint("location_id", "measured_at", name=op.f("measurements_pkey")),
        schema="business",
        comment="One row per place and time of measurement.",
    )
    op.create_index(
        "measurements_measured_at_idx", "measurements", ["measured_at"], unique=False, schema="business"
    )
    op.create_table(
        "current_day_aggregates",
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="In the place's time zone."),
        sa.Column("measurements", sa.Integer(), nullable=False),
        sa.Column("pm2_5_mean", sa.Double(), nullable=True),
        sa.Column("pm10_mean", sa.Double(), nullable=True),
        sa.Column("o3_mean", sa.Double(), nullable=True),
        sa.Column("no2_mean", sa.Double(), nullable=True),
        sa.Column("so2_mean", sa.Double(), nullable=True),
        sa.Column("co_mean", sa.Double(), nullable=True),
        sa.Column("pm2_5_max", sa.Double(), nullable=True),
        sa.Column("pm10_max", sa.Double(), nullable=True),
        sa.Column("o3_max", sa.Double(), nullable=True),
        sa.Column("no2_max", sa.Double(), nullable=True),
        sa.Column("so2_max", sa.Double(), nullable=True),
        sa.Column("co_max", sa.Double(), nullable=True),
        sa.Column(
            "us_aqi",
            sa.Integer(),
            nullable=True,
            comment="The day's own, as the US EPA reckons it; NULL: too few hours.",
        ),
        sa.Column("us_aqi_mean", sa.Double(), nullable=True),
        sa.Column("us_aqi_max", sa.Integer(), nullable=True),
        sa.Column("eu_aqi_max", sa.Integer(), nullable=True),
        sa.Column("dominant", sa.Text(), nullable=True, comment="The pollutant that `us_aqi` comes from."),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["business.locations.id"],
            name=op.f("current_day_aggregates_location_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("location_id", name=op.f("current_day_aggregates_pkey")),
        schema="business",
        comment="One row per place: the figures of its present day so far.",
    )
    op.create_table(
        "daily_statistics",
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="In the place's time zone."),
        sa.Column("measurements", sa.Integer(), nullable=False),
        sa.Column("pm2_5_mean", sa.Double(), nullable=True),
        sa.Column("pm10_mean", sa.Double(), nullable=True),
        sa.Column("o3_mean", sa.Double(), nullable=True),
        sa.Column("no2_mean", sa.Double(), nullable=True),
        sa.Column("so2_mean", sa.Double(), nullable=True),
        sa.Column("co_mean", sa.Double(), nullable=True),
        sa.Column("pm2_5_max", sa.Double(), nullable=True),
        sa.Column("pm10_max", sa.Double(), nullable=True),
        sa.Column("o3_max", sa.Double(), nullable=True),
        sa.Column("no2_max", sa.Double(), nullable=True),
        sa.Column("so2_max", sa.Double(), nullable=True),
        sa.Column("co_max", sa.Double(), nullable=True),
        sa.Column(
            "us_aqi",
            sa.Integer(),
            nullable=True,
            comment="The day's own, as the US EPA reckons it; NULL: too few hours.",
        ),
        sa.Column("us_aqi_mean", sa.Double(), nullable=True),
        sa.Column("us_aqi_max", sa.Integer(), nullable=True),
        sa.Column("eu_aqi_max", sa.Integer(), nullable=True),
        sa.Column("dominant", sa.Text(), nullable=True, comment="The pollutant that `us_aqi` comes from."),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "finalised_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["business.locations.id"],
            name=op.f("daily_statistics_location_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("location_id", "day", name=op.f("daily_statistics_pkey")),
        schema="business",
        comment="One row per place and day that is over.",
    )
    op.create_index("daily_statistics_day_idx", "daily_statistics", ["day"], unique=False, schema="business")
